"""Reconciliation, for the operator's own keys: every line of every partner's money is in it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import BREAK_ID, RUN_ID, BreakId
from app.api.queries import PAGING, Query, page_of, parameter, wrong
from app.api.routing import StrictRoute
from app.db.reconciliation import BreakFilter
from app.domain.reconciliation import BreakKind
from app.schemas.reconciliation import BreakList, BreakOut, ResolutionIn, RunList
from app.services import breaks

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"], route_class=StrictRoute)
# No key of a partner has these, and `*` does not cover them.
Reader = Annotated[Call, Depends(Reading("admin:reconciliation"))]
Writer = Annotated[Write, Depends(Writing("admin:reconciliation"))]

_KINDS: Final = [kind.value for kind in BreakKind]
_STATES: Final = ["open", "resolved"]
_SOURCE: Final = parameter("source", "Only of this source", "stripe")
_FILTERS: Final = [
    _SOURCE,
    parameter("kind", "Only of this kind", "not_in_books", {"type": "string", "enum": _KINDS}),
    parameter("status", "Only open or resolved ones", "open", {"type": "string", "enum": _STATES}),
]


@router.get("/breaks", responses=gives(BreakList), openapi_extra={"parameters": [*PAGING, *_FILTERS]})
async def list_breaks(call: Reader) -> Response:
    """Whatever is not explained, or was not, newest first."""
    query = call.query
    wanted = BreakFilter(query.get("source"), _one_of(query, "kind", _KINDS), _one_of(query, "status", _STATES))
    return page_of_items(await breaks.list_page(call.context.db, wanted, page_of(query, BREAK_ID)))


@router.get("/runs", responses=gives(RunList), openapi_extra={"parameters": [*PAGING, _SOURCE]})
async def list_runs(call: Reader) -> Response:
    """When each source was held against the ledger, and what came out, newest first."""
    return page_of_items(await breaks.list_runs(call.context.db, call.query.get("source"), page_of(call.query, RUN_ID)))


@router.post("/breaks/{break_id}/resolve", responses=gives(BreakOut))
async def resolve_break(break_id: BreakId, body: ResolutionIn, call: Writer) -> Response:
    """Say what a break is, or book a correction: one key proposes it, another approves."""
    return answered(await breaks.act(call.context.db, call.caller, break_id, body, call.request))


def _one_of(query: Query, name: str, allowed: list[str]) -> str | None:
    value = query.get(name)
    if value is not None and value not in allowed:
        raise wrong(name, "invalid_value")
    return value
