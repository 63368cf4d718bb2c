"""Both order tables, exhausted: every (state, trigger) pair moves or is refused, as written down elsewhere."""

from __future__ import annotations

from collections import defaultdict

import pytest

from app.domain.errors import IllegalTransition
from app.domain.order import MACHINES, TERMINAL, Direction, OrderState, OrderTrigger
from tests.domain.expected_edges import EXPECTED

S, T = OrderState, OrderTrigger
EDGES = [(direction, *edge) for direction in Direction for edge in MACHINES[direction].edges()]
STATES = {
    direction: {state for source, _, target in MACHINES[direction].edges() for state in (source, target)}
    for direction in Direction
}


def _answer(direction: Direction, state: OrderState, trigger: OrderTrigger) -> OrderState | None:
    """Where the machine moves, or None when it refuses; what it says of itself must agree."""
    machine = MACHINES[direction]
    try:
        target = machine.target(state, trigger)
    except IllegalTransition:
        target = None
    assert machine.allows(state, trigger) == (target is not None)
    assert (trigger in machine.allowed(state)) == (target is not None)
    return target


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("direction", Direction)
def test_every_pair_moves_or_is_refused(direction: Direction, state: OrderState) -> None:
    answers = {trigger: _answer(direction, state, trigger) for trigger in T}
    assert answers == {trigger: EXPECTED[direction].get((state, trigger)) for trigger in T}


def _reached_from(direction: Direction, start: OrderState) -> set[OrderState]:
    following = defaultdict(set)
    for source, _, target in MACHINES[direction].edges():
        following[source].add(target)
    reached, new = {start}, {start}
    while new:
        new = {target for state in new for target in following[state]} - reached
        reached |= new
    return reached


@pytest.mark.parametrize("direction", Direction)
def test_every_state_is_reached_from_the_start(direction: Direction) -> None:
    assert _reached_from(direction, S.CREATED) == STATES[direction]


def test_every_state_and_every_trigger_is_used() -> None:
    assert STATES[Direction.BUY] | STATES[Direction.SELL] == set(S)
    assert {trigger for _, _, trigger, _ in EDGES} == set(T)


def test_the_two_directions_share_only_what_is_neither_paying_nor_delivering() -> None:
    shared = STATES[Direction.BUY] & STATES[Direction.SELL]
    assert shared == {S.CREATED, S.COMPLETED, S.CANCELED, S.EXPIRED, S.REFUNDING, S.REFUNDED}


@pytest.mark.parametrize("direction", Direction)
def test_an_end_can_be_reached_from_everywhere(direction: Direction) -> None:
    for state in STATES[direction] - TERMINAL:
        assert TERMINAL & _reached_from(direction, state), state


@pytest.mark.parametrize("direction", Direction)
def test_whoever_has_paid_can_be_delivered_to_or_paid_back(direction: Direction) -> None:
    for state in STATES[direction] & {S.PAID, S.SENDING, S.SENT, S.DEPOSIT_CONFIRMED, S.PAYING_OUT}:
        assert {S.COMPLETED, S.REFUNDED} <= _reached_from(direction, state), state


def test_the_ends_are_what_the_public_calls_final() -> None:
    assert {"completed", "failed", "canceled", "expired", "refunded"} == TERMINAL


def test_an_end_is_left_only_by_money_that_came_back_or_came_late() -> None:
    left = [(trigger, target) for _, source, trigger, target in EDGES if source in TERMINAL and source != target]
    assert {target for _, target in left} == {S.REFUNDING}
    assert {trigger for trigger, _ in left} == {
        T.PAYMENT_CAPTURED, T.DEPOSIT_CONFIRMED, T.DEPOSIT_RESTORED, T.PAYOUT_RETURNED, T.REFUND_FAILED, T.DISPUTE_WON,
    }  # fmt: skip


def test_only_a_returned_delivery_leaves_completed() -> None:
    left = {(direction, trigger) for direction, source, trigger, target in EDGES if source is S.COMPLETED != target}
    assert left == {(Direction.SELL, T.PAYOUT_RETURNED)}


@pytest.mark.parametrize("direction", Direction)
def test_holds_are_on_every_state_that_is_no_end_and_move_nothing(direction: Direction) -> None:
    machine = MACHINES[direction]
    for trigger in (T.HELD, T.RELEASED):
        held = {source for source, name, _ in machine.edges() if name is trigger}
        assert held == STATES[direction] - TERMINAL - {S.CREATED}
        assert all(machine.target(state, trigger) is state for state in held)


