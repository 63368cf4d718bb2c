"""An SQLite file of the sandbox: a single connection, and commits shared by the requests of one loop turn."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Value = str | int | float | bytes | None
Row = tuple[Value, ...]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    object TEXT NOT NULL,
    created INTEGER NOT NULL,
    type TEXT,
    payment_intent TEXT,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_listed ON documents (account, object, seq);
CREATE INDEX IF NOT EXISTS documents_of_payment ON documents (payment_intent, object) WHERE payment_intent IS NOT NULL;
CREATE TABLE IF NOT EXISTS idempotency (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (account, key)
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    account TEXT NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up', 'dropped')),
    last_status INTEGER
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_of_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS requests (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at REAL NOT NULL,
    target TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    idempotency_key TEXT,
    account TEXT,
    status INTEGER,
    fault TEXT
);
CREATE INDEX IF NOT EXISTS requests_of_account ON requests (account, sequence);
CREATE TABLE IF NOT EXISTS venue (pair TEXT PRIMARY KEY, body TEXT NOT NULL);
"""


class Store:
    """Rows that survive a kill once `durable()` has returned.

    Everything runs on one event loop. Statements join the transaction that is open; the first caller of `durable()`
    has it committed at the next turn of the loop, and every caller of that turn shares the one fsync.
    """

    def __init__(self, path: Path, schema: str = SCHEMA) -> None:
        """Open or create the file at `path`."""
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 8000")  # pages: fewer pauses for copying back
        self._connection.executescript(schema)
        self._commit: asyncio.Future[None] | None = None

    def close(self) -> None:
        """Commit what is open and let go of the file."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        self._connection.close()

    def read(self, statement: str, parameters: tuple[Value, ...] = ()) -> list[Row]:
        """Run a query."""
        return self._connection.execute(statement, parameters).fetchall()

    def write(self, statement: str, parameters: tuple[Value, ...] = ()) -> int:
        """Run a change inside the open transaction; returns the number of rows that it touched."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        return self._connection.execute(statement, parameters).rowcount

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo the changes made inside when the block raises, and only those."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        self._connection.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO step")
            raise
        finally:
            self._connection.execute("RELEASE step")

    async def durable(self) -> None:
        """Wait until everything written so far is on disk."""
        if not self._connection.in_transaction:
            return
        if self._commit is None:
            loop = asyncio.get_running_loop()
            self._commit = loop.create_future()
            loop.call_soon(self._commit_now)
        await asyncio.shield(self._commit)

    def _commit_now(self) -> None:
        waiting, self._commit = self._commit, None
        try:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if waiting is not None:
                waiting.set_exception(error)
            return
        if waiting is not None:
            waiting.set_result(None)
