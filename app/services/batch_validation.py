"""What would become of a batch: every check that accepting it makes, and nothing of it kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from app.db import files as file_rows
from app.db import ledger
from app.db.database import Transaction
from app.db.partners import Caller
from app.domain.assets import asset_by_id
from app.domain.errors import ValidationFailed
from app.domain.money import Money
from app.domain.payout_batch import BatchMode
from app.schemas.base import MoneyOut
from app.schemas.payout_batches import (
    MOST_ITEMS,
    BatchCheckOut,
    BatchFailureOut,
    CheckedItemOut,
    CheckedTotalOut,
    ItemErrorOut,
    PayoutBatchIn,
)
from app.services import batch_checks, batches
from app.services.batch_files import FileRefused, rows
from app.services.batch_items import Draft, Fault, mark_repeated
from app.services.batch_reading import draft_of
from app.services.batch_requests import READ_AT_ONCE, Desk, check_form, read_items, sums_of

_MOST_SHOWN: Final = 1_000


async def validate(desk: Desk, caller: Caller, body: PayoutBatchIn) -> BatchCheckOut:
    """Say what would become of a batch; nothing is written.

    Raises ValidationFailed for a body without items, and for a file with more rows than a body may have items.
    """
    check_form(body)
    failure: BatchFailureOut | None = None
    drafts: list[Draft] = []
    try:
        if body.items is None:
            await _read_file(desk, caller, body.file_id or "", drafts)
        else:
            drafts = await read_items(desk.reader(caller), body.items)
    except FileRefused as refused:
        failure = BatchFailureOut(code=refused.code, message=refused.message, line=refused.line)
    async with desk.db.connection() as connection:
        await batch_checks.check(connection, desk.rails, caller.partner_id, drafts)
        _mark_repeated_ids(drafts)
        totals = await _totals(connection, caller.partner_id, drafts)
    return _checked(desk, BatchMode(body.mode), drafts, totals, failure)


async def _read_file(desk: Desk, caller: Caller, file_id: str, drafts: list[Draft]) -> None:
    """Read the rows of a file into `drafts`; raises FileRefused after those before it."""
    async with desk.db.connection() as connection:
        file = await file_rows.get(connection, caller.partner_id, file_id)
    if file is None or file.status != "ready":
        raise ValidationFailed("There is no such file.", errors=[("/file_id", "not_found")])
    reader = desk.reader(caller)
    async for row in rows(file.content_type, file_rows.pieces(desk.db, file.id)):
        if len(drafts) == MOST_ITEMS:
            raise ValidationFailed("The file is too long to be checked at once.", errors=[("/file_id", "too_many")])
        drafts.append(draft_of(reader, file.content_type, len(drafts) + 1, row))
        if len(drafts) % READ_AT_ONCE == 0:
            await asyncio.sleep(0)


def _mark_repeated_ids(drafts: Sequence[Draft]) -> None:
    by_position = {draft.position: draft for draft in drafts}
    for place, code in mark_repeated(drafts):
        position = int(place.split("/")[2]) + 1
        by_position[position].faults.append(Fault("/external_id", code))


async def _totals(tx: Transaction, partner_id: str, drafts: Sequence[Draft]) -> list[CheckedTotalOut]:
    totals = []
    for asset_id, (units, items) in sorted(sums_of(drafts).items()):
        asset = asset_by_id(asset_id)
        available = await ledger.lock_available(tx, partner_id, asset_id)
        totals.append(
            CheckedTotalOut(
                amount=MoneyOut.of(Money(units, asset)),
                items=items,
                available=MoneyOut.of(Money(available, asset)),
                sufficient=available >= units,
            )
        )
    return totals


def _checked(
    desk: Desk,
    mode: BatchMode,
    drafts: Sequence[Draft],
    totals: Sequence[CheckedTotalOut],
    failure: BatchFailureOut | None,
) -> BatchCheckOut:
    bad = sum(not draft.sound for draft in drafts)
    sufficient = all(total.sufficient for total in totals)
    acceptable = failure is None and bad < len(drafts) and (bad == 0 or mode is BatchMode.BEST_EFFORT)
    remarkable = [draft for draft in drafts if draft.faults or draft.warnings]
    return BatchCheckOut(
        valid=acceptable and sufficient,
        total=len(drafts),
        invalid=bad,
        totals=list(totals),
        sufficient=sufficient,
        approval_required=batches.needs_approval(desk.policy, batches.totals_from("", sums_of(drafts))),
        items=[
            CheckedItemOut(
                position=draft.position,
                errors=[ItemErrorOut.model_validate(error) for error in draft.errors()],
                warnings=draft.warnings,
            )
            for draft in remarkable[:_MOST_SHOWN]
        ],
        failure=failure,
    )
