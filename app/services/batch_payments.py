"""Paying batches: items become payouts chunk by chunk, each in one transaction, and the batch ends with the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg
import structlog

from app.db import payout_batches as batch_rows
from app.db import payout_items
from app.db.alerts import raise_alert
from app.db.columns import Document, new_id
from app.db.database import Database, Transaction
from app.db.jobs import Job, JobName, enqueue, without_job
from app.db.payout_batches import PayoutBatch
from app.db.payouts import Payout
from app.domain.assets import asset_by_id
from app.domain.errors import DomainError
from app.domain.payout import PayoutKind, PayoutMethod, PayoutState
from app.domain.payout_batch import BatchState, BatchTrigger
from app.services import batches, intents, payout_rules, payouts
from app.services.rails import Rails

log = structlog.get_logger(__name__)
CHUNK: Final = 500
# Another payout may take an external id between the look and the write; each time there is one fewer to write.
_TRIES: Final = 10


async def pay(db: Database, rails: Rails, batch_id: str) -> None:
    """The job of an accepted batch: make payouts of its items, from the next one on. Safe to repeat at any time."""
    try:
        while await _pay_chunk(db, rails, batch_id):
            pass
    except _ApprovalVoid:
        await _give_up(db, batch_id)


class _ApprovalVoid(Exception):
    """The items are not those that were approved."""


async def _pay_chunk(db: Database, rails: Rails, batch_id: str) -> bool:
    """Make payouts of the next items and move on behind them, in one transaction; False when there are no more."""
    async with db.transaction() as tx:
        batch = await batch_rows.lock(tx, batch_id)
        if batch is None or batch.batch_state is not BatchState.PROCESSING or batch.next_position > batch.items:
            return False
        if not await _still_approved(tx, batch):
            raise _ApprovalVoid
        items = await payout_items.next_ones(tx, batch_id, batch.next_position, CHUNK)
        sound = [item for item in items if item["errors"] is None]
        failed = await _make(tx, rails, batch, sound)
        await payout_items.mark_failed(tx, batch_id, failed)
        last: int = items[-1]["position"]
        ended = await batch_rows.move_on(tx, batch_id, last + 1, invalid=len(failed))
        if ended:
            await enqueue(tx, [Job(JobName.FINISH_BATCH, batch_id)])
    log.info("payout_batch.paid", payout_batch_id=batch_id, to=last, failed=len(failed))
    return last < batch.items


async def _still_approved(tx: Transaction, batch: PayoutBatch) -> bool:
    """Whether what was approved is what is there, asked once before the first payout is made."""
    if batch.approval_hash is None or batch.next_position > 1:
        return True
    return await batches.digest_of(tx, batch.id) == batch.approval_hash and bool(await batches.approver(tx, batch))


async def _give_up(db: Database, batch_id: str) -> None:
    """End a batch of which something else was approved: nothing of it is paid, its money is free again."""
    async with db.transaction() as tx:
        totals = (await batch_rows.totals_of(tx, [batch_id]))[batch_id]
        seen = await batch_rows.peek(tx, batch_id)
        if seen is None:
            return
        await batches.lock_balances(tx, seen.partner_id, totals)
        batch = await batch_rows.lock(tx, batch_id)
        if batch is None or batch.batch_state is not BatchState.PROCESSING or await _still_approved(tx, batch):
            return
        await raise_alert(tx, "approval_void", batch.id, "the items are not those that were approved")
        failure: Document = {"code": "approval_void", "message": "Its items are not those that were approved."}
        await batches.move(tx, batch, BatchTrigger.APPROVAL_VOID, "void", failure=failure)
        await batches.free(tx, batch, {total.asset: total.units for total in totals})


async def _make(
    tx: Transaction, rails: Rails, batch: PayoutBatch, items: Sequence[asyncpg.Record]
) -> dict[int, Document]:
    """Make payouts of these items; the errors of those of which none can be made any more, by position."""
    failed: dict[int, Document] = {}
    made: dict[int, Payout] = {}
    for item in items:
        try:
            made[item["position"]] = _payout(rails, batch, item)
        except _NotPayable as refusal:
            failed[item["position"]] = _error(item, refusal.place, refusal.code)
    for _ in range(_TRIES):
        await _leave_out_used(tx, batch, made, failed, items)
        if not made:
            return failed
        try:
            async with tx.transaction():
                await payouts.begin(tx, list(made.values()), batch.id)
        except asyncpg.UniqueViolationError:
            continue  # an external id was taken just now: it is seen at the next look
        await payout_items.mark_made(tx, batch.id, {position: payout.id for position, payout in made.items()})
        return failed
    raise RuntimeError(f"{batch.id}: external ids are taken faster than they can be looked at")


class _NotPayable(Exception):
    """Since it was accepted, something has changed that an item needs."""

    def __init__(self, place: str, code: str) -> None:
        super().__init__(code)
        self.place = place
        self.code = code


async def _leave_out_used(
    tx: Transaction,
    batch: PayoutBatch,
    made: dict[int, Payout],
    failed: dict[int, Document],
    items: Sequence[asyncpg.Record],
) -> None:
    named = [payout.external_id for payout in made.values() if payout.external_id is not None]
    used = await payout_items.used_external_ids(tx, batch.partner_id, named)
    for item in items if used else ():
        if item["external_id"] in used and item["position"] in made:
            del made[item["position"]]
            failed[item["position"]] = _error(item, "external_id", "external_id_used")


def _error(item: asyncpg.Record, place: str, code: str) -> Document:
    error: Document = {"code": code, "pointer": f"/{place}"}
    return error if item["line"] is None else error | {"line": item["line"]}


def _payout(rails: Rails, batch: PayoutBatch, item: asyncpg.Record) -> Payout:
    """A payout of an item; raises _NotPayable when its account is not verified any more, or its rail is gone."""
    if item["account_status"] != "verified":
        raise _NotPayable("external_account_id", "external_account_unverified")
    asset, method = asset_by_id(item["asset"]), PayoutMethod(item["method"])
    try:
        provider = payout_rules.provider_of(rails, asset, method)
    except DomainError as refusal:
        raise _NotPayable("method", refusal.code) from None
    payout = Payout(
        id=new_id("po"),
        partner_id=batch.partner_id,
        kind=PayoutKind.PAYOUT.value,
        batch_id=batch.id,
        batch_position=item["position"],
        external_account_id=item["external_account_id"],
        external_id=item["external_id"],
        asset=asset.id,
        units=int(item["units"]),
        method=method.value,
        provider=provider,
        reference=item["reference"],
        address=item["address"],
        script=item["script"],
        state=PayoutState.QUEUED.value,
        sequence=1,
        payout_metadata={},
        created_by=batch.created_by,
        request_id=batch.request_id,
        livemode=batch.livemode,
        created_at=batch.updated_at,
        updated_at=batch.updated_at,
    )
    intents.seal_payout(rails.intents, payout)
    return payout


async def finish(db: Database, batch_id: str) -> None:
    """The job of a batch whose every item has ended: say how, and give back what no payout was made of."""
    async with db.transaction() as tx:
        totals = (await batch_rows.totals_of(tx, [batch_id]))[batch_id]
        seen = await batch_rows.peek(tx, batch_id)
        if seen is None:
            return
        await batches.lock_balances(tx, seen.partner_id, totals)
        batch = await batch_rows.lock(tx, batch_id)
        if batch is None or batch.batch_state is not BatchState.PROCESSING:
            return
        if batch.settled_items + batch.failed_items + batch.invalid_items < batch.items:
            return
        made = await payout_items.made_sums(tx, batch_id)
        await batches.free(tx, batch, {total.asset: total.units - made.get(total.asset, 0) for total in totals})
        well = batch.settled_items == batch.items
        trigger = BatchTrigger.COMPLETED if well else BatchTrigger.PARTIALLY_COMPLETED
        await batches.move(tx, batch, trigger, "ended")


async def wake(tx: Transaction, limit: int) -> None:
    """Put the work of batches on the queue again whose job is gone."""
    for batch in await batch_rows.standing(tx, [BatchState.VALIDATING.value, BatchState.PROCESSING.value], limit):
        if batch.batch_state is BatchState.VALIDATING:
            name = JobName.READ_BATCH
        else:
            name = JobName.PAY_BATCH if batch.next_position <= batch.items else JobName.FINISH_BATCH
        if await without_job(tx, name, [batch.id]):
            await enqueue(tx, [Job(name, batch.id)])
