"""Entries about a provider that no order's trigger writes: second payments, refunds by hand, payouts, fees."""

from __future__ import annotations

from typing import Final

from app.domain import chart
from app.domain.ledger import Entry, Posting, entry, reverse, transfer
from app.domain.money import Money


def stray_taken(stray_id: str, provider: str, amount: Money) -> Entry:
    """A second payment took money from a customer: nobody's, until it is given back."""
    return transfer(f"{stray_id}:stray_in", "stray_in", debit=chart.psp(provider), credit=chart.SUSPENSE, amount=amount)


def stray_given_back(stray_id: str, provider: str, amount: Money) -> Entry:
    """The provider gives it back."""
    return transfer(
        f"{stray_id}:stray_back", "stray_back", debit=chart.SUSPENSE, credit=chart.psp(provider), amount=amount
    )


def fee_of(subject: str, provider: str, fee: Money) -> Entry:
    """What the provider keeps, or below zero gives back, for something that is no order's payment."""
    postings = [
        Posting(chart.EXPENSE_PROVIDER, fee.asset, fee.units),
        Posting(chart.psp(provider), fee.asset, -fee.units),
    ]
    return entry(f"{subject}:provider_fee", "provider_fee", postings)


def refund_by_hand(order_id: str, provider: str, reference: str, amount: Money) -> Entry:
    """Money was given back at the provider although the order had none of it left: the customer has both."""
    return transfer(
        f"{order_id}:refund_by_hand:{reference}",
        "refund_by_hand",
        debit=chart.RECEIVABLE_RECOVERY,
        credit=chart.psp(provider),
        amount=amount,
    )


def refund_by_hand_failed(order_id: str, provider: str, reference: str, amount: Money) -> Entry:
    """Such a refund came back."""
    booked = refund_by_hand(order_id, provider, reference, amount)
    return reverse(booked, f"{order_id}:refund_by_hand_reversed:{reference}", "refund_by_hand_reversed")


def dispute_fee_changed(order_id: str, provider: str, reference: str, *, total: Money, booked: int) -> Entry:
    """A dispute costs more than was booked for it, or less: some fees come later, some are given back."""
    change = total.units - booked
    return entry(
        f"{order_id}:dispute_fee:{reference}:{total.units}",
        "provider_fee",
        [
            Posting(chart.EXPENSE_PROVIDER, total.asset, change),
            Posting(chart.psp(provider), total.asset, -change),
        ],
    )


# Against which account a line of the provider's statement is booked, and what kind of entry that makes. A line of
# any other kind is nobody's until a person has looked at it.
_OTHER_SIDE: Final = {
    "payout": ("processor_payout", chart.in_transit),
    "payout_failed": ("processor_payout_failed", chart.in_transit),
    "top_up": ("processor_top_up", chart.in_transit),
    "reserve": ("processor_reserve", chart.reserved_at),
}


def statement_line(provider: str, reference: str, kind: str, amount: Money, fee: int) -> list[Entry]:
    """The entries of a statement's line that is of no payment; `amount` is signed as the provider signs it.

    What leaves for our bank is in transit until the bank has it.
    """
    subject, entries = f"{provider}:{reference}", []
    asset, psp = amount.asset, chart.psp(provider)
    if kind == "fee":
        name, other = "provider_fee", chart.EXPENSE_PROVIDER
    elif kind in _OTHER_SIDE:
        name, account = _OTHER_SIDE[kind]
        other = account(provider)
    else:
        name, other = "processor_other", chart.SUSPENSE
    if amount.units:
        entries.append(entry(subject, name, [Posting(psp, asset, amount.units), Posting(other, asset, -amount.units)]))
    if fee:
        entries.append(fee_of(subject, provider, Money(fee, asset)))
    return entries
