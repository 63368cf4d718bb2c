"""One PostgreSQL for the whole run, one migrated template, one fresh database per test."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.db.database import Database
from app.db.migrate import migrate
from app.embedded import EmbeddedPostgres

TEMPLATE = "rampwright_template"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with an unguessable name is made in it
_ROOM = 2 * 1024**3  # bytes; what is written ahead is a good part of it
# A crash of the test run loses nothing of worth.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # it would look into the template while that is being copied
    "max_connections": "200",
    "max_wal_size": "256MB",
}


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class SharedPostgres:
    """The run's own server; lives in the process that starts the run."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="rampwright-tests-", dir=_in_memory()))
        self.home.chmod(0o755)
        self.server = EmbeddedPostgres(self.home / "home", settings=_FAST)

    def start(self) -> str:
        """Start, make the template, and return the server's URL."""
        url = self.server.start()
        asyncio.run(make_template(url))
        return url

    def stop(self) -> None:
        """Stop and leave nothing behind."""
        self.server.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def _in_memory() -> Path | None:
    """A folder in memory where there is room and programs may run: every test copies a thousand files. Else None."""
    try:
        found = os.statvfs(_MEMORY)
    except OSError:
        return None
    has_room = found.f_bavail * found.f_frsize >= _ROOM
    return _MEMORY if has_room and not found.f_flag & os.ST_NOEXEC and os.access(_MEMORY, os.W_OK) else None


async def make_template(url: str) -> None:
    """A database with our schema, to copy from."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{TEMPLATE}"')
        await connection.execute(f'CREATE DATABASE "{TEMPLATE}"')
    finally:
        await connection.close()
    db = Database(with_database(url, TEMPLATE), pool_size=1)
    try:
        await migrate(db)
    finally:
        await db.close()


async def create_database(url: str) -> str:
    """A fresh copy of the template; its URL."""
    name = f"t_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY file_copy')
    finally:
        await connection.close()
    return with_database(url, name)


async def drop_database(url: str) -> None:
    """Remove a test's database, whoever still has it open."""
    connection = await asyncpg.connect(with_database(url, "postgres"))
    try:
        await connection.execute(f'DROP DATABASE "{urlsplit(url).path.lstrip("/")}" WITH (FORCE)')
    finally:
        await connection.close()
