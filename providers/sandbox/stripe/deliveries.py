"""Webhook deliveries: rows that say who is still to be told of what, and the loop that tells them, with retries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from contextlib import suppress
from functools import partial

import httpx
import orjson

from providers.sandbox.faults import Fault, FaultKind, Faults
from providers.sandbox.store import Store
from providers.sandbox.stripe.books import Books
from providers.sandbox.stripe.errors import Document

_log = logging.getLogger(__name__)

GIVE_UP_AFTER = 3 * 86_400  # seconds: Stripe retries for up to three days in live mode
LONGEST_PAUSE = 60.0  # seconds between two attempts; Stripe waits hours, a developer does not
AT_ONCE = 16
ROLL_OVERLAP = 86_400  # seconds for which a rolled secret still signs


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Stripe's signature: HMAC-SHA256 under the whole secret string, over the time and the raw body."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def signature_header(endpoint: Document, timestamp: int, body: bytes) -> str:
    """`t=...,v1=...`, with a second v1 while a rolled secret is still valid."""
    valid = [secret for secret, until in endpoint["_secrets"] if until is None or until > timestamp]
    return ",".join([f"t={timestamp}", *(f"v1={signature(secret, timestamp, body)}" for secret in valid)])


class Deliveries:
    """The queue on disk and its sender."""

    def __init__(self, store: Store, books: Books, faults: Faults, *, first_pause: float, timeout: float) -> None:
        """`first_pause` seconds lie between the first two attempts, then twice as many each time."""
        self._store = store
        self._books = books
        self._faults = faults
        self._first_pause = first_pause
        self._timeout = timeout
        self._endpoints: dict[str, list[Document]] = {}
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def queue(self, account: str, event: str, kind: str) -> int:
        """Write the deliveries of a new event; returns how many endpoints want it."""
        wanting = [endpoint for endpoint in self.endpoints(account) if _wants(endpoint, kind)]
        if not wanting:
            return 0
        fault = self._faults.for_event(account, kind)
        copies = fault.copies if fault is not None and fault.kind is FaultKind.WEBHOOK_DUPLICATE else 1
        state = "dropped" if fault is not None and fault.kind is FaultKind.WEBHOOK_DROP else "pending"
        due = time.time() + _lateness(fault)
        for endpoint in wanting:
            for _ in range(copies):
                self._store.write(
                    "INSERT INTO deliveries (event, endpoint, account, due, state) VALUES (?, ?, ?, ?, ?)",
                    (event, endpoint["id"], account, due, state),
                )
        self._wake.set()
        return len(wanting)

    def endpoints(self, account: str) -> list[Document]:
        """The account's webhook endpoints, remembered until `forget`."""
        if account not in self._endpoints:
            self._endpoints[account] = self._books.all(account, "webhook_endpoint")
        return self._endpoints[account]

    def forget(self, account: str) -> None:
        """An endpoint of this account was changed."""
        self._endpoints.pop(account, None)

    def undelivered(self, event: str) -> int:
        """How many deliveries of an event have not succeeded."""
        rows = self._store.read("SELECT COUNT(*) FROM deliveries WHERE event = ? AND state <> 'delivered'", (event,))
        return int(rows[0][0] or 0)

    async def run(self) -> None:
        """Send what is due, for ever; what an earlier process tried in vain is tried again at once."""
        self._store.write("UPDATE deliveries SET due = ? WHERE state = 'pending' AND attempts > 0", (time.time(),))
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(timeout=self._timeout, limits=limits, trust_env=False) as client:
            try:
                while True:
                    await self._round(client)
            finally:
                for task in self._sending.values():
                    task.cancel()

    async def _round(self, client: httpx.AsyncClient) -> None:
        """Start what is due, then sleep until something is queued, finished or due."""
        self._wake.clear()
        await self._store.durable()  # nobody is told of what a kill could still undo
        rows = self._store.read(
            "SELECT id, due FROM deliveries WHERE state = 'pending' ORDER BY due, id LIMIT ?", (AT_ONCE * 4,)
        )
        waiting = [(int(row[0] or 0), float(row[1] or 0)) for row in rows if row[0] not in self._sending]
        now = time.time()
        for delivery, due in waiting[: AT_ONCE - len(self._sending)]:
            if due <= now:
                task = asyncio.create_task(self._attempt(client, delivery))
                self._sending[delivery] = task
                task.add_done_callback(partial(self._finished, delivery))
        later = [due for _, due in waiting if due > now]
        pause = min(later) - now if later else None
        if len(self._sending) >= AT_ONCE:
            pause = None
        # Not `wait_for`: before Python 3.12 that forgets it was canceled when its wait ends at that very moment.
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()

    def _finished(self, delivery: int, task: asyncio.Task[None]) -> None:
        self._sending.pop(delivery, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a delivery could not be attempted", exc_info=error)
        self._wake.set()

    async def _attempt(self, client: httpx.AsyncClient, delivery: int) -> None:
        row = self._store.read("SELECT event, endpoint, account, attempts FROM deliveries WHERE id = ?", (delivery,))[0]
        event_id, endpoint_id, account, attempts = str(row[0]), str(row[1]), str(row[2]), int(row[3] or 0)
        event = self._books.get(account, event_id, "event")
        endpoint = self._books.find(account, endpoint_id, "webhook_endpoint")
        if endpoint is None or endpoint["status"] != "enabled":
            self._record(delivery, "given_up", None, attempts, 0.0)
            return
        status = await self._post(client, event, endpoint)
        if status is not None and 200 <= status < 300:
            self._record(delivery, "delivered", status, attempts + 1, 0.0)
        elif time.time() - event["created"] > GIVE_UP_AFTER:
            self._record(delivery, "given_up", status, attempts + 1, 0.0)
        else:
            pause = min(LONGEST_PAUSE, self._first_pause * 2.0 ** min(attempts, 20))
            self._record(delivery, "pending", status, attempts + 1, time.time() + pause)

    async def _post(self, client: httpx.AsyncClient, event: Document, endpoint: Document) -> int | None:
        event["pending_webhooks"] = self.undelivered(event["id"])
        event["api_version"] = endpoint["api_version"] or event["api_version"]
        body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "stripe-signature": signature_header(endpoint, int(time.time()), body),
        }
        try:
            response = await client.post(endpoint["url"], content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        return response.status_code

    def _record(self, delivery: int, state: str, status: int | None, attempts: int, due: float) -> None:
        self._store.write(
            "UPDATE deliveries SET state = ?, last_status = ?, attempts = ?, due = ? WHERE id = ?",
            (state, status, attempts, due, delivery),
        )


def _wants(endpoint: Document, kind: str) -> bool:
    return endpoint["status"] == "enabled" and ("*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"])


def _lateness(fault: Fault | None) -> float:
    """How many seconds late the fault makes an event; a reordered one is the later, the earlier it came."""
    if fault is None:
        return 0.0
    if fault.kind is FaultKind.WEBHOOK_DELAY:
        return fault.seconds
    if fault.kind is FaultKind.WEBHOOK_REORDER:
        return fault.seconds * (fault.times + 1) / fault.armed
    return 0.0
