"""Batches and their items as the public sees them, in answers and in events alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg
import orjson
from pydantic import JsonValue

from app.db.payout_batches import BatchTotal, PayoutBatch
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.domain.payout import STATUSES, PayoutState, status_of
from app.domain.payout_batch import BatchState, allowed_actions
from app.schemas.base import MoneyOut
from app.schemas.payout_batches import (
    BatchCountsOut,
    BatchFailureOut,
    BatchItemOut,
    BatchTotalOut,
    ItemErrorOut,
    PayoutBatchOut,
)
from app.schemas.payouts import ApprovalOut, ReturnedOut

INVALID: Final = "invalid"
PENDING: Final = "pending"
CANCELED: Final = "canceled"
ITEM_STATUSES: Final = tuple(dict.fromkeys((PENDING, INVALID, *STATUSES)))
# In these no payout will be made any more of an item that has none.
_OVER: Final = frozenset(
    {BatchState.INVALID, BatchState.CANCELED, BatchState.COMPLETED, BatchState.PARTIALLY_COMPLETED}
)


def batch_out(batch: PayoutBatch, totals: Sequence[BatchTotal], *, approved_by: str | None = None) -> PayoutBatchOut:
    """Build the public batch from its row and what it pays out."""
    state = batch.batch_state
    return PayoutBatchOut(
        id=batch.id,
        sequence=batch.sequence,
        mode=batch.batch_mode.value,
        status=state.value,
        external_id=batch.external_id,
        file_id=batch.file_id,
        items=BatchCountsOut(
            total=batch.items,
            invalid=batch.invalid_items,
            started=batch.next_position - 1,
            settled=batch.settled_items,
            failed=batch.failed_items,
        ),
        totals=[
            BatchTotalOut(amount=MoneyOut.of(Money(total.units, asset_by_id(total.asset))), items=total.items)
            for total in totals
        ],
        approval=_approval(batch, approved_by),
        failure=None if batch.failure is None else BatchFailureOut.model_validate(batch.failure),
        allowed_actions=list(allowed_actions(state)),
        metadata=batch.batch_metadata,
        created_at=batch.created_at,
        updated_at=batch.updated_at,
        livemode=batch.livemode,
    )


def _approval(batch: PayoutBatch, approved_by: str | None) -> ApprovalOut | None:
    if batch.approval_hash is None:
        return None
    return ApprovalOut(
        required=batch.batch_state is BatchState.PENDING_APPROVAL,
        hash=batch.approval_hash.hex(),
        approved_by=approved_by,
    )


def unmade_status(state: BatchState) -> str:
    """What an item without errors is called while no payout has been made of it."""
    return CANCELED if state in _OVER else PENDING


def item_out(record: asyncpg.Record, state: BatchState) -> BatchItemOut:
    """Build the public item from its row, beside its payout's."""
    units, asset = record["units"], record["asset"]
    returned = _loaded(record["returned"])
    return BatchItemOut(
        position=record["position"],
        line=record["line"],
        amount=None if units is None else MoneyOut.of(Money(int(units), asset_by_id(asset))),
        external_account_id=record["external_account_id"],
        method=record["method"],
        reference=record["reference"],
        external_id=record["external_id"],
        status=_item_status(record, state),
        errors=[ItemErrorOut.model_validate(error) for error in orjson.loads(record["errors"] or "[]")],
        warnings=orjson.loads(record["warnings"] or "[]"),
        payout_id=record["payout_id"],
        provider_reference=record["provider_reference"],
        tx_hash=record["tx_hash"],
        failure=_loaded(record["failure"]),
        returned=None if returned is None else ReturnedOut.model_validate(returned),
    )


def _item_status(record: asyncpg.Record, state: BatchState) -> str:
    if record["errors"] is not None:
        return INVALID
    if record["payout_state"] is None:
        return unmade_status(state)
    return status_of(PayoutState(record["payout_state"]))


def _loaded(text: str | None) -> dict[str, JsonValue] | None:
    found: dict[str, JsonValue] | None = None if text is None else orjson.loads(text)
    return found
