"""One right book for all tests of the auditor; each plants its error in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.audit.books import OurBooks, read_books
from app.audit.inside import reading
from app.db.database import Database
from app.ports.records import BankBooks, PayinBooks
from tests.audit.book import Book, open_book
from tests.audit.outside import Chain
from tests.support.far_side import FarSide
from tests.support.postgres import create_database, drop_database


@pytest.fixture(scope="package")
async def book(database_url: str, far_side: FarSide, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Book]:
    """An instance with orders of every kind."""
    url = await create_database(database_url)
    db = Database(url)
    async with open_book(tmp_path_factory.mktemp("book"), db, far_side.url) as opened:
        yield opened
    await db.close()
    await drop_database(url)


@pytest.fixture
async def ours(book: Book) -> OurBooks:
    """Our own side of the book."""
    async with reading(book.db) as connection:
        return await read_books(connection)


@pytest.fixture
async def theirs(book: Book) -> PayinBooks:
    """Stripe's side of it."""
    return await book.far.payins["stripe"].read()


@pytest.fixture
async def bank(book: Book) -> BankBooks:
    """Increase's side of it."""
    return await book.far.banks["increase"].read()


@pytest.fixture
async def chain(book: Book, ours: OurBooks) -> Chain:
    """The node's side of the book."""
    scripts = [str(row["script"]) for row in ours.rows["scripts"]]
    held = await book.far.chains["bitcoin"].coins(scripts)
    return Chain(held, await book.far.chains["bitcoin"].history(scripts, held.at))
