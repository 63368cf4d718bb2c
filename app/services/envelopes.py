"""Event envelopes: built here once, so that a delivery and `GET /v1/events` show the same."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from app.db.columns import Document
from app.db.events import Event
from app.schemas.events import EventDataOut, EventOut, EventResourceOut

# Standard Webhooks 1.0.0 asks for bodies below 20 kB.
MAX_BODY = 20_000


def envelope(event: Event, *, livemode: bool) -> EventOut:
    """The public form of an event. What would make it too large is left out, and named in `data.omitted`."""
    whole = _build(event, _object_of(event), _previous_of(event), [], livemode=livemode)
    if len(body_of(whole)) < MAX_BODY:
        return whole
    shown, previous, omitted = _object_of(event), _previous_of(event), list[str]()
    for name, leave_out in _OMISSIONS:
        shown, previous = leave_out(shown, previous)
        omitted.append(name)
        smaller = _build(event, shown, previous, omitted, livemode=livemode)
        if len(body_of(smaller)) < MAX_BODY:
            break
    return smaller


def body_of(event: EventOut) -> bytes:
    """The bytes that are signed and sent."""
    return event.model_dump_json().encode()


_Halves = tuple[Document, Document]


def _without_metadata(shown: Document, previous: Document) -> _Halves:
    return {name: value for name, value in shown.items() if name != "metadata"}, previous


def _without_previous(shown: Document, previous: Document) -> _Halves:
    return shown, {}


def _only_names(shown: Document, previous: Document) -> _Halves:
    return {name: shown[name] for name in ("id", "object", "sequence", "status") if name in shown}, previous


_OMISSIONS: tuple[tuple[str, Callable[[Document, Document], _Halves]], ...] = (
    ("object.metadata", _without_metadata),
    ("previous", _without_previous),
    ("object", _only_names),
)


def _build(event: Event, shown: Document, previous: Document, omitted: list[str], *, livemode: bool) -> EventOut:
    return EventOut(
        id=event.id,
        type=event.type,
        timestamp=event.created_at,
        created_at=event.created_at,
        partner_id=event.partner_id,
        partner_sequence=event.partner_sequence,
        resource=EventResourceOut(type=event.resource_type, id=event.resource_id, sequence=event.resource_sequence),
        data=EventDataOut(object=shown, previous=previous, omitted=list(omitted) or None),
        request_id=event.request_id,
        livemode=livemode,
    )


def _object_of(event: Event) -> Document:
    return _document(event.data.get("object"))


def _previous_of(event: Event) -> Document:
    return _document(event.data.get("previous"))


def _document(value: JsonValue) -> Document:
    return value if isinstance(value, dict) else {}
