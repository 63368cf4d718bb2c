"""What one payout may be: amounts, and texts that each way can carry as they are (P-05)."""

from __future__ import annotations

import pytest

from app.domain.assets import EUR, USD
from app.domain.errors import DomainError
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.schemas.payouts import MoneyIn
from app.services.payout_rules import check_reference, check_size, read_amount

M = PayoutMethod


@pytest.mark.parametrize(
    ("method", "reference", "allowed"),
    [
        (M.SEPA, "Invoice 42/7-a?:().,'+", True),
        (M.SEPA, "Rechnung für März", False),
        (M.SEPA, "a&b", False),
        (M.SEPA, "x" * 140, True),
        (M.SEPA, "x" * 141, False),
        (M.ACH, "x" * 80, True),
        (M.ACH, "x" * 81, False),
        (M.ACH, "Invoice #42 & more", True),
        (M.ACH, "na\u00efve", False),
        (M.RTP, "x" * 140, True),
        (M.WIRE, "a\tb", False),
        (M.WIRE, "\U0001f363", False),
        (M.CHAIN, "寿司 \U0001f363", True),
        (M.CHAIN, "x" * 141, False),
        (M.SEPA, None, True),
    ],
)
def test_p_05_references(method: PayoutMethod, reference: str | None, allowed: bool) -> None:
    if allowed:
        check_reference(reference, method)
        return
    with pytest.raises(DomainError) as refused:
        check_reference(reference, method)
    assert (refused.value.code, refused.value.pointer) == ("validation_failed", "/reference")


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        (("USD", None, "0.01"), 1),
        (("USD", None, "0.00"), "amount_below_min"),
        (("USD", None, "0.001"), "validation_failed"),
        (("JPY", None, "1.0"), "validation_failed"),
        (("BTC", "bitcoin", "0.00001000"), 1_000),
        (("BTC", "bitcoin", "0.00000999"), "amount_below_min"),
        (("BTC", "bitcoin", "21000000"), 21 * 10**14),
        (("BTC", "bitcoin", "21000001"), "amount_above_max"),
        (("BTC", None, "1"), "validation_failed"),
    ],
)
def test_amounts(amount: tuple[str, str | None, str], found: int | str) -> None:
    asset, network, text = amount
    asked = MoneyIn(asset=asset, network=network, amount=text)
    if isinstance(found, int):
        assert read_amount(asked).units == found
        return
    with pytest.raises(DomainError) as refused:
        read_amount(asked, pointer="/items/3/amount")
    assert refused.value.code == found
    assert (refused.value.pointer or "").startswith("/items/3/amount/")


@pytest.mark.parametrize(
    ("most", "method"),
    [
        (Money(9_999_999_999, USD), M.ACH),
        (Money(1_000_000_000, USD), M.RTP),
        (Money(999_999_999_999, USD), M.WIRE),
        (Money(99_999_999_999, EUR), M.SEPA),
    ],
)
def test_no_payment_carries_more_than_its_message_can(most: Money, method: PayoutMethod) -> None:
    check_size(most, method)
    with pytest.raises(DomainError) as refused:
        check_size(most + Money(1, most.asset), method)
    assert refused.value.code == "amount_above_max"
