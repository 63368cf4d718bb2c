"""Health: whether this process lives, and whether it can serve. No key needed, nothing told."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.context import Context, Ctx
from app.api.metrics import render
from app.db.migrate import require_current_schema
from app.schemas.health import HealthOut

router = APIRouter(tags=["health"])
operator_router = APIRouter()

_PATIENCE_SECONDS: Final = 2.0
log = structlog.get_logger(__name__)


@router.get("/healthz/live", responses={200: {"model": HealthOut}})
async def live() -> Response:
    """This process runs."""
    return _answer("ok")


@router.get("/healthz/ready", responses={200: {"model": HealthOut}, 503: {"model": HealthOut}})
async def ready(context: Ctx, request: Request) -> Response:
    """The database answers and has the schema that this program was written for."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await _check(context, request)
    except Exception as error:  # whatever it is: not ready is the answer, and it is in the log
        log.warning("health.not_ready", kind=type(error).__name__)
        return _answer("unavailable", http=503)
    return _answer("ok")


async def _check(context: Context, request: Request) -> None:
    """Raise unless the database can serve; the schema is compared once, for it does not change under us."""
    state = request.app.state
    if not getattr(state, "schema_is_current", False):
        await require_current_schema(context.db)
        state.schema_is_current = True
    async with context.db.connection() as connection:
        await connection.fetchval("SELECT 1")


def _answer(status: Literal["ok", "unavailable"], *, http: int = 200) -> Response:
    return Response(HealthOut(status=status).model_dump_json(), http, media_type="application/json")


@operator_router.get("/metrics")
async def metrics(context: Ctx) -> Response:
    """Everything that monitoring reads."""
    return Response(render(context.board), media_type="text/plain; version=0.0.4; charset=utf-8")
