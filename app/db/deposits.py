"""Deposits: coins seen at an address that we gave out. One row for each output, whoever sees it and however often."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from app.db.columns import Document, counter, document, json_text, moment, text, whole_units
from app.db.database import Database, Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.deposit import DepositState


class Deposit(Table, table=True):
    """Coins of one output. `height` is None while it is in no block.

    `credits` counts how often it was booked. Of what was booked last, `kept_units` went to the order or the balance;
    `lost_units` is what a reorganisation has cost us since and nothing has made good.
    """

    __tablename__ = "deposits"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    deposit_address_id: str = Field(sa_column=text())
    order_id: str | None = Field(default=None, sa_column=text(nullable=True))
    network: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    txid: str = Field(sa_column=text())
    vout: int
    units: int = Field(sa_column=whole_units())
    confirmations_needed: int
    state: str = Field(sa_column=text())
    sequence: int = Field(sa_column=counter())
    height: int | None = None
    block_hash: str | None = Field(default=None, sa_column=text(nullable=True))
    credits: int = 0
    kept_units: int = Field(default=0, sa_column=whole_units())
    lost_units: int = Field(default=0, sa_column=whole_units())
    hold: Document | None = Field(default=None, sa_column=document(nullable=True))
    suspect: str | None = Field(default=None, sa_column=text(nullable=True))
    request_id: str | None = Field(default=None, sa_column=text(nullable=True))
    livemode: bool
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))

    @property
    def deposit_state(self) -> DepositState:
        """The state as the domain's own value."""
        return DepositState(self.state)


async def insert(tx: Transaction, deposit: Deposit) -> None:
    """Write a deposit that was just seen first."""
    await tx.execute(
        """
        INSERT INTO deposits (id, partner_id, deposit_address_id, order_id, network, asset, txid, vout, units,
                              confirmations_needed, state, sequence, height, block_hash, livemode, created_at,
                              suspect, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $16)
        """,
        deposit.id,
        deposit.partner_id,
        deposit.deposit_address_id,
        deposit.order_id,
        deposit.network,
        deposit.asset,
        deposit.txid,
        deposit.vout,
        deposit.units,
        deposit.confirmations_needed,
        deposit.state,
        deposit.sequence,
        deposit.height,
        deposit.block_hash,
        deposit.livemode,
        deposit.created_at,
        deposit.suspect,
    )


async def store(tx: Transaction, deposit: Deposit) -> None:
    """Write the changed columns of a locked deposit."""
    deposit.updated_at = await tx.fetchval(
        """
        UPDATE deposits SET state = $2, sequence = $3, height = $4, block_hash = $5, credits = $6, kept_units = $7,
            lost_units = $8, hold = $9::jsonb, order_id = $10, suspect = $11, updated_at = now()
        WHERE id = $1 RETURNING updated_at
        """,
        deposit.id,
        deposit.state,
        deposit.sequence,
        deposit.height,
        deposit.block_hash,
        deposit.credits,
        deposit.kept_units,
        deposit.lost_units,
        None if deposit.hold is None else json_text(deposit.hold),
        deposit.order_id,
        deposit.suspect,
    )


async def lock(tx: Transaction, deposit_id: str) -> Deposit | None:
    """The deposit, locked until the transaction ends."""
    record = await tx.fetchrow("SELECT * FROM deposits WHERE id = $1 FOR UPDATE", deposit_id)
    return None if record is None else row_of(Deposit, record)


async def peek(tx: Transaction, deposit_id: str) -> Deposit | None:
    """The deposit, not locked."""
    record = await tx.fetchrow("SELECT * FROM deposits WHERE id = $1", deposit_id)
    return None if record is None else row_of(Deposit, record)


async def lock_output(tx: Transaction, network: str, txid: str, vout: int) -> Deposit | None:
    """The deposit of an output, locked until the transaction ends."""
    record = await tx.fetchrow(
        "SELECT * FROM deposits WHERE network = $1 AND txid = $2 AND vout = $3 FOR UPDATE", network, txid, vout
    )
    return None if record is None else row_of(Deposit, record)


async def lock_above(tx: Transaction, network: str, height: int) -> list[Deposit]:
    """The deposits in blocks above a height, locked, oldest first."""
    return rows_of(
        Deposit,
        await tx.fetch(
            "SELECT * FROM deposits WHERE network = $1 AND height > $2 ORDER BY id FOR UPDATE", network, height
        ),
    )


async def lock_unmined(tx: Transaction, network: str) -> list[Deposit]:
    """The deposits that wait for a block, and those of the last weeks that were lost and may come back; locked."""
    return rows_of(
        Deposit,
        await tx.fetch(
            """
            SELECT * FROM deposits WHERE network = $1 AND height IS NULL
              AND (state = 'detected' OR state = 'orphaned' AND updated_at > now() - interval '30 days')
            ORDER BY id FOR UPDATE
            """,
            network,
        ),
    )


