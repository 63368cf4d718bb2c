"""Reading the log of events: by number, in order, only what has been published."""

from __future__ import annotations

from sqlmodel import col, select

from app.db.database import Database
from app.db.events import Event


async def after(db: Database, partner_id: str, sequence: int, limit: int) -> list[Event]:
    """A partner's events whose number is above `sequence`, in order."""
    async with db.session() as session:
        found = await session.exec(
            select(Event)
            .where(col(Event.partner_id) == partner_id, col(Event.partner_sequence) > sequence)
            .order_by(col(Event.partner_sequence))
            .limit(limit)
        )
        return list(found)


async def get(db: Database, partner_id: str, event_id: str) -> Event | None:
    """A partner's own event, once it is published."""
    async with db.session() as session:
        found = await session.exec(
            select(Event).where(
                col(Event.id) == event_id,
                col(Event.partner_id) == partner_id,
                col(Event.partner_sequence).is_not(None),
            )
        )
        return found.first()


async def newest(db: Database, partner_id: str) -> int:
    """The number of a partner's newest published event; 0 when there is none."""
    async with db.connection() as connection:
        return int(await connection.fetchval("SELECT event_sequence FROM partners WHERE id = $1", partner_id))
