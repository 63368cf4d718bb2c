"""Refunds: giving back what an order holds, all of it or the part that was asked for, never more."""

from __future__ import annotations

from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.alerts import raise_alert
from app.db.columns import Document, new_id
from app.db.database import Database, Transaction
from app.db.jobs import Job, JobName, enqueue
from app.db.orders import Order
from app.db.payments import Operation, OperationKind, OperationState, Payment
from app.domain.assets import asset_by_id
from app.domain.errors import AmountBelowMin, ConflictState, InsufficientBalance, NotFound
from app.domain.money import Money
from app.domain.order import MACHINES, Direction, OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.ports.errors import OutcomeUnknown, ProviderRejected
from app.ports.outcome import Decline, Outcome
from app.ports.payin import RefundReceipt
from app.services import coin_refunds, order_payouts, orders, screening
from app.services.orders import Fact
from app.services.payments import Wanted, again, unknown
from app.services.rails import Rails
from app.services.receipts import failure_document
from app.services.violations import watched

T = OrderTrigger
_OPEN = frozenset({OperationState.INTENDED, OperationState.UNKNOWN})


async def request(
    tx: Transaction,
    order_id: str,
    units: int | None,
    *,
    partner_id: str | None = None,
    actor: str | None = None,
    reason: str | None = None,
) -> Order:
    """Ask for money back: `units` of the source asset, or all that is held.

    Raises NotFound, ConflictState when delivery is under way or done or screening stops it, AmountBelowMin for nothing,
    InsufficientBalance for more than is held and not already on its way back.
    """
    order = await order_rows.lock(tx, order_id)
    if order is None or (partner_id is not None and order.partner_id != partner_id):
        raise NotFound
    if order.order_direction is Direction.SELL:
        return await coin_refunds.request(tx, order, units, None, actor=actor, reason=reason)
    await screening.not_stopped(tx, order_id)
    MACHINES[order.order_direction].target(order.order_state, T.REFUND_REQUESTED)
    if order.order_state is OrderState.AUTHORISED:
        return await _release_authorisation(tx, order, units, actor, reason)
    free = await _refundable(tx, order)
    wanted = free if units is None else units
    if wanted <= 0 and units is not None:
        raise AmountBelowMin("A refund is of more than nothing.", pointer="/amount")
    if wanted <= 0:
        raise ConflictState("Nothing is left to refund.")
    if wanted > free:
        raise InsufficientBalance(
            f"At most {Money(free, asset_by_id(order.source_asset))} can be refunded.", pointer="/amount"
        )
    refund_id = await _intend(tx, order, wanted, actor, reason)
    await enqueue(tx, [Job(JobName.REFUND_PAYMENT, refund_id)])
    moved = await orders.advance(tx, order_id, Fact(T.REFUND_REQUESTED, refund_id, actor=actor, reason=reason))
    return moved or order


async def _release_authorisation(
    tx: Transaction, order: Order, units: int | None, actor: str | None, reason: str | None
) -> Order:
    """Nothing was taken yet: the whole authorisation is let go."""
    if units is not None and units != order.source_units:
        raise ConflictState("An authorised payment can only be released whole.")
    fact = Fact(T.REFUND_REQUESTED, f"{order.id}:release", actor=actor, reason=reason)
    moved = await orders.advance(tx, order.id, fact)
    await enqueue(tx, [Job(JobName.CANCEL_PAYMENT, order.id)])
    return moved or order


async def _refundable(tx: Transaction, order: Order) -> int:
    """What is held and not already promised to an open refund. The order's row is locked."""
    promised = sum(refund.units for refund in await payment_rows.refunds_of(tx, order.id) if refund.state in _OPEN)
    return await orders.money_held(tx, order) - promised


async def _intend(tx: Transaction, order: Order, units: int, actor: str | None, reason: str | None) -> str:
    payment = await orders.payment_for(tx, order)
    refund_id = new_id("rf")
    operation = Operation(
        id=refund_id,
        order_id=order.id,
        payment_id=payment.id,
        provider=payment.provider,
        kind=OperationKind.REFUND.value,
        key=refund_id,
        asset=order.source_asset,
        units=units,
        state=OperationState.INTENDED.value,
        actor=actor,
        reason=reason,
        created_at=order.updated_at,
        asked_at=order.updated_at,
    )
    await payment_rows.intend(tx, operation)
    return refund_id


async def refund_order(db: Database, rails: Rails, order_id: str) -> None:
    """The job of a refunding order: send back all that it holds and has not promised yet."""
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        if order is None or order.order_state is not OrderState.REFUNDING or order.hold is not None:
            return
        if order.order_direction is Direction.SELL:
            await order_payouts.refund_coins(tx, rails.intents, order)
            return
        free = await _refundable(tx, order)
        if free > 0:
            refund_id = await _intend(tx, order, free, None, None)
            await enqueue(tx, [Job(JobName.REFUND_PAYMENT, refund_id)])
        else:
            await _complete_if_empty(tx, order, f"{order_id}:{order.sequence}")


