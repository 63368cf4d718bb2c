"""Following a chain: what a block brings to our coins and transactions, and what a reorganisation takes back."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta

from app.db.database import Transaction
from app.ports.chain import ChainBlock, ChainTransaction

# Followers of one network take turns: `pg_advisory_xact_lock(_FOLLOWER_LOCK, hashtext(network))`.
_FOLLOWER_LOCK = 7_240_002


@dataclass(frozen=True, slots=True)
class Arrival:
    """Coins of one transaction, on addresses of ours that nobody pays deposits to, that we did not send ourselves."""

    txid: str
    purpose: str
    units: int
    block_hash: str


async def take_turn(tx: Transaction, network: str) -> None:
    """Wait until no other follower of the network is writing."""
    await tx.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _FOLLOWER_LOCK, network)


async def tip_hash(tx: Transaction, network: str) -> str | None:
    """The hash of the newest block that we know."""
    found: str | None = await tx.fetchval(
        "SELECT hash FROM blocks WHERE network = $1 ORDER BY height DESC LIMIT 1", network
    )
    return found


async def head_age(tx: Transaction, network: str) -> timedelta | None:
    """How old the newest block is by its own time; None when it has none, or there is no block."""
    age: timedelta | None = await tx.fetchval(
        "SELECT now() - mined_at FROM blocks WHERE network = $1 ORDER BY height DESC LIMIT 1", network
    )
    return age


_ARRIVALS = """
SELECT coins.txid, wallet_addresses.purpose, sum(coins.units) AS units, blocks.hash AS block_hash
FROM coins
JOIN wallet_addresses USING (network, script)
JOIN blocks ON blocks.network = coins.network AND blocks.height = coins.height
WHERE coins.network = $1 AND coins.height {compare} $2 AND wallet_addresses.purpose <> 'deposit'
  AND NOT EXISTS (SELECT 1 FROM chain_transactions WHERE chain_transactions.txid = coins.txid)
