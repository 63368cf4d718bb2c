"""Webhook endpoints and their signing secrets, which are kept sealed."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import orjson
from sqlalchemy import Column, LargeBinary
from sqlmodel import Field

from app.db.columns import Document, counter, document, json_text, moment, text, texts
from app.db.database import Database, Transaction
from app.db.rows import rows_of
from app.db.table import Table


class Endpoint(Table, table=True):
    """A subscriber's URL. `failing_since` is the first failure after the last success."""

    __tablename__ = "endpoints"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    url: str = Field(sa_column=text())
    description: str | None = Field(default=None, sa_column=text(nullable=True))
    event_types: list[str] = Field(sa_column=texts())
    status: str = Field(sa_column=text())
    disabled_reason: str | None = Field(default=None, sa_column=text(nullable=True))
    endpoint_metadata: Document = Field(sa_column=document(name="metadata"))
    sequence: int = Field(default=1, sa_column=counter())
    failing_since: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    throttled_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))
    deleted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))

    @property
    def is_enabled(self) -> bool:
        """Whether events go there."""
        return self.status == "enabled" and self.deleted_at is None


class EndpointSecret(Table, table=True):
    """A signing secret. The current one has no `expires_at`; the ones before it sign until theirs."""

    __tablename__ = "endpoint_secrets"

    id: int | None = Field(default=None, primary_key=True)
    endpoint_id: str = Field(sa_column=text())
    ciphertext: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


# The table's columns in the row class's own names: `metadata` means something else to the ORM.
COLUMNS = """endpoints.id, partner_id, url, description, event_types, status, disabled_reason,
    metadata::text AS endpoint_metadata, sequence, failing_since, throttled_until, created_at, updated_at, deleted_at"""


async def count(tx: Transaction, partner_id: str) -> int:
    """How many endpoints a partner has; locks the partner, so that two creations cannot both be the last one."""
    await tx.execute("SELECT 1 FROM partners WHERE id = $1 FOR NO KEY UPDATE", partner_id)
    return int(
        await tx.fetchval("SELECT count(*) FROM endpoints WHERE partner_id = $1 AND deleted_at IS NULL", partner_id)
    )


async def insert(
    tx: Transaction,
    *,
    endpoint_id: str,
    partner_id: str,
    url: str,
    description: str | None,
    event_types: list[str],
    metadata: Document,
) -> Endpoint:
    """Add an endpoint; it starts disabled."""
    record = await tx.fetchrow(
        f"""
        INSERT INTO endpoints (id, partner_id, url, description, event_types, status, metadata)
        VALUES ($1, $2, $3, $4, $5, 'disabled', $6::jsonb) RETURNING {COLUMNS}
        """,  # noqa: S608 - our own column names
        endpoint_id,
        partner_id,
        url,
        description,
        event_types,
        json_text(metadata),
    )
    assert record is not None  # noqa: S101 - an insert returns its row
    return _endpoint(record)


async def lock(tx: Transaction, endpoint_id: str) -> Endpoint | None:
    """The endpoint, locked until the transaction ends; deleted ones too."""
    record = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM endpoints WHERE id = $1 FOR NO KEY UPDATE",  # noqa: S608 - our own column names
        endpoint_id,
    )
    return None if record is None else _endpoint(record)


async def find(tx: Transaction, endpoint_id: str) -> Endpoint:
    """The endpoint of a delivery, whatever has become of it."""
    record = await tx.fetchrow(f"SELECT {COLUMNS} FROM endpoints WHERE id = $1", endpoint_id)  # noqa: S608 - our own column names
    assert record is not None  # noqa: S101 - endpoints are never removed
    return _endpoint(record)


