"""The database's doors: `transaction()` and `connection()` for plain SQL, `session()` for reads through SQLModel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import parse_qs, urlsplit

import asyncpg
import orjson
from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

# The driver's own connection, inside BEGIN: the ORM costs ten times as much on a hot write (docs/adr).
Transaction: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_CONNECT_SECONDS = 10.0
_ACQUIRE_SECONDS = 10.0
_READERS = 4
_SERVER_SETTINGS = {
    "application_name": "rampwright",
    "lock_timeout": "5000",  # milliseconds
    "statement_timeout": "15000",
    "idle_in_transaction_session_timeout": "15000",
    "timezone": "UTC",
}


class DatabaseAway(ConnectionError):
    """No connection can be made: the database is down, starting, recovering, or does not let us in."""


def engine_url(url: str) -> URL:
    """A plain `postgresql://` URL, of a host or of a socket directory (`?host=/dir&port=5432`), for SQLAlchemy."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return URL.create(
        "postgresql+asyncpg",
        username=parts.username,
        password=parts.password,
        host=parts.hostname,
        port=parts.port,
        database=parts.path.lstrip("/") or None,
        query=query,
    )


if TYPE_CHECKING:
    _DriverConnection = asyncpg.Connection[asyncpg.Record]
else:  # generic for the type checker only
    _DriverConnection = asyncpg.Connection


class _Connection(_DriverConnection):
    """A connection that goes back to the pool as it is: nothing of ours outlives a transaction."""

    def get_reset_query(self) -> str:
        """No reset: it would cost every statement a second round trip."""
        return ""


class Database:
    """One PostgreSQL: a pool of the driver's own connections, and a small one of SQLAlchemy's for reading."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        """`url` is a plain `postgresql://` URL; nothing is connected yet."""
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            engine_url(url),
            async_creator=self._connect,
            pool_size=min(pool_size, _READERS),
            max_overflow=0,
            pool_timeout=_ACQUIRE_SECONDS,
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._pool_size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def _connect(self) -> Transaction:
        try:
            return await asyncpg.connect(self.url, timeout=_CONNECT_SECONDS, server_settings=_SERVER_SETTINGS)
        except (OSError, asyncpg.PostgresError) as error:
            raise DatabaseAway(f"{type(error).__name__}: {error}") from error

    def _writers(self) -> asyncpg.Pool[asyncpg.Record]:
        """The pool, made on first use because it belongs to the loop that runs then."""
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                self.url,
                min_size=0,
                max_size=self._pool_size,
                connection_class=_Connection,
                timeout=_CONNECT_SECONDS,
                server_settings=_SERVER_SETTINGS,
            )
        return self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Transaction]:
        """The driver's own connection, each statement a transaction of its own.

        Raises DatabaseAway when none can be made, TimeoutError when all of them stay in use.
        """
        pool = await self._writers()
        try:
            connection = await pool.acquire(timeout=_ACQUIRE_SECONDS)
        except TimeoutError:
            raise
        except (OSError, asyncpg.PostgresError) as error:
            raise DatabaseAway(f"{type(error).__name__}: {error}") from error
        try:
            yield cast(Transaction, connection)  # the pool's proxy forwards everything
        finally:
            await pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; nothing that is done in it is committed."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.close()
        await self.engine.dispose()


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Have the pool replace a connection that the server has closed: we use the driver's own, so it does not notice."""
    driver: Transaction = connection.driver_connection
    if driver.is_closed():
        raise DisconnectionError


def loads(value: str | None) -> dict[str, object] | None:
    """A JSON document as the driver hands it over."""
    return None if value is None else orjson.loads(value)