GROUP BY coins.txid, wallet_addresses.purpose, blocks.hash
ORDER BY coins.txid
"""
_ARRIVALS_AT = _ARRIVALS.format(compare="=")
_ARRIVALS_ABOVE = _ARRIVALS.format(compare=">")


async def _arrivals(tx: Transaction, query: str, network: str, height: int) -> list[Arrival]:
    return [
        Arrival(record["txid"], record["purpose"], int(record["units"]), record["block_hash"])
        for record in await tx.fetch(query, network, height)
    ]


async def disconnect_above(tx: Transaction, network: str, height: int) -> list[Arrival]:
    """Forget every block above `height`: their coins and transactions are unmined again. What had arrived in them."""
    undone = await _arrivals(tx, _ARRIVALS_ABOVE, network, height)
    for statement in (
        "UPDATE coins SET height = NULL WHERE network = $1 AND height > $2",
        "UPDATE coins SET spent_height = NULL WHERE network = $1 AND spent_height > $2",
        "UPDATE chain_transactions SET height = NULL WHERE network = $1 AND height > $2",
        "DELETE FROM blocks WHERE network = $1 AND height > $2",
    ):
        await tx.execute(statement, network, height)
    return undone


async def connect(tx: Transaction, network: str, block: ChainBlock, scripts: Set[str]) -> list[Arrival]:
    """Take a block in: outputs to us become coins, coins of ours are spent. What arrived from others is returned.

    `scripts` are all of ours that the block pays, and may be more: of thousands of outputs only these are looked at.
    Coins on deposit addresses are neither returned nor ours to spend: they count once their deposits do.
    """
    height = block.id.height
    await tx.execute(
        "INSERT INTO blocks (network, height, hash, mined_at) VALUES ($1, $2, $3, to_timestamp($4))",
        network,
        height,
        block.id.hash,
        block.time,
    )
    outputs = [
        (t.txid, o.vout, o.script, o.amount) for t in block.transactions for o in t.outputs if o.script in scripts
    ]
    if outputs:
        await _add_coins(tx, network, height, outputs)
    spends = [(txid, vout, t.txid) for t in block.transactions for txid, vout in t.spends]
    await tx.execute(
        """
        UPDATE coins SET spent_height = $2, spent_txid = spend.spent_by
        FROM unnest($3::text[], $4::integer[], $5::text[]) AS spend (txid, vout, spent_by)
        WHERE coins.network = $1 AND coins.txid = spend.txid AND coins.vout = spend.vout
        """,
        network,
        height,
        [spend[0] for spend in spends],
        [spend[1] for spend in spends],
        [spend[2] for spend in spends],
    )
    await tx.execute(
        "UPDATE chain_transactions SET height = $2 WHERE network = $1 AND txid = ANY($3)",
        network,
        height,
        [t.txid for t in block.transactions],
    )
    return await _arrivals(tx, _ARRIVALS_AT, network, height) if outputs else []


async def _add_coins(tx: Transaction, network: str, height: int, outputs: Sequence[tuple[str, int, str, int]]) -> None:
    """Outputs (txid, vout, script, units) to addresses of ours in a block become coins."""
    await tx.execute(
        """
        INSERT INTO coins (network, txid, vout, script, units, height, settled)
        SELECT $1, output.txid, output.vout, output.script, output.units, $2, purpose <> 'deposit'
        FROM unnest($3::text[], $4::integer[], $5::text[], $6::numeric[]) AS output (txid, vout, script, units)
        JOIN wallet_addresses ON wallet_addresses.network = $1 AND wallet_addresses.script = output.script
        ON CONFLICT (network, txid, vout) DO UPDATE SET height = excluded.height
        """,
        network,
        height,
        [output[0] for output in outputs],
        [output[1] for output in outputs],
        [output[2] for output in outputs],
        [output[3] for output in outputs],
    )


async def paying_deposits(tx: Transaction, network: str, height: int) -> set[str]:
    """The transactions of a block, which was taken in, that pay deposit addresses."""
    records = await tx.fetch(
        """
        SELECT DISTINCT txid FROM coins JOIN deposit_addresses USING (network, script)
        WHERE coins.network = $1 AND coins.height = $2
        """,
        network,
        height,
    )
    return {record["txid"] for record in records}


@dataclass(frozen=True, slots=True)
class Paid:
    """An output that pays a deposit address, and what is known of that address."""

    txid: str
    vout: int
    units: int
    deposit_address_id: str
    partner_id: str
    order_id: str | None
    asset: str


async def paid_deposits(tx: Transaction, network: str, transactions: Sequence[ChainTransaction]) -> list[Paid]:
    """The outputs of some transactions that pay deposit addresses, in their order."""
    outputs = [(t.txid, o.vout, o.script, o.amount) for t in transactions for o in t.outputs]
    records = await tx.fetch(
        """
        SELECT output.txid, output.vout, output.units, deposit_addresses.id AS deposit_address_id, partner_id,
               order_id, asset
        FROM unnest($2::text[], $3::integer[], $4::text[], $5::numeric[])
            WITH ORDINALITY AS output (txid, vout, script, units, place)
        JOIN deposit_addresses ON deposit_addresses.network = $1 AND deposit_addresses.script = output.script
        ORDER BY place
        """,
        network,
        [output[0] for output in outputs],
        [output[1] for output in outputs],
        [output[2] for output in outputs],
        [output[3] for output in outputs],
    )
    return [Paid(**{**dict(record), "units": int(record["units"])}) for record in records]


async def foreign_spends(tx: Transaction, network: str, height: int) -> list[str]:
    """Coins of ours that a transaction in this block spent although we never signed it: the key is used elsewhere."""
    records = await tx.fetch(
        """
        SELECT txid || ':' || vout AS outpoint FROM coins
        WHERE network = $1 AND spent_height = $2
          AND NOT EXISTS (SELECT 1 FROM chain_transactions WHERE chain_transactions.txid = coins.spent_txid)
        """,
        network,
        height,
    )
    return [record["outpoint"] for record in records]


async def was_funded(tx: Transaction, network: str) -> bool:
    """Whether the operator's coins have ever arrived on a funding address."""
    return bool(
        await tx.fetchval(
            """
            SELECT EXISTS (
                SELECT 1 FROM coins JOIN wallet_addresses USING (network, script)
                WHERE network = $1 AND purpose = 'funding'
            )
            """,
            network,
        )
    )


async def awaits_depth(tx: Transaction, network: str) -> bool:
    """Whether a send is out, or a deposit seen, and not yet as deep in the chain as it needs."""
    return bool(
        await tx.fetchval(
            """
            SELECT EXISTS (SELECT 1 FROM sends WHERE network = $1 AND state = 'broadcast')
                OR EXISTS (SELECT 1 FROM deposits WHERE network = $1 AND state = 'detected')
            """,
            network,
        )
    )


async def ours(tx: Transaction, network: str, scripts: Collection[str]) -> set[str]:
    """Those of the scripts that are our own addresses; asked once for many scripts, each costs least."""
    records = await tx.fetch(
        "SELECT script FROM wallet_addresses WHERE network = $1 AND script = ANY($2)", network, list(scripts)
    )
    return {record["script"] for record in records}
