"""Which entries each trigger of an order writes; those of a sale stand in `bookkeeping_sell`, all others in
`bookkeeping_out`.

Debit is positive, credit negative. Every amount is in whole units of the asset it stands beside. Nothing is
converted before delivery, so a refund only has to give back what the order's account holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain import chart
from app.domain.bookkeeping_sell import SELL_BOOKS, Book
from app.domain.ledger import Entry, Posting, entry, reverse, transfer
from app.domain.money import Money
from app.domain.order import Direction, OrderState, OrderTrigger
from app.domain.order_terms import Moved, OrderTerms


def entries_for(trigger: OrderTrigger, state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    """The entries that a trigger writes when it meets an order in `state`; often none."""
    book = _BOOKS[terms.direction].get(trigger)
    return [] if book is None else book(state, terms, moved)


def provider_fee(terms: OrderTerms, payment_id: str, fee: int) -> Entry:
    """What the provider keeps for itself; known from its own records, sometimes later than the payment."""
    return transfer(
        f"{payment_id}:provider_fee",
        "provider_fee",
        debit=chart.EXPENSE_PROVIDER,
        credit=chart.psp(terms.provider),
        amount=Money(fee, terms.fiat),
    )


def _payment_captured(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.fiat)
    reference = terms.reference("pay_in", moved)
    return [transfer(reference, "pay_in", debit=chart.psp(terms.provider), credit=terms.account, amount=amount)]


def _reserve(terms: OrderTerms, moved: Moved) -> Entry:
    network = terms.chain
    return transfer(
        terms.reference("reserve", moved),
        "reserve",
        debit=chart.wallet_transit(network),
        credit=chart.wallet_hot(network),
        amount=Money(moved.amount + moved.fee, terms.coins.asset),
    )


def _leave(terms: OrderTerms, kind: str, moved: Moved) -> Entry:
    asset = terms.coins.asset
    return entry(
        terms.reference(kind, moved),
        kind,
        [
            Posting(terms.account, asset, moved.amount),
            Posting(chart.EXPENSE_NETWORK, asset, moved.fee),
            Posting(chart.wallet_transit(terms.chain), asset, -(moved.amount + moved.fee)),
        ],
    )


def _send_prepared(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    return [_reserve(terms, moved)]


def _send_abandoned(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    """The coins are free again. What a dispute took meanwhile is borne by the order now, not by us: it was not sold."""
    if state is OrderState.PAID:  # nothing was prepared yet
        return []
    freed = [reverse(_reserve(terms, moved), terms.reference("release", moved), "release")]
    if not moved.disputed:
        return freed
    borne = [
        Posting(terms.account, terms.fiat, moved.from_order),
        Posting(chart.RECEIVABLE_RECOVERY, terms.fiat, moved.disputed - moved.from_order),
        Posting(chart.LOSS_DISPUTE, terms.fiat, -moved.disputed),
    ]
    return [*freed, entry(terms.reference("dispute_moved", moved), "dispute_moved", borne)]


def _send_replaced(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    """A higher fee is set aside; after delivery, what is booked becomes what was really paid."""
    asset, network = terms.coins.asset, terms.chain
    if not moved.amount + moved.fee:  # the network's fee is booked elsewhere: in another asset, with its call
        return []
    if state is not OrderState.COMPLETED:
        return [_reserve(terms, moved)]
    return [
        transfer(
            terms.reference("fee_adjust", moved),
            "fee_adjust",
            debit=chart.EXPENSE_NETWORK,
            credit=chart.wallet_hot(network),
            amount=Money(moved.fee, asset),
        )
    ]


def _send_confirmed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    fiat, coins = terms.fiat, terms.coins
    converted = entry(
        terms.reference("convert", moved),
        "convert",
        [
            Posting(terms.account, fiat, terms.source.units),
            Posting(chart.position(fiat.id), fiat, -terms.venue),
            Posting(chart.REVENUE_SPREAD, fiat, -terms.spread),
            Posting(chart.REVENUE_FEE, fiat, -terms.processing),
            Posting(chart.REVENUE_NETWORK, fiat, -terms.network),
            Posting(chart.partner_available(terms.partner_id), fiat, -terms.partner),
            Posting(chart.position(coins.asset.id), coins.asset, coins.units),
            Posting(terms.account, coins.asset, -coins.units),
        ],
    )
    delivered = [converted, _leave(terms, "deliver", moved)]
    if moved.spare:
        spare = Moved(moved.reference, amount=moved.spare)
        delivered.append(reverse(_reserve(terms, spare), terms.reference("fee_free", moved), "fee_free"))
    return delivered


def _refund_accepted(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.fiat)
    reference = terms.reference("refund", moved)
    return [transfer(reference, "refund", debit=terms.account, credit=chart.psp(terms.provider), amount=amount)]


def _refund_failed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    if not moved.amount:  # declined outright: nothing had been booked
        return []
    [booked] = _refund_accepted(state, terms, moved)
    return [reverse(booked, terms.reference("refund_reversed", moved), "refund_reversed")]


def _blocked(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.fiat)
    reference = terms.reference("block", moved)
    return [transfer(reference, "block", debit=terms.account, credit=chart.BLOCKED_SANCTIONS, amount=amount)]


_DELIVERY_UNDER_WAY = frozenset({OrderState.SENDING, OrderState.SENT, OrderState.COMPLETED})


def _dispute_parts(state: OrderState, terms: OrderTerms, moved: Moved) -> tuple[Posting, ...]:
    if state in _DELIVERY_UNDER_WAY:  # the order's money pays for the coins
        loss, covered = chart.LOSS_DISPUTE, 0
    else:
        loss, covered = chart.RECEIVABLE_RECOVERY, moved.from_order
    return (
        Posting(terms.account, terms.fiat, covered),
        Posting(loss, terms.fiat, moved.amount - covered),
        Posting(chart.psp(terms.provider), terms.fiat, -moved.amount),
    )


def _dispute_opened(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    taken = entry(terms.reference("dispute", moved), "dispute", _dispute_parts(state, terms, moved))
    fee = [
        Posting(chart.EXPENSE_PROVIDER, terms.fiat, moved.fee),
        Posting(chart.psp(terms.provider), terms.fiat, -moved.fee),
    ]
    return [taken, entry(terms.reference("dispute_fee", moved), "provider_fee", fee)] if moved.fee else [taken]


def _dispute_won(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    if moved.opened_in is None:
        raise ValueError("where a dispute is won back to depends on the state it was opened in")
    taken = entry(terms.reference("dispute", moved), "dispute", _dispute_parts(moved.opened_in, terms, moved))
    return [reverse(taken, terms.reference("dispute_won", moved), "dispute_won")]


_BUY_BOOKS: Final[Mapping[OrderTrigger, Book]] = {
    OrderTrigger.PAYMENT_CAPTURED: _payment_captured,
    OrderTrigger.SEND_PREPARED: _send_prepared,
    OrderTrigger.SEND_ABANDONED: _send_abandoned,
    OrderTrigger.SEND_REPLACED: _send_replaced,
    OrderTrigger.SEND_CONFIRMED: _send_confirmed,
    OrderTrigger.REFUND_ACCEPTED: _refund_accepted,
    OrderTrigger.REFUND_FAILED: _refund_failed,
    OrderTrigger.DISPUTE_OPENED: _dispute_opened,
    OrderTrigger.DISPUTE_WON: _dispute_won,
    OrderTrigger.BLOCKED: _blocked,
}
_BOOKS: Final = {Direction.BUY: _BUY_BOOKS, Direction.SELL: SELL_BOOKS}
