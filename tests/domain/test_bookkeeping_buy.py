"""Bookkeeping of buys: every way that one can go, to the cent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain import chart
from app.domain.assets import BTC, EUR
from app.domain.bookkeeping import entries_for, provider_fee
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from tests.domain.books import BUY, buying, lines

S, T = OrderState, OrderTrigger
PAID = Moved("pi_1", amount=31_045_68)
SEND = Moved("sn_1", amount=50_000_000, fee=1_420)


def test_a_buy_to_the_cent() -> None:
    walk = buying()
    [captured] = walk.take(T.PAYMENT_CAPTURED, PAID)
    assert lines(captured) == {("psp:stripe", "EUR"): 31_045_68, ("order:or_1", "EUR"): -31_045_68}
    [reserved] = walk.take(T.SEND_PREPARED, SEND)
    assert lines(reserved) == {
        ("wallet:transit:bitcoin", "BTC.bitcoin"): 50_001_420,
        ("wallet:hot:bitcoin", "BTC.bitcoin"): -50_001_420,
    }
    assert walk.take(T.SEND_BROADCAST) == []
    converted, delivered = walk.take(T.SEND_CONFIRMED, SEND)
    assert lines(converted) == {
        ("order:or_1", "EUR"): 31_045_68,
        ("position:EUR", "EUR"): -30_582_31,
        ("revenue:spread", "EUR"): -152_91,
        ("revenue:fee", "EUR"): -310_46,
        ("position:BTC.bitcoin", "BTC.bitcoin"): 50_000_000,
        ("order:or_1", "BTC.bitcoin"): -50_000_000,
    }
    assert lines(delivered) == {
        ("order:or_1", "BTC.bitcoin"): 50_000_000,
        ("expense:network", "BTC.bitcoin"): 1_420,
        ("wallet:transit:bitcoin", "BTC.bitcoin"): -50_001_420,
    }
    walk.books.post(provider_fee(BUY, "pay_1", 435_00))
    assert walk.state is S.COMPLETED
    assert walk.books.standing() == {
        ("psp:stripe", "EUR"): 30_610_68,
        ("expense:provider", "EUR"): 435_00,
        ("position:EUR", "EUR"): -30_582_31,
        ("revenue:spread", "EUR"): -152_91,
        ("revenue:fee", "EUR"): -310_46,
        ("wallet:hot:bitcoin", "BTC.bitcoin"): 49_998_580,
        ("position:BTC.bitcoin", "BTC.bitcoin"): 50_000_000,
        ("expense:network", "BTC.bitcoin"): 1_420,
        ("equity:operator", "BTC.bitcoin"): -100_000_000,
    }


def test_a_partner_and_the_network_get_their_shares() -> None:
    terms = replace(BUY, processing=200_00, partner=100_00, network=10_46)
    converted, _ = entries_for(T.SEND_CONFIRMED, S.SENT, terms, SEND)
    booked = lines(converted)
    assert booked["partner:pt_1:available", "EUR"] == -100_00
    assert booked["revenue:network", "EUR"] == -10_46
    assert booked["revenue:fee", "EUR"] == -200_00


@pytest.mark.parametrize("parts", [(31_045_68,), (40_00, 31_005_68)])
def test_a_refunded_buy_leaves_nothing(parts: tuple[int, ...]) -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.REFUND_REQUESTED)
    for number, part in enumerate(parts):
        [refunded] = walk.take(T.REFUND_ACCEPTED, Moved(f"rf_{number}", amount=part))
        assert lines(refunded) == {("order:or_1", "EUR"): part, ("psp:stripe", "EUR"): -part}
    walk.take(T.REFUND_COMPLETED)
    assert walk.state is S.REFUNDED
    assert walk.empty
    assert walk.books.of("psp:stripe", EUR) == 0


def test_a_refund_that_bounces_is_held_again_and_can_be_tried_again() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.REFUND_REQUESTED)
    walk.take(T.REFUND_ACCEPTED, Moved("rf_1", amount=31_045_68))
    walk.take(T.REFUND_COMPLETED)
    walk.take(T.REFUND_FAILED, Moved("rf_1", amount=31_045_68))
    assert (walk.state, walk.held) == (S.REFUNDING, 31_045_68)
    walk.take(T.REFUND_ACCEPTED, Moved("rf_2", amount=31_045_68))
    walk.take(T.REFUND_COMPLETED)
    assert (walk.state, walk.held) == (S.REFUNDED, 0)


def test_a_refund_that_is_declined_outright_books_nothing() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.REFUND_REQUESTED)
    assert walk.take(T.REFUND_FAILED, Moved("rf_1")) == []
    assert (walk.state, walk.held) == (S.REFUNDING, 31_045_68)


@pytest.mark.parametrize("gone", [T.CANCELED, T.EXPIRED, T.PAYMENT_FAILED])
def test_late_money_is_owed_until_it_is_back(gone: OrderTrigger) -> None:
    walk = buying()
    assert walk.take(gone) == []
    walk.take(T.PAYMENT_CAPTURED, PAID)
    assert (walk.state, walk.held) == (S.REFUNDING, 31_045_68)
    walk.take(T.REFUND_ACCEPTED, Moved("rf_1", amount=31_045_68))
    walk.take(T.REFUND_COMPLETED)
    assert walk.empty


def test_an_abandoned_send_frees_its_coins_and_the_money_is_refunded() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.SEND_PREPARED, SEND)
    [freed] = walk.take(T.SEND_ABANDONED, SEND)
    assert lines(freed) == {
        ("wallet:transit:bitcoin", "BTC.bitcoin"): -50_001_420,
        ("wallet:hot:bitcoin", "BTC.bitcoin"): 50_001_420,
    }
    assert (walk.state, walk.held) == (S.REFUNDING, 31_045_68)
    assert walk.books.of("wallet:hot:bitcoin", BTC) == 100_000_000


def test_a_send_given_up_before_it_was_prepared_frees_nothing() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    assert walk.take(T.SEND_ABANDONED, SEND) == []
    assert (walk.state, walk.held) == (S.REFUNDING, 31_045_68)


def test_a_dispute_before_delivery_takes_what_the_order_holds() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    taken, fee = walk.take(T.DISPUTE_OPENED, Moved("du_1", amount=31_045_68, fee=15_00, from_order=31_045_68))
    assert lines(taken) == {("order:or_1", "EUR"): 31_045_68, ("psp:stripe", "EUR"): -31_045_68}
    assert lines(fee) == {("expense:provider", "EUR"): 15_00, ("psp:stripe", "EUR"): -15_00}
    assert walk.state is S.FAILED
    assert walk.empty
    assert walk.take(T.DISPUTE_LOST) == []
    assert walk.books.of("psp:stripe", EUR) == -15_00


def test_a_dispute_won_before_delivery_brings_back_money_that_is_refunded() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.DISPUTE_OPENED, Moved("du_1", amount=31_045_68, from_order=31_045_68))
    walk.take(T.DISPUTE_WON, Moved("du_1", amount=31_045_68, from_order=31_045_68, opened_in=S.PAID))
    assert (walk.state, walk.held) == (S.REFUNDING, 31_045_68)


@pytest.mark.parametrize(
    ("before", "opened_in"),
    [([], S.SENDING), ([T.SEND_BROADCAST], S.SENT), ([T.SEND_BROADCAST, T.SEND_CONFIRMED], S.COMPLETED)],
)
def test_a_dispute_once_delivery_is_under_way_is_our_loss(before: list[OrderTrigger], opened_in: OrderState) -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.SEND_PREPARED, SEND)
    for trigger in before:
        walk.take(trigger, SEND)
    assert walk.state is opened_in
    # Whatever the caller believes: the order's money pays for the coins, none of it is free to be taken.
    [taken] = walk.take(T.DISPUTE_OPENED, Moved("du_1", amount=31_045_68, from_order=31_045_68))
    assert lines(taken) == {("loss:dispute", "EUR"): 31_045_68, ("psp:stripe", "EUR"): -31_045_68}
    if walk.state is not S.COMPLETED:
        walk.take(T.SEND_CONFIRMED, SEND)
    assert walk.state is S.COMPLETED
    assert walk.empty
    won = Moved("du_1", amount=31_045_68, from_order=31_045_68, opened_in=opened_in)
    walk.take(T.DISPUTE_WON, won)
    assert walk.state is S.COMPLETED
    assert walk.books.of(chart.LOSS_DISPUTE, EUR) == 0
    assert walk.books.of("psp:stripe", EUR) == 31_045_68


def test_fault_f_52_a_dispute_while_coins_leave_is_borne_by_the_order_once_they_are_not_sent() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.SEND_PREPARED, SEND)
    walk.take(T.DISPUTE_OPENED, Moved("du_1", amount=31_045_68))
    _, moved = walk.take(T.SEND_ABANDONED, replace(SEND, disputed=31_045_68, from_order=31_045_68))
    assert lines(moved) == {("order:or_1", "EUR"): 31_045_68, ("loss:dispute", "EUR"): -31_045_68}
    assert (walk.state, walk.empty) == (S.REFUNDING, True)
    walk.take(T.REFUND_COMPLETED)
    walk.take(T.DISPUTE_WON, Moved("du_1", amount=31_045_68, from_order=31_045_68, opened_in=S.REFUNDING))
    assert walk.books.of(chart.LOSS_DISPUTE, EUR) == 0
    assert walk.books.of(chart.RECEIVABLE_RECOVERY, EUR) == 0
    assert (walk.state, walk.held) == (S.REFUNDING, 31_045_68)


def test_a_dispute_cannot_be_won_without_knowing_where_it_was_opened() -> None:
    with pytest.raises(ValueError, match="opened in"):
        entries_for(T.DISPUTE_WON, S.FAILED, BUY, Moved("du_1", amount=1, from_order=1))


def test_a_dispute_of_what_was_refunded_already_is_to_be_recovered() -> None:
    walk = buying()
    walk.take(T.PAYMENT_CAPTURED, PAID)
    walk.take(T.REFUND_REQUESTED)
    walk.take(T.REFUND_ACCEPTED, Moved("rf_1", amount=31_000_00))
    [taken] = walk.take(T.DISPUTE_OPENED, Moved("du_1", amount=31_045_68, from_order=45_68))
    assert lines(taken) == {
        ("order:or_1", "EUR"): 45_68,
        ("receivable:recovery", "EUR"): 31_000_00,
        ("psp:stripe", "EUR"): -31_045_68,
    }
    walk.take(T.REFUND_COMPLETED)
    assert walk.empty
    walk.take(T.DISPUTE_WON, Moved("du_1", amount=31_045_68, from_order=45_68, opened_in=S.REFUNDING))
    assert (walk.state, walk.held) == (S.REFUNDING, 45_68)  # it is the customer's again, so the order is not at rest
