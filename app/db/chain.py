"""Following a chain: what a block brings to our coins and transactions, and what a reorganisation takes back."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.database import Transaction
from app.ports.chain import ChainBlock

# Followers of one network take turns: `pg_advisory_xact_lock(_FOLLOWER_LOCK, hashtext(network))`.
_FOLLOWER_LOCK = 7_240_002


@dataclass(frozen=True, slots=True)
class Arrival:
    """Coins of one transaction, on addresses of ours, that we did not send to ourselves."""

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


_ARRIVALS = """
SELECT coins.txid, wallet_addresses.purpose, sum(coins.units) AS units, blocks.hash AS block_hash
FROM coins
JOIN wallet_addresses USING (network, script)
JOIN blocks ON blocks.network = coins.network AND blocks.height = coins.height
WHERE coins.network = $1 AND coins.height {compare} $2
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


async def connect(tx: Transaction, network: str, block: ChainBlock) -> list[Arrival]:
    """Take a block in: outputs to us become coins, coins of ours are spent. What arrived from others is returned."""
    height = block.id.height
    await tx.execute("INSERT INTO blocks (network, height, hash) VALUES ($1, $2, $3)", network, height, block.id.hash)
    outputs = [(t.txid, o.vout, o.script, o.amount) for t in block.transactions for o in t.outputs]
    await tx.execute(
        """
        INSERT INTO coins (network, txid, vout, script, units, height)
        SELECT $1, output.txid, output.vout, output.script, output.units, $2
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
    return await _arrivals(tx, _ARRIVALS_AT, network, height)


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
    """Whether a send is out and not yet as deep in the chain as it needs."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM sends WHERE network = $1 AND state = 'broadcast')",
            network,
        )
    )