_DEEP = "is_deep(deposits.network, deposits.height, confirmations_needed)"


async def due_to_count(tx: Transaction, network: str) -> list[str]:
    """Deposits that are as deep in the chain as they need and have not been booked, oldest first."""
    records = await tx.fetch(
        f"""
        SELECT id FROM deposits WHERE network = $1 AND state IN ('detected', 'confirmed') AND {_DEEP}
        ORDER BY id
        """,  # noqa: S608 - a constant of ours
        network,
    )
    return [record["id"] for record in records]


async def is_deep(tx: Transaction, deposit_id: str) -> bool:
    """Whether a deposit is as deep in the chain as it needs, by the blocks that we know."""
    return bool(
        await tx.fetchval(
            f"SELECT {_DEEP} FROM deposits WHERE id = $1",  # noqa: S608 - a constant of ours
            deposit_id,
        )
    )


async def is_pending(tx: Transaction, order_id: str, *, but: str = "") -> bool:
    """Whether coins for the order are on their way, seen and not booked, beside those of the deposit `but`."""
    return bool(
        await tx.fetchval(
            """
            SELECT EXISTS (
                SELECT 1 FROM deposits WHERE order_id = $1 AND state IN ('detected', 'confirmed') AND id <> $2
            )
            """,
            order_id,
            but,
        )
    )


async def lost_of_order(tx: Transaction, order_id: str) -> int:
    """What reorganisations have cost us on an order and nothing has made good."""
    return int(await tx.fetchval("SELECT coalesce(sum(lost_units), 0) FROM deposits WHERE order_id = $1", order_id))


async def lost_of(tx: Transaction, deposit_id: str) -> int:
    """What a reorganisation has cost us on one deposit and nothing has made good."""
    return int(await tx.fetchval("SELECT lost_units FROM deposits WHERE id = $1", deposit_id))


async def make_good(tx: Transaction, order_id: str, units: int) -> None:
    """Take `units` off what was lost on an order's deposits, oldest first; its row is locked."""
    await tx.execute(
        """
        UPDATE deposits SET lost_units = lost_units - covered.units
        FROM (
            SELECT id, least(lost_units, greatest(0, $2 - (sum(lost_units) OVER (ORDER BY id) - lost_units))) AS units
            FROM deposits WHERE order_id = $1 AND lost_units > 0
        ) AS covered
        WHERE deposits.id = covered.id
        """,
        order_id,
        units,
    )


async def settle_coin(tx: Transaction, deposit: Deposit, *, settled: bool) -> None:
    """Let the wallet spend a deposit's coin from now on, or no longer."""
    await tx.execute(
        "UPDATE coins SET settled = $4 WHERE network = $1 AND txid = $2 AND vout = $3",
        deposit.network,
        deposit.txid,
        deposit.vout,
        settled,
    )


async def held(db: Database) -> list[Deposit]:
    """Every deposit that waits for a person, oldest first."""
    async with db.connection() as connection:
        return rows_of(Deposit, await connection.fetch("SELECT * FROM deposits WHERE state = 'held' ORDER BY id"))


async def lately_standing(tx: Transaction, deposit: Deposit, final: int) -> tuple[int, int]:
    """What came to the partner's standing addresses in blocks that are not `final` deep, and this deposit's own depth.

    In units and in blocks.
    """
    record = await tx.fetchrow(
        """
        SELECT tip.height - $3 + 1 AS depth, coalesce((
            SELECT sum(units) FROM deposits
            WHERE partner_id = $1 AND network = $2 AND order_id IS NULL AND height > tip.height - $4
        ), 0) AS units
        FROM (SELECT max(height) AS height FROM blocks WHERE network = $2) AS tip
        """,
        deposit.partner_id,
        deposit.network,
        deposit.height,
        final,
    )
    assert record is not None  # noqa: S101 - one row, always
    return int(record["units"]), int(record["depth"])


async def completing(tx: Transaction, deposit: Deposit) -> tuple[int, int] | None:
    """What an order agreed on, and how deep the newest of its coins are, when this deposit completes what it waits for.

    In units and in blocks. None when it completes nothing.
    """
    record = await tx.fetchrow(
        """
        SELECT source_units, (SELECT max(height) FROM blocks WHERE network = $2) - max(coming.height) + 1 AS depth
        FROM orders JOIN deposits AS coming ON coming.order_id = orders.id
        WHERE orders.id = $1 AND orders.state IN ('awaiting_deposit', 'deposit_detected')
          AND (coming.state = 'credited' OR coming.id = $3)
        GROUP BY orders.id, source_units HAVING sum(coming.units) >= source_units
        """,
        deposit.order_id,
        deposit.network,
        deposit.id,
    )
    return None if record is None else (int(record["source_units"]), int(record["depth"]))
