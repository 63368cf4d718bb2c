"""What the public sees of an order: its status and stage, the one event that each move emits, and what may be asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.order import BUY, MACHINES, SELL, TERMINAL, Direction, OrderState, OrderTrigger

S = OrderState
T = OrderTrigger


class OrderStatus(StrEnum):
    """What the API calls the state: a small closed set."""

    CREATED = "created"
    AWAITING_ACTION = "awaiting_action"
    AWAITING_FUNDS = "awaiting_funds"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


_STATUS: Final[dict[OrderState, OrderStatus]] = {
    S.CREATED: OrderStatus.CREATED,
    S.AWAITING_PAYMENT: OrderStatus.AWAITING_FUNDS,
    S.AUTHENTICATING: OrderStatus.AWAITING_ACTION,
    S.AUTHORISED: OrderStatus.PROCESSING,
    S.PAYMENT_PENDING: OrderStatus.PROCESSING,
    S.PAID: OrderStatus.PROCESSING,
    S.SENDING: OrderStatus.PROCESSING,
    S.SENT: OrderStatus.PROCESSING,
    S.AWAITING_DEPOSIT: OrderStatus.AWAITING_FUNDS,
    S.DEPOSIT_DETECTED: OrderStatus.PROCESSING,
    S.DEPOSIT_CONFIRMED: OrderStatus.PROCESSING,
    S.PAYING_OUT: OrderStatus.PROCESSING,
    S.COMPLETED: OrderStatus.COMPLETED,
    S.FAILED: OrderStatus.FAILED,
    S.CANCELED: OrderStatus.CANCELED,
    S.EXPIRED: OrderStatus.EXPIRED,
    S.REFUNDING: OrderStatus.REFUNDING,
    S.REFUNDED: OrderStatus.REFUNDED,
}

_STAGE: Final[dict[OrderState, str]] = {
    S.AWAITING_PAYMENT: "authorization",
    S.AUTHENTICATING: "authentication",
    S.AUTHORISED: "capture",
    S.PAYMENT_PENDING: "capture",
    S.PAID: "conversion",
    S.SENDING: "broadcast",
    S.SENT: "confirmation",
    S.AWAITING_DEPOSIT: "deposit",
    S.DEPOSIT_DETECTED: "deposit_detected",
    S.DEPOSIT_CONFIRMED: "conversion",
    S.PAYING_OUT: "payout_submitted",
    S.REFUNDING: "refund",
}


def status_of(state: OrderState) -> OrderStatus:
    """The public status of a state."""
    return _STATUS[state]


def stage_of(state: OrderState) -> str:
    """The public stage of a state: finer than the status, equal to it at the ends."""
    return _STAGE.get(state, state.value)


def states_with(status: OrderStatus) -> tuple[OrderState, ...]:
    """Every state that the public sees as `status`."""
    return tuple(state for state, public in _STATUS.items() if public == status)


_NAMED_EVENTS: Final[dict[OrderTrigger, str]] = {
    T.PLACED: "order.created",
    T.SEND_REPLACED: "order.send_replaced",
    T.HELD: "order.held",
    T.RELEASED: "order.released",
    T.DISPUTE_OPENED: "order.disputed",
    T.DISPUTE_WON: "order.dispute_closed",
    T.DISPUTE_LOST: "order.dispute_closed",
    T.DEPOSIT_UNDERPAID: "order.underpaid",
    T.DEPOSIT_OVERPAID: "order.overpaid",
    T.SURPLUS_RECEIVED: "order.overpaid",
}
_LATE_MONEY: Final = frozenset({T.PAYMENT_AUTHORISED, T.PAYMENT_CAPTURED, T.DEPOSIT_DETECTED, T.DEPOSIT_CONFIRMED})
_STATUS_EVENTS: Final[dict[OrderStatus, str]] = {
    OrderStatus.AWAITING_ACTION: "order.action_required",
    OrderStatus.AWAITING_FUNDS: "order.awaiting_funds",
    OrderStatus.PROCESSING: "order.processing",
    OrderStatus.COMPLETED: "order.completed",
    OrderStatus.FAILED: "order.failed",
    OrderStatus.CANCELED: "order.canceled",
    OrderStatus.EXPIRED: "order.expired",
    OrderStatus.REFUNDING: "order.refund_started",
    OrderStatus.REFUNDED: "order.refunded",
}
ORDER_EVENTS: Final = tuple(
    sorted({*_NAMED_EVENTS.values(), *_STATUS_EVENTS.values(), "order.late_funds", "order.stage_changed"})
)


def event_of(source: OrderState, trigger: OrderTrigger, target: OrderState) -> str:
    """The one event that an edge emits."""
    if trigger in _NAMED_EVENTS:
        return _NAMED_EVENTS[trigger]
    if source in TERMINAL and trigger in _LATE_MONEY:
        return "order.late_funds"
    if status_of(source) != status_of(target):
        return _STATUS_EVENTS[status_of(target)]
    return "order.stage_changed"


def can_cancel(state: OrderState) -> bool:
    """Whether the partner or the customer may still call the order off."""
    return BUY.allows(state, T.CANCELED) or SELL.allows(state, T.CANCELED)


def allowed_actions(direction: Direction, state: OrderState) -> tuple[str, ...]:
    """What the partner may ask of the order in this state."""
    machine = MACHINES[direction]
    actions = {"cancel": T.CANCELED, "refund": T.REFUND_REQUESTED}
    return tuple(name for name, trigger in actions.items() if machine.allows(state, trigger))
