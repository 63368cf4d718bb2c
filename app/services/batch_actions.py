"""What partners ask of a batch that is there: approve, reject, call off; each in one transaction with its key."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.db import approvals as approval_rows
from app.db import payout_batches as batch_rows
from app.db.database import Database, Transaction
from app.db.partners import Caller
from app.db.payout_batches import BatchTotal, PayoutBatch
from app.domain.errors import ConflictState, NotFound, PreconditionFailed
from app.domain.payout_batch import BATCH, BatchState, BatchTrigger
from app.schemas.payouts import ApprovalIn, RejectionIn
from app.services import approvals, batches, idempotent
from app.services.batch_view import batch_out
from app.services.idempotent import Answer, IdempotentRequest

S = BatchState
T = BatchTrigger


async def approve(
    db: Database,
    caller: Caller,
    batch_id: str,
    body: ApprovalIn,
    request: IdempotentRequest,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """Let a batch go that waits for it. Raises SelfApprovalForbidden for the key that asked for it."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        batch, totals = await _own(tx, caller, batch_id, expected)
        if batch.batch_state is not S.PENDING_APPROVAL:
            earlier = await approval_rows.find(tx, batch_id, caller.key_id)
            if earlier is not None and earlier.verdict == "approved":
                return _shown(batch, totals, caller.key_id)  # it has said so before
            BATCH.target(batch.batch_state, T.APPROVED)
        digest = await batches.digest_of(tx, batch_id)
        if digest != batch.approval_hash:
            raise ConflictState("The batch has changed since it was made.")
        await approvals.judge(
            tx,
            batch_id,
            maker=batch.created_by,
            key_id=caller.key_id,
            verdict="approved",
            digest=digest,
            shown=body.hash,
        )
        moved = await batches.move(tx, batch, T.APPROVED, caller.key_id, actor=caller.key_id)
        return _shown(moved, totals, caller.key_id)

    return await idempotent.run(db, request, act)


async def reject(
    db: Database,
    caller: Caller,
    batch_id: str,
    body: RejectionIn,
    request: IdempotentRequest,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """End a batch that waits for approval; its money is free again."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        batch, totals = await _own(tx, caller, batch_id, expected)
        BATCH.target(batch.batch_state, T.REJECTED)
        await approvals.judge(
            tx,
            batch_id,
            maker=batch.created_by,
            key_id=caller.key_id,
            verdict="rejected",
            digest=batch.approval_hash or b"",
            shown=None,
            reason=body.reason,
        )
        return await _end(tx, batch, totals, T.REJECTED, actor=caller.key_id, reason=body.reason)

    return await idempotent.run(db, request, act)


async def cancel(
    db: Database, caller: Caller, batch_id: str, request: IdempotentRequest, *, expected: AbstractSet[int] | None
) -> Answer:
    """Call a batch off of which nothing has been paid; a second time changes nothing."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        batch, totals = await _own(tx, caller, batch_id, expected)
        if batch.batch_state is S.CANCELED:
            return _shown(batch, totals, None)
        return await _end(tx, batch, totals, T.CANCELED, actor=caller.key_id, reason=None)

    return await idempotent.run(db, request, act)


async def _own(
    tx: Transaction, caller: Caller, batch_id: str, expected: AbstractSet[int] | None
) -> tuple[PayoutBatch, list[BatchTotal]]:
    """The partner's batch, locked after its balances; raises NotFound, and PreconditionFailed when it has moved."""
    seen = (await batch_rows.totals_of(tx, [batch_id]))[batch_id]
    await batches.lock_balances(tx, caller.partner_id, seen)
    batch = await batch_rows.lock(tx, batch_id)
    totals = (await batch_rows.totals_of(tx, [batch_id]))[batch_id]
    if len(totals) > len(seen):
        # Its file was read in this very moment. Should the late locks meet others, the database breaks the tie.
        await batches.lock_balances(tx, caller.partner_id, totals)
    if batch is None or batch.partner_id != caller.partner_id:
        raise NotFound
    if expected is not None and batch.sequence not in expected:
        raise PreconditionFailed
    return batch, totals


async def _end(
    tx: Transaction,
    batch: PayoutBatch,
    totals: list[BatchTotal],
    trigger: BatchTrigger,
    *,
    actor: str,
    reason: str | None,
) -> tuple[int, bytes]:
    reserved = batch.batch_state is S.PENDING_APPROVAL
    moved = await batches.move(tx, batch, trigger, f"{batch.id}:{batch.sequence}", actor=actor, reason=reason)
    if reserved:
        await batches.free(tx, moved, {total.asset: total.units for total in totals})
    return _shown(moved, totals, None)


def _shown(batch: PayoutBatch, totals: list[BatchTotal], approved_by: str | None) -> tuple[int, bytes]:
    return 200, batch_out(batch, totals, approved_by=approved_by).model_dump_json().encode()
