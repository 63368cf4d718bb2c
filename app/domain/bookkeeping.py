"""Which entries each trigger writes: the whole accounting policy on one page.

Debit is positive, credit negative. Every amount is in whole units of the asset it stands beside. Nothing is
converted before delivery, so a refund only has to give back what the order's account holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.domain import chart
from app.domain.ledger import Entry, Posting, entry, reverse, transfer
from app.domain.money import Asset, Money
from app.domain.order import Direction, OrderState, OrderTrigger


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What was agreed: amounts in whole units, fee lines in units of the fiat side.

    On a buy, venue + spread + processing + partner + network is what the customer pays; on a sell,
    venue - spread - processing - partner - network is what the customer gets.
    """

    order_id: str
    partner_id: str
    direction: Direction
    provider: str
    source: Money
    destination: Money
    venue: int
    spread: int
    processing: int
    partner: int
    network: int

    @property
    def account(self) -> str:
        """The order's own account."""
        return chart.order(self.order_id)

    @property
    def coins(self) -> Money:
        """The crypto side."""
        return self.destination if self.direction is Direction.BUY else self.source

    @property
    def fiat(self) -> Asset:
        """The fiat side's asset."""
        return self.source.asset if self.direction is Direction.BUY else self.destination.asset


@dataclass(frozen=True, slots=True)
class Moved:
    """What a fact moved.

    `amount` is in units of the asset that moved; `fee` is the network's or the provider's own; `from_order` is the
    part of a dispute, or of a deposit that was reorged while it was on its way back, that the order's account can
    still cover: what it holds and has not promised to a refund. `opened_in` is the state that a dispute met when it
    was opened, which is where its loss was booked. `reference` tells apart facts of one kind.
    """

    reference: str
    amount: int = 0
    fee: int = 0
    from_order: int = 0
    opened_in: OrderState | None = None


