"""Orders: their states, what moves them, and the two tables that say how."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.machine import Machine


class Direction(StrEnum):
    """Which way an order exchanges."""

    BUY = "buy"  # fiat in, coins out
    SELL = "sell"  # coins in, fiat out


class OrderState(StrEnum):
    """Where an order stands. What the public sees of it is in `status_of` and `stage_of`."""

    CREATED = "created"  # only inside the placing transaction
    AWAITING_PAYMENT = "awaiting_payment"
    AUTHENTICATING = "authenticating"
    AUTHORISED = "authorised"
    PAYMENT_PENDING = "payment_pending"
    PAID = "paid"
    SENDING = "sending"
    SENT = "sent"
    AWAITING_DEPOSIT = "awaiting_deposit"
    DEPOSIT_DETECTED = "deposit_detected"
    DEPOSIT_CONFIRMED = "deposit_confirmed"
    PAYING_OUT = "paying_out"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class OrderTrigger(StrEnum):
    """A fact that moves an order, or is recorded on it."""

    PLACED = "placed"
    AUTHENTICATION_REQUIRED = "authentication_required"
    AUTHENTICATION_FAILED = "authentication_failed"
    PAYMENT_DECLINED = "payment_declined"  # this attempt; the customer may try again
    PAYMENT_PENDING = "payment_pending"  # a bank debit was accepted and may still fail
    PAYMENT_AUTHORISED = "payment_authorised"
    PAYMENT_CAPTURED = "payment_captured"
    PAYMENT_FAILED = "payment_failed"  # for good, with nothing taken
    SEND_PREPARED = "send_prepared"
    SEND_BROADCAST = "send_broadcast"
    SEND_CONFIRMED = "send_confirmed"
    SEND_ABANDONED = "send_abandoned"  # given up for good: no transaction of it can ever be mined
    DEPOSIT_DETECTED = "deposit_detected"
    DEPOSIT_VANISHED = "deposit_vanished"  # replaced or reorged before it counted
    DEPOSIT_CONFIRMED = "deposit_confirmed"
    DEPOSIT_REORGED = "deposit_reorged"  # reorged after it had counted
    PAYOUT_SUBMITTED = "payout_submitted"
    PAYOUT_SETTLED = "payout_settled"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_RETURNED = "payout_returned"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUND_REQUESTED = "refund_requested"
    REFUND_ACCEPTED = "refund_accepted"  # the provider took it on, or the coins left: the money is on its way back
    REFUND_COMPLETED = "refund_completed"  # nothing of the customer's money is left with us
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    HELD = "held"
    RELEASED = "released"


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


S = OrderState
T = OrderTrigger
Table = dict[tuple[OrderState, OrderTrigger], OrderState]

TERMINAL: Final = frozenset({S.COMPLETED, S.FAILED, S.CANCELED, S.EXPIRED, S.REFUNDED})

_BUY_EDGES: Table = {
    (S.CREATED, T.PLACED): S.AWAITING_PAYMENT,
    # The customer pays. A provider may tell us of a later step before an earlier one, so each state takes them all.
    (S.AWAITING_PAYMENT, T.AUTHENTICATION_REQUIRED): S.AUTHENTICATING,
    (S.AWAITING_PAYMENT, T.PAYMENT_DECLINED): S.AWAITING_PAYMENT,
    (S.AWAITING_PAYMENT, T.PAYMENT_PENDING): S.PAYMENT_PENDING,
    (S.AWAITING_PAYMENT, T.PAYMENT_AUTHORISED): S.AUTHORISED,
    (S.AWAITING_PAYMENT, T.PAYMENT_CAPTURED): S.PAID,
    (S.AWAITING_PAYMENT, T.PAYMENT_FAILED): S.FAILED,
    (S.AWAITING_PAYMENT, T.CANCELED): S.CANCELED,
    (S.AWAITING_PAYMENT, T.EXPIRED): S.EXPIRED,
    (S.AUTHENTICATING, T.AUTHENTICATION_FAILED): S.AWAITING_PAYMENT,
    (S.AUTHENTICATING, T.PAYMENT_DECLINED): S.AWAITING_PAYMENT,
    (S.AUTHENTICATING, T.PAYMENT_PENDING): S.PAYMENT_PENDING,
    (S.AUTHENTICATING, T.PAYMENT_AUTHORISED): S.AUTHORISED,
    (S.AUTHENTICATING, T.PAYMENT_CAPTURED): S.PAID,
    (S.AUTHENTICATING, T.PAYMENT_FAILED): S.FAILED,
    (S.AUTHENTICATING, T.CANCELED): S.CANCELED,
    (S.AUTHENTICATING, T.EXPIRED): S.EXPIRED,
    # Nothing is delivered before the money is ours.
    (S.AUTHORISED, T.PAYMENT_CAPTURED): S.PAID,
    (S.AUTHORISED, T.PAYMENT_FAILED): S.FAILED,
    (S.AUTHORISED, T.REFUND_REQUESTED): S.REFUNDING,
    (S.PAYMENT_PENDING, T.PAYMENT_CAPTURED): S.PAID,
    (S.PAYMENT_PENDING, T.PAYMENT_DECLINED): S.FAILED,
    (S.PAYMENT_PENDING, T.PAYMENT_FAILED): S.FAILED,
    # Delivery.
    (S.PAID, T.SEND_PREPARED): S.SENDING,
    (S.PAID, T.SEND_ABANDONED): S.REFUNDING,
    (S.PAID, T.REFUND_REQUESTED): S.REFUNDING,
    (S.SENDING, T.SEND_BROADCAST): S.SENT,
    # Our own crash can hide the broadcast from us until the chain shows it.
    (S.SENDING, T.SEND_CONFIRMED): S.COMPLETED,
    (S.SENDING, T.SEND_ABANDONED): S.REFUNDING,
    (S.SENT, T.SEND_CONFIRMED): S.COMPLETED,
    (S.SENT, T.SEND_ABANDONED): S.REFUNDING,
    # Money taken back by the customer's bank. Before delivery nothing is held any more; after it the coins stay
    # delivered, so the order keeps its state and carries the dispute.
    (S.PAID, T.DISPUTE_OPENED): S.FAILED,
    (S.SENDING, T.DISPUTE_OPENED): S.SENDING,
    (S.SENDING, T.DISPUTE_WON): S.SENDING,
    (S.SENDING, T.DISPUTE_LOST): S.SENDING,
    (S.SENT, T.DISPUTE_OPENED): S.SENT,
    (S.SENT, T.DISPUTE_WON): S.SENT,
    (S.SENT, T.DISPUTE_LOST): S.SENT,
    (S.COMPLETED, T.DISPUTE_OPENED): S.COMPLETED,
    (S.COMPLETED, T.DISPUTE_WON): S.COMPLETED,
    (S.COMPLETED, T.DISPUTE_LOST): S.COMPLETED,
    (S.FAILED, T.DISPUTE_WON): S.REFUNDING,
    (S.FAILED, T.DISPUTE_LOST): S.FAILED,
    (S.REFUNDING, T.DISPUTE_OPENED): S.REFUNDING,
    (S.REFUNDING, T.DISPUTE_WON): S.REFUNDING,
    (S.REFUNDING, T.DISPUTE_LOST): S.REFUNDING,
    (S.REFUNDED, T.DISPUTE_OPENED): S.REFUNDED,
    (S.REFUNDED, T.DISPUTE_WON): S.REFUNDED,
    (S.REFUNDED, T.DISPUTE_LOST): S.REFUNDED,
    # Late money. An authorisation that comes after we gave up is let go; money taken after we gave up is sent back.
    (S.EXPIRED, T.PAYMENT_AUTHORISED): S.EXPIRED,
    (S.CANCELED, T.PAYMENT_AUTHORISED): S.CANCELED,
    (S.EXPIRED, T.PAYMENT_CAPTURED): S.REFUNDING,
    (S.CANCELED, T.PAYMENT_CAPTURED): S.REFUNDING,
    (S.FAILED, T.PAYMENT_CAPTURED): S.REFUNDING,
    # The capture that we had asked for before the refund was requested.
    (S.REFUNDING, T.PAYMENT_CAPTURED): S.REFUNDING,
}

_SELL_EDGES: Table = {
    (S.CREATED, T.PLACED): S.AWAITING_DEPOSIT,
    (S.AWAITING_DEPOSIT, T.DEPOSIT_DETECTED): S.DEPOSIT_DETECTED,
    (S.AWAITING_DEPOSIT, T.DEPOSIT_CONFIRMED): S.DEPOSIT_CONFIRMED,
    (S.AWAITING_DEPOSIT, T.CANCELED): S.CANCELED,
    (S.AWAITING_DEPOSIT, T.EXPIRED): S.EXPIRED,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_VANISHED): S.AWAITING_DEPOSIT,
    (S.DEPOSIT_DETECTED, T.DEPOSIT_CONFIRMED): S.DEPOSIT_CONFIRMED,
    (S.DEPOSIT_CONFIRMED, T.DEPOSIT_REORGED): S.DEPOSIT_DETECTED,
    (S.DEPOSIT_CONFIRMED, T.PAYOUT_SUBMITTED): S.PAYING_OUT,
    (S.DEPOSIT_CONFIRMED, T.REFUND_REQUESTED): S.REFUNDING,
    (S.PAYING_OUT, T.DEPOSIT_REORGED): S.PAYING_OUT,
    (S.PAYING_OUT, T.PAYOUT_SETTLED): S.COMPLETED,
    (S.PAYING_OUT, T.PAYOUT_FAILED): S.REFUNDING,
    (S.COMPLETED, T.DEPOSIT_REORGED): S.COMPLETED,
    # The delivery itself came back: the only way out of `completed`.
    (S.COMPLETED, T.PAYOUT_RETURNED): S.REFUNDING,
    # Coins that arrive after we gave up are seen, wait for their depth, and are sent back.
    (S.EXPIRED, T.DEPOSIT_DETECTED): S.EXPIRED,
    (S.CANCELED, T.DEPOSIT_DETECTED): S.CANCELED,
    (S.EXPIRED, T.DEPOSIT_VANISHED): S.EXPIRED,
    (S.CANCELED, T.DEPOSIT_VANISHED): S.CANCELED,
    (S.EXPIRED, T.DEPOSIT_CONFIRMED): S.REFUNDING,
    (S.CANCELED, T.DEPOSIT_CONFIRMED): S.REFUNDING,
    # A second deposit to the same address is the customer's too; it goes back.
    (S.REFUNDING, T.DEPOSIT_CONFIRMED): S.REFUNDING,
    (S.REFUNDED, T.DEPOSIT_CONFIRMED): S.REFUNDING,
}


def _shared_edges(working: tuple[OrderState, ...]) -> Table:
    """What both directions have in common: refunds, and holds on every state that is not an end."""
    table: Table = {
        (S.REFUNDING, T.REFUND_REQUESTED): S.REFUNDING,
        (S.REFUNDING, T.REFUND_ACCEPTED): S.REFUNDING,
        (S.REFUNDING, T.REFUND_COMPLETED): S.REFUNDED,
        (S.REFUNDING, T.REFUND_FAILED): S.REFUNDING,
        # A refund that was accepted can still bounce, days later.
        (S.REFUNDED, T.REFUND_FAILED): S.REFUNDING,
    }
    for state in (*working, S.REFUNDING):
        table[state, T.HELD] = state
        table[state, T.RELEASED] = state
    return table


_BUY_WORKING = (
    S.AWAITING_PAYMENT,
    S.AUTHENTICATING,
    S.AUTHORISED,
    S.PAYMENT_PENDING,
    S.PAID,
    S.SENDING,
    S.SENT,
)
_SELL_WORKING = (S.AWAITING_DEPOSIT, S.DEPOSIT_DETECTED, S.DEPOSIT_CONFIRMED, S.PAYING_OUT)

BUY: Machine[OrderState, OrderTrigger] = Machine("buy", _BUY_EDGES | _shared_edges(_BUY_WORKING))
SELL: Machine[OrderState, OrderTrigger] = Machine("sell", _SELL_EDGES | _shared_edges(_SELL_WORKING))
MACHINES: Final = {Direction.BUY: BUY, Direction.SELL: SELL}

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
    T.HELD: "order.held",
    T.RELEASED: "order.released",
    T.DISPUTE_OPENED: "order.disputed",
    T.DISPUTE_WON: "order.dispute_closed",
    T.DISPUTE_LOST: "order.dispute_closed",
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


class OrderJob(StrEnum):
    """What must happen next, outside the transition's transaction."""

    CAPTURE_PAYMENT = "capture_payment"
    CANCEL_PAYMENT = "cancel_payment"
    SEND_COINS = "send_coins"
    REFUND_ORDER = "refund_order"


