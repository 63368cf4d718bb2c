"""Stripe's idempotency keys: the first answer is the answer, errors of the server included."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from providers.sandbox.store import Store
from providers.sandbox.stripe.errors import Refusal

LONGEST_KEY = 255
KEPT_SECONDS = 30 * 3_600  # Stripe promises at least 24 hours


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored answer."""

    status: int
    body: bytes
    request_id: str


class Idempotency:
    """Answers by account and key."""

    def __init__(self, store: Store) -> None:
        """Forget what is older than Stripe would keep."""
        self._store = store
        store.write("DELETE FROM idempotency WHERE created < ?", (int(time.time()) - KEPT_SECONDS,))

    def find(self, account: str, key: str, path: str, body: bytes) -> Kept | None:
        """The stored answer to this very request; raises Refusal when the key was used for another."""
        if len(key) > LONGEST_KEY:
            raise Refusal(f"The idempotency key is longer than {LONGEST_KEY} characters.", stored=False)
        rows = self._store.read(
            "SELECT path, fingerprint, status, body, request_id FROM idempotency WHERE account = ? AND key = ?",
            (account, key),
        )
        if not rows:
            return None
        used_for, fingerprint, status, answer, request_id = rows[0]
        if not (isinstance(used_for, str) and isinstance(status, int) and isinstance(answer, bytes)):
            raise TypeError("the idempotency table holds a row of another shape")
        if used_for != path:
            raise _misused(f"the same endpoint they were first used for ('{used_for}' vs '{path}')", key)
        if fingerprint != _fingerprint(body):
            raise _misused("the same parameters they were first used with", key)
        return Kept(status, answer, str(request_id))

    def keep(self, account: str, key: str, path: str, body: bytes, kept: Kept) -> None:
        """Make this the answer from now on."""
        self._store.write(
            "INSERT OR REPLACE INTO idempotency (account, key, path, fingerprint, request_id, status, body, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (account, key, path, _fingerprint(body), kept.request_id, kept.status, kept.body, int(time.time())),
        )

    def forget(self, account: str) -> int:
        """Drop an account's keys, as Stripe may do after a day; returns how many."""
        return self._store.write("DELETE FROM idempotency WHERE account = ?", (account,))


def _fingerprint(body: bytes) -> str:
    """Parameters in another order are the same parameters."""
    return hashlib.sha256(b"&".join(sorted(body.split(b"&")))).hexdigest()


def _misused(what: str, key: str) -> Refusal:
    return Refusal(
        f"Keys for idempotent requests can only be used with {what}. Try using a key other than '{key}' if you meant"
        " to execute a different request.",
        kind="idempotency_error",
        stored=False,
    )
