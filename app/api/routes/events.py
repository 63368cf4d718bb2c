"""Events: the complete log in order, one of them, and a stream of new ones."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from app.api.answers import gives, page_of_items, shown
from app.api.calls import Call, Reading
from app.api.headers import only
from app.api.ids import EVENT_ID, EventId
from app.api.queries import LIMIT, limit_of, parameter, wrong
from app.api.refusals import HeaderInvalid
from app.api.routing import StrictRoute
from app.api.streams import Streams, events_after
from app.schemas.events import EventList, EventOut
from app.services import event_log

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("events:read"))]

_SEQUENCE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_AFTER: Final = parameter(
    "after", "Only events with a higher partner_sequence", 0, {"type": "integer", "minimum": 0, "default": 0}
)


_LAST_EVENT: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that you have seen",
    "schema": {"type": "string", "pattern": f"^{EVENT_ID.pattern}$"},
}


@router.get("", responses=gives(EventList), openapi_extra={"parameters": [_AFTER, LIMIT]})
async def list_events(call: Reader) -> Response:
    """The complete log, in order. Go on with `after` set to the last `partner_sequence` that you have seen."""
    after = call.query.get("after", "0")
    if not _SEQUENCE.fullmatch(after):
        raise wrong("after", "invalid_format")
    return page_of_items(
        await event_log.page(
            call.context.db,
            call.caller.partner_id,
            int(after),
            limit_of(call.query),
            livemode=call.context.rails.livemode,
        )
    )


@router.get(
    "/stream",
    response_class=StreamingResponse,
    openapi_extra={"parameters": [_LAST_EVENT]},
    responses={
        **gives(EventOut),
        200: {
            "description": "Server-sent events: `id` is the event's id, `event` its type, `data` the event",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def stream_events(request: Request, call: Reader) -> Response:
    """New events as they are published (server-sent events). `Last-Event-ID` goes on after an event; else from now."""
    last = only(request.scope, b"last-event-id")
    last_id = None if last is None else last.decode("latin-1")
    if last_id is not None and not EVENT_ID.fullmatch(last_id):
        raise HeaderInvalid("Last-Event-ID is the id of an event.")
    db, partner_id = call.context.db, call.caller.partner_id
    streams: Streams = request.app.state.streams
    after = await event_log.start_of_stream(db, partner_id, last_id)
    return streams.open(partner_id, events_after(db, partner_id, after, livemode=call.context.rails.livemode))


@router.get("/{event_id}", responses=gives(EventOut))
async def get_event(event_id: EventId, request: Request, call: Reader) -> Response:
    """One event."""
    context = call.context
    event = await event_log.get(context.db, call.caller.partner_id, event_id, livemode=context.rails.livemode)
    return shown(request, event)
