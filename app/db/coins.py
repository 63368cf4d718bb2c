"""Coins of the wallet that can be spent: confirmed ones, and our own change that still waits for a block."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import asyncpg

from app.db.database import Transaction
from app.ports.chain import Branch, ChainOutput, CoinInput

_IS_FREE = "coins.network = $1 AND coins.lineage_id IS NULL AND coins.spent_height IS NULL AND coins.settled"
_FREE = f"""
SELECT coins.txid, coins.vout, coins.units, wallet_addresses.branch, wallet_addresses.index
FROM coins JOIN wallet_addresses USING (network, script)
WHERE {_IS_FREE}
"""  # noqa: S608 - constants of ours
# In a block; and where it is change of one of several attempts, that one is final: the blocks after the next
# reorganisation may have another, and what was built upon this one would never be mined.
_SURE = """coins.height IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM chain_transactions AS made JOIN chain_transactions AS other USING (lineage_id)
    WHERE made.txid = coins.txid AND other.txid <> made.txid AND other.replaced_at IS NULL
)"""
_CONFIRMED = f"{_FREE} AND {_SURE}"
# Change of a transaction that another may replace comes to nothing when that is mined: only the first attempt's counts.
_OWN_CHANGE = """coins.height IS NULL AND EXISTS (
    SELECT 1 FROM chain_transactions AS made
    WHERE made.txid = coins.txid AND made.broadcast_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM chain_transactions AS other WHERE other.lineage_id = made.lineage_id AND other.txid <> made.txid
    )
)"""


def _input(record: asyncpg.Record) -> CoinInput:
    return CoinInput(
        txid=record["txid"],
        vout=record["vout"],
        amount=int(record["units"]),
        branch=Branch(record["branch"]),
        index=record["index"],
    )


def _kind(*, own_change: bool) -> str:
    return f"(({_SURE}) OR ({_OWN_CHANGE}))" if own_change else _SURE


async def candidates(
    tx: Transaction, network: str, enough: int, limit: int, *, own_change: bool = False
) -> list[CoinInput]:
    """Some of the free coins, not locked: the smallest that are `enough` alone, and the largest of the others.

    Confirmed ones; with `own_change` also our own that waits for a block.
    """
    free = f"{_FREE} AND {_kind(own_change=own_change)}"
    above = f"({free} AND coins.units >= $2 ORDER BY coins.units LIMIT $3)"
    below = f"({free} AND coins.units < $2 ORDER BY coins.units DESC LIMIT $3)"
    return [_input(record) for record in await tx.fetch(f"{above} UNION ALL {below}", network, enough, limit)]


async def take(
    tx: Transaction, network: str, coins: Sequence[CoinInput], *, own_change: bool = False
) -> set[tuple[str, int]]:
    """Lock those of the coins that are still free, as `candidates` has it, and that nobody else is taking; which."""
    records = await tx.fetch(
        f"""
        SELECT coins.txid, coins.vout FROM coins JOIN unnest($2::text[], $3::integer[]) AS wanted (txid, vout)
            ON wanted.txid = coins.txid AND wanted.vout = coins.vout
        WHERE {_IS_FREE} AND {_kind(own_change=own_change)}
        ORDER BY coins.txid, coins.vout FOR UPDATE OF coins SKIP LOCKED
        """,  # noqa: S608 - constants of ours
        network,
        [coin.txid for coin in coins],
        [coin.vout for coin in coins],
    )
    return {(record["txid"], record["vout"]) for record in records}


async def named(tx: Transaction, network: str, outpoints: Collection[tuple[str, int]]) -> list[CoinInput]:
    """Lock those of these coins that are free, waiting for whoever looks at them just now."""
    records = await tx.fetch(
        _FREE  # noqa: S608 - constants of ours
        + " AND (coins.txid, coins.vout) IN (SELECT * FROM unnest($2::text[], $3::integer[]))"
        + " ORDER BY coins.txid, coins.vout FOR UPDATE OF coins",
        network,
        [txid for txid, _ in outpoints],
        [vout for _, vout in outpoints],
    )
    return [_input(record) for record in records]


async def smallest_sufficient(tx: Transaction, network: str, needed: int) -> CoinInput | None:
    """Lock the smallest confirmed, free coin of at least `needed` units that nobody else is taking."""
    record = await tx.fetchrow(
        _CONFIRMED + " AND coins.units >= $2 ORDER BY coins.units LIMIT 1 FOR UPDATE OF coins SKIP LOCKED",
        network,
        needed,
    )
    return None if record is None else _input(record)


async def largest(tx: Transaction, network: str, limit: int) -> list[CoinInput]:
    """Lock the largest confirmed, free coins that nobody else is taking."""
    records = await tx.fetch(
        _CONFIRMED + " ORDER BY coins.units DESC LIMIT $2 FOR UPDATE OF coins SKIP LOCKED", network, limit
    )
    return [_input(record) for record in records]


async def smallest(tx: Transaction, network: str, at_least: int, below: int, limit: int) -> list[CoinInput]:
    """Lock small confirmed, free coins that nobody else is taking, the smallest first."""
    records = await tx.fetch(
        _CONFIRMED
        + " AND coins.units >= $2 AND coins.units < $3 ORDER BY coins.units LIMIT $4 FOR UPDATE OF coins SKIP LOCKED",
        network,
        at_least,
        below,
        limit,
    )
    return [_input(record) for record in records]


async def await_block(tx: Transaction, network: str, txid: str, change: Sequence[ChainOutput]) -> None:
    """Write down what a signed transaction gives back, before a block says so."""
    await tx.executemany(
        """
        INSERT INTO coins (network, txid, vout, script, units) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
        """,
        [(network, txid, output.vout, output.script, output.amount) for output in change],
    )


async def reserved(tx: Transaction, network: str, lineage_id: str) -> list[CoinInput]:
    """The coins of a lineage, locked."""
    records = await tx.fetch(
        """
        SELECT coins.txid, coins.vout, coins.units, wallet_addresses.branch, wallet_addresses.index
        FROM coins JOIN wallet_addresses USING (network, script)
        WHERE coins.network = $1 AND coins.lineage_id = $2 ORDER BY coins.txid, coins.vout FOR UPDATE OF coins
        """,
        network,
        lineage_id,
    )
    return [_input(record) for record in records]


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction of ours gives back and no block has yet; whose lineage spends it already, and what for."""

    coin: CoinInput
    lineage_id: str | None
    spent_for: str | None


