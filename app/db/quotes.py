"""Quotes: a price held for one partner until it expires or an order uses it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, col, select

from app.db.columns import Document, document, json_text, moment, text, whole_units
from app.db.database import Database, Transaction
from app.db.rows import row_of
from app.db.table import Table


class Quote(Table, table=True):
    """A firm price. The fee lines, venue value and spread are whole units of the fiat side."""

    __tablename__ = "quotes"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    direction: str = Field(sa_column=text())
    amount_side: str = Field(sa_column=text())
    status: str = Field(sa_column=text())
    source_asset: str = Field(sa_column=text())
    source_units: int = Field(sa_column=whole_units())
    destination_asset: str = Field(sa_column=text())
    destination_units: int = Field(sa_column=whole_units())
    venue_units: int = Field(sa_column=whole_units())
    spread_units: int = Field(sa_column=whole_units())
    processing_units: int = Field(sa_column=whole_units())
    partner_units: int = Field(sa_column=whole_units())
    network_units: int = Field(sa_column=whole_units())
    payment_method: str = Field(sa_column=text())
    country: str | None = Field(default=None, sa_column=text(nullable=True))
    terms: Document = Field(sa_column=document())
    livemode: bool
    session_id: str | None = Field(default=None, sa_column=text(nullable=True))
    order_id: str | None = Field(default=None, sa_column=text(nullable=True, unique=True))
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    expires_at: datetime = Field(sa_column=moment())
    created_at: datetime = Field(sa_column=moment(default_now=True))


INSERT = """
WITH claimed AS (
    INSERT INTO idempotency_keys (partner_id, key, request_hash, status, response, resource_id)
    VALUES ($2, $20, $21, 201, $22, $1)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
INSERT INTO quotes (
    id, partner_id, direction, amount_side, status, source_asset, source_units, destination_asset, destination_units,
    venue_units, spread_units, processing_units, partner_units, network_units,
    payment_method, country, terms, expires_at, created_at, livemode, session_id
)
SELECT $1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17, $18, $19, $23
FROM claimed
RETURNING id
"""


async def insert(tx: Transaction, quote: Quote, *, key: str, request_hash: bytes, response: bytes) -> bool:
    """Store a quote and the answer to the request in one statement; False when the key was used before."""
    return (
        await tx.fetchval(
            INSERT,
            quote.id,
            quote.partner_id,
            quote.direction,
            quote.amount_side,
            quote.source_asset,
            quote.source_units,
            quote.destination_asset,
            quote.destination_units,
            quote.venue_units,
            quote.spread_units,
            quote.processing_units,
            quote.partner_units,
            quote.network_units,
            quote.payment_method,
            quote.country,
            json_text(quote.terms),
            quote.expires_at,
            quote.created_at,
            quote.livemode,
            key,
            request_hash,
            response,
            quote.session_id,
        )
        is not None
    )


async def get(db: Database, partner_id: str, quote_id: str) -> Quote | None:
    """A partner's own quote."""
    async with db.session() as session:
        found = await session.exec(select(Quote).where(col(Quote.id) == quote_id, col(Quote.partner_id) == partner_id))
        return found.first()


async def newest_of_session(tx: Transaction, session_id: str) -> Quote | None:
    """The quote that was made last in a session, unless it is used or its price is not held any more."""
    record = await tx.fetchrow(
        "SELECT *, expires_at > now() AS is_held FROM quotes WHERE session_id = $1 ORDER BY id DESC LIMIT 1", session_id
    )
    if record is None or record["status"] != "open" or not record["is_held"]:
        return None
    return row_of(Quote, record)
