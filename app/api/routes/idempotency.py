"""Idempotency keys: what became of a request whose answer was lost."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import gives, shown
from app.api.calls import Call, Reading
from app.api.routing import StrictRoute
from app.schemas.idempotency import IdempotencyKeyOut
from app.services import keyed

router = APIRouter(prefix="/v1/idempotency", tags=["idempotency"], route_class=StrictRoute)


@router.get("/{key:path}", responses=gives(IdempotencyKeyOut))
async def get_key(key: str, request: Request, call: Annotated[Call, Depends(Reading())]) -> Response:
    """What was answered under one of your keys."""
    return shown(request, await keyed.look_up(call.context.db, call.caller.partner_id, key))
