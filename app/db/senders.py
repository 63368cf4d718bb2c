"""Senders: our addresses that sign on account chains. The row of one is the lock that its nonces are taken under."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column
from sqlmodel import Field

from app.db.columns import text
from app.db.database import Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table


class CallSender(Table, table=True):
    """An address of ours that signs, and its next nonce. `stopped` says why it signs no more."""

    __tablename__ = "senders"

    network: str = Field(sa_column=text(primary_key=True))
    script: str = Field(sa_column=text(primary_key=True))
    next_nonce: int = Field(sa_column=Column(BigInteger(), nullable=False))
    stopped: str | None = Field(default=None, sa_column=text(nullable=True))


async def add_sender(tx: Transaction, network: str, script: str, next_nonce: int) -> None:
    """Let an address of ours sign from now on; one that does already goes on where it is."""
    await tx.execute(
        "INSERT INTO senders (network, script, next_nonce) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        network,
        script,
        next_nonce,
    )


async def lock_sender(tx: Transaction, network: str, script: str) -> CallSender | None:
    """An address that signs, locked: whoever holds it takes the next nonce."""
    record = await tx.fetchrow("SELECT * FROM senders WHERE network = $1 AND script = $2 FOR UPDATE", network, script)
    return None if record is None else row_of(CallSender, record)


async def senders(tx: Transaction, network: str) -> list[CallSender]:
    """Every address that has signed on a network."""
    return rows_of(CallSender, await tx.fetch("SELECT * FROM senders WHERE network = $1 ORDER BY script", network))


async def stop_sender(tx: Transaction, network: str, script: str, why: str) -> None:
    """Let an address sign no more, nor ever begin to if it has not yet."""
    await tx.execute(
        """
        INSERT INTO senders AS known (network, script, next_nonce, stopped) VALUES ($1, $2, 0, $3)
        ON CONFLICT (network, script) DO UPDATE SET stopped = coalesce(known.stopped, $3)
        """,
        network,
        script,
        why,
    )


async def start_sender(tx: Transaction, network: str, script: str, next_nonce: int) -> None:
    """Let an address sign again, from this nonce on: what a person says who has found out why it was stopped."""
    await tx.execute(
        "UPDATE senders SET stopped = NULL, next_nonce = greatest(next_nonce, $3) WHERE network = $1 AND script = $2",
        network,
        script,
        next_nonce,
    )


async def missing_nonces(tx: Transaction, network: str, script: str, first: int, before: int) -> list[int]:
    """The nonces from `first` on, below `before`, that no call of ours uses."""
    records = await tx.fetch(
        """
        SELECT nonce FROM generate_series($3::bigint, $4::bigint - 1) AS wanted (nonce) WHERE NOT EXISTS (
            SELECT 1 FROM calls WHERE network = $1 AND sender = $2 AND calls.nonce = wanted.nonce
        ) ORDER BY nonce
        """,
        network,
        script,
        first,
        before,
    )
    return [record["nonce"] for record in records]


async def index_of(tx: Transaction, network: str, script: str) -> int:
    """The place of a deposit address of ours on its branch."""
    return int(
        await tx.fetchval(
            "SELECT index FROM wallet_addresses WHERE network = $1 AND script = $2 AND purpose = 'deposit'",
            network,
            script,
        )
    )
