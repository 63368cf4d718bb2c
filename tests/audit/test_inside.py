"""The auditor on our own database: a right book passes; each planted error is found by the invariant meant for it."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from app.audit import audit
from app.audit.inside import ROLE, AuditImpossibleError, check, reading
from app.audit.rules import INVARIANTS, LEFT_OUT
from app.db.database import Database
from tests.audit.book import Book
from tests.audit.plants import PLANTS, Plant, book_names


async def test_empty_books_are_right(db: Database) -> None:
    report = await audit(db)
    assert report.clean, report.text()


async def test_a_right_book_passes_inside_and_outside(book: Book) -> None:
    async with book.db.connection() as connection:
        states = {row["id"]: row["state"] for row in await connection.fetch("SELECT id, state FROM orders")}
    assert {name: states[order_id] for name, order_id in book.orders.items()} == {
        "completed": "completed",
        "disputed": "completed",
        "won": "completed",
        "refunded": "refunded",
        "bounced": "refunding",
        "canceled": "canceled",
        "open": "awaiting_payment",
        "sent": "sent",
    }
    report = await audit(book.db, replace(book.far, received={book.endpoint_id: book.received()}))
    assert report.clean, report.text()
    assert not any(finding.pending for finding in report.findings), report.text()
    assert set(report.left_out) == set(LEFT_OUT)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.caught_by}: {plant.name}")
async def test_a_planted_error_is_found(book: Book, plant: Plant) -> None:
    async with book.db.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(plant.sql.format(**book_names(book.orders | book.others)))
            await connection.execute(f"SET LOCAL ROLE {ROLE}")
            findings = [await check(connection, invariant) for invariant in INVARIANTS]
        finally:
            await transaction.rollback()
    assert {finding.id for finding in findings if finding.count} == {plant.caught_by, *plant.also}


def test_every_invariant_has_a_planted_error() -> None:
    assert {plant.caught_by for plant in PLANTS} | {"I-02"} == {invariant.id for invariant in INVARIANTS}


async def test_the_auditor_can_read_everything_and_write_nothing(db: Database) -> None:
    async with reading(db) as connection:
        assert await connection.fetchval("SELECT current_user") == ROLE
        assert await connection.fetchval("SHOW transaction_isolation") == "repeatable read"
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("UPDATE partners SET name = 'x'")
    async with db.connection() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {ROLE}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE partners SET name = 'x'")


async def test_the_role_ends_with_the_audit(db: Database) -> None:
    await audit(db)
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT current_user = session_user")
        assert await connection.fetchval("SHOW transaction_read_only") == "off"


async def test_without_its_role_there_is_no_audit(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.audit.inside.ROLE", "nobody_of_this_name")
    with pytest.raises(AuditImpossibleError):
        await audit(db)
