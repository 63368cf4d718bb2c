"""Migrations from nothing, twice, at once; and the tables that the code believes in are those that are there."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy.types import ARRAY, JSON, Boolean, DateTime, Integer, LargeBinary, Numeric, Text, TypeEngine
from sqlmodel import SQLModel

import app.db
from app.audit.inside import ROLE
from app.db import migrations
from app.db.database import Database
from app.db.migrate import SchemaOutdated, migrate, require_current_schema
from tests.support.postgres import drop_database, with_database

for module in pkgutil.iter_modules(app.db.__path__, "app.db."):
    importlib.import_module(module.name)

# What the job engine and the migrations keep for themselves.
NOT_OURS = {"alembic_version", "pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"}
# Ours, and read by plain SQL only.
WITHOUT_A_CLASS = {"notification_retries", "balances", "file_pieces", "payout_items", "suspects"}
# BigInteger is an Integer here: all writes are plain SQL, so that the class's own width decides nothing.
KINDS = (Boolean, Integer, Numeric, Text, DateTime, LargeBinary, JSON, ARRAY)


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    """A database without any table."""
    name = f"empty_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(database_url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    db = Database(with_database(database_url, name))
    yield db
    await db.close()
    await drop_database(db.url)


async def test_from_nothing_and_again(empty: Database) -> None:
    with pytest.raises(SchemaOutdated):
        await require_current_schema(empty)
    await migrate(empty)
    await require_current_schema(empty)
    await migrate(empty)
    async with empty.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") == 0
        assert await connection.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_two_at_once(empty: Database) -> None:
    other = Database(empty.url)
    try:
        await asyncio.gather(migrate(empty), migrate(other))
    finally:
        await other.close()
    await require_current_schema(empty)


async def test_a_schema_of_another_program_is_refused(empty: Database) -> None:
    await migrate(empty)
    async with empty.connection() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="9999"):
        await require_current_schema(empty)


def _tables(connection: Connection) -> dict[str, dict[str, tuple[str, bool]]]:
    """Every table as (kind, nullable) by column."""
    inspector = inspect(connection)
    return {
        table: {column["name"]: (_kind(column["type"]), column["nullable"]) for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
        if table not in NOT_OURS
    }


def _kind(kind: TypeEngine[object]) -> str:
    """A column's type as far as it matters here; a domain is what it is made of."""
    underlying = getattr(kind, "data_type", None) or getattr(kind, "impl", kind)
    return next(known.__name__ for known in KINDS if isinstance(underlying, known))


async def test_the_code_and_the_database_agree(db: Database) -> None:
    async with db.engine.connect() as connection:
        there = await connection.run_sync(_tables)
    believed = {
        name: {column.name: (_kind(column.type), bool(column.nullable)) for column in table.columns}
        for name, table in SQLModel.metadata.tables.items()
    }
    assert believed.keys() <= there.keys()
    for name, columns in believed.items():
        assert columns == there[name], name


async def test_the_code_knows_every_table(db: Database) -> None:
    async with db.engine.connect() as connection:
        there = await connection.run_sync(_tables)
    assert there.keys() - SQLModel.metadata.tables.keys() == WITHOUT_A_CLASS


async def test_primary_keys_and_uniqueness_agree(db: Database) -> None:
    def keys(connection: Connection) -> dict[str, set[str]]:
        inspector = inspect(connection)
        return {
            name: set(inspector.get_pk_constraint(name)["constrained_columns"]) for name in SQLModel.metadata.tables
        }

    async with db.engine.connect() as connection:
        there = await connection.run_sync(keys)
    for name, table in SQLModel.metadata.tables.items():
        assert {column.name for column in table.primary_key} == there[name], name


async def test_every_table_can_be_audited(db: Database) -> None:
    async with db.connection() as connection:
        unreadable = await connection.fetch(
            """
            SELECT relname FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
              AND NOT has_table_privilege($1, oid, 'SELECT')
            """,
            ROLE,
        )
        writable = await connection.fetch(
            """
            SELECT relname FROM pg_class
            WHERE relkind = 'r' AND has_table_privilege($1, oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            """,
            ROLE,
        )
    assert not unreadable
    assert not writable


async def test_an_account_that_may_make_no_roles(empty: Database) -> None:
    """As on a managed server: told what an administrator has to run, and content once that was done."""
    name = f"plain_{uuid.uuid4().hex}"
    script = Path(migrations.__file__).with_name("versions").joinpath("0001_foundation.sql").read_text()
    async with empty.connection() as connection:
        await connection.execute(f"CREATE ROLE {name}; GRANT CREATE ON SCHEMA public TO {name}")
        try:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(f"SET LOCAL ROLE {name}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=ROLE) as refused:
                await connection.execute(script)
            await transaction.rollback()
            assert f"GRANT {ROLE} TO {name}" in str(refused.value.hint)
            await connection.execute(f"GRANT {ROLE} TO {name}")
            async with connection.transaction():
                await connection.execute(f"SET LOCAL ROLE {name}")
                await connection.execute(script)
                await connection.execute(f"SET LOCAL ROLE {ROLE}")
                assert await connection.fetchval("SELECT count(*) FROM orders") == 0
        finally:
            await connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
