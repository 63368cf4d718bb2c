"""The log of events: everything that a partner was, or could have been, told."""

from __future__ import annotations

from app.db import event_log
from app.db.database import Database
from app.domain.errors import NotFound
from app.schemas.events import EventList, EventOut
from app.services.envelopes import envelope


async def page(db: Database, partner_id: str, after: int, limit: int, *, livemode: bool) -> EventList:
    """The events after a number, in order."""
    found = await event_log.after(db, partner_id, after, limit + 1)
    return EventList(data=[envelope(event, livemode=livemode) for event in found[:limit]], has_more=len(found) > limit)


async def get(db: Database, partner_id: str, event_id: str, *, livemode: bool) -> EventOut:
    """One event; raises NotFound."""
    event = await event_log.get(db, partner_id, event_id)
    if event is None:
        raise NotFound
    return envelope(event, livemode=livemode)


async def start_of_stream(db: Database, partner_id: str, last_event_id: str | None) -> int:
    """The number after which a stream begins: the event last seen, or now. Raises NotFound for an unknown event."""
    if last_event_id is None:
        return await event_log.newest(db, partner_id)
    event = await event_log.get(db, partner_id, last_event_id)
    if event is None or event.partner_sequence is None:
        raise NotFound
    return event.partner_sequence
