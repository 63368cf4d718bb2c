"""The hot wallet: our addresses, the coins on them, the blocks we have followed, and what we have signed."""

from __future__ import annotations

from collections.abc import Sequence
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
    mined_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


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
    settled: bool = True  # a deposit's coin is not ours to spend before it has counted
    attempt: int | None = None  # from which attempt of the lineage on it is spent


class Send(Table, table=True):
    """Coins leaving our wallet for one recipient. `fee_units` is its share of what the transaction pays.

    An order's delivery, a payout, or our own: a `sweep` to cold storage. One that pays nobody, of no units, gathers
    coins (`consolidate`) or raises the fee of a transaction that it stands upon (`child`).
    """

    __tablename__ = "sends"

    id: str = Field(sa_column=text(primary_key=True))
    order_id: str | None = Field(default=None, sa_column=text(nullable=True))
    payout_id: str | None = Field(default=None, sa_column=text(nullable=True, unique=True))
    purpose: str = Field(sa_column=text())
    network: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    address: str = Field(sa_column=text())
    script: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    fee_units: int = Field(default=0, sa_column=whole_units())
    lineage_id: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    confirmations_needed: int
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class ChainTransactionRow(Table, table=True):
    """A transaction that we signed, with its bytes. Those of one lineage replace each other: its attempts, from 1."""

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
    attempt: int = 1
    signed_height: int | None = None  # our tip when it was signed
    replaced_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


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


async def store_sends(
    tx: Transaction, sends: Sequence[Send], signed: ChainTransactionRow, outpoints: Sequence[tuple[str, int]]
) -> None:
    """Reserve the coins, bind the sends of one lineage, and keep the bytes: all of it before anything leaves.

    The coins were locked by this transaction; a second send of an order, or of a payout, violates a key.
    """
    await tx.execute(
        """
        WITH reserved AS (
            UPDATE coins SET lineage_id = $2, spent_txid = $3, attempt = 1
            FROM unnest($4::text[], $5::integer[]) AS taken (txid, vout)
            WHERE coins.network = $1 AND coins.txid = taken.txid AND coins.vout = taken.vout
        ), signed AS (
            INSERT INTO chain_transactions (txid, network, lineage_id, raw, fee_units, vsize, signed_height)
            VALUES ($3, $1, $2, $6, $7, $8, (SELECT max(height) FROM blocks WHERE network = $1))
        )
        INSERT INTO sends (id, lineage_id, order_id, payout_id, network, purpose, asset, address, script, units,
                           fee_units, confirmations_needed, state)
        SELECT id, $2, order_id, payout_id, $1, purpose, asset, address, script, units, fee_units, needed, 'prepared'
        FROM unnest($9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                    $16::numeric[], $17::numeric[], $18::integer[])
            AS made (id, order_id, payout_id, purpose, asset, address, script, units, fee_units, needed)
        """,
        signed.network,
        signed.lineage_id,
        signed.txid,
        [txid for txid, _ in outpoints],
        [vout for _, vout in outpoints],
        signed.raw,
        signed.fee_units,
        signed.vsize,
        [send.id for send in sends],
        [send.order_id for send in sends],
        [send.payout_id for send in sends],
        [send.purpose for send in sends],
        [send.asset for send in sends],
        [send.address for send in sends],
        [send.script for send in sends],
        [send.units for send in sends],
        [send.fee_units for send in sends],
        [send.confirmations_needed for send in sends],
    )


async def send_of(tx: Transaction, order_id: str) -> Send | None:
    """The one send that delivers an order."""
    record = await tx.fetchrow("SELECT * FROM sends WHERE order_id = $1", order_id)
    return None if record is None else row_of(Send, record)


async def newest_transaction(tx: Transaction, lineage_id: str) -> ChainTransactionRow | None:
    """The mined transaction of a lineage, or else the one signed last."""
    found = rows_of(
        ChainTransactionRow,
        await tx.fetch(
            """
            SELECT * FROM chain_transactions WHERE lineage_id = $1
            ORDER BY height IS NULL, attempt DESC LIMIT 1
            """,
            lineage_id,
        ),
    )
    return found[0] if found else None


async def mark_broadcast(tx: Transaction, lineage_id: str, txid: str) -> None:
    """A node has taken the bytes."""
    await tx.execute(
        """
        WITH sent AS (
            UPDATE sends SET state = 'broadcast', updated_at = now() WHERE lineage_id = $1 AND state = 'prepared'
        )
        UPDATE chain_transactions SET broadcast_at = now() WHERE txid = $2
        """,
        lineage_id,
        txid,
    )


async def mark_confirmed(tx: Transaction, lineage_id: str) -> None:
    """The sends of a lineage are deep enough to be final."""
    await tx.execute("UPDATE sends SET state = 'confirmed', updated_at = now() WHERE lineage_id = $1", lineage_id)


async def final_lineages(tx: Transaction, network: str) -> list[asyncpg.Record]:
    """Lineages of which a transaction is as deep in the chain as its sends need: rows of
    (lineage_id, txid, order_id, purpose). `order_id` is null for all but orders.
    """
    records: list[asyncpg.Record] = await tx.fetch(
        """
        SELECT sends.lineage_id, chain_transactions.txid, min(sends.order_id) AS order_id,
               min(sends.purpose) AS purpose
        FROM sends JOIN chain_transactions USING (lineage_id)
        WHERE sends.network = $1 AND sends.state IN ('prepared', 'broadcast')
          AND chain_transactions.height IS NOT NULL
        GROUP BY sends.lineage_id, chain_transactions.txid, chain_transactions.height
        HAVING (SELECT max(height) FROM blocks WHERE network = $1) - chain_transactions.height + 1
            >= max(sends.confirmations_needed)
        ORDER BY sends.lineage_id
        """,
        network,
    )
    return records


async def silent_lineages(tx: Transaction, network: str, limit: int) -> list[asyncpg.Record]:
    """Lineages that are in no block a while after their last broadcast: rows of (lineage_id, order_id, purpose)."""
    records: list[asyncpg.Record] = await tx.fetch(
        """
        SELECT sends.lineage_id, min(sends.order_id) AS order_id, min(sends.purpose) AS purpose
        FROM chain_transactions AS signed JOIN sends USING (lineage_id)
        WHERE signed.network = $1 AND signed.height IS NULL AND sends.state <> 'abandoned'
          AND NOT EXISTS (
              SELECT 1 FROM chain_transactions AS newer
              WHERE newer.lineage_id = signed.lineage_id AND newer.attempt > signed.attempt
          )
          AND coalesce(signed.broadcast_at, signed.created_at) < now() - interval '10 seconds'
          AND NOT EXISTS (
              SELECT 1 FROM chain_transactions AS mined
              WHERE mined.lineage_id = signed.lineage_id AND mined.height IS NOT NULL
          )
        GROUP BY sends.lineage_id ORDER BY sends.lineage_id LIMIT $2
        """,
        network,
        limit,
    )
    return records


async def transaction(tx: Transaction, txid: str) -> ChainTransactionRow | None:
    """A transaction of ours, by its id."""
    found = rows_of(ChainTransactionRow, await tx.fetch("SELECT * FROM chain_transactions WHERE txid = $1", txid))
    return found[0] if found else None
