"""Refunds by hand: money that somebody gave back in the provider's own pages, taken into our books as it is there."""

from __future__ import annotations

from app.db import ledger
from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.alerts import raise_alert
from app.db.columns import new_id
from app.db.database import Transaction
from app.db.orders import Order
from app.db.payments import Operation, OperationKind, OperationState, Payment
from app.domain.bookkeeping_provider import refund_by_hand, refund_by_hand_failed
from app.domain.errors import ConflictState
from app.domain.order import OrderState, OrderTrigger
from app.ports.outcome import Outcome
from app.ports.payin import PaymentReceipt, RefundReceipt
from app.services import orders, receipts, refunds
from app.services.orders import Fact

# Where the order's own account can bear it: nothing was delivered for the money.
_STILL_HELD = frozenset({OrderState.PAID, OrderState.REFUNDING})


async def observe(tx: Transaction, payment: Payment, paid: PaymentReceipt, receipt: RefundReceipt) -> None:
    """Adopt a refund that we did not ask for, or see how one that was adopted stands.

    While the order holds the money it is a refund like any other, asked for by the provider. Afterwards the customer
    has the coins and the money, or twice the money: what went is to be recovered, and a person is told. Raises
    ConflictState for a refund in another currency than the order's.
    """
    await receipts.observe(tx, payment, paid)  # we may hear of the refund before we hear that the money was taken
    order = await order_rows.lock(tx, payment.order_id)
    assert order is not None  # noqa: S101 - a payment always has its order
    if receipt.amount.asset.id != order.source_asset:
        raise ConflictState(
            f"The refund is in {receipt.amount.asset.code}, the order was paid in {order.source_asset}."
        )
    known = await payment_rows.operation_by_reference(tx, payment.provider, receipt.reference)
    if known is not None:
        await refunds.observe(tx, known.id, receipt)
    elif await _was_recovered(tx, order, receipt) or not await _is_held(tx, order, receipt):
        await _recover(tx, order, payment, receipt)
    elif receipt.outcome is not Outcome.DECLINED:
        await _adopt(tx, order, payment, receipt)


async def _is_held(tx: Transaction, order: Order, receipt: RefundReceipt) -> bool:
    if order.order_state not in _STILL_HELD:
        return False
    return receipt.amount.units <= await orders.money_held(tx, order)


async def _adopt(tx: Transaction, order: Order, payment: Payment, receipt: RefundReceipt) -> None:
    """The order gives the money back, as if it had been asked to."""
    refund_id = new_id("rf")
    operation = Operation(
        id=refund_id,
        order_id=order.id,
        payment_id=payment.id,
        provider=payment.provider,
        kind=OperationKind.REFUND.value,
        key=receipt.reference,
        asset=order.source_asset,
        units=receipt.amount.units,
        state=OperationState.INTENDED.value,
        actor=payment.provider,
        reason="refunded at the provider",
        created_at=order.updated_at,
        asked_at=order.updated_at,
    )
    await payment_rows.intend(tx, operation)
    await raise_alert(tx, "refunded_by_hand", receipt.reference, f"order {order.id}: {receipt.amount}")
    asked = Fact(OrderTrigger.REFUND_REQUESTED, refund_id, actor=payment.provider, reason=operation.reason)
    await orders.advance(tx, order.id, asked)
    await refunds.observe(tx, refund_id, receipt)


async def _was_recovered(tx: Transaction, order: Order, receipt: RefundReceipt) -> bool:
    return await ledger.has_entry(tx, f"{order.id}:refund_by_hand:{receipt.reference}")


async def _recover(tx: Transaction, order: Order, payment: Payment, receipt: RefundReceipt) -> None:
    """The money is gone, and the order has none of it to give."""
    entry = refund_by_hand(order.id, payment.provider, receipt.reference, receipt.amount)
    booked = await ledger.has_entry(tx, entry.reference)
    if receipt.outcome is Outcome.DECLINED:
        back = refund_by_hand_failed(order.id, payment.provider, receipt.reference, receipt.amount)
        if booked and not await ledger.has_entry(tx, back.reference):
            await ledger.post(tx, back, order.id)
        return
    if not booked:
        await ledger.post(tx, entry, order.id)
        detail = f"order {order.id} is {order.state}: {receipt.amount} went back and is to be recovered"
        await raise_alert(tx, "double_return", receipt.reference, detail)
