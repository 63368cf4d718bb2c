"""Widget sessions: what was bound, who holds the credential, and which order came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Field, col, select

from app.db.columns import Document, counter, document, json_text, moment, raw_bytes, text, texts, whole_units
from app.db.database import Database, Transaction
from app.db.pages import Bounds, Page, newest_first, within
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.order import OrderState


class Session(Table, table=True):
    """One customer's visit. Of the browser's credential only the hash is kept; `token_id` is no secret by itself."""

    __tablename__ = "sessions"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    sequence: int = Field(default=1, sa_column=counter())
    status: str = Field(default="created", sa_column=text())
    direction: str = Field(sa_column=text())
    source_asset: str = Field(sa_column=text())
    destination_asset: str = Field(sa_column=text())
    amount_side: str | None = Field(default=None, sa_column=text(nullable=True))
    amount_units: int | None = Field(default=None, sa_column=whole_units(nullable=True))
    address: str | None = Field(default=None, sa_column=text(nullable=True))
    refund_address: str | None = Field(default=None, sa_column=text(nullable=True))
    payment_method: str | None = Field(default=None, sa_column=text(nullable=True))
    country: str | None = Field(default=None, sa_column=text(nullable=True))
    external_account_id: str | None = Field(default=None, sa_column=text(nullable=True))
    external_id: str | None = Field(default=None, sa_column=text(nullable=True))
    customer: Document = Field(sa_column=document())
    session_metadata: Document = Field(sa_column=document(name="metadata"))
    locale: str = Field(sa_column=text())
    theme: Document = Field(sa_column=document())
    allowed_origins: list[str] = Field(sa_column=texts())
    return_url: str | None = Field(default=None, sa_column=text(nullable=True))
    token_id: str = Field(sa_column=text(unique=True), repr=False)
    credential_hash: bytes | None = Field(default=None, sa_column=raw_bytes(nullable=True), repr=False)
    order_id: str | None = Field(default=None, sa_column=text(nullable=True))
    revoked_reason: str | None = Field(default=None, sa_column=text(nullable=True))
    request_id: str | None = Field(default=None, sa_column=text(nullable=True))
    livemode: bool
    opened_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    expires_at: datetime = Field(sa_column=moment())
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class SessionAct(Table, table=True):
    """How often something was done in a session since the beginning of its present minute."""

    __tablename__ = "session_acts"

    session_id: str = Field(sa_column=text(primary_key=True))
    act: str = Field(sa_column=text(primary_key=True))
    since: datetime = Field(sa_column=moment())
    count: int = Field(sa_column=counter())


@dataclass(frozen=True, slots=True)
class Standing:
    """A session, the state of its order, and the database's clock."""

    session: Session
    order_state: OrderState | None
    now: datetime

    @property
    def over(self) -> bool:
        """Whether the session's time has passed."""
        return self.session.expires_at <= self.now


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What a session must be to be listed; everything that is named must hold. Bounds are (operator, moment)."""

    external_id: str | None = None
    created_at: Bounds = ()
    metadata: Mapping[str, str] | None = None


_STANDING = """
SELECT sessions.*, orders.state AS order_state, now() AS now
FROM sessions LEFT JOIN orders ON orders.id = sessions.order_id
"""


async def insert(tx: Transaction, session: Session) -> None:
    """Write a new session."""
    await tx.execute(
        """
        INSERT INTO sessions (
            id, partner_id, direction, source_asset, destination_asset, amount_side, amount_units, address,
            refund_address, payment_method, country, external_account_id, external_id, customer, metadata, locale,
            theme, allowed_origins, return_url, token_id, request_id, livemode, expires_at, created_at, updated_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb, $15::jsonb, $16, $17::jsonb, $18,
                $19, $20, $21, $22, $23, $24, $24)
        """,
        session.id,
        session.partner_id,
        session.direction,
        session.source_asset,
        session.destination_asset,
        session.amount_side,
        session.amount_units,
        session.address,
        session.refund_address,
        session.payment_method,
        session.country,
        session.external_account_id,
        session.external_id,
        json_text(session.customer),
        json_text(session.session_metadata),
        session.locale,
        json_text(session.theme),
        session.allowed_origins,
        session.return_url,
        session.token_id,
        session.request_id,
        session.livemode,
        session.expires_at,
        session.created_at,
    )


async def standing(tx: Transaction, session_id: str) -> Standing | None:
    """A session as it stands, whoever's it is: ids are no secret, so the caller shows nothing of it by this alone."""
    record = await tx.fetchrow(_STANDING + "WHERE sessions.id = $1", session_id)
    if record is None:
        return None
    state = record["order_state"]
    return Standing(row_of(Session, record), None if state is None else OrderState(state), record["now"])


