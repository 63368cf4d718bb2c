"""The durable log of every request that came from our program: what an auditor holds against its own rows."""

from __future__ import annotations

from dataclasses import dataclass

from providers.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in. `account` is Stripe's, never the secret key; a JSON-RPC method ends the path."""

    target: str
    method: str
    path: str
    account: str | None
    key: str | None
    body: bytes
    received_at: float  # seconds since 1970 by the wall clock, before anything was done


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One line of the log. `status` is None when the answer was withheld; `fault` names what was done to it."""

    id: int  # ascending; what `after` counts by
    received_at: float
    target: str
    method: str
    path: str
    idempotency_key: str | None
    account: str | None
    status: int | None
    fault: str | None


class RequestLog:
    """Lines are written in the transaction of the request itself, so log and effect cannot disagree after a kill."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, call: Call, status: int | None, fault: str | None) -> None:
        """Write one line."""
        self._store.write(
            "INSERT INTO requests (received_at, target, method, path, idempotency_key, account, status, fault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (call.received_at, call.target, call.method, call.path, call.key, call.account, status, fault),
        )

    def list(self, *, account: str | None, after: int, limit: int) -> list[LoggedRequest]:
        """The lines after the line `after`, oldest first."""
        rows = self._store.read(
            "SELECT sequence, received_at, target, method, path, idempotency_key, account, status, fault FROM requests"
            " WHERE sequence > ? AND (? IS NULL OR account = ?) ORDER BY sequence LIMIT ?",
            (after, account, account, limit),
        )
        return [_line(row) for row in rows]


def _line(row: tuple[object, ...]) -> LoggedRequest:
    sequence, received_at, target, method, path, key, account, status, fault = row
    if not (isinstance(sequence, int) and isinstance(received_at, float)):
        raise TypeError("the request log holds a line of another shape")
    return LoggedRequest(
        id=sequence,
        received_at=received_at,
        target=str(target),
        method=str(method),
        path=str(path),
        idempotency_key=_text(key),
        account=_text(account),
        status=status if isinstance(status, int) else None,
        fault=_text(fault),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