async def store(tx: Transaction, endpoint: Endpoint) -> Endpoint:
    """Write what may change of an endpoint whose row is locked, as its next sequence."""
    record = await tx.fetchrow(
        f"""
        UPDATE endpoints SET url = $2, description = $3, event_types = $4, status = $5, disabled_reason = $6,
            metadata = $7::jsonb, failing_since = $8, throttled_until = $9, sequence = sequence + 1, updated_at = now()
        WHERE id = $1 RETURNING {COLUMNS}
        """,  # noqa: S608 - our own column names
        endpoint.id,
        endpoint.url,
        endpoint.description,
        endpoint.event_types,
        endpoint.status,
        endpoint.disabled_reason,
        json_text(endpoint.endpoint_metadata),
        endpoint.failing_since,
        endpoint.throttled_until,
    )
    assert record is not None  # noqa: S101 - the row is locked
    return _endpoint(record)


async def delete(tx: Transaction, endpoint_id: str) -> None:
    """Take an endpoint out of use for good and forget its secrets; the row stays for its deliveries."""
    await tx.execute(
        """
        WITH forgotten AS (DELETE FROM endpoint_secrets WHERE endpoint_id = $1)
        UPDATE endpoints SET status = 'disabled', deleted_at = now(), updated_at = now() WHERE id = $1
        """,
        endpoint_id,
    )


async def get(db: Database, partner_id: str, endpoint_id: str) -> Endpoint | None:
    """A partner's own endpoint."""
    async with db.connection() as connection:
        record = await connection.fetchrow(
            f"SELECT {COLUMNS} FROM endpoints WHERE id = $1 AND partner_id = $2 AND deleted_at IS NULL",  # noqa: S608 - our own column names
            endpoint_id,
            partner_id,
        )
    return None if record is None else _endpoint(record)


async def of_partner(tx: Transaction, partner_id: str) -> list[Endpoint]:
    """A partner's endpoints, newest first."""
    records = await tx.fetch(
        f"SELECT {COLUMNS} FROM endpoints WHERE partner_id = $1 AND deleted_at IS NULL ORDER BY id DESC",  # noqa: S608 - our own column names
        partner_id,
    )
    return [_endpoint(record) for record in records]


async def add_secret(tx: Transaction, endpoint_id: str, ciphertext: bytes, overlap: timedelta) -> None:
    """Make a secret the current one; the one before it signs on for `overlap`."""
    await tx.execute(
        "UPDATE endpoint_secrets SET expires_at = now() + $2 WHERE endpoint_id = $1 AND expires_at IS NULL",
        endpoint_id,
        overlap,
    )
    await tx.execute("INSERT INTO endpoint_secrets (endpoint_id, ciphertext) VALUES ($1, $2)", endpoint_id, ciphertext)


async def live_secrets(tx: Transaction, endpoint_id: str) -> list[EndpointSecret]:
    """The secrets that sign now, newest first."""
    return rows_of(
        EndpointSecret,
        await tx.fetch(
            """
            SELECT * FROM endpoint_secrets WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > now())
            ORDER BY id DESC
            """,
            endpoint_id,
        ),
    )


async def note_success(tx: Transaction, endpoint_id: str) -> None:
    """Something arrived: whatever failed before is over."""
    await tx.execute(
        "UPDATE endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL", endpoint_id
    )


async def note_failure(tx: Transaction, endpoint_id: str, throttle: timedelta | None) -> timedelta:
    """Something did not arrive; `throttle` is how long the endpoint wants to be left alone.

    Returns for how long there have been nothing but failures.
    """
    failing_for: timedelta = await tx.fetchval(
        """
        UPDATE endpoints SET failing_since = coalesce(failing_since, now()),
            throttled_until = greatest(throttled_until, now() + $2::interval)
        WHERE id = $1 RETURNING now() - failing_since
        """,
        endpoint_id,
        throttle,
    )
    return failing_for


def _endpoint(record: asyncpg.Record) -> Endpoint:
    values = dict(record)
    values["endpoint_metadata"] = orjson.loads(values["endpoint_metadata"])
    return Endpoint(**values)
