"""Payment files: payment orders for banks that take files, their bytes fixed before anything leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Field

from app.db.columns import moment, raw_bytes, text
from app.db.database import Transaction
from app.db.rows import rows_of
from app.db.table import Table


class PaymentFile(Table, table=True):
    """One file. `name` is how the bank knows it."""

    __tablename__ = "payment_files"

    id: str = Field(sa_column=text(primary_key=True))
    provider: str = Field(sa_column=text())
    name: str = Field(sa_column=text())
    data: bytes = Field(sa_column=raw_bytes())
    payouts: int
    handed_over_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))


async def insert(tx: Transaction, file: PaymentFile) -> None:
    """Keep a new file."""
    await tx.execute(
        "INSERT INTO payment_files (id, provider, name, data, payouts) VALUES ($1, $2, $3, $4, $5)",
        file.id,
        file.provider,
        file.name,
        file.data,
        file.payouts,
    )


async def waiting(tx: Transaction, provider: str) -> list[PaymentFile]:
    """Files that the bank has still to be given, oldest first."""
    return rows_of(
        PaymentFile,
        await tx.fetch(
            "SELECT * FROM payment_files WHERE provider = $1 AND handed_over_at IS NULL ORDER BY id", provider
        ),
    )


async def handed_over(tx: Transaction, file_id: str) -> None:
    """The bank has it."""
    await tx.execute("UPDATE payment_files SET handed_over_at = now() WHERE id = $1", file_id)


async def oldest_is_due(tx: Transaction, provider: str, gather: timedelta) -> bool:
    """Whether the oldest queued payout of a provider has waited for company as long as it should."""
    return bool(
        await tx.fetchval(
            """
            SELECT min(updated_at) <= now() - $2::interval FROM payouts
            WHERE provider = $1 AND state = 'queued' AND hold IS NULL
            """,
            provider,
            gather,
        )
    )


async def unread(tx: Transaction, provider: str, names: list[str]) -> list[str]:
    """Those of a bank's files that are not stored yet, in the given order."""
    records = await tx.fetch(
        """
        SELECT name FROM unnest($2::text[]) WITH ORDINALITY AS given (name, place)
        WHERE NOT EXISTS (SELECT 1 FROM notifications WHERE provider = $1 AND notification_id = name)
        ORDER BY place
        """,
        provider,
        names,
    )
    return [record["name"] for record in records]
