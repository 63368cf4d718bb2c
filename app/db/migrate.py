"""Bringing a database to the newest schema, and refusing to run on any other."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.db.database import Database

# Two migrating processes take turns; the number is arbitrary and ours.
_MIGRATION_LOCK = 7_240_001


class SchemaOutdated(RuntimeError):
    """The database's schema is not the one that this program was written for."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(db: Database) -> None:
    """Apply every migration that is still missing; safe to run twice, and twice at once."""
    async with db.engine.connect() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})")
        await connection.commit()
        try:
            await connection.run_sync(_upgrade)
            await connection.commit()
        finally:
            await connection.rollback()
            await connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_MIGRATION_LOCK})")
            await connection.commit()


async def require_current_schema(db: Database) -> None:
    """Raise SchemaOutdated unless the database is at exactly our newest migration."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    async with db.engine.connect() as connection:
        found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    if found != head:
        raise SchemaOutdated(f"the database is at schema {found}, this program needs {head}: run `rampwright migrate`")
