"""The schema's own guards: what the ledger refuses even from code that is wrong, and from a hand on psql."""

from __future__ import annotations

import asyncpg
import pytest

from app.db.database import Database, Transaction
from app.db.ledger import balance, post
from app.domain.assets import BTC, EUR
from app.domain.ledger import Posting, entry
from tests.db.rows import make_order

GOOD = entry("good", "adjust", [Posting("psp:stripe", EUR, 500), Posting("suspense:unmatched", EUR, -500)])


async def _book(db: Database, reference: str, *lines: tuple[str, str, object]) -> None:
    """Write an entry past the domain, which would refuse these."""
    async with db.transaction() as tx:
        await _accounts(tx)
        await tx.execute("INSERT INTO entries (id, reference, kind) VALUES ($1, $1, 'adjust')", reference)
        for account, asset, units in lines:
            await tx.execute(
                "INSERT INTO postings (entry_id, account, asset, units) VALUES ($1, $2, $3, $4::text::numeric)",
                reference,
                account,
                asset,
                str(units),
            )


async def _accounts(tx: Transaction) -> None:
    await tx.executemany(
        "INSERT INTO ledger_accounts (id, asset, kind) VALUES ($1, $2, 'free') ON CONFLICT DO NOTHING",
        [("a", "EUR"), ("b", "EUR"), ("a", "BTC.bitcoin"), ("b", "BTC.bitcoin")],
    )


async def _refused(db: Database, *lines: tuple[str, str, object]) -> str:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await _book(db, "attack", *lines)
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM postings") == 0
        assert await connection.fetchval("SELECT count(*) FROM entries") == 0
    return str(caught.value.sqlstate)


async def test_a_balanced_entry_is_taken(db: Database) -> None:
    await _book(db, "good", ("a", "EUR", 5), ("b", "EUR", -5))


async def test_an_unbalanced_entry(db: Database) -> None:
    assert await _refused(db, ("a", "EUR", 5), ("b", "EUR", -4)) == "23514"


async def test_an_entry_with_one_leg_or_none(db: Database) -> None:
    assert await _refused(db, ("a", "EUR", 5)) == "23514"
    assert await _refused(db) == "23514"


async def test_one_asset_does_not_pay_for_another(db: Database) -> None:
    assert await _refused(db, ("a", "EUR", 5), ("b", "BTC.bitcoin", -5)) == "23514"


@pytest.mark.parametrize("units", ["NaN", "Infinity", "-Infinity", "1e78"])
async def test_what_is_no_amount(db: Database, units: str) -> None:
    assert await _refused(db, ("a", "EUR", units), ("b", "EUR", -5)) in {"23514", "22003"}


async def test_a_posting_of_nothing(db: Database) -> None:
    assert await _refused(db, ("a", "EUR", 5), ("b", "EUR", -5), ("a", "EUR", 0)) == "23514"


async def test_an_account_of_another_asset(db: Database) -> None:
    assert await _refused(db, ("a", "USD", 5), ("b", "USD", -5)) == "23503"


async def test_a_fact_is_booked_once(db: Database) -> None:
    async with db.transaction() as tx:
        await post(tx, GOOD, None)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with db.transaction() as tx:
            await post(tx, GOOD, None)
    async with db.connection() as connection:
        assert await balance(connection, "psp:stripe", "EUR") == 500


async def test_amounts_beyond_64_bits(db: Database) -> None:
    wei = 10**30
    many = entry("wei", "adjust", [Posting("wallet:hot:bitcoin", BTC, wei), Posting("equity:operator", BTC, -wei)])
    async with db.transaction() as tx:
        await post(tx, many, None)
    async with db.connection() as connection:
        assert await balance(connection, "wallet:hot:bitcoin", BTC.id) == wei


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE postings SET units = units + 1",
        "UPDATE postings SET account = 'suspense:unmatched'",
        "DELETE FROM postings",
        "TRUNCATE postings",
        "UPDATE entries SET reference = 'other'",
        "DELETE FROM entries",
        "TRUNCATE entries CASCADE",
        "UPDATE transitions SET target = 'completed'",
        "DELETE FROM transitions",
        "TRUNCATE transitions",
    ],
)
async def test_history_is_only_added_to(db: Database, attack: str) -> None:
    await make_order(db)
    async with db.transaction() as tx:
        await post(tx, GOOD, None)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is append-only"):
        async with db.transaction() as tx:
            await tx.execute(attack)


async def test_a_posting_cannot_join_an_old_entry(db: Database) -> None:
    async with db.transaction() as tx:
        entry_id = await post(tx, GOOD, None)
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction() as tx:
            await tx.execute(
                "INSERT INTO postings (entry_id, account, asset, units) VALUES ($1, 'psp:stripe', 'EUR', 1)", entry_id
            )
