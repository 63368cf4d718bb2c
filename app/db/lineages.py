"""Lineages: attempts at one thing, of which one at most is ever mined. Who is stuck, and who replaced whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.db.database import Transaction
from app.db.rows import rows_of
from app.db.wallet import ChainTransactionRow, Send


@dataclass(frozen=True, slots=True)
class Ancestors:
    """Unmined transactions of ours that one stands upon: what they pay, in units and virtual bytes."""

    fee: int
    vsize: int


async def attempts(tx: Transaction, lineage_id: str) -> list[ChainTransactionRow]:
    """Every transaction of a lineage, the newest attempt first."""
    return rows_of(
        ChainTransactionRow,
        await tx.fetch("SELECT * FROM chain_transactions WHERE lineage_id = $1 ORDER BY attempt DESC", lineage_id),
    )


async def sends_of(tx: Transaction, lineage_id: str) -> list[Send]:
    """The sends of a lineage, locked."""
    return rows_of(Send, await tx.fetch("SELECT * FROM sends WHERE lineage_id = $1 ORDER BY id FOR UPDATE", lineage_id))


async def stuck(tx: Transaction, network: str, blocks: int, age: timedelta, limit: int) -> list[tuple[str, int]]:
    """Lineages of which no block has taken any attempt while so many came, or time passed: (lineage, newest attempt).

    Time alone says nothing while no block comes at all. One that no node has ever taken is among them: its fee may be
    below what they all ask for.
    """
    records = await tx.fetch(
        """
        SELECT newest.lineage_id, newest.attempt FROM (
            SELECT DISTINCT ON (lineage_id) * FROM chain_transactions AS signed
            WHERE network = $1 AND lineage_id IN (
                SELECT lineage_id FROM sends WHERE network = $1 AND state IN ('prepared', 'broadcast')
            )
            ORDER BY lineage_id, attempt DESC
        ) AS newest CROSS JOIN (SELECT max(height) AS height FROM blocks WHERE network = $1) AS tip
        WHERE NOT EXISTS (
            SELECT 1 FROM chain_transactions AS mined
            WHERE mined.lineage_id = newest.lineage_id AND mined.height IS NOT NULL
        ) AND (
            tip.height - newest.signed_height >= $2
            OR (tip.height > newest.signed_height AND newest.created_at < now() - $3::interval)
        )
        ORDER BY newest.created_at LIMIT $4
        """,
        network,
        blocks,
        age,
        limit,
    )
    return [(record["lineage_id"], record["attempt"]) for record in records]


async def ancestors(tx: Transaction, network: str, lineage_id: str) -> Ancestors:
    """The unmined transactions of ours that this lineage's stand upon, together."""
    record = await tx.fetchrow(
        """
        WITH RECURSIVE up AS (
            SELECT $2::text AS lineage_id
            UNION
            SELECT made.lineage_id FROM up
            JOIN coins ON coins.network = $1 AND coins.lineage_id = up.lineage_id AND coins.height IS NULL
            JOIN chain_transactions AS made ON made.txid = coins.txid AND made.height IS NULL
        )
        SELECT coalesce(sum(fee_units), 0) AS fee, coalesce(sum(vsize), 0) AS vsize FROM (
            SELECT DISTINCT ON (lineage_id) fee_units, vsize FROM chain_transactions JOIN up USING (lineage_id)
            WHERE lineage_id <> $2 ORDER BY lineage_id, attempt DESC
        ) AS each
        """,
        network,
        lineage_id,
    )
    assert record is not None  # noqa: S101 - sums have a row
    return Ancestors(int(record["fee"]), int(record["vsize"]))


async def store_attempt(
    tx: Transaction, signed: ChainTransactionRow, added: Sequence[tuple[str, int]], shares: Sequence[tuple[str, int]]
) -> None:
    """Keep the bytes of a replacement, reserve the coins that it adds, and let the sends share its fee.

    The lineage's rows, and the coins added, are locked by this transaction. `shares` are (send, units).
    """
    await tx.execute(
        """
        INSERT INTO chain_transactions (txid, network, lineage_id, raw, fee_units, vsize, attempt, signed_height)
        VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT max(height) FROM blocks WHERE network = $2))
        """,
        signed.txid,
        signed.network,
        signed.lineage_id,
        signed.raw,
        signed.fee_units,
        signed.vsize,
        signed.attempt,
    )
    await tx.execute(
        """
        UPDATE coins SET lineage_id = $2, attempt = $3
        FROM unnest($4::text[], $5::integer[]) AS added (txid, vout)
        WHERE coins.network = $1 AND coins.txid = added.txid AND coins.vout = added.vout
        """,
        signed.network,
        signed.lineage_id,
        signed.attempt,
        [txid for txid, _ in added],
        [vout for _, vout in added],
    )
    await tx.execute(
        "UPDATE coins SET spent_txid = $3 WHERE network = $1 AND lineage_id = $2",
        signed.network,
        signed.lineage_id,
        signed.txid,
    )
    await share_fee(tx, shares)


async def share_fee(tx: Transaction, shares: Sequence[tuple[str, int]]) -> None:
    """What each send bears of its transaction's fee: (send, units)."""
    await tx.execute(
        """
        UPDATE sends SET fee_units = share.units, updated_at = now()
        FROM unnest($1::text[], $2::numeric[]) AS share (id, units) WHERE sends.id = share.id
        """,
        [send for send, _ in shares],
        [units for _, units in shares],
    )


