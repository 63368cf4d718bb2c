"""What is offered for gas: within the operator's limits, and a replacement that every node takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.gas import GasLimits, GasPrice, first_offer, higher_offer

GWEI = 10**9
LIMITS = GasLimits(cap=100 * GWEI, least_tip=GWEI)
FEES = st.integers(min_value=0, max_value=10**15)


@pytest.mark.parametrize(
    ("base_fee", "tip", "offer"),
    [
        (10 * GWEI, 2 * GWEI, GasPrice(22 * GWEI, 2 * GWEI)),
        (0, 0, GasPrice(GWEI, GWEI)),  # the least tip, where nobody pays any
        (60 * GWEI, 2 * GWEI, GasPrice(100 * GWEI, 2 * GWEI)),  # the cap, and still enough for this block
        (99 * GWEI, 5 * GWEI, GasPrice(100 * GWEI, 5 * GWEI)),
        (100 * GWEI, 0, None),  # F-91: nothing is left for the tip
        (10**15, 0, None),
        (-1, 0, None),
        (0, 10**15, GasPrice(100 * GWEI, 100 * GWEI)),
    ],
)
def test_fault_f_91_an_offer_lies_between_wish_and_cap(base_fee: int, tip: int, offer: GasPrice | None) -> None:
    assert first_offer(base_fee, tip, LIMITS) == offer


@given(most=FEES, tip=FEES, base_fee=FEES, asked=FEES)
def test_fault_f_86_a_replacement_pays_an_eighth_more_in_both_fees_or_is_not_made(
    most: int, tip: int, base_fee: int, asked: int
) -> None:
    before = GasPrice(most, min(tip, most))
    offer = higher_offer(before, base_fee, asked, LIMITS)
    if offer is None:
        assert 9 * before.most > 8 * LIMITS.cap - 8 or 9 * before.tip > 8 * LIMITS.cap - 8
    else:
        assert 8 * offer.most >= 9 * before.most
        assert 8 * offer.tip >= 9 * before.tip
        assert offer.tip <= offer.most <= LIMITS.cap


def test_a_replacement_is_no_lower_than_what_the_network_asks_now() -> None:
    assert higher_offer(GasPrice(10 * GWEI, GWEI), 40 * GWEI, 3 * GWEI, LIMITS) == GasPrice(83 * GWEI, 3 * GWEI)


def test_limits_that_allow_nothing_are_refused() -> None:
    for cap, least in ((1, 2), (5, 0), (0, 0)):
        with pytest.raises(ValueError, match="cap"):
            GasLimits(cap, least)
