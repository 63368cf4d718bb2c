"""What the public sees of the tables: statuses, stages, events, and the jobs that follow each edge."""

from __future__ import annotations

import pytest

from app.domain.event_types import EVENT_TYPES
from app.domain.order import MACHINES, TERMINAL, Direction, OrderState, OrderTrigger
from app.domain.order_jobs import OrderJob, job_after
from app.domain.order_public import (
    ORDER_EVENTS,
    OrderStatus,
    allowed_actions,
    can_cancel,
    event_of,
    stage_of,
    states_with,
    status_of,
)

S, T = OrderState, OrderTrigger
EDGES = [(direction, *edge) for direction in Direction for edge in MACHINES[direction].edges()]

# The public edges: from one status to another, and nothing else.
PUBLIC = {
    "created": "awaiting_action awaiting_funds canceled expired failed",
    "awaiting_action": "awaiting_funds processing canceled expired failed",
    # Coins that were too few for a sale go back from there.
    "awaiting_funds": "awaiting_action processing canceled expired failed refunding",
    "processing": "awaiting_funds awaiting_action completed failed refunding",
    "expired": "processing refunding",
    "canceled": "processing refunding",
    "failed": "refunding",
    "completed": "refunding",
    "refunding": "refunded",
    # A refund that bounces, a second deposit, a dispute that is won: the customer's money is back with us.
    "refunded": "refunding",
}


def test_every_edge_is_a_public_edge_or_stays() -> None:
    moves = {(status_of(source).value, status_of(target).value) for _, source, _, target in EDGES}
    assert [(old, new) for old, new in moves if old != new and new not in PUBLIC[old].split()] == []


@pytest.mark.parametrize("state", S)
def test_every_state_has_a_status_and_a_stage(state: OrderState) -> None:
    assert state in states_with(status_of(state))
    assert stage_of(state)
    if state in TERMINAL:
        assert status_of(state).value == stage_of(state) == state.value


def test_the_statuses_are_the_published_ten() -> None:
    assert {status.value for status in OrderStatus} == set(PUBLIC)
    assert sorted(state for status in OrderStatus for state in states_with(status)) == sorted(S)


def test_stages_are_published_words() -> None:
    stages = (
        "authentication authorization capture deposit deposit_detected conversion broadcast confirmation "
        "payout_submitted refund created completed failed canceled expired refunded"
    )
    assert {stage_of(state) for state in S} == set(stages.split())


# The events of the catalogue that orders have so far.
CATALOGUE = {
    "order.created", "order.action_required", "order.awaiting_funds", "order.processing", "order.stage_changed",
    "order.held", "order.released", "order.late_funds", "order.completed", "order.failed", "order.canceled",
    "order.expired", "order.refund_started", "order.refunded", "order.disputed", "order.dispute_closed",
    "order.underpaid", "order.overpaid", "order.send_replaced",
}  # fmt: skip


def test_the_catalogue_is_complete_and_every_event_is_emitted_by_some_edge() -> None:
    assert sorted(CATALOGUE) == list(ORDER_EVENTS)
    assert {event_of(*edge[1:]) for edge in EDGES} == CATALOGUE
    assert set(ORDER_EVENTS) < set(EVENT_TYPES)


EVENTS: dict[str, tuple[OrderState, OrderTrigger, OrderState]] = {
    "order.created": (S.CREATED, T.PLACED, S.AWAITING_PAYMENT),
    "order.action_required": (S.AWAITING_PAYMENT, T.AUTHENTICATION_REQUIRED, S.AUTHENTICATING),
    "order.awaiting_funds": (S.AUTHENTICATING, T.AUTHENTICATION_FAILED, S.AWAITING_PAYMENT),
    "order.processing": (S.AWAITING_PAYMENT, T.PAYMENT_AUTHORISED, S.AUTHORISED),
    "order.stage_changed": (S.AUTHORISED, T.PAYMENT_CAPTURED, S.PAID),
    "order.completed": (S.SENT, T.SEND_CONFIRMED, S.COMPLETED),
    "order.failed": (S.AUTHORISED, T.PAYMENT_FAILED, S.FAILED),
    "order.canceled": (S.AWAITING_PAYMENT, T.CANCELED, S.CANCELED),
    "order.expired": (S.AWAITING_DEPOSIT, T.EXPIRED, S.EXPIRED),
    "order.late_funds": (S.EXPIRED, T.PAYMENT_CAPTURED, S.REFUNDING),
    "order.refund_started": (S.PAID, T.REFUND_REQUESTED, S.REFUNDING),
    "order.refunded": (S.REFUNDING, T.REFUND_COMPLETED, S.REFUNDED),
    "order.send_replaced": (S.SENT, T.SEND_REPLACED, S.SENT),
    "order.held": (S.PAID, T.HELD, S.PAID),
    "order.released": (S.PAID, T.RELEASED, S.PAID),
    "order.disputed": (S.PAID, T.DISPUTE_OPENED, S.FAILED),
    "order.underpaid": (S.DEPOSIT_DETECTED, T.DEPOSIT_UNDERPAID, S.AWAITING_DEPOSIT),
    "order.overpaid": (S.COMPLETED, T.SURPLUS_RECEIVED, S.COMPLETED),
    "order.dispute_closed": (S.COMPLETED, T.DISPUTE_LOST, S.COMPLETED),
}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_an_event_tells_what_happened(name: str) -> None:
    assert event_of(*EVENTS[name]) == name


