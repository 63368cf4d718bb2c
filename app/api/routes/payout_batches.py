"""Payout batches: many payouts in one call, or in one file."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.context import Context
from app.api.headers import only
from app.api.ids import BATCH_ID, BatchId
from app.api.queries import (
    CREATED_AT,
    LIMIT,
    METADATA,
    Query,
    limit_of,
    metadata_of,
    page_of,
    parameter,
    period_of,
    wrong,
)
from app.api.routing import StrictRoute
from app.db.payout_batches import BatchFilter
from app.domain.payout_batch import BatchState
from app.schemas.base import Nothing
from app.schemas.payout_batches import BatchCheckOut, BatchItemList, PayoutBatchIn, PayoutBatchList, PayoutBatchOut
from app.schemas.payouts import ApprovalIn, RejectionIn
from app.services import batch_actions, batch_reads, batch_requests, batch_results, batch_validation
from app.services.batch_requests import Desk
from app.services.batch_view import ITEM_STATUSES

router = APIRouter(prefix="/v1/payout_batches", tags=["payouts"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("payouts:read"))]
Maker = Annotated[Write, Depends(Writing("payouts:create"))]
Checker = Annotated[Write, Depends(Writing("payouts:approve"))]

_EXAMPLE: Final = "pb_01JD0000000000000000000000"
_STATUSES: Final = [state.value for state in BatchState if state is not BatchState.CREATED]
_POSITION: Final = re.compile(r"0|[1-9][0-9]{0,6}", re.ASCII)
_FILTERS: Final = [
    LIMIT,
    parameter("starting_after", "The id after which to go on, to older batches", _EXAMPLE),
    parameter("ending_before", "The id before which to end, to newer batches", _EXAMPLE),
    parameter("status", "Only batches with this status", "processing", {"type": "string", "enum": _STATUSES}),
    parameter("external_id", "Only the batch that you call this", "payroll-2026-11"),
    *CREATED_AT,
    METADATA,
]
_ITEM_FILTERS: Final = [
    LIMIT,
    parameter("starting_after", "The position after which to go on", 100, {"type": "integer", "minimum": 0}),
    parameter("status", "Only items with this status", "failed", {"type": "string", "enum": list(ITEM_STATUSES)}),
]


def _desk(context: Context) -> Desk:
    return Desk(context.db, context.rails, context.sealer, context.policy)


@router.post("", status_code=201, responses=gives(PayoutBatchOut, status=201))
async def create_payout_batch(body: PayoutBatchIn, call: Maker) -> Response:
    """Pay many at once. All that a batch needs is taken from the balance now; items of a file are read first."""
    return answered(await batch_requests.create(_desk(call.context), call.caller, body, call.request, call.request_id))


@router.post("/validate", responses=gives(BatchCheckOut))
async def validate_payout_batch(body: PayoutBatchIn, call: Maker) -> Response:
    """Say what would become of a batch, and do nothing. A file may have up to 10,000 rows here."""
    return page_of_items(await batch_validation.validate(_desk(call.context), call.caller, body))


@router.get("", responses=gives(PayoutBatchList), openapi_extra={"parameters": _FILTERS})
async def list_payout_batches(call: Reader) -> Response:
    """Batches, newest first. A batch is listed when every filter holds."""
    page = page_of(call.query, BATCH_ID)
    return page_of_items(
        await batch_reads.list_batches(
            call.context.db,
            call.caller.partner_id,
            _filter(call.query),
            page,
        )
    )


def _filter(query: Query) -> BatchFilter:
    status = query.get("status")
    if status is not None and status not in _STATUSES:
        raise wrong("status", "not_allowed")
    return BatchFilter(
        status=status,
        external_id=query.get("external_id"),
        created_at=period_of(query).bounds,
        metadata=metadata_of(query),
    )


@router.get("/{batch_id}", responses=gives(PayoutBatchOut))
async def get_payout_batch(batch_id: BatchId, request: Request, call: Reader) -> Response:
    """A batch as it stands, with how far it is."""
    batch = await batch_reads.get(call.context.db, call.caller.partner_id, batch_id)
    return shown(request, batch, sequence=batch.sequence)


@router.get("/{batch_id}/items", responses=gives(BatchItemList), openapi_extra={"parameters": _ITEM_FILTERS})
async def list_payout_batch_items(batch_id: BatchId, call: Reader) -> Response:
    """Items of a batch in their order, each with what became of it. Go on after the last position you have seen."""
    after, status = call.query.get("starting_after", "0"), call.query.get("status")
    if not _POSITION.fullmatch(after):
        raise wrong("starting_after", "invalid_format")
    if status is not None and status not in ITEM_STATUSES:
        raise wrong("status", "not_allowed")
    return page_of_items(
        await batch_reads.list_items(
            call.context.db,
            call.caller.partner_id,
            batch_id,
            status=status,
            after=int(after),
            limit=limit_of(call.query),
        )
    )


@router.get(
    "/{batch_id}/results",
    response_class=StreamingResponse,
    responses={
        **gives(PayoutBatchOut),
        200: {
            "description": "Every item in its order: CSV for a CSV file, else a line of JSON each, unless Accept says",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
    },
)
async def get_payout_batch_results(batch_id: BatchId, request: Request, call: Reader) -> Response:
    """All items as a file, each with what became of it until now."""
    accept = (only(request.scope, b"accept") or b"").decode("latin-1")
    found = await batch_results.open_results(call.context.db, call.caller.partner_id, batch_id, accept=accept)
    return StreamingResponse(
        found.lines(),
        media_type=found.media_type,
        headers={"Content-Disposition": f'attachment; filename="{found.name}"'},
    )


@router.post("/{batch_id}/approve", responses=gives(PayoutBatchOut))
async def approve_payout_batch(batch_id: BatchId, call: Checker, body: ApprovalIn | None = None) -> Response:
    """Let a batch go. The key that asked for it cannot; the approval is of these amounts and destinations alone."""
    return answered(
        await batch_actions.approve(
            call.context.db, call.caller, batch_id, body or ApprovalIn(), call.request, expected=call.expected
        )
    )


@router.post("/{batch_id}/reject", responses=gives(PayoutBatchOut))
async def reject_payout_batch(batch_id: BatchId, call: Checker, body: RejectionIn | None = None) -> Response:
    """End a batch that waits for approval; its money is available again."""
    return answered(
        await batch_actions.reject(
            call.context.db, call.caller, batch_id, body or RejectionIn(), call.request, expected=call.expected
        )
    )


@router.post("/{batch_id}/cancel", responses=gives(PayoutBatchOut))
async def cancel_payout_batch(batch_id: BatchId, call: Maker, body: Nothing | None = None) -> Response:
    """Call a batch off that is being read or waits for approval. Calling it off twice changes nothing."""
    return answered(
        await batch_actions.cancel(call.context.db, call.caller, batch_id, call.request, expected=call.expected)
    )
