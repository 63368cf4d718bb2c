"""What partners ask of batches: make one, check one, approve, reject, call off, look."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from app.db import files as file_rows
from app.db import payout_batches as batch_rows
from app.db import payout_items
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.external_accounts import ExternalAccount
from app.db.partners import Caller
from app.db.payout_batches import BatchTotal, PayoutBatch
from app.domain.errors import ConflictState, ValidationFailed
from app.domain.payout_batch import BATCH, BatchMode, BatchState, BatchTrigger
from app.schemas.payout_batches import PayoutBatchIn
from app.services import batch_checks, batches, external_accounts, idempotent
from app.services.batch_items import Draft, Reader, mark_repeated
from app.services.batch_view import batch_out
from app.services.idempotent import Answer, IdempotentRequest
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer

# Reading so many items takes some milliseconds; then others get their turn.
READ_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Desk:
    """What it takes to accept batches."""

    db: Database
    rails: Rails
    sealer: Sealer
    policy: Policy

    def reader(self, caller: Caller) -> Reader:
        """Who reads this caller's items."""
        return Reader(self.rails, self.sealer, self.policy, caller.partner_id, caller.now)


def check_form(body: PayoutBatchIn) -> None:
    """A batch is a list of items or a file; raises ValidationFailed for both and for neither."""
    if (body.items is None) == (body.file_id is None):
        raise ValidationFailed("Name either items or a file.", errors=[("/items", "exactly_one")])


async def read_items(reader: Reader, items: Sequence[object]) -> list[Draft]:
    """Read the items of a body, and let others have their turn in between."""
    drafts = []
    for position, raw in enumerate(items, start=1):
        drafts.append(reader.read(Draft(position), raw))
        if position % READ_AT_ONCE == 0:
            await asyncio.sleep(0)
    return drafts


async def create(
    desk: Desk, caller: Caller, body: PayoutBatchIn, request: IdempotentRequest, request_id: str
) -> Answer:
    """Accept a batch: its items with their money, or a file that is read later.

    Raises ValidationFailed with the first errors when the items do not allow it: any bad one in all_or_nothing, all of
    them in best_effort. InsufficientBalance, NotFound for a file, and ConflictState for a known external_id are kept.
    """
    check_form(body)
    drafts = [] if body.items is None else await read_items(desk.reader(caller), body.items)

    async def act(tx: Transaction) -> tuple[int, bytes]:
        batch = _batch(desk.rails, caller, body, request_id)
        if body.items is None:
            return await _accept_file(tx, batch)
        return await _accept_items(tx, desk, batch, drafts)

    return await idempotent.run(desk.db, request, act)


def _batch(rails: Rails, caller: Caller, body: PayoutBatchIn, request_id: str) -> PayoutBatch:
    return PayoutBatch(
        id=new_id("pb"),
        partner_id=caller.partner_id,
        external_id=body.external_id,
        mode=body.mode,
        state=BatchState.CREATED.value,
        sequence=1,
        file_id=body.file_id,
        batch_metadata=dict(body.metadata),
        created_by=caller.key_id,
        request_id=request_id,
        livemode=rails.livemode,
        created_at=caller.now,
        updated_at=caller.now,
    )


async def _accept_file(tx: Transaction, batch: PayoutBatch) -> tuple[int, bytes]:
    file = await file_rows.get(tx, batch.partner_id, batch.file_id or "")
    if file is None:
        raise ValidationFailed("There is no such file.", errors=[("/file_id", "not_found")])
    if file.status != "ready":
        raise ConflictState("The file is still being uploaded.", pointer="/file_id")
    return await _write(tx, batch, BatchTrigger.VALIDATION_STARTED, [], [], [])


async def _accept_items(tx: Transaction, desk: Desk, batch: PayoutBatch, drafts: Sequence[Draft]) -> tuple[int, bytes]:
    new = await check_drafts(tx, desk.rails, batch.partner_id, drafts, batch.batch_mode)
    totals = batches.totals_from(batch.id, sums_of(drafts))
    batch.items, batch.invalid_items = len(drafts), sum(not draft.sound for draft in drafts)
    trigger = BatchTrigger.CREATED
    if batches.needs_approval(desk.policy, totals):
        trigger = BatchTrigger.APPROVAL_REQUIRED
    return await _write(tx, batch, trigger, drafts, new, totals)


async def check_drafts(
    tx: Transaction, rails: Rails, partner_id: str, drafts: Sequence[Draft], mode: BatchMode
) -> list[ExternalAccount]:
    """Check the items of a body against what is stored; the accounts that are new.

    Raises ValidationFailed with pointers for external ids that are there twice, and when the mode allows no batch.
    """
    new = await batch_checks.check(tx, rails, partner_id, drafts)
    repeated = mark_repeated(drafts)
    if repeated:
        raise ValidationFailed("Two items have the same external_id.", errors=repeated)
    bad = [draft for draft in drafts if not draft.sound]
    if bad and (mode is BatchMode.ALL_OR_NOTHING or len(bad) == len(drafts)):
        errors = [
            (f"/items/{draft.position - 1}{fault.pointer}", fault.code) for draft in bad for fault in draft.faults
        ]
        raise ValidationFailed(f"{len(bad)} of {len(drafts)} items cannot be paid.", errors=errors)
    return new


def sums_of(drafts: Sequence[Draft]) -> dict[str, tuple[int, int]]:
    """By asset: the units and the number of the sound items."""
    sums: dict[str, tuple[int, int]] = {}
    for draft in drafts:
        if draft.sound and draft.amount is not None:
            units, items = sums.get(draft.amount.asset.id, (0, 0))
            sums[draft.amount.asset.id] = (units + draft.amount.units, items + 1)
    return sums


async def _write(
    tx: Transaction,
    batch: PayoutBatch,
    trigger: BatchTrigger,
    drafts: Sequence[Draft],
    new: Sequence[ExternalAccount],
    totals: Sequence[BatchTotal],
) -> tuple[int, bytes]:
    """Write all of a new batch, its money last, so that the balances are locked for moments only."""
    batch.state = BATCH.target(BatchState.CREATED, trigger).value
    if new:
        await external_accounts.begin(tx, new, request_id=batch.request_id)
    try:
        async with tx.transaction():
            await batch_rows.insert(tx, batch)
    except asyncpg.UniqueViolationError:
        raise ConflictState("There is a batch with this external_id.", pointer="/external_id") from None
    if drafts:
        await payout_items.insert_many(tx, batch.id, [draft.row() for draft in drafts])
    await batch_rows.insert_totals(tx, totals)
    if trigger is BatchTrigger.APPROVAL_REQUIRED:
        batch.approval_hash = await batches.digest_of(tx, batch.id)
        await batch_rows.bind(tx, batch.id, batch.approval_hash)
    await batches.reserve(tx, batch, totals)
    await batches.announce(tx, batch, trigger, totals)
    return 201, batch_out(batch, totals).model_dump_json().encode()
