"""The tables of the bank, and its rows as values."""

from __future__ import annotations

from dataclasses import dataclass

from providers.sandbox.store import Row, Value

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    folder TEXT PRIMARY KEY,
    iban TEXT NOT NULL,
    opening INTEGER NOT NULL,
    statements INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS taken (folder TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (folder, name));
CREATE TABLE IF NOT EXISTS orders (folder TEXT NOT NULL, message_id TEXT NOT NULL, PRIMARY KEY (folder, message_id));
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL,
    message_id TEXT NOT NULL,
    information_id TEXT NOT NULL,
    end_to_end_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    iban TEXT NOT NULL,
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('rejected', 'accepted', 'booked', 'returned')),
    reason TEXT,
    accepted_at REAL NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS payments_paid_once ON payments (folder, end_to_end_id) WHERE state <> 'rejected';
CREATE INDEX IF NOT EXISTS payments_waiting ON payments (folder, id) WHERE state = 'accepted';
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL,
    amount INTEGER NOT NULL,
    end_to_end_id TEXT NOT NULL,
    name TEXT NOT NULL,
    iban TEXT NOT NULL,
    message TEXT NOT NULL,
    reason TEXT,
    booked_at REAL NOT NULL,
    statement INTEGER
);
CREATE INDEX IF NOT EXISTS entries_unstated ON entries (folder, id) WHERE statement IS NULL;
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    written INTEGER NOT NULL DEFAULT 0
);
"""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment that the bank was asked for. Cents."""

    id: int
    message_id: str
    information_id: str
    end_to_end_id: str
    amount: int
    iban: str
    name: str
    message: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked movement. Cents, negative for money that left; a `reason` says that it is a return."""

    id: int
    amount: int
    end_to_end_id: str
    name: str
    iban: str
    message: str
    reason: str | None
    booked_at: float

    @property
    def reference(self) -> str:
        """The bank's own reference of it."""
        return f"E{self.id:010d}"


def text(value: Value) -> str:
    """A column of text."""
    return str(value)


def whole(value: Value) -> int:
    """A column of whole numbers."""
    return int(str(value))


def payment_of(row: Row) -> Payment:
    """A row of the columns that Payment names, in its order."""
    number, message_id, information_id, end_to_end_id, amount, iban, name, message, state, reason = row
    return Payment(
        id=whole(number),
        message_id=text(message_id),
        information_id=text(information_id),
        end_to_end_id=text(end_to_end_id),
        amount=whole(amount),
        iban=text(iban),
        name=text(name),
        message=text(message),
        state=text(state),
        reason=None if reason is None else text(reason),
    )


def entry_of(row: Row) -> Entry:
    """A row of the columns that Entry names, in its order."""
    number, amount, end_to_end_id, name, iban, message, reason, booked_at = row
    return Entry(
        id=whole(number),
        amount=whole(amount),
        end_to_end_id=text(end_to_end_id),
        name=text(name),
        iban=text(iban),
        message=text(message),
        reason=None if reason is None else text(reason),
        booked_at=float(text(booked_at)),
    )
