"""Statement lines: what changed our balance at a provider and is of no payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Field

from app.db.columns import moment, text, whole_units
from app.db.database import Transaction
from app.db.table import Table
from app.ports.records import PayinLine


class StatementLine(Table, table=True):
    """One line, as the provider gave it; `units` is signed as the provider signs it, before its fee."""

    __tablename__ = "statement_lines"

    provider: str = Field(sa_column=text(primary_key=True))
    reference: str = Field(sa_column=text(primary_key=True))
    kind: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    fee_units: int = Field(sa_column=whole_units())
    at: datetime = Field(sa_column=moment())
    created_at: datetime = Field(sa_column=moment(default_now=True))


async def newest(tx: Transaction, provider: str) -> datetime | None:
    """When the newest line that we have was made."""
    at: datetime | None = await tx.fetchval("SELECT max(at) FROM statement_lines WHERE provider = $1", provider)
    return at


async def unread(tx: Transaction, provider: str, lines: Sequence[PayinLine]) -> list[PayinLine]:
    """Those of the lines that we do not have yet, oldest first."""
    records = await tx.fetch(
        "SELECT reference FROM statement_lines WHERE provider = $1 AND reference = ANY($2)",
        provider,
        [line.reference for line in lines],
    )
    known = {record["reference"] for record in records}
    return [line for line in reversed(lines) if line.reference not in known]


async def insert(tx: Transaction, provider: str, line: PayinLine) -> bool:
    """Keep a line; False when it is there already."""
    done = await tx.execute(
        """
        INSERT INTO statement_lines (provider, reference, kind, asset, units, fee_units, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
        """,
        provider,
        line.reference,
        line.kind.value,
        line.amount.asset.id,
        line.amount.units,
        line.fee,
        line.at,
    )
    return done.endswith("1")