_JOB_IN: Final[dict[OrderState, OrderJob]] = {
    S.AUTHORISED: OrderJob.CAPTURE_PAYMENT,
    S.PAID: OrderJob.SEND_COINS,
    S.REFUNDING: OrderJob.REFUND_ORDER,
}
_GIVEN_UP: Final = frozenset({S.CANCELED, S.EXPIRED})


def job_after(direction: Direction, source: OrderState, trigger: OrderTrigger, target: OrderState) -> OrderJob | None:
    """The job that an edge starts, if any.

    Entering a state starts its job; so does taking a hold off, and money that arrives while a refund is under way.
    A refund that somebody asked for brings a job of its own, with the amount that was asked.
    """
    if direction is Direction.BUY and target in _GIVEN_UP:
        return OrderJob.CANCEL_PAYMENT
    if trigger is T.RELEASED and target is S.SENDING:
        return OrderJob.SEND_COINS
    entered = source != target and trigger not in {T.REFUND_REQUESTED, T.REFUND_FAILED}
    if entered or trigger in {T.RELEASED, T.PAYMENT_CAPTURED, T.DEPOSIT_CONFIRMED, T.DISPUTE_WON}:
        return _JOB_IN.get(target)
    return None


def can_cancel(state: OrderState) -> bool:
    """Whether the partner or the customer may still call the order off."""
    return BUY.allows(state, T.CANCELED) or SELL.allows(state, T.CANCELED)


def allowed_actions(direction: Direction, state: OrderState) -> tuple[str, ...]:
    """What the partner may ask of the order in this state."""
    machine = MACHINES[direction]
    actions = {"cancel": T.CANCELED, "refund": T.REFUND_REQUESTED}
    return tuple(name for name, trigger in actions.items() if machine.allows(state, trigger))