async def change_of(tx: Transaction, network: str, txid: str) -> list[Change]:
    """What an unmined transaction of ours gives back, locked, so that nobody spends it meanwhile."""
    records = await tx.fetch(
        """
        SELECT coins.txid, coins.vout, coins.units, coins.lineage_id, wallet_addresses.branch, wallet_addresses.index, (
            SELECT min(purpose) FROM sends WHERE sends.lineage_id = coins.lineage_id
        ) AS spent_for
        FROM coins JOIN wallet_addresses USING (network, script)
        WHERE coins.network = $1 AND coins.txid = $2 ORDER BY coins.vout FOR UPDATE OF coins
        """,
        network,
        txid,
    )
    return [Change(_input(record), record["lineage_id"], record["spent_for"]) for record in records]


async def forget_change(tx: Transaction, network: str, txids: Sequence[str]) -> None:
    """Change of transactions that will not be mined after all, or are replaced: it is not ours to spend."""
    await tx.execute(
        "DELETE FROM coins WHERE network = $1 AND txid = ANY ($2) AND height IS NULL AND lineage_id IS NULL",
        network,
        list(txids),
    )


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a wallet holds, in units and in coins: what can be spent now, and what is promised already."""

    free: int
    coins: int
    small: int
    waiting: int  # our own change that waits for a block, or for its attempt to be final
    promised: int  # to orders and payouts that have not been signed

    @property
    def left(self) -> int:
        """What can still be promised."""
        return self.free + self.waiting - self.promised


async def holdings(tx: Transaction, network: str, asset: str, small_below: int = 0) -> Holdings:
    """What can be spent on a network, and what of it is promised to orders and payouts that are not signed yet."""
    record = await tx.fetchrow(
        f"""
        SELECT held.*, (
            SELECT coalesce(sum(destination_units), 0) FROM orders
            WHERE destination_asset = $2 AND direction = 'buy' AND state IN (
                'awaiting_payment', 'authenticating', 'authorised', 'payment_pending', 'paid'
            )
        ) + (
            SELECT coalesce(sum(units), 0) FROM payouts
            WHERE asset = $2 AND method = 'chain' AND state IN ('pending_approval', 'queued')
        ) AS promised
        FROM (
            SELECT coalesce(sum(units) FILTER (WHERE sure), 0) AS free,
                   count(*) FILTER (WHERE sure) AS coins,
                   count(*) FILTER (WHERE sure AND units < $3) AS small,
                   coalesce(sum(units) FILTER (WHERE NOT sure AND EXISTS (
                       SELECT 1 FROM chain_transactions AS made WHERE made.txid = each.txid
                         AND (each.height IS NOT NULL OR NOT EXISTS (
                             SELECT 1 FROM chain_transactions AS mined
                             WHERE mined.lineage_id = made.lineage_id AND mined.height IS NOT NULL
                         ))
                   )), 0) AS waiting
            FROM (SELECT txid, units, height, ({_SURE}) AS sure FROM coins WHERE {_IS_FREE}) AS each
        ) AS held
        """,  # noqa: S608 - constants of ours
        network,
        asset,
        small_below,
    )
    assert record is not None  # noqa: S101 - sums have a row
    return Holdings(**{name: int(value) for name, value in record.items()})


async def family_size(tx: Transaction, network: str, txids: Sequence[str]) -> tuple[int, int]:
    """How many unmined transactions of ours some stand upon, themselves included, and how large the family is.

    The family are all that stand upon one of these too: nodes keep no more than 25 of one (Bitcoin Core, before
    version 31).
    """
    record = await tx.fetchrow(
        """
        WITH RECURSIVE up AS (
            SELECT txid, lineage_id FROM chain_transactions WHERE txid = ANY ($2) AND height IS NULL
            UNION
            SELECT made.txid, made.lineage_id FROM up
            JOIN coins ON coins.network = $1 AND coins.lineage_id = up.lineage_id AND coins.height IS NULL
            JOIN chain_transactions AS made ON made.txid = coins.txid AND made.height IS NULL
        ), down AS (
            SELECT txid, lineage_id FROM up
            UNION
            SELECT coins.spent_txid, coins.lineage_id FROM down
            JOIN coins ON coins.network = $1 AND coins.txid = down.txid AND coins.lineage_id IS NOT NULL
        )
        SELECT (SELECT count(DISTINCT lineage_id) FROM up) AS above,
               (SELECT count(DISTINCT lineage_id) FROM down) AS family
        """,
        network,
        list(txids),
    )
    assert record is not None  # noqa: S101 - counts have a row
    return record["above"], record["family"]


async def count_confirmed(tx: Transaction, network: str, limit: int) -> int:
    """How many confirmed coins are free; counting stops at `limit`."""
    return int(await tx.fetchval(f"SELECT count(*) FROM ({_CONFIRMED} LIMIT $2) AS counted", network, limit))  # noqa: S608 - constants of ours
