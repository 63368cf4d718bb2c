"""Who gets what of a deposit: the sale what it needs, then the loss, then the customer; and every unit somebody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.deposit_shares import WAITING, Share, covered_by_order, shares_of
from app.domain.order import SELL, OrderState, OrderTrigger

S, T = OrderState, OrderTrigger
MEETS_COINS = [
    S.AWAITING_DEPOSIT, S.DEPOSIT_DETECTED, S.DEPOSIT_CONFIRMED, S.PAYING_OUT, S.COMPLETED,
    S.EXPIRED, S.CANCELED, S.REFUNDING, S.REFUNDED,
]  # fmt: skip
WANTED = 1_000


def shares(state: OrderState, amount: int, *, held: int = 0, lost: int = 0) -> list[Share]:
    return shares_of(state, amount, held=held, wanted=WANTED, lost=lost)


@pytest.mark.parametrize("state", sorted(WAITING))
@pytest.mark.parametrize(
    ("amount", "held", "lost", "expected"),
    [
        (999, 0, 0, [Share(T.DEPOSIT_UNDERPAID, 999)]),
        (1_000, 0, 0, [Share(T.DEPOSIT_CONFIRMED, 1_000)]),
        (1_001, 0, 0, [Share(T.DEPOSIT_OVERPAID, 1_001, surplus=1)]),
        (600, 400, 0, [Share(T.DEPOSIT_CONFIRMED, 600)]),
        (599, 400, 0, [Share(T.DEPOSIT_UNDERPAID, 599)]),
        (700, 400, 0, [Share(T.DEPOSIT_OVERPAID, 700, surplus=100)]),
        (1_000, 0, 50, [Share(T.DEPOSIT_CONFIRMED, 1_000)]),  # the sale comes first
        (1_030, 0, 50, [Share(T.DEPOSIT_OVERPAID, 1_030, surplus=30, makes_good=True)]),
        (
            1_070, 0, 50,
            [Share(T.DEPOSIT_OVERPAID, 1_050, surplus=50, makes_good=True), Share(T.SURPLUS_RECEIVED, 20, surplus=20)],
        ),
    ],
)  # fmt: skip
def test_an_order_that_waits(state: OrderState, amount: int, held: int, lost: int, expected: list[Share]) -> None:
    assert shares(state, amount, held=held, lost=lost) == expected


@pytest.mark.parametrize("state", [S.DEPOSIT_CONFIRMED, S.PAYING_OUT, S.COMPLETED])
def test_an_order_that_has_its_coins_gives_all_others_back(state: OrderState) -> None:
    assert shares(state, 700) == [Share(T.SURPLUS_RECEIVED, 700, surplus=700)]


@pytest.mark.parametrize("state", [S.PAYING_OUT, S.COMPLETED])
def test_what_was_lost_after_delivery_is_made_good_first(state: OrderState) -> None:
    assert shares(state, 700, lost=1_000) == [Share(T.DEPOSIT_RESTORED, 700, repaid=700)]
    assert shares(state, 1_200, lost=1_000) == [
        Share(T.DEPOSIT_RESTORED, 1_000, repaid=1_000), Share(T.SURPLUS_RECEIVED, 200, surplus=200),
    ]  # fmt: skip


@pytest.mark.parametrize("state", [S.EXPIRED, S.CANCELED, S.REFUNDING, S.REFUNDED])
def test_what_comes_late_is_kept_to_be_given_back(state: OrderState) -> None:
    assert shares(state, 700) == [Share(T.DEPOSIT_CONFIRMED, 700)]


@pytest.mark.parametrize("state", [S.REFUNDING, S.REFUNDED])
def test_what_was_given_back_and_lost_is_made_good_first(state: OrderState) -> None:
    assert shares(state, 700, lost=200) == [Share(T.DEPOSIT_RESTORED, 700, repaid=200)]


@given(
    st.sampled_from(MEETS_COINS), st.integers(1, 3_000), st.integers(0, WANTED - 1), st.integers(0, 3_000)
)  # fmt: skip
def test_every_unit_has_one_owner_and_every_fact_an_edge(state: OrderState, amount: int, held: int, lost: int) -> None:
    made = shares(state, amount, held=held, lost=lost)
    assert sum(share.amount for share in made) == amount
    assert all(share.amount > 0 for share in made)
    assert sum(share.restored for share in made) <= lost
    for share in made:
        back = share.surplus if not share.makes_good else 0
        assert share.kept + share.restored + back == share.amount
        assert min(share.kept, share.restored, back) >= 0
        state = SELL.target(state, share.trigger)  # refuses what has no edge
    if state is S.DEPOSIT_CONFIRMED and held + made[0].kept >= WANTED:
        assert held + sum(share.kept for share in made) == WANTED
    if state in {S.PAYING_OUT, S.COMPLETED}:
        assert sum(share.kept for share in made) == 0


@pytest.mark.parametrize("state", MEETS_COINS)
def test_what_an_order_covers_of_coins_that_are_gone(state: OrderState) -> None:
    paid = state in {S.PAYING_OUT, S.COMPLETED}
    assert covered_by_order(state, 700, 1_000) == (0 if paid else 700)
    assert covered_by_order(state, 700, 300) == (0 if paid else 300)
