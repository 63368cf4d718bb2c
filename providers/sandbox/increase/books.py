"""The far side's truth: Increase's objects as JSON documents, each in the books of one API key."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from providers.sandbox.increase.errors import Document, no_such
from providers.sandbox.store import Store, Value

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS increase_objects (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        type TEXT NOT NULL,
        created REAL NOT NULL,
        due REAL,
        idempotency_key TEXT,
        fingerprint TEXT,
        body TEXT NOT NULL,
        UNIQUE (owner, idempotency_key)
    )
    """,
    "CREATE INDEX IF NOT EXISTS increase_objects_listed ON increase_objects (owner, type, seq)",
    "CREATE INDEX IF NOT EXISTS increase_objects_due ON increase_objects (due) WHERE due IS NOT NULL",
)
_ALPHABET = string.ascii_lowercase + string.digits
_KEY = re.compile(r"sandbox_key_[A-Za-z0-9_]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key, and a digest of the request that it came with."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a list asks for. `conditions` are SQL of ours with their values, never text from a request."""

    type: str
    limit: int = 100
    cursor: int | None = None
    conditions: tuple[tuple[str, Value], ...] = ()


def owner_of_key(api_key: str) -> str:
    """The group whose books this API key opens; the key itself is kept nowhere."""
    return "sandbox_group_" + hashlib.sha256(api_key.encode()).hexdigest()[:16]


def is_sandbox_key(text: str) -> bool:
    """Whether this has the form of the keys that the sandbox knows: `sandbox_key_` and letters or digits."""
    return _KEY.fullmatch(text) is not None


def owner_named(text: str) -> str:
    """Read an owner as controls give it: its group id, or the API key that opens it."""
    return owner_of_key(text) if is_sandbox_key(text) else text


def new_id(kind: str) -> str:
    """A reference in the form of Increase's sandbox: `sandbox_ach_transfer_` and 20 characters."""
    return f"sandbox_{kind}_" + "".join(secrets.choice(_ALPHABET) for _ in range(20))


def stamp(moment: float | None = None) -> str:
    """A time as Increase writes it, to the second."""
    return datetime.fromtimestamp(time.time() if moment is None else moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def visible(document: Document) -> Document:
    """The document without what is only ours."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


class Books:
    """Every owner's documents. Members that begin with an underscore never leave."""

    def __init__(self, store: Store) -> None:
        self._store = store
        for statement in _TABLES:
            store.write(statement)

    def add(self, owner: str, document: Document, *, key: Key | None = None, due: float | None = None) -> None:
        """Write a new document; `due` is when it next changes by itself."""
        self._store.write(
            "INSERT INTO increase_objects (id, owner, type, created, due, idempotency_key, fingerprint, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document["id"],
                owner,
                document["type"],
                time.time(),
                due,
                key.key if key is not None else None,
                key.fingerprint if key is not None else None,
                _written(document),
            ),
        )

    def save(self, document: Document, *, due: float | None = None) -> None:
        """Write a document that was changed, and when it changes next."""
        self._store.write(
            "UPDATE increase_objects SET body = ?, due = ? WHERE id = ?", (_written(document), due, document["id"])
        )

    def get(self, owner: str, reference: str, kind: str) -> Document:
        """The document of this kind; raises Refusal when the owner has none."""
        rows = self._store.read(
            "SELECT body FROM increase_objects WHERE id = ? AND owner = ? AND type = ?", (reference, owner, kind)
        )
        if not rows:
            raise no_such(reference)
        return _read(rows[0][0])

    def under_key(self, owner: str, key: str) -> tuple[Document, str] | None:
        """The document that this idempotency key made, and the digest of the request that did."""
        rows = self._store.read(
            "SELECT body, fingerprint FROM increase_objects WHERE owner = ? AND idempotency_key = ?", (owner, key)
        )
        return (_read(rows[0][0]), str(rows[0][1])) if rows else None

    def owner_and(self, reference: str) -> tuple[str, Document]:
        """A document of anybody's and its owner; raises Refusal."""
        rows = self._store.read("SELECT owner, body FROM increase_objects WHERE id = ?", (reference,))
        if not rows:
            raise no_such(reference)
        return str(rows[0][0]), _read(rows[0][1])

    def where(self, kind: str, name: str, value: Value) -> Iterator[tuple[str, Document]]:
        """Every document of this kind, of anybody's, whose member has this value; for the few kinds that stay few."""
        rows = self._store.read(
            f"SELECT owner, body FROM increase_objects WHERE type = ? AND json_extract(body, '$.{name}') = ?"  # noqa: S608 (our own words)
            " ORDER BY seq",
            (kind, value),
        )
        return ((str(owner), _read(body)) for owner, body in rows)

    def due(self, now: float, limit: int) -> list[tuple[str, Document]]:
        """What changes by itself by now, with its owner, the longest due first."""
        rows = self._store.read(
            "SELECT owner, body FROM increase_objects WHERE due <= ? ORDER BY due, seq LIMIT ?", (now, limit)
        )
        return [(str(owner), _read(body)) for owner, body in rows]

    def next_due(self) -> float | None:
        """When the next document changes by itself."""
        rows = self._store.read("SELECT MIN(due) FROM increase_objects WHERE due IS NOT NULL")
        return float(rows[0][0]) if rows[0][0] is not None else None

    def all(self, owner: str, kind: str) -> list[Document]:
        """Everything of a kind, oldest first; for the few kinds that stay few."""
        rows = self._store.read(
            "SELECT body FROM increase_objects WHERE owner = ? AND type = ? ORDER BY seq", (owner, kind)
        )
        return [_read(row[0]) for row in rows]

    def page(self, owner: str, page: Page) -> tuple[list[Document], int | None]:
        """One page, newest first, and where the next one begins."""
        conditions: list[str] = ["owner = ?", "type = ?"]
        values: list[Value] = [owner, page.type]
        for condition, value in page.conditions:
            conditions.append(condition)
            values.append(value)
        if page.cursor is not None:
            conditions.append("seq < ?")
            values.append(page.cursor)
        rows = self._store.read(
            f"SELECT seq, body FROM increase_objects WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?",  # noqa: S608 (only our own words are joined)
            (*values, page.limit + 1),
        )
        found = [_read(row[1]) for row in rows[: page.limit]]
        last = rows[page.limit - 1][0] if len(rows) > page.limit else None
        return found, last if isinstance(last, int) else None


def _written(document: Document) -> str:
    return orjson.dumps(document).decode()


def _read(body: Value) -> Document:
    document: Document = orjson.loads(body if isinstance(body, str | bytes) else b"{}")
    return document
