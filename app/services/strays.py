"""Strays: a provider has opened a second payment for one of ours. What it took goes back; no order moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from app.db import ledger
from app.db import strays as stray_rows
from app.db.alerts import raise_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.jobs import Job, JobName, enqueue
from app.db.payments import Payment
from app.db.payments import get as get_payment
from app.db.strays import Stray
from app.domain.asking import KEY_LIFETIME, SETTLE_TIME
from app.domain.assets import asset_by_id
from app.domain.bookkeeping_provider import fee_of, stray_given_back, stray_taken
from app.domain.money import Money
from app.ports.errors import ProviderRejected
from app.ports.outcome import Outcome
from app.ports.payin import PayinProvider, PayinRecent, PaymentReceipt, PaymentStatus
from app.services.rails import Rails

_LOOK_BACK: Final = timedelta(hours=48)


async def observe(tx: Transaction, payment: Payment, receipt: PaymentReceipt) -> None:
    """Keep a second payment and book what it took; a job lets it go. Told twice, it is one stray."""
    stray = await _keep(tx, payment, receipt)
    if stray.state != "found":
        return
    detail = f"{receipt.reference} was opened for {payment.id}, whose payment is {payment.reference}"
    await raise_alert(tx, "second_payment", stray.id, detail)
    await enqueue(tx, [Job(JobName.END_STRAY, stray.id)])


async def _keep(tx: Transaction, payment: Payment, receipt: PaymentReceipt) -> Stray:
    """The stray's row, with what it took in the books."""
    stray = await stray_rows.found(
        tx,
        stray_id=new_id("sp"),
        provider=payment.provider,
        reference=receipt.reference,
        payment_id=payment.id,
        asset=receipt.amount.asset.id,
    )
    if stray.state != "found":
        return stray
    if receipt.status is PaymentStatus.CAPTURED and not stray.units and receipt.received.units:
        await stray_rows.set_taken(tx, stray.id, receipt.received.units)
        await ledger.post(tx, stray_taken(stray.id, stray.provider, receipt.received), subject=stray.id)
    await _book_fee(tx, stray, receipt)
    return stray


async def _book_fee(tx: Transaction, stray: Stray, receipt: PaymentReceipt) -> None:
    if receipt.fee is None or not receipt.fee.units or receipt.fee.asset.id != stray.asset:
        return
    entry = fee_of(stray.id, stray.provider, receipt.fee)
    if not await ledger.has_entry(tx, entry.reference):
        await ledger.post(tx, entry, subject=stray.id)


async def end(db: Database, rails: Rails, stray_id: str) -> None:
    """The job of a stray: give back what it took, or cancel it. Raises ProviderError while the outcome is open."""
    async with db.connection() as connection:
        stray = await stray_rows.lock(connection, stray_id)
        payment = None if stray is None else await get_payment(connection, stray.payment_id)
    if stray is None or payment is None or stray.state != "found":
        return
    rail = rails.payin[stray.provider]
    receipt = await rail.fetch(stray.reference)
    if receipt.status not in {PaymentStatus.CAPTURED, PaymentStatus.CANCELED, PaymentStatus.PROCESSING}:
        receipt = await rail.cancel(stray.reference, key=f"{stray.id}:cancel")
    async with db.transaction() as tx:
        await _keep(tx, payment, receipt)
        if receipt.status is PaymentStatus.CANCELED:
            await stray_rows.finish(tx, stray.id, "canceled")
    if receipt.status is PaymentStatus.CAPTURED:
        await _give_back(db, rail, stray, payment, receipt.received)


async def _give_back(db: Database, rail: PayinProvider, stray: Stray, payment: Payment, amount: Money) -> None:
    refund = None
    if datetime.now(UTC) - stray.created_at > KEY_LIFETIME:
        refund = await rail.find_refund(stray.reference, stray.id)
    try:
        refund = refund or await rail.refund(stray.reference, amount, refund_id=stray.id, order_id=payment.order_id)
    except ProviderRejected as refused:
        await _refused(db, stray, str(refused))
        return
    if refund.outcome is Outcome.DECLINED:
        await _refused(db, stray, "the refund failed" if refund.decline is None else refund.decline.message)
        return
    async with db.transaction() as tx:
        current = await stray_rows.lock(tx, stray.id)
        if current is None or current.state != "found":
            return
        taken = Money(current.units, asset_by_id(current.asset))
        await ledger.post(tx, stray_given_back(stray.id, stray.provider, taken), subject=stray.id)
        await stray_rows.finish(tx, stray.id, "refunded", refund.reference)


async def _refused(db: Database, stray: Stray, why: str) -> None:
    async with db.transaction() as tx:
        await raise_alert(tx, "second_payment_kept", stray.id, f"a person has to give {stray.reference} back: {why}")
        await stray_rows.finish(tx, stray.id, "refused")


async def look(db: Database, rails: Rails) -> int:
    """Ask every provider for payments of ours that we do not know of; how many there were."""
    count = 0
    for name, rail in rails.payin.items():
        if not isinstance(rail, PayinRecent):
            continue
        opened = list(await rail.opened_since(datetime.now(UTC) - _LOOK_BACK))
        async with db.connection() as connection:
            strange = await stray_rows.unknown_among(connection, name, opened, SETTLE_TIME)
        for reference in strange:
            await _look_at(db, rail, reference, dict(opened)[reference])
        count += len(strange)
    return count


async def _look_at(db: Database, rail: PayinProvider, reference: str, payment_id: str) -> None:
    receipt = await rail.fetch(reference)
    async with db.transaction() as tx:
        payment = await get_payment(tx, payment_id)
        if payment is not None and payment.order_id == receipt.order_id and payment.reference != reference:
            await observe(tx, payment, receipt)


async def wake(db: Database, limit: int) -> None:
    """Put strays on the queue again whose job is gone."""
    async with db.transaction() as tx:
        await enqueue(tx, [Job(JobName.END_STRAY, stray_id) for stray_id in await stray_rows.waiting(tx, limit)])
