"""Notifications: what providers told us, stored once, raw, before anything is done about it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field

from app.db.columns import moment, new_id, text
from app.db.database import Database, Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table


class Notification(Table, table=True):
    """One notification. Parked ones wait for a person; quarantined ones are of the wrong mode or account."""

    __tablename__ = "notifications"

    id: str = Field(sa_column=text(primary_key=True))
    provider: str = Field(sa_column=text())
    notification_id: str = Field(sa_column=text())
    kind: str = Field(sa_column=text())
    livemode: bool
    body: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    state: str = Field(sa_column=text())
    error: str | None = Field(default=None, sa_column=text(nullable=True))
    tries: int = 0
    received_at: datetime = Field(sa_column=moment(default_now=True))
    processed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


async def insert(
    tx: Transaction, *, provider: str, notification_id: str, kind: str, livemode: bool, body: bytes, state: str
) -> str | None:
    """Store a notification; None when it is stored already."""
    stored: str | None = await tx.fetchval(
        """
        INSERT INTO notifications (id, provider, notification_id, kind, livemode, body, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (provider, notification_id) DO NOTHING
        RETURNING id
        """,
        new_id("nt"),
        provider,
        notification_id,
        kind,
        livemode,
        body,
        state,
    )
    return stored


async def get(tx: Transaction, stored_id: str) -> Notification | None:
    """One notification by our own id."""
    record = await tx.fetchrow("SELECT * FROM notifications WHERE id = $1", stored_id)
    return None if record is None else row_of(Notification, record)


async def finish(tx: Transaction, stored_id: str, state: str, error: str | None = None) -> None:
    """Say what became of a notification; what a parallel try has said before stands."""
    await tx.execute(
        """
        UPDATE notifications SET state = $2, error = $3, tries = tries + 1, processed_at = now()
        WHERE id = $1 AND state IN ('received', 'quarantined')
        """,
        stored_id,
        state,
        error,
    )


async def reopen(tx: Transaction, stored_id: str, *, actor: str, reason: str) -> bool:
    """Let a notification that was parked or ignored be processed again, and record who wanted it. False for others."""
    done = await tx.execute(
        """
        WITH reopened AS (
            UPDATE notifications SET state = 'received', tries = 0, error = NULL, processed_at = NULL
            WHERE id = $1 AND state IN ('parked', 'ignored') RETURNING id
        )
        INSERT INTO notification_retries (notification_id, actor, reason) SELECT id, $2, $3 FROM reopened
        """,
        stored_id,
        actor,
        reason,
    )
    return bool(done.endswith("1"))


async def overdue(tx: Transaction, limit: int) -> list[str]:
    """Notifications that no job has processed a while after they came, oldest first."""
    records = await tx.fetch(
        """
        SELECT id FROM notifications
        WHERE state = 'received' AND received_at < now() - interval '2 minutes'
        ORDER BY received_at LIMIT $1
        """,
        limit,
    )
    return [record["id"] for record in records]


async def in_state(db: Database, states: list[str]) -> list[Notification]:
    """Notifications in any of these states, newest first, a thousand at most."""
    async with db.connection() as connection:
        return rows_of(
            Notification,
            await connection.fetch(
                "SELECT * FROM notifications WHERE state = ANY($1) ORDER BY received_at DESC LIMIT 1000", states
            ),
        )
