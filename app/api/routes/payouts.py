"""Payouts: ask for one, check one, look, list, approve, reject, cancel."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import BATCH_ID, ORDER_ID, PAYOUT_ID, PayoutId
from app.api.queries import CREATED_AT, METADATA, PAGING, Query, metadata_of, page_of, parameter, period_of, wrong
from app.api.routing import StrictRoute
from app.db.payout_lists import PayoutFilter
from app.domain.payout import STATUSES, states_with
from app.schemas.base import Nothing
from app.schemas.payouts import ApprovalIn, MoveList, PayoutCheckOut, PayoutIn, PayoutList, PayoutOut, RejectionIn
from app.services import payout_actions, payout_reads, payout_requests

router = APIRouter(prefix="/v1/payouts", tags=["payouts"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("payouts:read"))]
Maker = Annotated[Write, Depends(Writing("payouts:create"))]
Checker = Annotated[Write, Depends(Writing("payouts:approve"))]

_FILTERS: Final = [
    *PAGING,
    parameter("status", "Only payouts with this status", "settled", {"type": "string", "enum": list(STATUSES)}),
    parameter("external_id", "Only the payout that you call this", "pay-42"),
    parameter("batch_id", "Only payouts of this batch", "pb_01JD0000000000000000000000"),
    parameter("order_id", "Only payouts of this order", "or_01JD0000000000000000000000"),
    *CREATED_AT,
    METADATA,
]


@router.post("", status_code=201, responses=gives(PayoutOut, status=201))
async def create_payout(body: PayoutIn, call: Maker) -> Response:
    """Send money from your balance to an external account of yours. Large ones wait for another key's approval."""
    context = call.context
    return answered(
        await payout_requests.create(
            context.db, context.rails, context.policy, call.caller, body, call.request, call.request_id
        )
    )


@router.post("/validate", responses=gives(PayoutCheckOut))
async def validate_payout(body: PayoutIn, call: Maker) -> Response:
    """Say what would become of a payout, and do nothing."""
    context = call.context
    return page_of_items(
        await payout_requests.validate(context.db, context.rails, context.policy, call.caller.partner_id, body)
    )


@router.get("", responses=gives(PayoutList), openapi_extra={"parameters": _FILTERS})
async def list_payouts(call: Reader) -> Response:
    """Payouts, newest first; those of your orders and batches are among them."""
    page = page_of(call.query, PAYOUT_ID)
    return page_of_items(
        await payout_reads.list_page(
            call.context.db,
            call.caller.partner_id,
            _filter(call.query),
            page,
        )
    )


def _filter(query: Query) -> PayoutFilter:
    status = query.get("status")
    if status is not None and status not in STATUSES:
        raise wrong("status", "not_allowed")
    for name, form in (("batch_id", BATCH_ID), ("order_id", ORDER_ID)):
        if name in query and not form.fullmatch(query[name]):
            raise wrong(name, "invalid_format")
    return PayoutFilter(
        states=None if status is None else states_with(status),
        external_id=query.get("external_id"),
        batch_id=query.get("batch_id"),
        order_id=query.get("order_id"),
        created_at=period_of(query).bounds,
        metadata=metadata_of(query),
    )


@router.get("/{payout_id}", responses=gives(PayoutOut))
async def get_payout(payout_id: PayoutId, request: Request, call: Reader) -> Response:
    """A payout as it stands."""
    payout = await payout_reads.get(call.context.db, call.caller.partner_id, payout_id)
    return shown(request, payout, sequence=payout.sequence)


@router.get("/{payout_id}/timeline", responses=gives(MoveList))
async def get_payout_timeline(payout_id: PayoutId, call: Reader) -> Response:
    """Every transition of a payout, in order."""
    return page_of_items(await payout_reads.timeline(call.context.db, call.caller.partner_id, payout_id))


@router.post("/{payout_id}/approve", responses=gives(PayoutOut))
async def approve_payout(payout_id: PayoutId, call: Checker, body: ApprovalIn | None = None) -> Response:
    """Let a payout go. The key that asked for it cannot; the approval is of this amount and destination alone."""
    return answered(
        await payout_actions.approve(
            call.context.db, call.caller, payout_id, body or ApprovalIn(), call.request, expected=call.expected
        )
    )


@router.post("/{payout_id}/reject", responses=gives(PayoutOut))
async def reject_payout(payout_id: PayoutId, call: Checker, body: RejectionIn | None = None) -> Response:
    """End a payout that waits for approval; its money is available again."""
    return answered(
        await payout_actions.reject(
            call.context.db, call.caller, payout_id, body or RejectionIn(), call.request, expected=call.expected
        )
    )


@router.post("/{payout_id}/cancel", responses=gives(PayoutOut))
async def cancel_payout(payout_id: PayoutId, call: Maker, body: Nothing | None = None) -> Response:
    """Call a payout off while nothing has been done about it."""
    return answered(
        await payout_actions.cancel(call.context.db, call.caller, payout_id, call.request, expected=call.expected)
    )
