"""The treasury's rows: cold addresses that coins may be moved to, and moves that were asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import asyncpg
from sqlmodel import Field

from app.db.columns import moment, new_id, text, whole_units
from app.db.database import Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.ports.chain import Destination

WAIT: Final = timedelta(hours=24)  # faults.md 5.5: how old a new address has to be


class ColdAddress(Table, table=True):
    """An address of the operator's own, off this machine. Usable once a second person agrees and a day has passed."""

    __tablename__ = "cold_addresses"

    network: str = Field(sa_column=text(primary_key=True))
    script: str = Field(sa_column=text(primary_key=True))
    address: str = Field(sa_column=text())
    added_by: str = Field(sa_column=text())
    added_at: datetime = Field(sa_column=moment(default_now=True))
    confirmed_by: str | None = Field(default=None, sa_column=text(nullable=True))
    confirmed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class ColdSweep(Table, table=True):
    """Coins that somebody wants moved to a cold address; `lineage_id` once that is signed."""

    __tablename__ = "cold_sweeps"

    id: str = Field(sa_column=text(primary_key=True))
    network: str = Field(sa_column=text())
    script: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    actor: str = Field(sa_column=text())
    reason: str = Field(sa_column=text())
    lineage_id: str | None = Field(default=None, sa_column=text(nullable=True, unique=True))
    asked_at: datetime = Field(sa_column=moment(default_now=True))


async def lock_address(tx: Transaction, network: str, script: str) -> ColdAddress | None:
    """A cold address, locked."""
    record = await tx.fetchrow(
        "SELECT * FROM cold_addresses WHERE network = $1 AND script = $2 FOR UPDATE", network, script
    )
    return None if record is None else row_of(ColdAddress, record)


async def add_address(tx: Transaction, network: str, destination: Destination, actor: str) -> None:
    """Propose an address."""
    await tx.execute(
        "INSERT INTO cold_addresses (network, script, address, added_by) VALUES ($1, $2, $3, $4)",
        network,
        destination.script,
        destination.text,
        actor,
    )


async def confirm_address(tx: Transaction, network: str, script: str, actor: str) -> None:
    """Agree to an address; raises CheckViolationError when the same person proposed it."""
    await tx.execute(
        "UPDATE cold_addresses SET confirmed_by = $3, confirmed_at = now() WHERE network = $1 AND script = $2",
        network,
        script,
        actor,
    )


_USABLE = "SELECT * FROM cold_addresses WHERE network = $1 AND confirmed_by IS NOT NULL AND added_at <= now() - $2"


async def usable(tx: Transaction, network: str) -> list[ColdAddress]:
    """The addresses that coins may be moved to now, the oldest first."""
    return rows_of(ColdAddress, await tx.fetch(f"{_USABLE}::interval ORDER BY added_at", network, WAIT))


async def is_usable(tx: Transaction, network: str, script: str) -> bool:
    """Whether coins may be moved to an address now."""
    return await tx.fetchval(f"{_USABLE}::interval AND script = $3", network, WAIT, script) is not None


async def addresses(tx: Transaction, network: str) -> list[ColdAddress]:
    """Every cold address of a network, usable or not."""
    return rows_of(
        ColdAddress, await tx.fetch("SELECT * FROM cold_addresses WHERE network = $1 ORDER BY added_at", network)
    )


async def ask(tx: Transaction, network: str, script: str, units: int, *, actor: str, reason: str) -> str:
    """Ask for coins to be moved; the request's id."""
    sweep_id = new_id("sw")
    await tx.execute(
        "INSERT INTO cold_sweeps (id, network, script, units, actor, reason) VALUES ($1, $2, $3, $4, $5, $6)",
        sweep_id,
        network,
        script,
        units,
        actor,
        reason,
    )
    return sweep_id


async def lock_asked(tx: Transaction, network: str) -> ColdSweep | None:
    """The oldest request that nothing has been signed for, locked; None when there is none that nobody else does."""
    record = await tx.fetchrow(
        """
        SELECT * FROM cold_sweeps WHERE network = $1 AND lineage_id IS NULL
        ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        network,
    )
    return None if record is None else row_of(ColdSweep, record)


async def signed(tx: Transaction, sweep_id: str, lineage_id: str) -> None:
    """A transaction of the lineage moves what was asked for."""
    await tx.execute("UPDATE cold_sweeps SET lineage_id = $2 WHERE id = $1", sweep_id, lineage_id)


async def is_moving(tx: Transaction, network: str, purpose: str) -> bool:
    """Whether a move of our own, of this purpose, is asked for or not yet final."""
    return bool(
        await tx.fetchval(
            """
            SELECT EXISTS (
                SELECT 1 FROM sends WHERE network = $1 AND purpose = $2 AND state IN ('prepared', 'broadcast')
            ) OR ($2 = 'sweep' AND EXISTS (SELECT 1 FROM cold_sweeps WHERE network = $1 AND lineage_id IS NULL))
            """,
            network,
            purpose,
        )
    )


async def pending(tx: Transaction, network: str) -> list[asyncpg.Record]:
    """What we signed and no block has: rows of (lineage_id, purpose, sends, attempts, fee, vsize, since)."""
    records: list[asyncpg.Record] = await tx.fetch(
        """
        SELECT lineage_id, min(purpose) AS purpose, count(DISTINCT sends.id) AS sends,
               count(DISTINCT signed.txid) AS attempts, max(signed.fee_units) AS fee, max(vsize) AS vsize,
               min(signed.created_at) AS since
        FROM sends JOIN chain_transactions AS signed USING (lineage_id)
        WHERE sends.network = $1 AND sends.state IN ('prepared', 'broadcast') AND NOT EXISTS (
            SELECT 1 FROM chain_transactions AS mined
            WHERE mined.lineage_id = sends.lineage_id AND mined.height IS NOT NULL
        )
        GROUP BY lineage_id ORDER BY since
        """,
        network,
    )
    return records