async def decide(tx: Transaction, network: str, lineage_id: str, txid: str) -> None:
    """One transaction of the lineage is final: the others are replaced, and what only they spent is free again."""
    await tx.execute(
        """
        UPDATE chain_transactions SET replaced_at = CASE WHEN txid = $2 THEN NULL ELSE coalesce(replaced_at, now()) END
        WHERE lineage_id = $1
        """,
        lineage_id,
        txid,
    )
    await tx.execute(
        """
        UPDATE coins SET lineage_id = NULL, attempt = NULL, spent_txid = NULL
        WHERE network = $1 AND lineage_id = $2 AND spent_height IS NULL
          AND attempt > (SELECT attempt FROM chain_transactions WHERE txid = $3)
        """,
        network,
        lineage_id,
        txid,
    )
    await tx.execute(
        """
        DELETE FROM coins USING chain_transactions AS lost
        WHERE lost.lineage_id = $2 AND lost.txid <> $3 AND coins.network = $1 AND coins.txid = lost.txid
          AND coins.height IS NULL AND coins.lineage_id IS NULL
        """,
        network,
        lineage_id,
        txid,
    )


async def gone(tx: Transaction, network: str, depth: int) -> dict[str, str]:
    """Why lineages that wait for a block can have none: a coin of their first attempt, and so of all, is gone for good.

    Another transaction has spent it `depth` blocks deep, or it was to come from one that was given up.
    """
    records = await tx.fetch(
        """
        SELECT coins.lineage_id, coins.txid || ':' || vout AS coin, spent_txid FROM coins
        WHERE network = $1 AND coins.attempt = 1 AND lineage_id IN (
            SELECT lineage_id FROM sends WHERE network = $1 AND state IN ('prepared', 'broadcast')
        ) AND (
            (spent_height <= (SELECT max(height) FROM blocks WHERE network = $1) - $2 + 1 AND NOT EXISTS (
                SELECT 1 FROM chain_transactions AS own
                WHERE own.txid = coins.spent_txid AND own.lineage_id = coins.lineage_id
            )) OR (height IS NULL AND EXISTS (
                SELECT 1 FROM chain_transactions AS made JOIN sends USING (lineage_id)
                WHERE made.txid = coins.txid AND state = 'abandoned'
            ))
        ) ORDER BY lineage_id, coin
        """,
        network,
        depth,
    )
    return {
        record["lineage_id"]: f"its coin {record['coin']} was spent by {record['spent_txid']}, which is not its own"
        for record in records
    }


@dataclass(frozen=True, slots=True)
class FirstCoin:
    """A coin that every attempt of a lineage spends: where it comes from. `is_own` says that we signed that."""

    txid: str
    vout: int
    height: int | None
    is_own: bool


async def first_coins(tx: Transaction, network: str, lineage_id: str) -> list[FirstCoin]:
    """The coins that every attempt of a lineage spends."""
    records = await tx.fetch(
        """
        SELECT txid, vout, height, EXISTS (
            SELECT 1 FROM chain_transactions AS made WHERE made.txid = coins.txid
        ) AS is_own FROM coins
        WHERE network = $1 AND lineage_id = $2 AND attempt = 1 ORDER BY txid, vout
        """,
        network,
        lineage_id,
    )
    return [FirstCoin(**record) for record in records]


async def network_of(tx: Transaction, lineage_id: str) -> str | None:
    """The network of a lineage of coins; None when there is none."""
    network: str | None = await tx.fetchval(
        "SELECT network FROM chain_transactions WHERE lineage_id = $1 LIMIT 1", lineage_id
    )
    return network


async def abandon(tx: Transaction, network: str, lineage_id: str) -> None:
    """No transaction of the lineage is ever mined: its coins are free, and what it was to give back there is not.

    Its rows are locked by this transaction.
    """
    await tx.execute("UPDATE sends SET state = 'abandoned', updated_at = now() WHERE lineage_id = $1", lineage_id)
    await tx.execute(
        """
        UPDATE coins SET lineage_id = NULL, attempt = NULL,
                         spent_txid = CASE WHEN spent_height IS NOT NULL THEN spent_txid END
        WHERE network = $1 AND lineage_id = $2
        """,
        network,
        lineage_id,
    )
    await tx.execute(
        """
        DELETE FROM coins USING chain_transactions AS made
        WHERE coins.network = $1 AND coins.txid = made.txid AND coins.height IS NULL AND coins.lineage_id IS NULL
          AND EXISTS (SELECT 1 FROM sends WHERE sends.lineage_id = made.lineage_id AND state = 'abandoned')
        """,
        network,
    )


async def mined_after_all(tx: Transaction, network: str, height: int) -> list[tuple[str, str]]:
    """Lineages that were given up and are in a block above `height` all the same, with the transaction."""
    records = await tx.fetch(
        """
        SELECT DISTINCT signed.lineage_id, txid FROM chain_transactions AS signed JOIN sends USING (lineage_id)
        WHERE signed.network = $1 AND signed.height > $2 AND state = 'abandoned'
        """,
        network,
        height,
    )
    return [(record["lineage_id"], record["txid"]) for record in records]


async def decided_anew(tx: Transaction, network: str) -> list[tuple[str, str]]:
    """Final lineages of which another transaction is mined than the one booked: (lineage, the mined one's id).

    A reorganisation deeper than what a send waits for can do that.
    """
    records = await tx.fetch(
        """
        SELECT lineage_id, txid FROM chain_transactions AS mined
        WHERE network = $1 AND height IS NOT NULL AND replaced_at IS NOT NULL
          AND EXISTS (SELECT 1 FROM sends WHERE sends.lineage_id = mined.lineage_id AND state = 'confirmed')
        ORDER BY lineage_id
        """,
        network,
    )
    return [(record["lineage_id"], record["txid"]) for record in records]
