"""Disputes: money that the customer's bank takes back, and sometimes returns."""

from __future__ import annotations

from app.db import ledger, payments
from app.db import orders as order_rows
from app.db.alerts import raise_alert
from app.db.columns import Document
from app.db.database import Transaction
from app.db.jobs import Job, JobName, enqueue
from app.db.orders import Order
from app.db.payments import OperationState, Payment
from app.domain.bookkeeping_provider import dispute_fee_changed
from app.domain.chart import EXPENSE_PROVIDER
from app.domain.errors import ConflictState
from app.domain.money import Money, parse_units
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.ports.payin import DisputeReceipt, DisputeStatus
from app.services import orders
from app.services.orders import Fact

T = OrderTrigger

# Where the order's account can still bear the dispute; later the coins have left, and the loss is ours.
_STILL_HELD = frozenset({OrderState.PAID, OrderState.REFUNDING})
# Where the money has gone back, or is about to: a dispute takes it a second time.
_GIVEN_BACK = frozenset({OrderState.REFUNDING, OrderState.REFUNDED})
_PROMISED = frozenset({OperationState.INTENDED, OperationState.UNKNOWN})
_ENDS = {DisputeStatus.WON: T.DISPUTE_WON, DisputeStatus.LOST: T.DISPUTE_LOST}


async def observe(tx: Transaction, payment: Payment, receipt: DisputeReceipt) -> None:
    """Record how a dispute stands at its source, and let the order follow.

    An end that we hear of first opens the dispute too, so that the order of notifications does not matter. Raises
    IllegalTransition when the order has no edge for it, ConflictState when it is another dispute than the order's.
    """
    order = await order_rows.lock(tx, payment.order_id)
    assert order is not None  # noqa: S101 - a payment always has its order
    at = f"{payment.provider}:{receipt.reference}"
    if receipt.status is DisputeStatus.UNKNOWN:
        await raise_alert(tx, "unknown_provider_status", at, receipt.provider_status)
        return
    if receipt.status in {DisputeStatus.INQUIRY, DisputeStatus.PREVENTED} or not await _open(tx, order, receipt, at):
        await raise_alert(tx, "dispute_without_money", at, f"order {order.id}: {receipt.provider_status}")
        return
    await _book_fee_change(tx, order, payment, receipt)
    end = _ENDS.get(receipt.status)
    if end is not None:
        await _close(tx, payment, receipt, end, at)


async def _open(tx: Transaction, order: Order, receipt: DisputeReceipt, at: str) -> bool:
    """Book what was taken, once; False while the provider has taken nothing."""
    if await order_rows.has_transition(tx, order.id, T.DISPUTE_OPENED, at):
        return True
    # Once it is won nothing is held back any more, but all of it was.
    amount = receipt.taken if receipt.status is DisputeStatus.OPEN else receipt.amount
    if not amount.units:
        return False
    if amount.asset.id != order.source_asset or receipt.fee.asset != amount.asset:
        raise ConflictState(f"The dispute is settled in {amount.asset.id}, the order was paid in {order.source_asset}.")
    free = await _free(tx, order)
    from_order = min(free, amount.units)
    document: Document = {
        "reference": receipt.reference,
        "status": DisputeStatus.OPEN.value,
        "amount": amount.decimal,
        "from_order": Money(from_order, amount.asset).decimal,
        "reason": receipt.reason,
        "opened_in": order.state,
    }
    moved = Moved(receipt.reference, amount=amount.units, fee=receipt.fee.units, from_order=from_order)
    if from_order < amount.units and order.order_state in _GIVEN_BACK:
        detail = f"order {order.id}: {Money(amount.units - from_order, amount.asset)} went back twice"
        await raise_alert(tx, "double_return", at, detail)
    partial = order.order_state is OrderState.PAID and from_order < free
    if partial:  # an order that fails holds nothing: the rest goes back to the customer
        await orders.advance(tx, order.id, Fact(T.REFUND_REQUESTED, at))
    failure = _FAILURE if order.order_state is OrderState.PAID and not partial else None
    await orders.advance(tx, order.id, Fact(T.DISPUTE_OPENED, at, moved=moved, dispute=document, failure=failure))
    if partial or order.order_state is OrderState.REFUNDING:
        await enqueue(tx, [Job(JobName.REFUND_ORDER, order.id)])  # give back the rest, or end when there is none
    return True


async def _book_fee_change(tx: Transaction, order: Order, payment: Payment, receipt: DisputeReceipt) -> None:
    """Some fees of a dispute come after its opening, some are given back at its end: book what has changed."""
    if receipt.fee.asset.id != order.source_asset:
        return
    booked = await ledger.booked_under(tx, f"{order.id}:dispute_fee:{receipt.reference}", EXPENSE_PROVIDER)
    if booked != receipt.fee.units:
        entry = dispute_fee_changed(order.id, payment.provider, receipt.reference, total=receipt.fee, booked=booked)
        if not await ledger.has_entry(tx, entry.reference):
            await ledger.post(tx, entry, order.id)


async def _free(tx: Transaction, order: Order) -> int:
    """What the order's account holds and has not promised to a refund, in units of the source asset."""
    if order.order_state not in _STILL_HELD:
        return 0
    open_refunds = [refund for refund in await payments.refunds_of(tx, order.id) if refund.state in _PROMISED]
    return max(await orders.money_held(tx, order) - sum(refund.units for refund in open_refunds), 0)


_FAILURE: Document = {
    "code": "payment_disputed",
    "message": "The customer's bank took the payment back.",
    "provider": {"code": None},
}


async def _close(tx: Transaction, payment: Payment, receipt: DisputeReceipt, end: OrderTrigger, at: str) -> None:
    order = await order_rows.lock(tx, payment.order_id)
    assert order is not None  # noqa: S101 - a payment always has its order
    opened = order.dispute or {}
    if opened.get("reference") != receipt.reference:
        raise ConflictState("The order carries another dispute than the one that has ended.")
    asset = receipt.amount.asset
    moved = Moved(
        receipt.reference,
        amount=parse_units(str(opened["amount"]), asset.decimals),
        from_order=parse_units(str(opened["from_order"]), asset.decimals),
        opened_in=OrderState(str(opened["opened_in"])),
    )
    closed: Document = {**opened, "status": receipt.status.value}
    await orders.advance(tx, order.id, Fact(end, at, moved=moved, dispute=closed))