def test_late_money_says_so_and_nothing_else_does() -> None:
    incoming = {T.PAYMENT_AUTHORISED, T.PAYMENT_CAPTURED, T.DEPOSIT_DETECTED, T.DEPOSIT_CONFIRMED}
    for _, source, trigger, target in EDGES:
        late = trigger in incoming and source in TERMINAL
        assert (event_of(source, trigger, target) == "order.late_funds") == late, (source, trigger)


# When a job starts, written by job: the states whose every entry starts it, and what starts it once more inside.
ENTERED = {
    S.AUTHORISED: OrderJob.CAPTURE_PAYMENT,
    S.PAID: OrderJob.SEND_COINS,
    S.DEPOSIT_CONFIRMED: OrderJob.PAY_OUT_ORDER,
    S.REFUNDING: OrderJob.REFUND_ORDER,
}


def test_entering_a_state_starts_what_must_happen_in_it() -> None:
    entering = [edge for edge in EDGES if edge[1] != edge[3] and edge[3] not in TERMINAL]
    started = {edge: job_after(*edge) for edge in entering if edge[2] not in {T.REFUND_REQUESTED, T.REFUND_FAILED}}
    assert started == {edge: ENTERED.get(edge[3]) for edge in started}
    assert set(ENTERED.values()) < set(started.values())


@pytest.mark.parametrize("direction", Direction)
def test_taking_a_hold_off_starts_what_the_hold_was_stopping(direction: Direction) -> None:
    again = {s: job_after(direction, s, t, g) for _, s, t, g in EDGES if t is T.RELEASED}
    assert {state: job for state, job in again.items() if job} == {
        **ENTERED,
        S.SENDING: OrderJob.SEND_COINS,  # the bytes are stored; they may not have left
    }


def test_a_payment_is_let_go_exactly_when_its_order_is_given_up() -> None:
    let_go = {(direction, source, trigger) for direction, source, trigger, target in EDGES
              if job_after(direction, source, trigger, target) is OrderJob.CANCEL_PAYMENT}  # fmt: skip
    assert let_go == {
        (Direction.BUY, source, trigger)
        for source, trigger in [
            (S.AWAITING_PAYMENT, T.CANCELED), (S.AWAITING_PAYMENT, T.EXPIRED),
            (S.AUTHENTICATING, T.CANCELED), (S.AUTHENTICATING, T.EXPIRED),
            (S.PAYMENT_PENDING, T.PAYMENT_DECLINED),
            (S.CANCELED, T.PAYMENT_AUTHORISED), (S.EXPIRED, T.PAYMENT_AUTHORISED), (S.FAILED, T.PAYMENT_AUTHORISED),
        ]
    }  # fmt: skip


def test_ends_start_nothing_but_letting_go() -> None:
    started = {job_after(*edge) for edge in EDGES if edge[3] in TERMINAL}
    assert started == {None, OrderJob.CANCEL_PAYMENT}


@pytest.mark.parametrize("trigger", [T.PAYMENT_CAPTURED, T.DISPUTE_WON])
def test_money_that_comes_while_refunding_is_refunded_too(trigger: OrderTrigger) -> None:
    assert job_after(Direction.BUY, S.REFUNDING, trigger, S.REFUNDING) is OrderJob.REFUND_ORDER


@pytest.mark.parametrize(
    "trigger", [T.DEPOSIT_CONFIRMED, T.DEPOSIT_REORGED, T.DEPOSIT_RESTORED, T.REFUND_CONFIRMED, T.RELEASED]
)
def test_coins_that_come_or_go_while_refunding_start_the_refund_anew(trigger: OrderTrigger) -> None:
    assert job_after(Direction.SELL, S.REFUNDING, trigger, S.REFUNDING) is OrderJob.REFUND_ORDER


def test_a_refund_of_a_sale_is_started_by_being_asked_for() -> None:
    for source in (S.AWAITING_DEPOSIT, S.DEPOSIT_CONFIRMED):
        assert job_after(Direction.SELL, source, T.REFUND_REQUESTED, S.REFUNDING) is OrderJob.REFUND_ORDER
    assert job_after(Direction.SELL, S.REFUNDING, T.REFUND_REQUESTED, S.REFUNDING) is None


@pytest.mark.parametrize("trigger", [T.HELD, T.REFUND_REQUESTED, T.REFUND_ACCEPTED, T.REFUND_FAILED, T.DISPUTE_LOST])
def test_a_refund_is_not_started_twice(trigger: OrderTrigger) -> None:
    assert job_after(Direction.BUY, S.REFUNDING, trigger, S.REFUNDING) is None
    assert job_after(Direction.BUY, S.PAID, T.REFUND_REQUESTED, S.REFUNDING) is None
    assert job_after(Direction.BUY, S.REFUNDED, T.REFUND_FAILED, S.REFUNDING) is None


def test_what_a_partner_may_ask() -> None:
    asked = {state: allowed_actions(Direction.BUY, state) for state in S}
    assert {state for state, actions in asked.items() if "cancel" in actions} == {S.AWAITING_PAYMENT, S.AUTHENTICATING}
    assert {state for state, actions in asked.items() if "refund" in actions} == {S.AUTHORISED, S.PAID, S.REFUNDING}
    assert allowed_actions(Direction.SELL, S.AWAITING_DEPOSIT) == ("cancel", "refund")
    assert allowed_actions(Direction.SELL, S.DEPOSIT_DETECTED) == ()
    assert allowed_actions(Direction.SELL, S.DEPOSIT_CONFIRMED) == ("refund",)
    assert {state for state in S if can_cancel(state)} == {S.AWAITING_PAYMENT, S.AUTHENTICATING, S.AWAITING_DEPOSIT}
