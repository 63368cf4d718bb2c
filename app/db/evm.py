"""Following a chain with accounts: its finality, our calls in its blocks, and what others paid to our addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from sqlmodel import Field

from app.db.chain import Paid
from app.db.columns import text, whole_units
from app.db.database import Transaction
from app.db.rows import rows_of
from app.db.table import Table
from app.domain.assets import native_asset
from app.ports.account_chain import AccountBlock, CallReceipt
from app.ports.chain import Address, Branch


class Arrived(Table, table=True):
    """Coins that others paid to an address of ours, in a block that we know."""

    __tablename__ = "arrivals"

    network: str = Field(sa_column=text(primary_key=True))
    txid: str = Field(sa_column=text(primary_key=True))
    place: int = Field(primary_key=True)
    script: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    height: int
    block_hash: str = Field(sa_column=text())


async def connect(tx: Transaction, network: str, block: AccountBlock) -> list[Arrived]:
    """Take a block in: calls of ours in it are mined. What others paid to the hot wallet itself is returned."""
    height = block.id.height
    await tx.execute("INSERT INTO blocks (network, height, hash) VALUES ($1, $2, $3)", network, height, block.id.hash)
    await tx.execute(
        """
        UPDATE call_attempts SET height = $2, ok = mined.ok, fee_units = mined.fee
        FROM unnest($3::text[], $4::boolean[], $5::numeric[]) AS mined (txid, ok, fee)
        WHERE call_attempts.network = $1 AND call_attempts.txid = mined.txid
        """,
        network,
        height,
        [call.txid for call in block.transactions],
        [call.ok for call in block.transactions],
        [call.fee for call in block.transactions],
    )
    outputs = _outputs(network, block.transactions)
    return rows_of(
        Arrived,
        await tx.fetch(
            """
            WITH arrived AS (
                INSERT INTO arrivals (network, txid, place, script, asset, units, height, block_hash)
                SELECT $1, output.txid, output.place, output.script, output.asset, output.units, $2, $8
                FROM unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::numeric[])
                    AS output (txid, place, script, asset, units)
                JOIN wallet_addresses AS ours ON ours.network = $1 AND ours.script = output.script
                WHERE output.units > 0
                  AND NOT EXISTS (SELECT 1 FROM call_attempts WHERE call_attempts.txid = output.txid)
                RETURNING *
            )
            SELECT arrived.* FROM arrived JOIN wallet_addresses USING (network, script) WHERE purpose <> 'deposit'
            """,
            network,
            height,
            *outputs,
            block.id.hash,
        ),
    )


def _outputs(
    network: str, transactions: Sequence[CallReceipt]
) -> tuple[list[str], list[int], list[str], list[str], list[int]]:
    """Every transfer of the transactions that were not reverted, as columns: txid, place, script, asset, units."""
    native = native_asset(network)
    found = [
        (call.txid, output.vout, output.script, (output.asset or native).id, output.amount)
        for call in transactions
        if call.ok
        for output in call.outputs
    ]
    return (
        [row[0] for row in found],
        [row[1] for row in found],
        [row[2] for row in found],
        [row[3] for row in found],
        [row[4] for row in found],
    )


async def disconnect_above(tx: Transaction, network: str, height: int) -> list[Arrived]:
    """Forget every block above `height`: our calls in them are unmined again. What had arrived in them."""
    for statement in (
        """
        UPDATE call_attempts SET height = NULL, ok = NULL, fee_units = NULL WHERE network = $1 AND height > $2
        """,
        "DELETE FROM blocks WHERE network = $1 AND height > $2",
    ):
        await tx.execute(statement, network, height)
    return rows_of(
        Arrived,
        await tx.fetch(
            """
            WITH gone AS (DELETE FROM arrivals WHERE network = $1 AND height > $2 RETURNING *)
            SELECT gone.* FROM gone JOIN wallet_addresses USING (network, script) WHERE purpose <> 'deposit'
            """,
            network,
            height,
        ),
    )


async def foreign_calls(tx: Transaction, network: str, block: AccountBlock) -> list[tuple[str, str, int]]:
    """Transactions of our own senders that we never signed, as (txid, sender, nonce): the key is used elsewhere."""
    records = await tx.fetch(
        """
        SELECT mined.txid, mined.sender, mined.nonce
        FROM unnest($2::text[], $3::text[], $4::bigint[]) AS mined (txid, sender, nonce)
        JOIN wallet_addresses AS ours ON ours.network = $1 AND ours.script = mined.sender
        WHERE NOT EXISTS (SELECT 1 FROM call_attempts WHERE call_attempts.txid = mined.txid)
        """,
        network,
        [call.txid for call in block.transactions],
        [call.sender for call in block.transactions],
        [call.nonce for call in block.transactions],
    )
    return [(record["txid"], record["sender"], record["nonce"]) for record in records]


@dataclass(frozen=True, slots=True)
class PaidHere:
    """A transfer to a deposit address, and whether it is the asset and the network that it was given out for.

    `mismatch` says that the address does not hold as much more as its transfers say.
    """

    paid: Paid
    script: str
    expected: bool
    mismatch: bool = False


async def paid_deposits(tx: Transaction, network: str, transactions: Sequence[CallReceipt]) -> list[PaidHere]:
    """The transfers, by others than ourselves, that pay deposit addresses: those of this network, or of one beside it.

    One key makes the same address everywhere, so that coins can come to it on the wrong network.
    """
    records = await tx.fetch(
        """
        SELECT output.txid, output.place, output.units, output.script, output.asset, given.id, partner_id, order_id,
               given.network = $1 AND given.asset = output.asset AS expected
        FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::numeric[])
            WITH ORDINALITY AS output (txid, place, script, asset, units, number)
        JOIN wallet_addresses AS ours ON ours.network = $1 AND ours.script = output.script AND purpose = 'deposit'
        JOIN LATERAL (
            SELECT id, partner_id, order_id, network, asset FROM deposit_addresses
            WHERE deposit_addresses.script = output.script ORDER BY deposit_addresses.network <> $1, id LIMIT 1
        ) AS given ON true
        WHERE output.units > 0 AND NOT EXISTS (SELECT 1 FROM call_attempts WHERE call_attempts.txid = output.txid)
        ORDER BY number
        """,
        network,
        *_outputs(network, transactions),
    )
    return [_paid_here(record) for record in records]


def _paid_here(record: asyncpg.Record) -> PaidHere:
    expected = bool(record["expected"])
    paid = Paid(
        txid=record["txid"],
        vout=record["place"],
        units=int(record["units"]),
        deposit_address_id=record["id"],
        partner_id=record["partner_id"],
        order_id=record["order_id"] if expected else None,
        asset=record["asset"],
    )
    return PaidHere(paid, record["script"], expected)


async def unswept(tx: Transaction, network: str) -> list[tuple[Address, str, int]]:
    """What lies on deposit addresses and has counted: addresses, assets and units, the most first.

    What was swept, or is being swept, is taken off; so is the gas that a sweep of the network's own coin has used. A
    sweep that was reverted has cost gas for nothing: for a day that asset is left where it is.
    """
    records = await tx.fetch(
        """
        SELECT script, address, asset, index, sum(units) AS units FROM (
            SELECT deposit_addresses.script, deposits.asset, deposits.units FROM deposits
            JOIN deposit_addresses ON deposit_addresses.id = deposit_address_id
            WHERE deposits.network = $1 AND state IN ('credited', 'held')
            UNION ALL
            SELECT about, asset, -units FROM calls
            WHERE network = $1 AND purpose = 'collect' AND state IN ('open', 'done')
            UNION ALL
            SELECT about, asset, -gas_limit * (SELECT max(max_fee) FROM call_attempts WHERE call_id = calls.id)
            FROM calls WHERE network = $1 AND purpose = 'collect' AND asset = $2 AND state IN ('open', 'done')
        ) AS moved (script, asset, units)
        JOIN wallet_addresses USING (script) WHERE wallet_addresses.network = $1 AND purpose = 'deposit'
          AND NOT EXISTS (SELECT 1 FROM calls WHERE network = $1 AND about = script AND calls.asset = moved.asset
                          AND state = 'reverted' AND calls.updated_at > now() - interval '1 day')
        GROUP BY script, address, asset, index HAVING sum(units) > 0 ORDER BY sum(units) DESC, script
        """,
        network,
        native_asset(network).id,
    )
    return [
        (
            Address(record["address"], record["script"], Branch.RECEIVE, record["index"]),
            record["asset"],
            int(record["units"]),
        )
        for record in records
    ]
