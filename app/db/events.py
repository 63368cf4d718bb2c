"""Events: what subscribers are told, written in the transition's own transaction, numbered when published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity
from sqlmodel import Field

from app.db.bulk import MANY, copy
from app.db.columns import Document, counter, document, moment, new_id, text
from app.db.database import Database, Transaction
from app.db.rows import rows_of
from app.db.table import Table


class Event(Table, table=True):
    """One thing that happened. `partner_sequence` counts a partner's events without gaps."""

    __tablename__ = "events"

    id: str = Field(sa_column=text(primary_key=True))
    position: int | None = Field(default=None, sa_column=Column(BigInteger(), Identity(always=True), nullable=False))
    partner_id: str = Field(sa_column=text())
    partner_sequence: int | None = Field(default=None, sa_column=Column(BigInteger(), nullable=True))
    type: str = Field(sa_column=text())
    resource_type: str = Field(sa_column=text())
    resource_id: str = Field(sa_column=text())
    resource_sequence: int = Field(sa_column=counter())
    data: Document = Field(sa_column=document())
    request_id: str | None = Field(default=None, sa_column=text(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to write. `data` is JSON text."""

    partner_id: str
    kind: str
    resource_type: str
    resource_id: str
    resource_sequence: int
    data: str
    request_id: str | None


async def record(
    tx: Transaction,
    *,
    partner_id: str,
    kind: str,
    resource_type: str,
    resource_id: str,
    resource_sequence: int,
    data: str,
    request_id: str | None,
) -> str:
    """Write an event; the worker numbers and publishes it within moments. `data` is JSON text."""
    event_id = new_id("ev")
    await tx.execute(
        """
        INSERT INTO events (id, partner_id, type, resource_type, resource_id, resource_sequence, data, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)
        """,
        event_id,
        partner_id,
        kind,
        resource_type,
        resource_id,
        resource_sequence,
        data,
        request_id,
    )
    return event_id


_WRITTEN = ("id", "partner_id", "type", "resource_type", "resource_id", "resource_sequence", "data", "request_id")


def _columns(event: NewEvent) -> tuple[object, ...]:
    """The values of a new row, in the order of `_WRITTEN`."""
    return (
        new_id("ev"),
        event.partner_id,
        event.kind,
        event.resource_type,
        event.resource_id,
        event.resource_sequence,
        event.data,
        event.request_id,
    )


async def record_all(tx: Transaction, events: Sequence[NewEvent]) -> None:
    """Write many events in one statement, in this order."""
    if len(events) > MANY:
        await copy(tx, "events", _WRITTEN, map(_columns, events))
        return
    await tx.execute(
        """
        INSERT INTO events (id, partner_id, type, resource_type, resource_id, resource_sequence, data, request_id)
        SELECT id, partner_id, type, resource_type, resource_id, resource_sequence, data::jsonb, request_id
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[])
            WITH ORDINALITY AS given (id, partner_id, type, resource_type, resource_id, resource_sequence, data,
                                      request_id, place)
        ORDER BY place
        """,
        [new_id("ev") for _ in events],
        [event.partner_id for event in events],
        [event.kind for event in events],
        [event.resource_type for event in events],
        [event.resource_id for event in events],
        [event.resource_sequence for event in events],
        [event.data for event in events],
        [event.request_id for event in events],
    )


async def number(tx: Transaction, partner_id: str) -> list[Event]:
    """Number a partner's new events in the order they were written; the partner's row is the lock.

    Two events of one resource are written by transactions that hold the resource's lock one after the other,
    so the order of `position` is the order of what happened to it.
    """
    last = await tx.fetchval("SELECT event_sequence FROM partners WHERE id = $1 FOR NO KEY UPDATE", partner_id)
    records = await tx.fetch(
        """
        UPDATE events SET partner_sequence = $2 + numbered.rank
        FROM (
            SELECT id, row_number() OVER (ORDER BY position) AS rank FROM events
            WHERE partner_id = $1 AND partner_sequence IS NULL
        ) AS numbered
        WHERE events.id = numbered.id
        RETURNING events.*
        """,
        partner_id,
        last,
    )
    events = sorted(rows_of(Event, records), key=lambda event: event.partner_sequence or 0)
    if events:
        await tx.execute(
            "UPDATE partners SET event_sequence = $2 WHERE id = $1", partner_id, events[-1].partner_sequence
        )
    return events


async def partners_waiting(db: Database) -> list[str]:
    """Partners with events that have not been published."""
    async with db.connection() as connection:
        records = await connection.fetch("SELECT DISTINCT partner_id FROM events WHERE partner_sequence IS NULL")
    return [record["partner_id"] for record in records]