def entries_for(trigger: OrderTrigger, state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    """The entries that a trigger writes when it meets an order in `state`; often none."""
    book = _BOOKS.get((terms.direction, trigger))
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


def arrived(network: str, asset: Asset, reference: str, units: int, *, credit: str) -> Entry:
    """Coins on an address of ours that belong to no order: the operator's own, or nobody knows whose."""
    amount = Money(units, asset)
    return transfer(reference, "arrived", debit=chart.wallet_hot(network), credit=credit, amount=amount)


def _reference(terms: OrderTerms, kind: str, moved: Moved) -> str:
    return f"{terms.order_id}:{kind}:{moved.reference}"


def _network(terms: OrderTerms) -> str:
    network = terms.coins.asset.network
    assert network is not None  # noqa: S101 - the crypto side has one
    return network


def _payment_captured(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.fiat)
    reference = _reference(terms, "pay_in", moved)
    return [transfer(reference, "pay_in", debit=chart.psp(terms.provider), credit=terms.account, amount=amount)]


def _reserve(terms: OrderTerms, moved: Moved) -> Entry:
    network = _network(terms)
    return transfer(
        _reference(terms, "reserve", moved),
        "reserve",
        debit=chart.wallet_transit(network),
        credit=chart.wallet_hot(network),
        amount=Money(moved.amount + moved.fee, terms.coins.asset),
    )


def _leave(terms: OrderTerms, kind: str, moved: Moved) -> Entry:
    asset = terms.coins.asset
    return entry(
        _reference(terms, kind, moved),
        kind,
        [
            Posting(terms.account, asset, moved.amount),
            Posting(chart.EXPENSE_NETWORK, asset, moved.fee),
            Posting(chart.wallet_transit(_network(terms)), asset, -(moved.amount + moved.fee)),
        ],
    )


def _send_prepared(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    return [_reserve(terms, moved)]


def _send_abandoned(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    if state is OrderState.PAID:  # nothing was prepared yet
        return []
    return [reverse(_reserve(terms, moved), _reference(terms, "release", moved), "release")]


def _send_confirmed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    fiat, coins = terms.fiat, terms.coins
    converted = entry(
        _reference(terms, "convert", moved),
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
    return [converted, _leave(terms, "deliver", moved)]


def _refund_accepted(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.fiat)
    reference = _reference(terms, "refund", moved)
    return [transfer(reference, "refund", debit=terms.account, credit=chart.psp(terms.provider), amount=amount)]


def _refund_failed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    if not moved.amount:  # declined outright: nothing had been booked
        return []
    [booked] = _refund_accepted(state, terms, moved)
    return [reverse(booked, _reference(terms, "refund_reversed", moved), "refund_reversed")]


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
    taken = entry(_reference(terms, "dispute", moved), "dispute", _dispute_parts(state, terms, moved))
    fee = [
        Posting(chart.EXPENSE_PROVIDER, terms.fiat, moved.fee),
        Posting(chart.psp(terms.provider), terms.fiat, -moved.fee),
    ]
    return [taken, entry(_reference(terms, "dispute_fee", moved), "provider_fee", fee)] if moved.fee else [taken]


def _dispute_won(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    if moved.opened_in is None:
        raise ValueError("where a dispute is won back to depends on the state it was opened in")
    taken = entry(_reference(terms, "dispute", moved), "dispute", _dispute_parts(moved.opened_in, terms, moved))
    return [reverse(taken, _reference(terms, "dispute_won", moved), "dispute_won")]


def _deposit_confirmed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    amount = Money(moved.amount, terms.coins.asset)
    hot = chart.wallet_hot(_network(terms))
    return [transfer(_reference(terms, "pay_in", moved), "pay_in", debit=hot, credit=terms.account, amount=amount)]


def _deposit_reorged(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    # Before the payout the customer simply has not paid yet; after it the coins are lost to us.
    covered = {OrderState.DEPOSIT_CONFIRMED: moved.amount, OrderState.REFUNDING: moved.from_order}.get(state, 0)
    asset = terms.coins.asset
    undone = entry(
        _reference(terms, "deposit_reverse", moved),
        "deposit_reverse",
        [
            Posting(terms.account, asset, covered),
            Posting(chart.LOSS_REORG, asset, moved.amount - covered),
            Posting(chart.wallet_hot(_network(terms)), asset, -moved.amount),
        ],
    )
    return [undone]


def _sold(terms: OrderTerms, moved: Moved) -> tuple[Entry, Entry]:
    fiat, coins = terms.fiat, terms.coins
    converted = entry(
        _reference(terms, "convert", moved),
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
        _reference(terms, "deliver", moved),
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
    return [
        reverse(delivered, _reference(terms, "delivery_return", moved), "delivery_return"),
        reverse(converted, _reference(terms, "convert_reversed", moved), "convert_reversed"),
    ]


def _coins_refund_accepted(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    return [_reserve(terms, moved)]


def _coins_refund_confirmed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    return [_leave(terms, "refund", moved)]


def _coins_refund_failed(state: OrderState, terms: OrderTerms, moved: Moved) -> list[Entry]:
    if not moved.amount:
        return []
    return [reverse(_reserve(terms, moved), _reference(terms, "release", moved), "release")]


_Book = Callable[[OrderState, OrderTerms, Moved], list[Entry]]
_BOOKS: dict[tuple[Direction, OrderTrigger], _Book] = {
    (Direction.BUY, OrderTrigger.PAYMENT_CAPTURED): _payment_captured,
    (Direction.BUY, OrderTrigger.SEND_PREPARED): _send_prepared,
    (Direction.BUY, OrderTrigger.SEND_ABANDONED): _send_abandoned,
    (Direction.BUY, OrderTrigger.SEND_CONFIRMED): _send_confirmed,
    (Direction.BUY, OrderTrigger.REFUND_ACCEPTED): _refund_accepted,
    (Direction.BUY, OrderTrigger.REFUND_FAILED): _refund_failed,
    (Direction.BUY, OrderTrigger.DISPUTE_OPENED): _dispute_opened,
    (Direction.BUY, OrderTrigger.DISPUTE_WON): _dispute_won,
    (Direction.SELL, OrderTrigger.DEPOSIT_CONFIRMED): _deposit_confirmed,
    (Direction.SELL, OrderTrigger.DEPOSIT_REORGED): _deposit_reorged,
    (Direction.SELL, OrderTrigger.PAYOUT_SETTLED): _payout_settled,
    (Direction.SELL, OrderTrigger.PAYOUT_RETURNED): _payout_returned,
    (Direction.SELL, OrderTrigger.REFUND_ACCEPTED): _coins_refund_accepted,
    (Direction.SELL, OrderTrigger.REFUND_CONFIRMED): _coins_refund_confirmed,
    (Direction.SELL, OrderTrigger.REFUND_FAILED): _coins_refund_failed,
}
