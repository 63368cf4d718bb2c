"""Reading the file of a batch: rows become items chunk by chunk, then the batch goes on or is refused as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from app.db import files as file_rows
from app.db import payout_batches as batch_rows
from app.db import payout_items
from app.db.columns import Document
from app.db.database import Database
from app.db.files import File
from app.db.payout_batches import PayoutBatch
from app.domain.errors import InsufficientBalance
from app.domain.payout_batch import BatchMode, BatchState, BatchTrigger
from app.services import batch_checks, batches, external_accounts
from app.services.batch_files import COLUMNS, CSV, FileRefused, Row, rows
from app.services.batch_items import FORBIDDEN, Draft, Reader, find_forbidden
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer

log = structlog.get_logger(__name__)
CHUNK: Final = 500


async def read(db: Database, rails: Rails, sealer: Sealer, policy: Policy, batch_id: str) -> None:
    """The job of a batch whose file waits to be read. Repeated, it goes on behind the last item that was stored."""
    async with db.connection() as connection:
        batch = await batch_rows.peek(connection, batch_id)
        file = None if batch is None else await file_rows.get(connection, batch.partner_id, batch.file_id or "")
    if batch is None or file is None or batch.batch_state is not BatchState.VALIDATING:
        return
    reader = Reader(rails, sealer, policy, batch.partner_id, batch.created_at)
    try:
        if not await _store_items(db, reader, batch, file):
            return
    except FileRefused as refused:
        await _refuse(db, batch, refused)
        return
    async with db.transaction() as tx:
        await payout_items.mark_repeated(
            tx, batch.id, column=COLUMNS["/external_id"] if file.content_type == CSV else None
        )
    await _conclude(db, policy, batch)


def draft_of(reader: Reader, content_type: str, position: int, row: Row) -> Draft:
    """A row as an item that has been read; raises FileRefused for what must not be in our hands at all."""
    columns = COLUMNS if content_type == CSV else {}
    draft = Draft(position, row.line, columns, list(row.faults))
    found = find_forbidden(row.item)
    if found is not None:
        where = columns.get(found.pointer, found.pointer)
        raise FileRefused(FORBIDDEN, f"There is forbidden data at {where}.", row.line)
    return draft if row.faults else reader.read(draft, row.item)


async def _store_items(db: Database, reader: Reader, batch: PayoutBatch, file: File) -> bool:
    """Store the items that are not stored yet; False when the batch is not being read any more, or not by us."""
    known, position = batch.items, 0
    drafts: list[Draft] = []
    async for row in rows(file.content_type, file_rows.pieces(db, file.id)):
        position += 1
        if position <= known:
            continue  # stored before somebody stopped us
        drafts.append(draft_of(reader, file.content_type, position, row))
        if len(drafts) == CHUNK:
            if not await _store(db, reader, batch, drafts):
                return False
            drafts = []
    return not drafts or await _store(db, reader, batch, drafts)


async def _store(db: Database, reader: Reader, batch: PayoutBatch, drafts: Sequence[Draft]) -> bool:
    async with db.transaction() as tx:
        new = await batch_checks.check(tx, reader.rails, batch.partner_id, drafts)
        bad = sum(not draft.sound for draft in drafts)
        known = drafts[0].position - 1
        # The row that counts the items is the lock: two that read at once do not both store.
        if not await batch_rows.grow(tx, batch.id, known=known, more=len(drafts), invalid=bad):
            return False
        if new:
            await external_accounts.begin(tx, new, request_id=batch.request_id)
        await payout_items.insert_many(tx, batch.id, [draft.row() for draft in drafts])
    return True


async def _refuse(db: Database, batch: PayoutBatch, refused: FileRefused) -> None:
    """The file cannot be read: nothing of it is paid. What must never be here is not kept either."""
    log.info("payout_batch.refused", payout_batch_id=batch.id, code=refused.code)
    async with db.transaction() as tx:
        locked = await batch_rows.lock(tx, batch.id)
        if refused.code == FORBIDDEN and batch.file_id is not None:
            await file_rows.erase(tx, batch.file_id)
        if locked is not None and locked.batch_state is BatchState.VALIDATING:
            failure: Document = {"code": refused.code, "message": refused.message, "line": refused.line}
            await batches.move(tx, locked, BatchTrigger.REFUSED, "read", failure=failure)


async def _conclude(db: Database, policy: Policy, batch: PayoutBatch) -> None:
    """Every item is stored: take the money for those that can be paid, or say why none is."""
    async with db.transaction() as tx:
        totals = batches.totals_from(batch.id, await payout_items.sums(tx, batch.id))
        invalid = await payout_items.with_errors(tx, batch.id)
        bound = batches.needs_approval(policy, totals)
        digest = await batches.digest_of(tx, batch.id) if bound else None
        await batches.lock_balances(tx, batch.partner_id, totals)
        locked = await batch_rows.lock(tx, batch.id)
        if locked is None or locked.batch_state is not BatchState.VALIDATING:
            return
        locked.invalid_items = invalid
        failure = _why_not(locked, invalid)
        if failure is None:
            try:
                await batches.reserve(tx, locked, totals)
            except InsufficientBalance as refusal:
                failure = _failure(refusal.code, refusal.detail)
        if failure is not None:
            await batches.move(tx, locked, BatchTrigger.REFUSED, "read", failure=failure)
            return
        await batch_rows.insert_totals(tx, totals)
        locked.approval_hash = digest
        trigger = BatchTrigger.VALIDATED if digest is None else BatchTrigger.APPROVAL_REQUIRED
        await batches.move(tx, locked, trigger, "read")


def _why_not(batch: PayoutBatch, invalid: int) -> Document | None:
    if batch.batch_mode is BatchMode.ALL_OR_NOTHING and invalid:
        return _failure("items_invalid", f"{invalid} of {batch.items} items cannot be paid.")
    if invalid == batch.items:
        return _failure("no_valid_item", "None of the items can be paid.")
    return None


def _failure(code: str, message: str) -> Document:
    return {"code": code, "message": message, "line": None}
