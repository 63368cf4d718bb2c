"""Which entries each trigger of a sell order writes.

Debit is positive, credit negative. Coins count as the order's once they are deep enough; nothing is exchanged before
the customer's money has left, so that until then the coins can be given back whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.domain import chart
from app.domain.ledger import Entry, Posting, entry, reverse, transfer
from app.domain.money import Money
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved, OrderTerms

Book = Callable[[OrderState, OrderTerms, Moved], list[Entry]]


def _deposit_confirmed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.coins.asset)
    hot = chart.wallet_receiving(terms.chain)
    paid = transfer(terms.reference("pay_in", moved), "pay_in", debit=hot, credit=terms.account, amount=amount)
    if not moved.surplus:
        return [paid]
    surplus = Money(moved.surplus, terms.coins.asset)
    reference = terms.reference("surplus", moved)
    return [paid, transfer(reference, "surplus", debit=terms.account, credit=moved.surplus_to, amount=surplus)]


def _deposit_undone(terms: OrderTerms, kind: str, moved: Moved, sign: int) -> list[Entry]:
    """What the order's account no longer holds is lost to us, until the coins are mined again."""
    asset = terms.coins.asset
    lines = [
        Posting(terms.account, asset, sign * moved.from_order),
        Posting(chart.LOSS_REORG, asset, sign * (moved.amount - moved.from_order)),
        Posting(chart.wallet_receiving(terms.chain), asset, -sign * moved.amount),
    ]
    return [entry(terms.reference(kind, moved), kind, lines)]


def _deposit_reorged(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    return _deposit_undone(terms, "deposit_reverse", moved, 1)


def _deposit_restored(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    return _deposit_undone(terms, "deposit_restore", moved, -1)


def _loss_covered(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.coins.asset)
    reference = terms.reference("loss_covered", moved)
    return [transfer(reference, "loss_covered", debit=terms.account, credit=chart.LOSS_REORG, amount=amount)]


def _sold(terms: OrderTerms, moved: Moved) -> tuple[Entry, Entry]:
    fiat, coins = terms.fiat, terms.coins
    converted = entry(
        terms.reference("convert", moved),
        "convert",
        [
            Posting(terms.account, coins.asset, coins.units),
            Posting(chart.position(coins.asset.id), coins.asset, -coins.units),
            Posting(chart.position(fiat.id), fiat, terms.venue),
            Posting(chart.REVENUE_SPREAD, fiat, -terms.spread),
            Posting(chart.REVENUE_FEE, fiat, -terms.processing),
            Posting(chart.REVENUE_NETWORK, fiat, -terms.network),
            Posting(chart.partner_available(terms.partner_id), fiat, -terms.partner),
            Posting(terms.account, fiat, -terms.destination.units),
        ],
    )
    delivered = transfer(
        terms.reference("deliver", moved),
        "deliver",
        debit=terms.account,
        credit=chart.bank(terms.provider),
        amount=terms.destination,
    )
    return converted, delivered


def _payout_settled(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    return list(_sold(terms, moved))


def _payout_returned(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    # The money is back, and the sale is undone at its own rate, so that the coins can be given back whole.
    converted, delivered = _sold(terms, moved)
    undone = [
        reverse(delivered, terms.reference("delivery_return", moved), "delivery_return"),
        reverse(converted, terms.reference("convert_reversed", moved), "convert_reversed"),
    ]
    missing = Money(terms.partner - moved.from_partner, terms.fiat)
    if missing.units:  # the partner has paid its fee out already, and owes it
        given = chart.partner_available(terms.partner_id)
        reference = terms.reference("fee_recovery", moved)
        undone.insert(
            1, transfer(reference, "fee_recovery", debit=chart.RECEIVABLE_RECOVERY, credit=given, amount=missing)
        )
    return undone


def _coins_refund_accepted(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount, account = Money(moved.amount, terms.coins.asset), chart.payout(moved.reference)
    reference = terms.reference("refund", moved)
    return [transfer(reference, "refund", debit=terms.account, credit=account, amount=amount)]


def _coins_refund_failed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    if not moved.amount:
        return []
    [booked] = _coins_refund_accepted(state, terms, moved)
    return [reverse(booked, terms.reference("refund_reversed", moved), "refund_reversed")]


SELL_BOOKS: Final[Mapping[OrderTrigger, Book]] = {
    OrderTrigger.DEPOSIT_UNDERPAID: _deposit_confirmed,
    OrderTrigger.DEPOSIT_CONFIRMED: _deposit_confirmed,
    OrderTrigger.DEPOSIT_OVERPAID: _deposit_confirmed,
    OrderTrigger.SURPLUS_RECEIVED: _deposit_confirmed,
    OrderTrigger.DEPOSIT_REORGED: _deposit_reorged,
    OrderTrigger.SURPLUS_REORGED: _deposit_reorged,
    OrderTrigger.DEPOSIT_RESTORED: _deposit_restored,
    OrderTrigger.LOSS_COVERED: _loss_covered,
    OrderTrigger.PAYOUT_SETTLED: _payout_settled,
    OrderTrigger.PAYOUT_RETURNED: _payout_returned,
    OrderTrigger.REFUND_ACCEPTED: _coins_refund_accepted,
    OrderTrigger.REFUND_FAILED: _coins_refund_failed,
}
