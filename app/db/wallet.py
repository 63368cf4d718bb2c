"""The hot wallet: our addresses, the coins on them, the blocks we have followed, and what we have signed."""

from __future__ import annotations

from datetime import datetime

import asyncpg
from sqlalchemy import Column, LargeBinary
from sqlmodel import Field

from app.db.columns import moment, text, whole_units
from app.db.database import Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.ports.chain import Address, BlockId, Branch


class Block(Table, table=True):
    """A block of the chain as we last saw it."""

    __tablename__ = "blocks"

    network: str = Field(sa_column=text(primary_key=True))
    height: int = Field(primary_key=True)
    hash: str = Field(sa_column=text())


class WalletAddress(Table, table=True):
    """One of our own addresses. Coins that arrive on a `funding` address are the operator's."""

    __tablename__ = "wallet_addresses"

    network: str = Field(sa_column=text(primary_key=True))
    script: str = Field(sa_column=text(primary_key=True))
    address: str = Field(sa_column=text())
    branch: str = Field(sa_column=text())
    index: int
    purpose: str = Field(sa_column=text())
    created_at: datetime = Field(sa_column=moment(default_now=True))


class Coin(Table, table=True):
    """An output that is ours. `lineage_id` reserves it; heights are None until mined, and again after a reorg."""

    __tablename__ = "coins"

    network: str = Field(sa_column=text(primary_key=True))
    txid: str = Field(sa_column=text(primary_key=True))
    vout: int = Field(primary_key=True)
    script: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    height: int | None = None
    spent_txid: str | None = Field(default=None, sa_column=text(nullable=True))
    spent_height: int | None = None
    lineage_id: str | None = Field(default=None, sa_column=text(nullable=True))


class Send(Table, table=True):
    """Coins leaving our wallet for one recipient, once per order and purpose."""

    __tablename__ = "sends"

    id: str = Field(sa_column=text(primary_key=True))
    order_id: str = Field(sa_column=text())
    purpose: str = Field(sa_column=text())
    network: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    address: str = Field(sa_column=text())
    script: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    lineage_id: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    confirmations_needed: int
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class ChainTransactionRow(Table, table=True):
    """A transaction that we signed, with its bytes. Those of one lineage replace each other."""

    __tablename__ = "chain_transactions"

    txid: str = Field(sa_column=text(primary_key=True))
    network: str = Field(sa_column=text())
    lineage_id: str = Field(sa_column=text())
    raw: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    fee_units: int = Field(sa_column=whole_units())
    vsize: int
    height: int | None = None
    created_at: datetime = Field(sa_column=moment(default_now=True))
    broadcast_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


async def add_addresses(tx: Transaction, network: str, addresses: list[Address], purpose: str) -> None:
    """Watch our own addresses from now on; those that are watched already stay as they are."""
    await tx.executemany(
        """
        INSERT INTO wallet_addresses (network, script, address, branch, index, purpose)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
        """,
        [(network, a.script, a.text, a.branch.value, a.index, purpose) for a in addresses],
    )


async def addresses(tx: Transaction, network: str, purpose: str) -> list[Address]:
    """Our addresses for one purpose, in the order of their index."""
    records = await tx.fetch(
        """
        SELECT address, script, branch, index FROM wallet_addresses
        WHERE network = $1 AND purpose = $2 ORDER BY index
        """,
        network,
        purpose,
    )
    return [Address(r["address"], r["script"], Branch(r["branch"]), r["index"]) for r in records]


