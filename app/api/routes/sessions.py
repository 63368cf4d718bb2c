"""Widget sessions, as the partner's server makes them: bind, look, list, revoke."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answered, gives, page_of_items, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import SESSION_ID, SessionId
from app.api.queries import CREATED_AT, LIMIT, METADATA, metadata_of, page_of, parameter, period_of
from app.api.routing import StrictRoute
from app.api.session_calls import base_url_of
from app.db.sessions import SessionFilter
from app.schemas.base import Nothing
from app.schemas.sessions import SessionIn, SessionList, SessionOut, SessionWithSecretOut
from app.services import sessions

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("sessions:read"))]
Writer = Annotated[Write, Depends(Writing("sessions:write"))]

_EXAMPLE: Final = "ss_01JD0000000000000000000000"
_FILTERS: Final = [
    LIMIT,
    parameter("starting_after", "The id after which to go on, to older sessions", _EXAMPLE),
    parameter("ending_before", "The id before which to end, to newer sessions", _EXAMPLE),
    parameter("external_id", "Only sessions that you call this", "inv-42"),
    *CREATED_AT,
    METADATA,
]


@router.post("", status_code=201, responses=gives(SessionWithSecretOut, status=201))
async def create_session(body: SessionIn, request: Request, call: Writer) -> Response:
    """Bind what one customer may do, for 15 minutes. Hand the client secret, and nothing else, to their browser."""
    context = call.context
    return answered(
        await sessions.create(
            context.db,
            context.rails,
            context.policy,
            context.sessions,
            call.caller,
            body,
            call.request,
            call.request_id,
            base_url_of(context, request.scope),
        )
    )


@router.get("", responses=gives(SessionList), openapi_extra={"parameters": _FILTERS})
async def list_sessions(call: Reader) -> Response:
    """Sessions, newest first. A session is listed when every filter holds."""
    page = page_of(call.query, SESSION_ID)
    wanted = SessionFilter(
        external_id=call.query.get("external_id"),
        created_at=period_of(call.query).bounds,
        metadata=metadata_of(call.query),
    )
    return page_of_items(await sessions.list_sessions(call.context.db, call.caller, wanted, page))


@router.get("/{session_id}", responses=gives(SessionOut))
async def get_session(session_id: SessionId, request: Request, call: Reader) -> Response:
    """A session as it stands."""
    found = await sessions.get(call.context.db, call.caller, session_id)
    return shown(request, found, sequence=found.sequence)


@router.post("/{session_id}/revoke", responses=gives(SessionOut))
async def revoke_session(session_id: SessionId, call: Writer, body: Nothing | None = None) -> Response:
    """End a session at once. An order that it has placed goes on; revoking twice changes nothing."""
    return answered(await sessions.revoke(call.context.db, call.caller, session_id, call.request, call.request_id))
