"""Idempotency keys: what was asked under a key, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field

from app.db.columns import moment, text
from app.db.database import Transaction
from app.db.table import Table

# After this long a request that has not answered is taken over by the next one with the same key.
STALE_AFTER_SECONDS = 60


class IdempotencyKey(Table, table=True):
    """One key of one partner."""

    __tablename__ = "idempotency_keys"

    partner_id: str = Field(sa_column=text(primary_key=True))
    key: str = Field(sa_column=text(primary_key=True))
    request_hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    status: int | None = None
    response: bytes | None = Field(default=None, sa_column=Column(LargeBinary(), nullable=True))
    resource_id: str | None = Field(default=None, sa_column=text(nullable=True))
    locked_at: datetime = Field(sa_column=moment(default_now=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What is known under a key. `status` is None while the first request is still being carried out."""

    request_hash: bytes
    status: int | None
    response: bytes | None
    resource_id: str | None
    stale: bool


async def find(tx: Transaction, partner_id: str, key: str) -> StoredAnswer | None:
    """What is stored under a partner's key."""
    record = await tx.fetchrow(
        """
        SELECT request_hash, status, response, resource_id,
               locked_at < now() - make_interval(secs => $3) AS stale
        FROM idempotency_keys WHERE partner_id = $1 AND key = $2
        """,
        partner_id,
        key,
        float(STALE_AFTER_SECONDS),
    )
    return None if record is None else StoredAnswer(**dict(record))


async def claim(tx: Transaction, partner_id: str, key: str, request_hash: bytes) -> bool:
    """Take the key for this request; False when it was taken before. Waits for a claim that is not committed yet."""
    done = await tx.execute(
        "INSERT INTO idempotency_keys (partner_id, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        partner_id,
        key,
        request_hash,
    )
    return bool(done.endswith("1"))


async def take_over(tx: Transaction, partner_id: str, key: str) -> bool:
    """Claim a key whose request died on the way; False when another did so first, or an answer came."""
    done = await tx.execute(
        """
        UPDATE idempotency_keys SET locked_at = now()
        WHERE partner_id = $1 AND key = $2 AND status IS NULL AND locked_at < now() - make_interval(secs => $3)
        """,
        partner_id,
        key,
        float(STALE_AFTER_SECONDS),
    )
    return bool(done.endswith("1"))


async def answer(tx: Transaction, partner_id: str, key: str, status: int, response: bytes) -> None:
    """Keep the answer, for every repetition of the request."""
    await tx.execute(
        "UPDATE idempotency_keys SET status = $3, response = $4 WHERE partner_id = $1 AND key = $2",
        partner_id,
        key,
        status,
        response,
    )


async def prune(tx: Transaction, days: int) -> None:
    """Forget the answers of old keys. The keys themselves stay: they guard money objects for ever."""
    await tx.execute(
        """
        UPDATE idempotency_keys SET response = NULL
        WHERE created_at < now() - make_interval(days => $1) AND response IS NOT NULL
        """,
        days,
    )
