"""Quotes: ask for a price, compare the routes to one, look at one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import QuoteId
from app.api.routing import StrictRoute
from app.schemas.quotes import ComparisonOut, QuoteIn, QuoteOut
from app.services import comparisons, quotes

router = APIRouter(prefix="/v1/quotes", tags=["quotes"], route_class=StrictRoute)


@router.post("", status_code=201, responses=gives(QuoteOut, status=201))
async def create_quote(body: QuoteIn, call: Annotated[Write, Depends(Writing("quotes:write"))]) -> Response:
    """Ask for a firm price. It is held until `expires_at` and can be used by one order."""
    context = call.context
    return answered(
        await quotes.create(context.db, context.rails, context.board, context.policy, call.caller, body, call.request)
    )


@router.post("/compare", responses=gives(ComparisonOut))
async def compare_quotes(body: QuoteIn, call: Annotated[Write, Depends(Writing("quotes:read"))]) -> Response:
    """Price every route for one exchange. Nothing is held or stored: the same key may be answered anew."""
    context = call.context
    return page_of_items(comparisons.compare(context.rails, context.board, context.policy, body, call.caller.now))


@router.get("/{quote_id}", responses=gives(QuoteOut))
async def get_quote(
    quote_id: QuoteId, request: Request, call: Annotated[Call, Depends(Reading("quotes:read"))]
) -> Response:
    """Look at a quote."""
    return shown(request, await quotes.get(call.context.db, call.caller, quote_id))
