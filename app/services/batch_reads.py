"""Looking at batches: one, a page of them, a page of their items, and how each has moved."""

from __future__ import annotations

from app.db import approvals as approval_rows
from app.db import payout_batches as batch_rows
from app.db import payout_items
from app.db.database import Database, Transaction
from app.db.pages import Page
from app.db.payout_batches import BatchFilter, PayoutBatch
from app.db.payout_items import ItemFilter
from app.domain.errors import NotFound
from app.domain.payout import states_with
from app.domain.payout_batch import BatchState
from app.schemas.payout_batches import BatchItemList, PayoutBatchList, PayoutBatchOut
from app.services import batches
from app.services.batch_view import INVALID, batch_out, item_out, unmade_status


async def get(db: Database, partner_id: str, batch_id: str) -> PayoutBatchOut:
    """One batch; raises NotFound."""
    async with db.connection() as connection:
        batch = await own(connection, partner_id, batch_id)
        totals = await batch_rows.totals_of(connection, [batch_id])
        return batch_out(batch, totals[batch_id], approved_by=await batches.approver(connection, batch))


async def own(tx: Transaction, partner_id: str, batch_id: str) -> PayoutBatch:
    """The partner's batch, not locked; raises NotFound."""
    batch = await batch_rows.peek(tx, batch_id)
    if batch is None or batch.partner_id != partner_id:
        raise NotFound
    return batch


async def list_batches(db: Database, partner_id: str, wanted: BatchFilter, page: Page) -> PayoutBatchList:
    """A partner's batches, newest first; raises NotFound when the cursor is not a batch of theirs."""
    shown, more = await batch_rows.page(db, partner_id, wanted, page)
    async with db.connection() as connection:
        totals = await batch_rows.totals_of(connection, [batch.id for batch in shown])
        bound = [batch.id for batch in shown if batch.approval_hash is not None]
        given = await approval_rows.approved(connection, bound) if bound else {}
    by = {batch_id: approval.key_id for batch_id, approval in given.items()}
    data = [batch_out(batch, totals[batch.id], approved_by=by.get(batch.id)) for batch in shown]
    return PayoutBatchList(data=data, has_more=more)


async def list_items(
    db: Database, partner_id: str, batch_id: str, *, status: str | None, after: int, limit: int
) -> BatchItemList:
    """Items of a batch after a position, in order; only those of one status when it is named. Raises NotFound."""
    async with db.connection() as connection:
        batch = await own(connection, partner_id, batch_id)
        wanted = None if status is None else filter_of(status, batch.batch_state)
        found = await payout_items.page(connection, batch_id, after=after, limit=limit + 1, wanted=wanted)
    shown = [item_out(record, batch.batch_state) for record in found[:limit]]
    return BatchItemList(data=shown, has_more=len(found) > limit)


def filter_of(status: str, state: BatchState) -> ItemFilter:
    """Which items of a batch in this state have a status."""
    states = [state.value for state in states_with(status)]
    return ItemFilter(invalid=status == INVALID, unmade=status == unmade_status(state), states=states)