async def by_credential(db: Database, credential_hash: bytes) -> Standing | None:
    """The session that a browser's credential opens."""
    async with db.connection() as connection:
        record = await connection.fetchrow(_STANDING + "WHERE sessions.credential_hash = $1", credential_hash)
    if record is None:
        return None
    state = record["order_state"]
    return Standing(row_of(Session, record), None if state is None else OrderState(state), record["now"])


async def lock(tx: Transaction, session_id: str) -> Session | None:
    """The session, locked until the transaction ends."""
    record = await tx.fetchrow("SELECT * FROM sessions WHERE id = $1 FOR NO KEY UPDATE", session_id)
    return None if record is None else row_of(Session, record)


async def open_for(tx: Transaction, session_id: str, credential_hash: bytes) -> Session | None:
    """Give the session to the browser that holds this credential; None when it is given away, ended or too late.

    Raises UniqueViolationError when the credential opens another session.
    """
    record = await tx.fetchrow(
        """
        UPDATE sessions SET status = 'opened', credential_hash = $2, opened_at = now(), sequence = sequence + 1,
            updated_at = now()
        WHERE id = $1 AND status = 'created' AND credential_hash IS NULL AND expires_at > clock_timestamp()
        RETURNING *
        """,
        session_id,
        credential_hash,
    )
    return None if record is None else row_of(Session, record)


async def revoke(tx: Transaction, session_id: str, reason: str) -> Session | None:
    """End a session at once; None when it has ended before."""
    record = await tx.fetchrow(
        """
        UPDATE sessions SET status = 'revoked', revoked_at = now(), revoked_reason = $2, sequence = sequence + 1,
            updated_at = now()
        WHERE id = $1 AND status NOT IN ('revoked', 'expired') RETURNING *
        """,
        session_id,
        reason,
    )
    return None if record is None else row_of(Session, record)


async def expire_due(tx: Transaction, limit: int) -> list[Session]:
    """End the sessions whose time has passed with no order, by the database's clock."""
    records = await tx.fetch(
        """
        UPDATE sessions SET status = 'expired', sequence = sequence + 1, updated_at = now()
        WHERE id IN (
            SELECT id FROM sessions WHERE status IN ('created', 'opened') AND expires_at <= now()
            ORDER BY expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
        )
        RETURNING *
        """,
        limit,
    )
    return rows_of(Session, records)


async def page(db: Database, partner_id: str, wanted: SessionFilter, page: Page) -> tuple[list[Session], bool]:
    """A partner's sessions, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(Session.partner_id) == partner_id
    query = select(Session).where(mine)
    if wanted.external_id is not None:
        query = query.where(col(Session.external_id) == wanted.external_id)
    query = within(query, col(Session.created_at), wanted.created_at)
    if wanted.metadata:
        query = query.where(col(Session.session_metadata).contains(dict(wanted.metadata)))
    return await newest_first(db, query, mine, col(Session.id), page)


async def order_states(db: Database, order_ids: list[str]) -> dict[str, OrderState]:
    """The states of several orders, by id."""
    async with db.connection() as connection:
        records = await connection.fetch("SELECT id, state FROM orders WHERE id = ANY($1)", order_ids)
    return {record["id"]: OrderState(record["state"]) for record in records}


async def count_act(tx: Transaction, session_id: str, act: str, span: timedelta) -> tuple[int, float]:
    """Count one more act: how many it were since the present span began, and for how many seconds that still lasts."""
    record = await tx.fetchrow(
        """
        INSERT INTO session_acts AS acts (session_id, act, since, count) VALUES ($1, $2, now(), 1)
        ON CONFLICT (session_id, act) DO UPDATE SET
            count = CASE WHEN acts.since > now() - $3::interval THEN acts.count + 1 ELSE 1 END,
            since = CASE WHEN acts.since > now() - $3::interval THEN acts.since ELSE now() END
        RETURNING count, extract(epoch FROM since + $3::interval - now())::float AS left
        """,
        session_id,
        act,
        span,
    )
    assert record is not None  # noqa: S101 - the statement always returns its row
    return record["count"], record["left"]