@pytest.mark.parametrize("direction", Direction)
def test_nothing_comes_back_to_created(direction: Direction) -> None:
    machine = MACHINES[direction]
    assert all(target is not S.CREATED for _, _, target in machine.edges())
    assert machine.allowed(S.CREATED) == {T.PLACED}


def test_coins_leave_only_after_the_money_is_ours() -> None:
    before = {S.CREATED, S.AWAITING_PAYMENT, S.AUTHENTICATING, S.AUTHORISED, S.PAYMENT_PENDING}
    for state in before:
        assert not {T.SEND_PREPARED, T.SEND_BROADCAST, T.SEND_CONFIRMED} & MACHINES[Direction.BUY].allowed(state)
    assert [s for _, s, t, _ in EDGES if t is T.SEND_PREPARED] == [S.PAID]


def test_fiat_leaves_only_after_the_deposit_counts() -> None:
    for state in (S.CREATED, S.AWAITING_DEPOSIT, S.DEPOSIT_DETECTED):
        allowed = MACHINES[Direction.SELL].allowed(state)
        assert not {T.PAYOUT_SUBMITTED, T.PAYOUT_SETTLED} & allowed


@pytest.mark.parametrize("state", [S.SENDING, S.SENT, S.PAYING_OUT, S.COMPLETED])
def test_no_refund_may_be_asked_for_once_delivery_is_under_way(state: OrderState) -> None:
    for direction in Direction:
        assert not {T.REFUND_REQUESTED, T.REFUND_ACCEPTED, T.CANCELED} & MACHINES[direction].allowed(state)


@pytest.mark.parametrize("state", [S.REFUNDING, S.REFUNDED, S.FAILED, S.CANCELED, S.EXPIRED])
def test_nothing_is_delivered_once_we_gave_up(state: OrderState) -> None:
    delivering = {T.SEND_PREPARED, T.SEND_BROADCAST, T.SEND_CONFIRMED, T.PAYOUT_SUBMITTED, T.PAYOUT_SETTLED}
    for direction in Direction:
        assert not delivering & MACHINES[direction].allowed(state)


def test_money_taken_late_is_never_turned_away() -> None:
    """A capture is a fact: wherever an order is before delivery, or after it was given up, there is an edge for it."""
    without = STATES[Direction.BUY] - {source for d, source, t, _ in EDGES if t is T.PAYMENT_CAPTURED}
    assert without == {S.CREATED, S.PAID, S.SENDING, S.SENT, S.COMPLETED}  # these know of the one capture already


def test_an_authorisation_is_known_in_every_state_that_may_meet_one() -> None:
    without = STATES[Direction.BUY] - {source for d, source, t, _ in EDGES if t is T.PAYMENT_AUTHORISED}
    # authorised and later ones know of it; a refund that is under way is letting it go already
    assert without == {
        S.CREATED, S.AUTHORISED, S.PAID, S.SENDING, S.SENT, S.COMPLETED, S.REFUNDING, S.REFUNDED,
    }  # fmt: skip


def test_money_may_be_taken_back_wherever_it_was_taken() -> None:
    without = STATES[Direction.BUY] - {source for d, source, t, _ in EDGES if t is T.DISPUTE_OPENED}
    assert without == {
        S.CREATED, S.AWAITING_PAYMENT, S.AUTHENTICATING, S.AUTHORISED, S.PAYMENT_PENDING,
        S.CANCELED, S.EXPIRED, S.FAILED,
    }  # fmt: skip


def test_coins_that_count_are_known_in_every_state_of_a_sale_that_may_meet_them() -> None:
    """Whatever has become of a sale, coins at its address are a fact that has an edge."""
    counting = {T.DEPOSIT_UNDERPAID, T.DEPOSIT_CONFIRMED, T.DEPOSIT_OVERPAID, T.SURPLUS_RECEIVED, T.DEPOSIT_RESTORED}
    met = {source for d, source, t, _ in EDGES if d is Direction.SELL and t in counting}
    assert STATES[Direction.SELL] - met == {S.CREATED}


def test_coins_that_counted_may_be_gone_again_wherever_they_counted() -> None:
    without = STATES[Direction.SELL] - {s for d, s, t, _ in EDGES if d is Direction.SELL and t is T.DEPOSIT_REORGED}
    assert without == {S.CREATED}
