"""Quotes: ask for a price, look at one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import QuoteId
from app.api.routing import StrictRoute
from app.schemas.quotes import QuoteIn, QuoteOut
from app.services import quotes

router = APIRouter(prefix="/v1/quotes", tags=["quotes"], route_class=StrictRoute)


@router.post("", status_code=201, responses=gives(QuoteOut, status=201))
async def create_quote(body: QuoteIn, call: Annotated[Write, Depends(Writing("quotes:write"))]) -> Response:
    """Ask for a firm price. It is held until `expires_at` and can be used by one order."""
    context = call.context
    return answered(
        await quotes.create(context.db, context.rails, context.board, context.policy, call.caller, body, call.request)
    )


@router.get("/{quote_id}", responses=gives(QuoteOut))
async def get_quote(
    quote_id: QuoteId, request: Request, call: Annotated[Call, Depends(Reading("quotes:read"))]
) -> Response:
    """Look at a quote."""
    return shown(request, await quotes.get(call.context.db, call.caller, quote_id))
