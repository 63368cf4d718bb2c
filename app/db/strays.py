"""Strays: second payments that a provider opened for one of ours. No order has anything to do with them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Field

from app.db.columns import moment, text, whole_units
from app.db.database import Transaction
from app.db.rows import row_of
from app.db.table import Table


class Stray(Table, table=True):
    """One such payment. `units` is what it took; `state` is found, canceled, refunded or refused."""

    __tablename__ = "strays"

    id: str = Field(sa_column=text(primary_key=True))
    provider: str = Field(sa_column=text())
    reference: str = Field(sa_column=text())
    payment_id: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    state: str = Field(sa_column=text())
    refund_reference: str | None = Field(default=None, sa_column=text(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


async def found(tx: Transaction, *, stray_id: str, provider: str, reference: str, payment_id: str, asset: str) -> Stray:
    """Keep one, once; the row as it stands, locked."""
    await tx.execute(
        """
        INSERT INTO strays (id, provider, reference, payment_id, asset, units, state)
        VALUES ($1, $2, $3, $4, $5, 0, 'found') ON CONFLICT DO NOTHING
        """,
        stray_id,
        provider,
        reference,
        payment_id,
        asset,
    )
    record = await tx.fetchrow(
        "SELECT * FROM strays WHERE provider = $1 AND reference = $2 FOR UPDATE", provider, reference
    )
    assert record is not None  # noqa: S101 - written above, now or before
    return row_of(Stray, record)


async def lock(tx: Transaction, stray_id: str) -> Stray | None:
    """One stray, locked until the transaction ends."""
    record = await tx.fetchrow("SELECT * FROM strays WHERE id = $1 FOR UPDATE", stray_id)
    return None if record is None else row_of(Stray, record)


async def set_taken(tx: Transaction, stray_id: str, units: int) -> None:
    """It took so much money."""
    await tx.execute("UPDATE strays SET units = $2, updated_at = now() WHERE id = $1", stray_id, units)


async def finish(tx: Transaction, stray_id: str, state: str, refund_reference: str | None = None) -> None:
    """How it ended."""
    await tx.execute(
        "UPDATE strays SET state = $2, refund_reference = $3, updated_at = now() WHERE id = $1",
        stray_id,
        state,
        refund_reference,
    )


async def waiting(tx: Transaction, limit: int) -> list[str]:
    """Strays that are still to be let go, oldest first."""
    sql = "SELECT id FROM strays WHERE state = 'found' ORDER BY created_at LIMIT $1"
    return [record["id"] for record in await tx.fetch(sql, limit)]


async def unknown_among(tx: Transaction, provider: str, opened: list[tuple[str, str]], settle: timedelta) -> list[str]:
    """Which of the provider's payments, given with the payment id of ours that each carries, nobody has looked at.

    One that we are only just being told of, within `settle` of asking for it, is not among them.
    """
    records = await tx.fetch(
        """
        SELECT given.reference FROM unnest($2::text[], $3::text[]) AS given (reference, payment_id)
        JOIN payments ON payments.id = given.payment_id AND payments.provider = $1
        WHERE payments.reference <> given.reference AND payments.created_at < now() - $4::interval
          AND NOT EXISTS (SELECT 1 FROM strays WHERE provider = $1 AND strays.reference = given.reference)
        """,
        provider,
        [reference for reference, _ in opened],
        [payment_id for _, payment_id in opened],
        settle,
    )
    return [record["reference"] for record in records]