async def refund_payment(db: Database, rails: Rails, refund_id: str) -> None:
    """Send one intended refund to the provider; looks first when an earlier answer was lost or is old."""
    async with db.transaction() as tx:
        refund = await payment_rows.operation(tx, refund_id)
        payment = None if refund is None else await payment_rows.get(tx, refund.payment_id)
        now = await tx.fetchval("SELECT now()")
    if refund is None or payment is None or payment.reference is None:
        return
    if refund.state in {OperationState.SUCCEEDED, OperationState.DECLINED}:
        return
    rail, receipt = rails.payin[payment.provider], None
    wanted = Wanted(payment, refund, now - refund.asked_at)
    if refund.state == OperationState.PENDING or wanted.stale:
        # Not being allowed to look, with a key that is being changed say, does not mean that there is no refund.
        async with watched(db, refund.order_id):
            receipt = await rail.find_refund(payment.reference, refund_id)
        if receipt is None and refund.state == OperationState.PENDING:
            raise OutcomeUnknown(payment.provider, f"refund {refund_id} was accepted and is nowhere")
        wanted = wanted if receipt is not None else await again(db, wanted)
    try:
        if receipt is None:
            receipt = await rail.refund(
                payment.reference,
                Money(refund.units, asset_by_id(refund.asset)),
                refund_id=refund_id,
                order_id=refund.order_id,
                key=wanted.operation.key,
            )
    except ProviderRejected as refused:
        receipt = _declined(refund, payment, refused)
    except OutcomeUnknown as lost:
        await unknown(db, refund, lost)
        raise
    async with db.transaction() as tx:
        await observe(tx, refund_id, receipt)


def _declined(refund: Operation, payment: Payment, refused: ProviderRejected) -> RefundReceipt:
    return RefundReceipt(
        reference="",
        refund_id=refund.id,
        payment_reference=payment.reference or "",
        outcome=Outcome.DECLINED,
        amount=Money(refund.units, asset_by_id(refund.asset)),
        decline=Decline("provider_rejected", refused.code, "The provider refused the refund."),
    )


async def observe(tx: Transaction, refund_id: str, receipt: RefundReceipt) -> None:
    """Record how a refund stands at its source, and let the order follow."""
    refund = await payment_rows.operation(tx, refund_id)
    assert refund is not None  # noqa: S101 - it was intended before anything was asked
    order = await order_rows.lock(tx, refund.order_id)
    refund = await payment_rows.operation(tx, refund_id)  # once more, now that nobody else can change it
    assert order is not None  # noqa: S101 - a foreign key
    assert refund is not None  # noqa: S101 - it is never deleted
    if receipt.unknown_status is not None:
        await raise_alert(tx, "unknown_provider_status", refund_id, f"refund {receipt.unknown_status}")
    booked = refund.state in {OperationState.PENDING, OperationState.SUCCEEDED}
    moved = Moved(refund_id, amount=refund.units)
    if receipt.outcome is Outcome.DECLINED:
        if refund.state != OperationState.DECLINED:
            await _fail(tx, refund, receipt, booked=booked)
        return
    if refund.state == OperationState.DECLINED and refund.reference is not None:
        return  # it has failed at the source, for good: this answer was given before that
    if not booked:
        await orders.advance(tx, order.id, Fact(T.REFUND_ACCEPTED, refund_id, moved=moved))
    state = OperationState.SUCCEEDED if receipt.outcome is Outcome.SUCCEEDED else OperationState.PENDING
    await payment_rows.decide(tx, refund_id, state, reference=receipt.reference)
    if state is OperationState.SUCCEEDED:
        await _complete_if_empty(tx, order, refund_id)


async def _fail(tx: Transaction, refund: Operation, receipt: RefundReceipt, *, booked: bool) -> None:
    failure: Document | None = None if receipt.decline is None else failure_document(receipt.decline)
    moved = Moved(refund.id, amount=refund.units if booked else 0)
    await payment_rows.decide(
        tx, refund.id, OperationState.DECLINED, reference=receipt.reference or None, failure=failure
    )
    await orders.advance(tx, refund.order_id, Fact(T.REFUND_FAILED, refund.id, moved=moved, failure=failure))
    await orders.hold(tx, refund.order_id, "refund_failed", cause=refund.id)


async def _complete_if_empty(tx: Transaction, order: Order, cause: str) -> None:
    """An order is refunded only when its account stands at zero and no refund of it is open."""
    current = await order_rows.lock(tx, order.id)
    if current is None or current.order_state is not OrderState.REFUNDING or await orders.money_held(tx, current):
        return
    refunds = await payment_rows.refunds_of(tx, order.id)
    if any(refund.state not in {OperationState.SUCCEEDED, OperationState.DECLINED} for refund in refunds):
        return
    payment = await orders.payment_for(tx, current)
    if not current.received_units and payment.status not in {"canceled", "captured"}:
        return  # an authorisation is still being let go
    await orders.advance(tx, order.id, Fact(T.REFUND_COMPLETED, cause))
