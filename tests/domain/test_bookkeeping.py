"""Bookkeeping in general: which facts are booked, and that no two facts share an entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain import chart
from app.domain.assets import BTC, EUR
from app.domain.bookkeeping import entries_for
from app.domain.bookkeeping_out import arrived
from app.domain.money import Money
from app.domain.order import Direction, OrderState, OrderTrigger
from app.domain.order_terms import Moved, OrderTerms
from tests.domain.books import BUY, SELL, lines

S, T = OrderState, OrderTrigger
PAID = Moved("pi_1", amount=31_045_68)


def test_the_vector_adds_up() -> None:
    assert BUY.venue + BUY.spread + BUY.processing + BUY.partner + BUY.network == BUY.source.units
    assert SELL.venue - SELL.spread - SELL.processing - SELL.partner - SELL.network == SELL.destination.units


BOOKED = {
    Direction.BUY: {
        T.PAYMENT_CAPTURED, T.SEND_PREPARED, T.SEND_ABANDONED, T.SEND_REPLACED, T.SEND_CONFIRMED, T.REFUND_ACCEPTED,
        T.REFUND_FAILED, T.DISPUTE_OPENED, T.DISPUTE_WON, T.BLOCKED,
    },
    Direction.SELL: {
        T.DEPOSIT_UNDERPAID, T.DEPOSIT_CONFIRMED, T.DEPOSIT_OVERPAID, T.SURPLUS_RECEIVED, T.DEPOSIT_REORGED,
        T.SURPLUS_REORGED, T.LOSS_COVERED, T.DEPOSIT_RESTORED, T.PAYOUT_SETTLED, T.PAYOUT_RETURNED, T.REFUND_ACCEPTED,
        T.REFUND_FAILED,
    },
}  # fmt: skip


@pytest.mark.parametrize("trigger", T)
@pytest.mark.parametrize("terms", [BUY, SELL], ids=["buy", "sell"])
def test_what_moves_money_is_booked_in_every_state_and_the_rest_never(terms: OrderTerms, trigger: OrderTrigger) -> None:
    moved = Moved("x", amount=1_000, fee=10, from_order=400, opened_in=S.REFUNDING)
    for state in S:
        nothing_prepared = (state, trigger) == (S.PAID, T.SEND_ABANDONED)
        wanted = trigger in BOOKED[terms.direction] and not nothing_prepared
        assert bool(entries_for(trigger, state, terms, moved)) == wanted


def test_references_tell_orders_and_facts_apart() -> None:
    one = entries_for(T.PAYMENT_CAPTURED, S.AUTHORISED, BUY, PAID)
    two = entries_for(T.PAYMENT_CAPTURED, S.AUTHORISED, replace(BUY, order_id="or_9"), PAID)
    other = entries_for(T.PAYMENT_CAPTURED, S.AUTHORISED, BUY, replace(PAID, reference="pi_2"))
    assert len({entry.reference for entry in [*one, *two, *other]}) == 3


def test_coins_that_nobody_announced() -> None:
    entry = arrived("bitcoin", BTC, "x", 700, credit=chart.SUSPENSE)
    assert lines(entry) == {("wallet:hot:bitcoin", "BTC.bitcoin"): 700, ("suspense:unmatched", "BTC.bitcoin"): -700}
    assert BUY.coins == Money(50_000_000, BTC)
    assert (BUY.fiat, SELL.fiat, SELL.coins) == (EUR, EUR, Money(30_000_000, BTC))
