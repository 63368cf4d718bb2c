"""Deliveries to subscribers and their attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Field

from app.db.columns import moment, text
from app.db.database import Database, Transaction
from app.db.events import Event
from app.db.rows import row_of, rows_of
from app.db.table import Table


class Delivery(Table, table=True):
    """One event to one endpoint. While pending, nobody attempts it before `due_at`."""

    __tablename__ = "deliveries"

    id: str = Field(sa_column=text(primary_key=True))
    event_id: str = Field(sa_column=text())
    endpoint_id: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    attempts: int = 0
    due_at: datetime = Field(sa_column=moment(default_now=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class Attempt(Table, table=True):
    """One POST of a delivery."""

    __tablename__ = "attempts"

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: str = Field(sa_column=text())
    number: int
    status: int | None = None
    error: str | None = Field(default=None, sa_column=text(nullable=True))
    response: str | None = Field(default=None, sa_column=text(nullable=True))
    duration_ms: int
    at: datetime = Field(sa_column=moment(default_now=True))


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery as its partner sees it."""

    delivery: Delivery
    event_type: str
    attempts: list[Attempt]


async def insert(tx: Transaction, wanted: Sequence[tuple[str, str, str]]) -> list[str]:
    """Add deliveries (id, event, endpoint); the ids of those that were not there yet."""
    if not wanted:
        return []
    records = await tx.fetch(
        """
        INSERT INTO deliveries (id, event_id, endpoint_id, state)
        SELECT id, event_id, endpoint_id, 'pending'
        FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (id, event_id, endpoint_id)
        ON CONFLICT (event_id, endpoint_id) DO NOTHING
        RETURNING id
        """,
        [row[0] for row in wanted],
        [row[1] for row in wanted],
        [row[2] for row in wanted],
    )
    return [record["id"] for record in records]


async def get(tx: Transaction, delivery_id: str) -> Delivery | None:
    """One delivery."""
    record = await tx.fetchrow("SELECT * FROM deliveries WHERE id = $1", delivery_id)
    return None if record is None else row_of(Delivery, record)


async def event_of(tx: Transaction, event_id: str) -> Event:
    """The event of a delivery."""
    record = await tx.fetchrow("SELECT * FROM events WHERE id = $1", event_id)
    assert record is not None  # noqa: S101 - a foreign key says so
    return row_of(Event, record)


async def lease(tx: Transaction, delivery_id: str, duration: timedelta) -> timedelta | None:
    """Take a pending delivery for one attempt: zero when taken, else how long until it is due; None when it is over."""
    record = await tx.fetchrow(
        """
        WITH taken AS (
            UPDATE deliveries SET due_at = now() + $2 WHERE id = $1 AND state = 'pending' AND due_at <= now()
            RETURNING id
        )
        SELECT EXISTS (SELECT 1 FROM taken) AS taken, state, due_at - now() AS wait FROM deliveries WHERE id = $1
        """,
        delivery_id,
        duration,
    )
    if record is None or record["state"] != "pending":
        return None
    wait: timedelta = record["wait"]
    return timedelta(0) if record["taken"] else max(wait, timedelta(seconds=1))


async def postpone(tx: Transaction, delivery_id: str, delay: timedelta) -> None:
    """Attempt a pending delivery later."""
    await tx.execute(
        "UPDATE deliveries SET due_at = now() + $2, updated_at = now() WHERE id = $1 AND state = 'pending'",
        delivery_id,
        delay,
    )


async def record_attempt(
    tx: Transaction,
    delivery_id: str,
    *,
    status: int | None,
    error: str | None,
    response: str | None,
    duration_ms: int,
    state: str,
    delay: timedelta,
) -> None:
    """Write down an attempt, and what it makes of the delivery; one that was canceled meanwhile stays so."""
    await tx.execute(
        """
        WITH counted AS (
            UPDATE deliveries SET attempts = attempts + 1, updated_at = now(), due_at = now() + $7::interval,
                state = CASE WHEN state = 'pending' OR $6 = 'succeeded' THEN $6 ELSE state END
            WHERE id = $1 RETURNING attempts
        )
        INSERT INTO attempts (delivery_id, number, status, error, response, duration_ms)
        SELECT $1, counted.attempts, $2, $3, $4, $5 FROM counted
        """,
        delivery_id,
        status,
        error,
        response,
        duration_ms,
        state,
        delay,
    )


async def cancel(tx: Transaction, delivery_id: str) -> None:
    """Give up one pending delivery."""
    await tx.execute(
        "UPDATE deliveries SET state = 'canceled', updated_at = now() WHERE id = $1 AND state = 'pending'", delivery_id
    )


async def cancel_pending(tx: Transaction, endpoint_id: str) -> None:
    """Give up what was still to be delivered to an endpoint."""
    await tx.execute(
        "UPDATE deliveries SET state = 'canceled', updated_at = now() WHERE endpoint_id = $1 AND state = 'pending'",
        endpoint_id,
    )


async def claim_overdue(tx: Transaction, limit: int) -> list[str]:
    """Pending deliveries that no job has attempted a while after they were due; not claimed again for that while."""
    records = await tx.fetch(
        """
        UPDATE deliveries SET due_at = now() WHERE id IN (
            SELECT id FROM deliveries WHERE state = 'pending' AND due_at < now() - interval '2 minutes'
            ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id
        """,
        limit,
    )
    return [record["id"] for record in records]


async def page(
    db: Database, partner_id: str, *, endpoint_id: str | None, event_id: str | None, before: str | None, limit: int
) -> list[Delivered]:
    """A partner's deliveries with their attempts, newest first, `limit` of those older than the id `before`."""
    async with db.connection() as connection:
        records = await connection.fetch(
            """
            SELECT deliveries.*, events.type FROM deliveries
            JOIN events ON events.id = deliveries.event_id
            WHERE events.partner_id = $1
              AND ($2::text IS NULL OR deliveries.endpoint_id = $2) AND ($3::text IS NULL OR events.id = $3)
              AND ($4::text IS NULL OR deliveries.id < $4)
            ORDER BY deliveries.id DESC LIMIT $5
            """,
            partner_id,
            endpoint_id,
            event_id,
            before,
            limit,
        )
        attempts = rows_of(
            Attempt,
            await connection.fetch(
                "SELECT * FROM attempts WHERE delivery_id = ANY($1) ORDER BY number", [r["id"] for r in records]
            ),
        )
    return [
        Delivered(
            delivery=Delivery(**{name: value for name, value in record.items() if name != "type"}),
            event_type=record["type"],
            attempts=[attempt for attempt in attempts if attempt.delivery_id == record["id"]],
        )
        for record in records
    ]