async def is_ours(tx: Transaction, network: str, script: str) -> bool:
    """Whether a script is one of our own addresses."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM wallet_addresses WHERE network = $1 AND script = $2)", network, script
        )
    )


async def known_blocks(tx: Transaction, network: str, limit: int) -> list[BlockId]:
    """The newest blocks that we know, oldest first."""
    records = await tx.fetch(
        "SELECT height, hash FROM blocks WHERE network = $1 ORDER BY height DESC LIMIT $2", network, limit
    )
    return [BlockId(record["height"], record["hash"]) for record in reversed(records)]


async def tip_height(tx: Transaction, network: str) -> int | None:
    """The height of the newest block that we know."""
    height: int | None = await tx.fetchval("SELECT max(height) FROM blocks WHERE network = $1", network)
    return height


_SPENDABLE = """
SELECT coins.txid, coins.vout, coins.units, wallet_addresses.branch, wallet_addresses.index
FROM coins JOIN wallet_addresses USING (network, script)
WHERE coins.network = $1 AND coins.lineage_id IS NULL AND coins.spent_height IS NULL AND coins.height IS NOT NULL
"""


async def smallest_sufficient(tx: Transaction, network: str, needed: int) -> asyncpg.Record | None:
    """Lock the smallest confirmed, unreserved coin of at least `needed` units that nobody else is taking."""
    return await tx.fetchrow(
        _SPENDABLE + " AND coins.units >= $2 ORDER BY coins.units LIMIT 1 FOR UPDATE OF coins SKIP LOCKED",
        network,
        needed,
    )


async def largest_first(tx: Transaction, network: str, limit: int) -> list[asyncpg.Record]:
    """Lock the largest confirmed, unreserved coins that nobody else is taking."""
    records: list[asyncpg.Record] = await tx.fetch(
        _SPENDABLE + " ORDER BY coins.units DESC LIMIT $2 FOR UPDATE OF coins SKIP LOCKED", network, limit
    )
    return records


async def store_send(
    tx: Transaction, send: Send, signed: ChainTransactionRow, outpoints: list[tuple[str, int]]
) -> None:
    """Reserve the coins, bind the send, and keep the bytes: all of it before anything leaves.

    The coins were locked by this transaction, and a second send of the same order and purpose violates a key.
    """
    await tx.execute(
        """
        WITH reserved AS (
            UPDATE coins SET lineage_id = $2, spent_txid = $13
            FROM unnest($11::text[], $12::integer[]) AS taken (txid, vout)
            WHERE coins.network = $4 AND coins.txid = taken.txid AND coins.vout = taken.vout
        ), signed AS (
            INSERT INTO chain_transactions (txid, network, lineage_id, raw, fee_units, vsize)
            VALUES ($13, $4, $2, $14, $15, $16)
        )
        INSERT INTO sends (id, lineage_id, order_id, network, purpose, asset, address, script, units,
                           confirmations_needed, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'prepared')
        """,
        send.id,
        send.lineage_id,
        send.order_id,
        send.network,
        send.purpose,
        send.asset,
        send.address,
        send.script,
        send.units,
        send.confirmations_needed,
        [txid for txid, _ in outpoints],
        [vout for _, vout in outpoints],
        signed.txid,
        signed.raw,
        signed.fee_units,
        signed.vsize,
    )


async def send_of(tx: Transaction, order_id: str, purpose: str) -> Send | None:
    """The one send of an order for a purpose."""
    record = await tx.fetchrow("SELECT * FROM sends WHERE order_id = $1 AND purpose = $2", order_id, purpose)
    return None if record is None else row_of(Send, record)


async def newest_transaction(tx: Transaction, lineage_id: str) -> ChainTransactionRow | None:
    """The mined transaction of a lineage, or else the one signed last."""
    found = rows_of(
        ChainTransactionRow,
        await tx.fetch(
            """
            SELECT * FROM chain_transactions WHERE lineage_id = $1
            ORDER BY height IS NULL, created_at DESC LIMIT 1
            """,
            lineage_id,
        ),
    )
    return found[0] if found else None


async def mark_broadcast(tx: Transaction, send_id: str, txid: str) -> None:
    """A node has taken the bytes."""
    await tx.execute(
        """
        WITH sent AS (
            UPDATE sends SET state = 'broadcast', updated_at = now() WHERE id = $1 AND state = 'prepared'
        )
        UPDATE chain_transactions SET broadcast_at = now() WHERE txid = $2
        """,
        send_id,
        txid,
    )


async def mark_confirmed(tx: Transaction, send_id: str) -> None:
    """The send is deep enough to be final."""
    await tx.execute("UPDATE sends SET state = 'confirmed', updated_at = now() WHERE id = $1", send_id)


async def final_sends(tx: Transaction, network: str) -> list[asyncpg.Record]:
    """Sends whose transaction is as deep in the chain as they need: rows of (order_id, send_id, txid)."""
    records: list[asyncpg.Record] = await tx.fetch(
        """
        SELECT sends.order_id, sends.id AS send_id, chain_transactions.txid
        FROM sends JOIN chain_transactions USING (lineage_id)
        WHERE sends.network = $1 AND sends.state IN ('prepared', 'broadcast')
          AND chain_transactions.height IS NOT NULL
          AND (SELECT max(height) FROM blocks WHERE network = $1) - chain_transactions.height + 1
              >= sends.confirmations_needed
        ORDER BY sends.id
        """,
        network,
    )
    return records


async def silent_sends(tx: Transaction, network: str, limit: int) -> list[asyncpg.Record]:
    """Sends that are in no block a while after their last broadcast: rows of (order_id, send_id)."""
    records: list[asyncpg.Record] = await tx.fetch(
        """
        SELECT sends.order_id, sends.id AS send_id
        FROM sends JOIN chain_transactions USING (lineage_id)
        WHERE sends.network = $1 AND sends.state <> 'abandoned' AND chain_transactions.height IS NULL
          AND coalesce(chain_transactions.broadcast_at, chain_transactions.created_at) < now() - interval '10 seconds'
        ORDER BY sends.id LIMIT $2
        """,
        network,
        limit,
    )
    return records


async def transaction(tx: Transaction, txid: str) -> ChainTransactionRow | None:
    """A transaction of ours, by its id."""
    found = rows_of(ChainTransactionRow, await tx.fetch("SELECT * FROM chain_transactions WHERE txid = $1", txid))
    return found[0] if found else None
