"""Partners and their API keys, of which only the hash is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field

from app.db.columns import counter, moment, text, texts
from app.db.database import Database, Transaction
from app.db.rows import rows_of
from app.db.table import Table


class Partner(Table, table=True):
    """A business that calls our API."""

    __tablename__ = "partners"

    id: str = Field(sa_column=text(primary_key=True))
    name: str = Field(sa_column=text())
    event_sequence: int = Field(default=0, sa_column=counter())
    created_at: datetime = Field(sa_column=moment(default_now=True))


class ApiKey(Table, table=True):
    """A partner's key; `hint` is what may be shown of it."""

    __tablename__ = "api_keys"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False, unique=True))
    hint: str = Field(sa_column=text())
    mode: str = Field(sa_column=text())
    scopes: list[str] = Field(sa_column=texts())
    created_at: datetime = Field(sa_column=moment(default_now=True))
    expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    last_used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, and the database's clock at that moment. `session_id`: a customer's page, not the partner."""

    partner_id: str
    key_id: str
    mode: str
    scopes: frozenset[str]
    now: datetime
    expired: bool
    revoked: bool
    used_recently: bool
    session_id: str | None = None


FIND_CALLER = """
SELECT id, partner_id, mode, scopes, now() AS now,
       coalesce(expires_at <= now(), false) AS expired,
       revoked_at IS NOT NULL AS revoked,
       coalesce(last_used_at > now() - interval '1 minute', false) AS used_recently
FROM api_keys WHERE hash = $1
"""


async def find_caller(db: Database, key_hash: bytes) -> Caller | None:
    """Whose key this is, usable or not; None when nobody's."""
    async with db.connection() as connection:
        record = await connection.fetchrow(FIND_CALLER, key_hash)
        if record is None:
            return None
        caller = Caller(
            partner_id=record["partner_id"],
            key_id=record["id"],
            mode=record["mode"],
            scopes=frozenset(record["scopes"]),
            now=record["now"],
            expired=record["expired"],
            revoked=record["revoked"],
            used_recently=record["used_recently"],
        )
        if not (caller.used_recently or caller.expired or caller.revoked):
            await connection.execute("UPDATE api_keys SET last_used_at = now() WHERE id = $1", caller.key_id)
        return caller


async def insert_partner(tx: Transaction, partner_id: str, name: str) -> None:
    """Add a partner."""
    await tx.execute("INSERT INTO partners (id, name) VALUES ($1, $2)", partner_id, name)


async def insert_key(
    tx: Transaction,
    *,
    key_id: str,
    partner_id: str,
    key_hash: bytes,
    hint: str,
    mode: str,
    scopes: list[str],
    expires_at: datetime | None,
) -> None:
    """Add a key, by its hash."""
    await tx.execute(
        """
        INSERT INTO api_keys (id, partner_id, hash, hint, mode, scopes, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        key_id,
        partner_id,
        key_hash,
        hint,
        mode,
        scopes,
        expires_at,
    )


async def revoke_key(tx: Transaction, key_id: str) -> bool:
    """Revoke a key at once; False when there is no such key in use."""
    done = await tx.execute("UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", key_id)
    return bool(done.endswith("1"))


async def all_partners(db: Database) -> list[Partner]:
    """Every partner, oldest first."""
    async with db.connection() as connection:
        return rows_of(Partner, await connection.fetch("SELECT * FROM partners ORDER BY created_at, id"))


async def keys_of(db: Database, partner_id: str | None = None) -> list[ApiKey]:
    """Every key of one partner, or of all, oldest first."""
    async with db.connection() as connection:
        return rows_of(
            ApiKey,
            await connection.fetch(
                "SELECT * FROM api_keys WHERE $1::text IS NULL OR partner_id = $1 ORDER BY created_at, id", partner_id
            ),
        )


async def name_of(tx: Transaction, partner_id: str) -> str:
    """How a partner is called."""
    return str(await tx.fetchval("SELECT name FROM partners WHERE id = $1", partner_id))
