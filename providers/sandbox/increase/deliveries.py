"""Webhook deliveries: rows that say who is still to be told of what, and the loop that tells them, with retries."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from contextlib import suppress
from functools import partial

import httpx
import orjson

from providers.sandbox.faults import Fault, FaultKind, Faults
from providers.sandbox.increase.books import Books
from providers.sandbox.increase.errors import Document
from providers.sandbox.store import Store

_log = logging.getLogger(__name__)

MOST_ATTEMPTS = 11  # https://increase.com/documentation/webhooks: up to ten retries, at growing distances
LONGEST_PAUSE = 60.0  # seconds between two attempts; Increase waits longer, a developer does not
AT_ONCE = 16

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS increase_deliveries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        event TEXT NOT NULL,
        subscription TEXT NOT NULL,
        owner TEXT NOT NULL,
        due REAL NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up', 'dropped')),
        last_status INTEGER
    )
    """,
    "CREATE INDEX IF NOT EXISTS increase_deliveries_due ON increase_deliveries (due) WHERE state = 'pending'",
)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Standard Webhooks, with the text of the shared secret itself as the key, as Increase's SDK reads it."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


class Deliveries:
    """The queue on disk and its sender."""

    def __init__(self, store: Store, books: Books, faults: Faults, *, first_pause: float, timeout: float) -> None:
        """`first_pause` seconds lie between the first two attempts, then twice as many each time."""
        self._store = store
        self._books = books
        self._faults = faults
        self._first_pause = first_pause
        self._timeout = timeout
        self._subscriptions: dict[str, list[Document]] = {}
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        for statement in _TABLES:
            store.write(statement)

    def queue(self, owner: str, event: str, category: str) -> None:
        """Write the deliveries of a new event."""
        wanting = [subscription for subscription in self._of(owner) if _wants(subscription, category)]
        if not wanting:
            return
        fault = self._faults.for_event(owner, category, "increase")
        copies = fault.copies if fault is not None and fault.kind is FaultKind.WEBHOOK_DUPLICATE else 1
        state = "dropped" if fault is not None and fault.kind is FaultKind.WEBHOOK_DROP else "pending"
        due = time.time() + _lateness(fault)
        for subscription in wanting:
            for _ in range(copies):
                self._store.write(
                    "INSERT INTO increase_deliveries (event, subscription, owner, due, state) VALUES (?, ?, ?, ?, ?)",
                    (event, subscription["id"], owner, due, state),
                )
        self._wake.set()

    def forget(self, owner: str) -> None:
        """A subscription of this owner was changed."""
        self._subscriptions.pop(owner, None)

    async def run(self) -> None:
        """Send what is due, for ever; what an earlier process tried in vain is tried again at once."""
        self._store.write(
            "UPDATE increase_deliveries SET due = ? WHERE state = 'pending' AND attempts > 0", (time.time(),)
        )
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(timeout=self._timeout, limits=limits, trust_env=False) as client:
            try:
                while True:
                    await self._round(client)
            finally:
                for task in self._sending.values():
                    task.cancel()

    def _of(self, owner: str) -> list[Document]:
        """The owner's subscriptions, remembered until `forget`."""
        if owner not in self._subscriptions:
            self._subscriptions[owner] = self._books.all(owner, "event_subscription")
        return self._subscriptions[owner]

    async def _round(self, client: httpx.AsyncClient) -> None:
        """Start what is due, then sleep until something is queued, finished or due."""
        self._wake.clear()
        await self._store.durable()  # nobody is told of what a kill could still undo
        rows = self._store.read(
            "SELECT id, due FROM increase_deliveries WHERE state = 'pending' ORDER BY due, id LIMIT ?", (AT_ONCE * 4,)
        )
        waiting = [(int(row[0] or 0), float(row[1] or 0)) for row in rows if row[0] not in self._sending]
        now = time.time()
        for delivery, due in waiting[: AT_ONCE - len(self._sending)]:
            if due <= now:
                task = asyncio.create_task(self._attempt(client, delivery))
                self._sending[delivery] = task
                task.add_done_callback(partial(self._finished, delivery))
        later = [due for _, due in waiting if due > now]
        pause = min(later) - now if later and len(self._sending) < AT_ONCE else None
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
        row = self._store.read(
            "SELECT event, subscription, owner, attempts FROM increase_deliveries WHERE id = ?", (delivery,)
        )[0]
        owner, attempts = str(row[2]), int(row[3] or 0) + 1
        event = self._books.get(owner, str(row[0]), "event")
        subscription = self._books.get(owner, str(row[1]), "event_subscription")
        if subscription["status"] != "active":
            self._record(delivery, "given_up", None, attempts - 1, 0.0)
            return
        status = await _post(client, event, subscription)
        if status is not None and 200 <= status < 300:
            self._record(delivery, "delivered", status, attempts, 0.0)
        elif attempts >= MOST_ATTEMPTS:
            self._record(delivery, "given_up", status, attempts, 0.0)
        else:
            pause = min(LONGEST_PAUSE, self._first_pause * 2.0 ** (attempts - 1))
            self._record(delivery, "pending", status, attempts, time.time() + pause)

    def _record(self, delivery: int, state: str, status: int | None, attempts: int, due: float) -> None:
        self._store.write(
            "UPDATE increase_deliveries SET state = ?, last_status = ?, attempts = ?, due = ? WHERE id = ?",
            (state, status, attempts, due, delivery),
        )


async def _post(client: httpx.AsyncClient, event: Document, subscription: Document) -> int | None:
    body, timestamp = orjson.dumps(event), int(time.time())
    headers = {
        "content-type": "application/json",
        "webhook-id": event["id"],
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(subscription["_shared_secret"], event["id"], timestamp, body),
    }
    try:
        response = await client.post(subscription["url"], content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return response.status_code


def _wants(subscription: Document, category: str) -> bool:
    chosen = subscription["selected_event_categories"]
    wanted = chosen is None or category in [each["event_category"] for each in chosen]
    return subscription["status"] == "active" and wanted


def _lateness(fault: Fault | None) -> float:
    """How many seconds late the fault makes an event; a reordered one is the later, the earlier it came."""
    if fault is None:
        return 0.0
    if fault.kind is FaultKind.WEBHOOK_DELAY:
        return fault.seconds
    if fault.kind is FaultKind.WEBHOOK_REORDER:
        return fault.seconds * (fault.times + 1) / fault.armed
    return 0.0
