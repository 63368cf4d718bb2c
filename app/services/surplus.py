"""Surplus: what a bank transfer brought and the payment did not take. It never was in our balance, and goes back."""

from __future__ import annotations

from app.db import payments as payment_rows
from app.db.alerts import raise_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.jobs import Job, JobName, enqueue
from app.db.payments import Operation, OperationKind, OperationState, Payment
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.ports.errors import OutcomeUnknown, ProviderRejected
from app.ports.payin import PayinTransfers, PaymentReceipt, PaymentStatus
from app.services.rails import Rails

_OVER = frozenset({PaymentStatus.CAPTURED, PaymentStatus.CANCELED})


async def observe(tx: Transaction, payment: Payment, receipt: PaymentReceipt) -> None:
    """Have a surplus given back, once the payment takes no more. The order's row is locked.

    Whoever paid too little, too late or twice gets back what the payment did not take: all of it, too much of it.
    """
    surplus = receipt.surplus
    if surplus is None or not surplus.units or receipt.status not in _OVER:
        return
    if await payment_rows.open_return(tx, payment.id):
        return
    earlier = await payment_rows.count_operations(tx, payment.id, OperationKind.RETURN)
    operation = Operation(
        id=new_id("rf"),
        order_id=payment.order_id,
        payment_id=payment.id,
        provider=payment.provider,
        kind=OperationKind.RETURN.value,
        key=f"{payment.id}:return:{earlier + 1}",
        asset=surplus.asset.id,
        units=surplus.units,
        state=OperationState.INTENDED.value,
        created_at=payment.created_at,
        asked_at=payment.created_at,
    )
    await payment_rows.intend(tx, operation)
    await enqueue(tx, [Job(JobName.RETURN_SURPLUS, operation.id)])


async def give_back(db: Database, rails: Rails, operation_id: str) -> None:
    """Send one surplus back. Raises ProviderError while the outcome is open."""
    async with db.connection() as connection:
        operation = await payment_rows.operation(connection, operation_id)
        payment = None if operation is None else await payment_rows.get(connection, operation.payment_id)
    if operation is None or payment is None or payment.reference is None:
        return
    rail = rails.payin[payment.provider]
    if operation.state not in {OperationState.INTENDED, OperationState.UNKNOWN}:
        return
    if not isinstance(rail, PayinTransfers):
        return
    if operation.state == OperationState.INTENDED:
        there = (await rail.fetch(payment.reference)).surplus
        if there is None or there.units < operation.units:
            # It has gone back by another way since: by hand, or by a request whose answer was lost long ago.
            await _decide(db, operation, OperationState.DECLINED)
            return
    amount = Money(operation.units, asset_by_id(operation.asset))
    try:
        reference = await rail.return_surplus(payment.reference, amount, key=operation.key)
    except ProviderRejected as refused:
        await _decide(db, operation, OperationState.DECLINED)
        async with db.transaction() as tx:
            await raise_alert(tx, "surplus_refused", payment.id, f"{amount}: {refused}")
        return
    except OutcomeUnknown:
        await _decide(db, operation, OperationState.UNKNOWN)
        raise
    await _decide(db, operation, OperationState.SUCCEEDED, reference)


async def _decide(db: Database, operation: Operation, state: OperationState, reference: str | None = None) -> None:
    async with db.transaction() as tx:
        await payment_rows.decide(tx, operation.id, state, reference=reference)
