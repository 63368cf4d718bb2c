"""Topping the balance up: numbers to send money to, and what came in on them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import TOP_UP_ID, TopUpId
from app.api.queries import PAGING, page_of
from app.api.routing import StrictRoute
from app.schemas.top_ups import TopUpList, TopUpOut, VirtualAccountIn, VirtualAccountList, VirtualAccountOut
from app.services import top_ups

accounts_router = APIRouter(prefix="/v1/virtual_accounts", tags=["balances"], route_class=StrictRoute)
router = APIRouter(prefix="/v1/top_ups", tags=["balances"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("deposits:read"))]
Writer = Annotated[Write, Depends(Writing("deposits:write"))]


@accounts_router.post("", status_code=201, responses=gives(VirtualAccountOut, status=201))
async def open_virtual_account(body: VirtualAccountIn, call: Writer) -> Response:
    """Get the number that tops your balance up. There is one for each asset; asked again, it is the same."""
    context = call.context
    return answered(
        await top_ups.open_account(
            context.db, context.rails, context.sealer, call.caller.partner_id, body, call.request
        )
    )


@accounts_router.get("", responses=gives(VirtualAccountList))
async def list_virtual_accounts(call: Reader) -> Response:
    """Every number of yours."""
    return page_of_items(await top_ups.list_accounts(call.context.db, call.context.sealer, call.caller.partner_id))


@router.get("", responses=gives(TopUpList), openapi_extra={"parameters": PAGING})
async def list_top_ups(call: Reader) -> Response:
    """Money that came in for you, newest first."""
    page = page_of(call.query, TOP_UP_ID)
    return page_of_items(
        await top_ups.list_page(
            call.context.db,
            call.caller.partner_id,
            page,
        )
    )


@router.get("/{top_up_id}", responses=gives(TopUpOut))
async def get_top_up(top_up_id: TopUpId, request: Request, call: Reader) -> Response:
    """One piece of money that came in."""
    top_up = await top_ups.get(call.context.db, call.caller.partner_id, top_up_id)
    return shown(request, top_up, sequence=top_up.sequence)
