"""What reconciliation needs of our own books, one source at a time, all of one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from app.db.database import Database, Transaction
from app.domain.reconciliation import Booked
from app.ports.chain import BlockId


@dataclass(frozen=True, slots=True)
class Ours:
    """Our side: what each entry does to the source's accounts, what is under way since when, and all that we know."""

    taken_at: datetime
    entries: tuple[Booked, ...]
    under_way: Mapping[str, datetime]
    known: frozenset[str]

    @property
    def totals(self) -> Counter[str]:
        """By asset: what stands on the source's accounts."""
        found: Counter[str] = Counter()
        for entry in self.entries:
            found[entry.asset] += entry.units
        return found


# The corrections of a break are about what the break is about.
_PSP = """
SELECT entries.id, coalesce(payments.reference, strays.reference, broken.thing, subject, entries.reference) AS thing,
       postings.asset, sum(postings.units) AS units, entries.created_at AS at, false AS loose
FROM postings JOIN entries ON entry_id = entries.id
LEFT JOIN payments ON payments.order_id = entries.order_id
LEFT JOIN strays ON strays.id = subject
LEFT JOIN (SELECT id AS break_id, thing FROM reconciliation_breaks) AS broken ON break_id = subject
WHERE account = 'psp:' || $1
GROUP BY entries.id, payments.reference, strays.reference, broken.thing, postings.asset
HAVING sum(postings.units) <> 0 ORDER BY entries.id
"""
_BANK = """
SELECT entries.id, CASE
           WHEN entries.order_id IS NOT NULL THEN split_part(entries.reference, ':', 3)
           WHEN kind = 'float' THEN regexp_replace(entries.reference, '^float:[^:]*:', '')
           ELSE coalesce(top_ups.reference, broken.thing, subject, entries.reference) END AS thing,
       postings.asset, sum(postings.units) AS units, entries.created_at AS at, kind = 'float' AS loose
FROM postings JOIN entries ON entry_id = entries.id
LEFT JOIN top_ups ON top_ups.id = subject
LEFT JOIN (SELECT id AS break_id, thing FROM reconciliation_breaks) AS broken ON break_id = subject
WHERE account = 'bank:' || $1
GROUP BY entries.id, top_ups.reference, broken.thing, postings.asset
HAVING sum(postings.units) <> 0 ORDER BY entries.id
"""
_CHAIN = """
SELECT entries.id, CASE
           WHEN deposits.id IS NOT NULL THEN deposits.txid || ':' || deposits.vout
           WHEN entries.kind = 'arrived' THEN split_part(entries.reference, ':', 3)
           ELSE coalesce(mined.txid, broken.thing, subject, entries.reference) END AS thing,
       postings.asset, sum(postings.units) AS units, entries.created_at AS at, false AS loose
FROM postings JOIN entries ON entry_id = entries.id
LEFT JOIN deposits ON deposits.id = CASE WHEN entries.order_id IS NULL THEN subject
    ELSE split_part(entries.reference, ':', 3) END
LEFT JOIN (SELECT id AS break_id, thing FROM reconciliation_breaks) AS broken ON break_id = subject
LEFT JOIN LATERAL (
    SELECT txid FROM chain_transactions WHERE height IS NOT NULL AND lineage_id = coalesce(subject, (
        SELECT lineage_id FROM sends WHERE sends.order_id = entries.order_id AND purpose = 'deliver' LIMIT 1
    )) LIMIT 1
) AS mined ON true
WHERE account LIKE 'wallet:%' AND split_part(account, ':', 3) = $1
GROUP BY entries.id, deposits.id, mined.txid, broken.thing, postings.asset
HAVING sum(postings.units) <> 0 ORDER BY entries.id
"""

_BANK_UNDER_WAY = """
SELECT id AS thing, coalesce(submitted_at, updated_at) AS since FROM payouts
WHERE provider = $1 AND state IN ('sending', 'submitted')
"""
# Coins that are not deep enough, and transactions of ours that are mined and not final.
_CHAIN_UNDER_WAY = """
SELECT txid || ':' || vout AS thing, created_at AS since FROM deposits
WHERE network = $1 AND state IN ('detected', 'confirmed')
UNION ALL
SELECT txid, created_at FROM chain_transactions AS mined WHERE network = $1 AND height IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM entries LEFT JOIN sends ON sends.order_id = entries.order_id AND purpose = 'deliver'
    WHERE entries.kind IN ('deliver', 'coins_deliver') AND coalesce(sends.lineage_id, subject) = mined.lineage_id
)
"""
_BANK_KNOWN = """
SELECT id AS thing FROM payouts WHERE provider = $1 UNION ALL SELECT reference FROM top_ups WHERE provider = $1
"""
_NONE = "SELECT ''::text AS thing, now() AS since WHERE $1 = ''"


@asynccontextmanager
async def snapshot(db: Database) -> AsyncIterator[Transaction]:
    """One REPEATABLE READ READ ONLY transaction."""
    async with db.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


async def of_payin(tx: Transaction, provider: str) -> Ours:
    """What the books say of a card or bank processor."""
    return await _ours(tx, provider, _PSP, _NONE, _NONE)


async def of_bank(tx: Transaction, provider: str) -> Ours:
    """What the books say of a bank account."""
    return await _ours(tx, provider, _BANK, _BANK_UNDER_WAY, _BANK_KNOWN)


async def of_chain(tx: Transaction, network: str) -> Ours:
    """What the books say of a wallet."""
    return await _ours(tx, network, _CHAIN, _CHAIN_UNDER_WAY, _NONE)


async def _ours(tx: Transaction, source: str, entries: str, under_way: str, known: str) -> Ours:
    taken_at: datetime = await tx.fetchval("SELECT now()")
    found = await tx.fetch(entries, source)
    waiting = await tx.fetch(under_way, source)
    things = await tx.fetch(known, source)
    return Ours(
        taken_at,
        tuple(
            Booked(row["id"], row["thing"], row["asset"], int(row["units"]), row["at"], row["loose"]) for row in found
        ),
        {row["thing"]: row["since"] for row in waiting},
        frozenset(row["thing"] for row in things),
    )


@dataclass(frozen=True, slots=True)
class Watched:
    """The wallet's own scripts, those among them that take deposits, the deposits' outputs, and our newest block."""

    scripts: frozenset[str]
    deposit_scripts: frozenset[str]
    deposits: frozenset[str]
    tip: BlockId | None


async def watched(tx: Transaction, network: str) -> Watched:
    """What is watched on a network."""
    scripts = await tx.fetch(
        "SELECT script, purpose = 'deposit' AS d FROM wallet_addresses WHERE network = $1", network
    )
    outputs = await tx.fetch("SELECT txid || ':' || vout AS thing FROM deposits WHERE network = $1", network)
    tip = await tx.fetchrow("SELECT height, hash FROM blocks WHERE network = $1 ORDER BY height DESC LIMIT 1", network)
    return Watched(
        frozenset(row["script"] for row in scripts),
        frozenset(row["script"] for row in scripts if row["d"]),
        frozenset(row["thing"] for row in outputs),
        None if tip is None else BlockId(tip["height"], tip["hash"]),
    )
