"""The far side's truth: Stripe's objects as JSON documents, each in the books of one account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import orjson

from providers.sandbox.store import Store, Value
from providers.sandbox.stripe.errors import Document, no_such

_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "="}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an account, and the request by which it does; a control or the sandbox itself has no request."""

    account: str
    request_id: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What a list asks for. `condition` is SQL of ours with its own values, never text from a request."""

    object: str
    limit: int = 10
    starting_after: str | None = None
    ending_before: str | None = None
    created: tuple[tuple[str, int], ...] = ()
    types: tuple[str, ...] = ()
    payment_intent: str | None = None
    condition: str = "TRUE"
    values: tuple[Value, ...] = ()


def token(length: int) -> str:
    """Random hexadecimal digits."""
    return secrets.token_hex(length)[:length]


def new_id(prefix: str) -> str:
    """A reference in Stripe's form: `pi_` and 24 characters."""
    return f"{prefix}_{token(24)}"


class Books:
    """Every account's documents."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, account: str, document: Document) -> None:
        """Write a new document."""
        payment = document.get("payment_intent")
        self._store.write(
            "INSERT INTO documents (id, account, object, created, type, payment_intent, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                document["id"],
                account,
                document["object"],
                document["created"],
                document.get("type"),
                payment,
                _written(document),
            ),
        )

    def save(self, document: Document) -> None:
        """Write a document that was changed."""
        self._store.write("UPDATE documents SET body = ? WHERE id = ?", (_written(document), document["id"]))

    def remove(self, document: Document) -> None:
        """Delete a document."""
        self._store.write("DELETE FROM documents WHERE id = ?", (document["id"],))

    def find(self, account: str, reference: str, noun: str) -> Document | None:
        """The document of this kind, if the account has it."""
        rows = self._store.read(
            "SELECT body FROM documents WHERE id = ? AND account = ? AND object = ?", (reference, account, noun)
        )
        return _read(rows[0][0]) if rows else None

    def get(self, account: str, reference: str, noun: str, *, param: str = "id", status: int = 404) -> Document:
        """The document of this kind; raises Refusal when the account has none."""
        found = self.find(account, reference, noun)
        if found is None:
            raise no_such(noun, reference, param=param, status=status)
        return found

    def any(self, account: str, reference: str) -> Document | None:
        """The document of any kind behind a reference."""
        rows = self._store.read("SELECT body FROM documents WHERE id = ? AND account = ?", (reference, account))
        return _read(rows[0][0]) if rows else None

    def owner_of(self, reference: str) -> str | None:
        """The account in whose books this reference stands."""
        rows = self._store.read("SELECT account FROM documents WHERE id = ?", (reference,))
        return str(rows[0][0]) if rows else None

    def of_payment(self, payment_intent: str, noun: str) -> list[Document]:
        """Everything of a kind that belongs to a payment intent, oldest first."""
        rows = self._store.read(
            "SELECT body FROM documents WHERE payment_intent = ? AND object = ? ORDER BY seq", (payment_intent, noun)
        )
        return [_read(row[0]) for row in rows]

    def all(self, account: str, noun: str) -> list[Document]:
        """Everything of a kind, oldest first; for the few kinds that stay few."""
        rows = self._store.read(
            "SELECT body FROM documents WHERE account = ? AND object = ? ORDER BY seq", (account, noun)
        )
        return [_read(row[0]) for row in rows]

    def page(self, account: str, page: Page) -> tuple[list[Document], bool]:
        """One page, newest first, and whether there is more in that direction."""
        conditions, values = ["account = ?", "object = ?", page.condition], [account, page.object, *page.values]
        for bound, moment in page.created:
            conditions.append(f"created {_BOUNDS[bound]} ?")
            values.append(moment)
        if page.types:
            conditions.append(f"type IN ({', '.join('?' for _ in page.types)})")
            values.extend(page.types)
        if page.payment_intent is not None:
            conditions.append("payment_intent = ?")
            values.append(page.payment_intent)
        for param, cursor, condition in (
            ("starting_after", page.starting_after, "seq < (SELECT seq FROM documents WHERE id = ?)"),
            ("ending_before", page.ending_before, "seq > (SELECT seq FROM documents WHERE id = ?)"),
        ):
            if cursor is not None:
                self.get(account, cursor, page.object, param=param, status=400)
                conditions.append(condition)
                values.append(cursor)
        backwards = page.ending_before is not None
        rows = self._store.read(
            f"SELECT body FROM documents WHERE {' AND '.join(conditions)}"  # noqa: S608 (only our own words are joined)
            f" ORDER BY seq {'ASC' if backwards else 'DESC'} LIMIT ?",
            (*values, page.limit + 1),
        )
        found = [_read(row[0]) for row in rows[: page.limit]]
        return (found[::-1] if backwards else found), len(rows) > page.limit

    def totals(self, account: str, now: int) -> list[tuple[str, bool, int]]:
        """Sums of the balance transactions: (currency, whether available now, net)."""
        rows = self._store.read(
            "SELECT json_extract(body, '$.currency'), json_extract(body, '$.available_on') <= ?,"
            " SUM(json_extract(body, '$.net')) FROM documents"
            " WHERE account = ? AND object = 'balance_transaction' GROUP BY 1, 2 ORDER BY 1, 2",
            (now, account),
        )
        return [(str(currency), bool(ready), int(net or 0)) for currency, ready, net in rows]


def _written(document: Document) -> str:
    return orjson.dumps(document).decode()


def _read(body: Value) -> Document:
    document: Document = orjson.loads(body if isinstance(body, str | bytes) else b"{}")
    return document
