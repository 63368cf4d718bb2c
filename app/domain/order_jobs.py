"""What must happen next after an order has moved: the job that each edge starts."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.order import Direction, OrderState, OrderTrigger

S = OrderState
T = OrderTrigger


class OrderJob(StrEnum):
    """What must happen next, outside the transition's transaction."""

    CAPTURE_PAYMENT = "capture_payment"
    CANCEL_PAYMENT = "cancel_payment"
    SEND_COINS = "send_coins"
    REFUND_ORDER = "refund_order"
    PAY_OUT_ORDER = "pay_out_order"


_JOB_IN: Final[dict[OrderState, OrderJob]] = {
    S.AUTHORISED: OrderJob.CAPTURE_PAYMENT,
    S.PAID: OrderJob.SEND_COINS,
    S.DEPOSIT_CONFIRMED: OrderJob.PAY_OUT_ORDER,
    S.REFUNDING: OrderJob.REFUND_ORDER,
}
_STARTS_AGAIN: Final = frozenset(
    {
        T.RELEASED,
        T.PAYMENT_CAPTURED,
        T.DEPOSIT_CONFIRMED,
        T.DEPOSIT_REORGED,
        T.DEPOSIT_RESTORED,
        T.REFUND_CONFIRMED,
        T.DISPUTE_WON,
    }
)
_GIVEN_UP: Final = frozenset({S.CANCELED, S.EXPIRED, S.FAILED})
# Facts after which nothing is left of a payment that could be given up.
_PAYMENT_OVER: Final = frozenset({T.PAYMENT_FAILED, T.DISPUTE_OPENED, T.DISPUTE_LOST, T.BLOCKED})


def job_after(direction: Direction, source: OrderState, trigger: OrderTrigger, target: OrderState) -> OrderJob | None:
    """The job that an edge starts, if any.

    Entering a state starts its job; so does taking a hold off, and money that comes or goes while a refund is under
    way. A refund of a buy that somebody asked for brings a job of its own, with the amount that was asked.
    """
    if direction is Direction.BUY and target in _GIVEN_UP and trigger not in _PAYMENT_OVER:
        return OrderJob.CANCEL_PAYMENT
    if trigger is T.RELEASED and target is S.SENDING:
        return OrderJob.SEND_COINS
    brings_its_own = direction is Direction.BUY and trigger is T.REFUND_REQUESTED
    entered = source != target and not brings_its_own and trigger is not T.REFUND_FAILED
    if entered or trigger in _STARTS_AGAIN:
        return _JOB_IN.get(target)
    return None
