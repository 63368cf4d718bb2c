"""What a bump costs: every rule of BIP-125 that is about money, checked on the numbers themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.fee_bump import Bump, bumped_rate, least_child_fee, least_replacement_fee

sizes = st.integers(100, 20_000)
rates = st.integers(1, 500)


def test_a_quarter_more_or_what_the_network_asks_for() -> None:
    assert bumped_rate(1_000, 200, 3) == 7  # 5 -> 6.25
    assert bumped_rate(1_000, 200, 50) == 50
    assert bumped_rate(200, 200, 1) == 2


@given(fee=st.integers(100, 10_000_000), vsize=sizes, estimate=rates)
def test_the_rate_always_rises(fee: int, vsize: int, estimate: int) -> None:
    rate = bumped_rate(fee, vsize, estimate)
    assert rate * vsize > fee
    assert rate >= estimate


@given(
    old_rate=rates, old_size=sizes, new_size=sizes, estimate=rates, above_fee=st.integers(0, 10**6), above_size=sizes
)
def test_fault_f_86_a_replacement_pays_what_nodes_ask_for(
    old_rate: int, old_size: int, new_size: int, estimate: int, above_fee: int, above_size: int
) -> None:
    old_fee = old_rate * old_size
    bump = Bump(bumped_rate(old_fee, old_size, estimate), old_fee, old_size, above_fee, above_size)
    fee = least_replacement_fee(bump, new_size)
    assert fee >= old_fee + new_size  # rules 3 and 4, at one unit per byte
    assert fee * old_size > old_fee * new_size  # Core: the rate rises too
    assert fee + above_fee >= bump.rate * (new_size + above_size)


@given(rate=rates, size=sizes, child=sizes, above_fee=st.integers(0, 10**6), above_size=sizes)
def test_a_child_lifts_its_whole_family(rate: int, size: int, child: int, above_fee: int, above_size: int) -> None:
    bump = Bump(rate, size, size, above_fee, above_size)
    fee = least_child_fee(bump, child)
    assert fee >= child
    assert fee + size + above_fee >= rate * (child + size + above_size)
