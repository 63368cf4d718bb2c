"""Bookkeeping of sales: every way that one can go, to the satoshi."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain import chart
from app.domain.assets import BTC, EUR
from app.domain.money import Money
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from tests.domain.books import Walk, lines, selling

S, T = OrderState, OrderTrigger
COINS = Moved("dp_1", amount=30_000_000)
PAYOUT = Moved("po_1", amount=17_971_44)
BACK = Moved("po_2", amount=30_000_000)


def test_a_sale_to_the_cent() -> None:
    walk = selling()
    walk.take(T.DEPOSIT_DETECTED)
    [received] = walk.take(T.DEPOSIT_CONFIRMED, COINS)
    assert lines(received) == {
        ("wallet:hot:bitcoin", "BTC.bitcoin"): 30_000_000,
        ("order:or_2", "BTC.bitcoin"): -30_000_000,
    }
    assert walk.take(T.PAYOUT_SUBMITTED, PAYOUT) == []
    converted, delivered = walk.take(T.PAYOUT_SETTLED, PAYOUT)
    assert lines(converted) == {
        ("order:or_2", "BTC.bitcoin"): 30_000_000,
        ("position:BTC.bitcoin", "BTC.bitcoin"): -30_000_000,
        ("position:EUR", "EUR"): 18_244_19,
        ("revenue:spread", "EUR"): -91_22,
        ("revenue:fee", "EUR"): -150_00,
        ("revenue:network", "EUR"): -1_53,
        ("partner:pt_1:available", "EUR"): -30_00,
        ("order:or_2", "EUR"): -17_971_44,
    }
    assert lines(delivered) == {("order:or_2", "EUR"): 17_971_44, ("bank:increase", "EUR"): -17_971_44}
    assert walk.state is S.COMPLETED
    assert walk.empty


def give_the_coins_back(walk: Walk) -> None:
    [promised] = walk.take(T.REFUND_ACCEPTED, BACK)
    assert lines(promised) == {
        ("order:or_2", "BTC.bitcoin"): 30_000_000,
        ("payout:po_2", "BTC.bitcoin"): -30_000_000,
    }
    assert walk.empty  # from here on it is the payout's, whose transaction books the rest
    assert walk.take(T.REFUND_CONFIRMED, BACK) == []
    assert walk.take(T.REFUND_COMPLETED) == []
    assert walk.state is S.REFUNDED


def test_a_returned_payout_undoes_the_sale_whole() -> None:
    walk = selling()
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    before = walk.books.standing()
    walk.take(T.PAYOUT_SUBMITTED, PAYOUT)
    walk.take(T.PAYOUT_SETTLED, PAYOUT)
    returned, unconverted = walk.take(T.PAYOUT_RETURNED, replace(PAYOUT, from_partner=30_00))
    assert lines(returned) == {("bank:increase", "EUR"): 17_971_44, ("order:or_2", "EUR"): -17_971_44}
    assert lines(unconverted)["order:or_2", "BTC.bitcoin"] == -30_000_000
    assert walk.state is S.REFUNDING
    assert walk.books.standing() == before
    give_the_coins_back(walk)


@pytest.mark.parametrize(("left", "owed"), [(30_00, 0), (10_00, 20_00), (0, 30_00)])
def test_a_partner_that_has_spent_its_fee_owes_it(left: int, owed: int) -> None:
    walk = selling()
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    walk.take(T.PAYOUT_SETTLED, PAYOUT)
    walk.books.fund("partner:pt_1:available", Money(30_00 - left, EUR))
    walk.take(T.PAYOUT_RETURNED, replace(PAYOUT, from_partner=left))
    assert walk.books.of("receivable:recovery", EUR) == owed
    assert walk.books.of("partner:pt_1:available", EUR) == 0


@pytest.mark.parametrize("refused_in", [S.DEPOSIT_CONFIRMED, S.PAYING_OUT])
def test_coins_go_back_when_the_bank_will_not_pay(refused_in: OrderState) -> None:
    walk = selling()
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    if refused_in is S.PAYING_OUT:
        walk.take(T.PAYOUT_SUBMITTED, PAYOUT)
    assert walk.take(T.PAYOUT_FAILED, PAYOUT) == []
    give_the_coins_back(walk)


@pytest.mark.parametrize("gone", [T.CANCELED, T.EXPIRED])
def test_late_coins_go_back(gone: OrderTrigger) -> None:
    walk = selling()
    walk.take(gone)
    walk.take(T.DEPOSIT_DETECTED)
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    give_the_coins_back(walk)


def test_a_refund_of_coins_that_is_given_up_frees_them() -> None:
    walk = selling()
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    walk.take(T.REFUND_REQUESTED)
    before = walk.books.standing()
    walk.take(T.REFUND_ACCEPTED, BACK)
    walk.take(T.REFUND_FAILED, BACK)
    assert walk.books.standing() == before
    assert walk.take(T.REFUND_FAILED, Moved("rf_2")) == []


def test_a_second_deposit_during_a_refund_goes_back_too() -> None:
    walk = selling()
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    walk.take(T.REFUND_REQUESTED)
    walk.take(T.REFUND_ACCEPTED, BACK)
    walk.take(T.DEPOSIT_CONFIRMED, Moved("dp_2", amount=5_000))
    walk.take(T.REFUND_CONFIRMED, BACK)
    assert (walk.state, walk.held) == (S.REFUNDING, 5_000)


def test_too_few_coins_are_kept_and_the_rest_awaited() -> None:
    walk = selling()
    walk.take(T.DEPOSIT_DETECTED)
    walk.take(T.DEPOSIT_UNDERPAID, Moved("dp_1", amount=10_000_000))
    assert (walk.state, walk.held) == (S.AWAITING_DEPOSIT, 10_000_000)
    walk.take(T.DEPOSIT_CONFIRMED, Moved("dp_2", amount=20_000_000))
    assert (walk.state, walk.held) == (S.DEPOSIT_CONFIRMED, 30_000_000)


@pytest.mark.parametrize("account", ["payout:po_9", "partner:pt_1:available", "loss:reorg"])
def test_what_is_too_much_never_stays_with_the_order(account: str) -> None:
    walk = selling()
    received, surplus = walk.take(
        T.DEPOSIT_OVERPAID, Moved("dp_1", amount=31_000_000, surplus=1_000_000, surplus_to=account)
    )
    assert lines(received)["order:or_2", "BTC.bitcoin"] == -31_000_000
    assert lines(surplus) == {("order:or_2", "BTC.bitcoin"): 1_000_000, (account, "BTC.bitcoin"): -1_000_000}
    assert walk.held == 30_000_000
    walk.take(T.SURPLUS_RECEIVED, Moved("dp_2", amount=7_000, surplus=7_000, surplus_to=account))
    assert walk.held == 30_000_000
    assert walk.books.of(account, BTC) == -1_007_000


@pytest.mark.parametrize(
    ("way", "from_order", "lost"),
    [
        ([], 30_000_000, 0),  # not paid out yet: the customer simply has not paid
        ([T.PAYOUT_SUBMITTED], 0, 30_000_000),
        ([T.PAYOUT_SUBMITTED, T.PAYOUT_SETTLED], 0, 30_000_000),
        ([T.REFUND_REQUESTED], 30_000_000, 0),
        ([T.REFUND_REQUESTED], 12_000_000, 18_000_000),  # the rest is on its way back
    ],
)
def test_who_bears_a_deep_reorganisation(way: list[OrderTrigger], from_order: int, lost: int) -> None:
    walk = selling()
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    for trigger in way:
        walk.take(trigger, PAYOUT)
    # The operator has put enough in, so that the coins of others are not what goes missing.
    walk.books.fund(chart.wallet_hot("bitcoin"), Money(50_000_000, BTC))
    before = walk.books.standing()
    gone = replace(COINS, reference="dp_1:1:gone", from_order=from_order)
    [undone] = walk.take(T.DEPOSIT_REORGED, gone)
    booked = lines(undone)
    assert booked.get(("order:or_2", "BTC.bitcoin"), 0) == from_order
    assert booked.get(("loss:reorg", "BTC.bitcoin"), 0) == lost
    assert booked["wallet:hot:bitcoin", "BTC.bitcoin"] == -30_000_000
    if way:
        walk.take(T.DEPOSIT_RESTORED, replace(gone, reference="dp_1:2"))
        assert walk.books.standing() == before


def test_a_deposit_that_is_mined_again_counts_again() -> None:
    walk = selling()
    walk.take(T.DEPOSIT_CONFIRMED, COINS)
    walk.take(T.DEPOSIT_REORGED, replace(COINS, reference="dp_1:1:gone", from_order=30_000_000))
    assert (walk.state, walk.held) == (S.DEPOSIT_DETECTED, 0)
    walk.take(T.DEPOSIT_CONFIRMED, replace(COINS, reference="dp_1:2"))
    assert (walk.state, walk.held) == (S.DEPOSIT_CONFIRMED, 30_000_000)
