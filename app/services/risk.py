"""Risk: what a provider thinks of a payment. Before delivery it stops the order; after it there is nothing to stop."""

from __future__ import annotations

from typing import Final

from app.db import orders as order_rows
from app.db import payment_flags as flags
from app.db.alerts import raise_alert
from app.db.database import Transaction
from app.db.orders import Order
from app.db.payments import Payment
from app.domain.order import Direction, OrderState
from app.ports.payin import FraudWarning, ReviewReceipt, ReviewStatus
from app.services import orders

WARNED: Final = "early_fraud_warning"
IN_REVIEW: Final = "provider_review"
# Where nothing has been sent yet.
_BEFORE_DELIVERY: Final = frozenset(
    {
        OrderState.AWAITING_PAYMENT,
        OrderState.AUTHENTICATING,
        OrderState.PAYMENT_PENDING,
        OrderState.AUTHORISED,
        OrderState.PAID,
    }
)


async def observe_warning(tx: Transaction, payment: Payment, warning: FraudWarning) -> None:
    """An issuer suspects fraud: a person decides whether the order goes on, or is given back before it is disputed."""
    order = await order_rows.lock(tx, payment.order_id)
    assert order is not None  # noqa: S101 - a payment always has its order
    if not await _keep(tx, payment, warning.reference, "warning", "open", warning.reason):
        return
    await raise_alert(tx, WARNED, payment.id, f"order {order.id} is {order.state}: {warning.reason}")
    if order.order_state in _BEFORE_DELIVERY:
        await orders.hold(tx, order.id, WARNED, cause=f"{payment.provider}:{warning.reference}")


async def observe_review(tx: Transaction, payment: Payment, review: ReviewReceipt) -> None:
    """A review of the provider's own was opened or closed; an approval lets the order go on, anything else does not."""
    order = await order_rows.lock(tx, payment.order_id)
    assert order is not None  # noqa: S101 - a payment always has its order
    if review.status is ReviewStatus.UNKNOWN:
        await raise_alert(tx, "unknown_provider_status", review.reference, review.provider_status)
        return
    if not await _keep(tx, payment, review.reference, "review", review.status.value, review.provider_status):
        return
    if review.status is ReviewStatus.OPEN:
        await hold_for_review(tx, order, payment)
    elif review.status is ReviewStatus.APPROVED:
        await _let_go(tx, order, payment, review.reference)


async def hold_for_review(tx: Transaction, order: Order, payment: Payment) -> None:
    """Stop an order that nothing else stops while the provider looks at its payment. The order's row is locked."""
    if order.order_state in _BEFORE_DELIVERY and order.hold is None:
        await orders.hold(tx, order.id, IN_REVIEW, cause=f"{payment.id}:{order.sequence}")


async def release(tx: Transaction, order_id: str, *, actor: str, reason: str) -> Order:
    """Take a hold off, as `orders.release`; an order that was held for something else than an open review is now held
    for that."""
    before = await order_rows.lock(tx, order_id)
    released = await orders.release(tx, order_id, actor=actor, reason=reason)
    held_for = None if before is None or before.hold is None else before.hold.get("reason")
    if released.order_direction is Direction.BUY and held_for != IN_REVIEW:
        payment = await orders.payment_for(tx, released)
        if await flags.is_in_review(tx, payment.id):
            await hold_for_review(tx, released, payment)
    return released


async def _let_go(tx: Transaction, order: Order, payment: Payment, reference: str) -> None:
    if order.hold is None or order.hold.get("reason") != IN_REVIEW:
        return
    if await flags.is_in_review(tx, payment.id):
        return
    if await flags.is_warned(tx, payment.id):
        await orders.hold(tx, order.id, WARNED, cause=f"{payment.provider}:{reference}")
        return
    await orders.release(tx, order.id, actor=payment.provider, reason="the provider's review approved the payment")


async def _keep(tx: Transaction, payment: Payment, reference: str, kind: str, status: str, detail: str) -> bool:
    return await flags.put(
        tx,
        provider=payment.provider,
        reference=reference,
        payment_id=payment.id,
        kind=kind,
        status=status,
        detail=detail,
    )
