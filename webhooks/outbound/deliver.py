"""Delivering: one attempt at a time, written down with what follows from it, in one transaction."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.db import deliveries, endpoints
from app.db.database import Database, Transaction
from app.db.deliveries import Delivery
from app.db.endpoints import Endpoint
from app.db.jobs import Job, JobName, enqueue
from app.domain.event_types import ENDPOINT_TESTED
from app.domain.retry import delivery_delay
from app.services.endpoints import give_up
from app.services.envelopes import body_of, envelope
from app.services.sealing import Sealer
from webhooks.outbound.guard import SystemResolver
from webhooks.outbound.post import BUDGET_SECONDS, Poster, Reply
from webhooks.outbound.signing import signed_headers

log = structlog.get_logger(__name__)

# An attempt belongs to one worker for this long; one that dies with its worker is made again after it.
LEASE = timedelta(seconds=2 * BUDGET_SECONDS)
AT_ONCE = 4  # attempts to one endpoint by one worker, so that a slow endpoint delays nobody else
GIVE_UP_AFTER = timedelta(hours=120)  # of nothing but failures
_GONE = 410
_SLOW_DOWN = frozenset({429, 502, 504})  # what Standard Webhooks calls a wish to be sent less
_SLOW_DOWN_FOR = timedelta(seconds=30)  # when it does not say how long


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Everything that one POST needs, read before it and held by no transaction."""

    delivery: Delivery
    url: str
    kind: str
    headers: dict[str, str]
    body: bytes


class Deliverer:
    """Does the job `deliver` of one worker process."""

    def __init__(
        self,
        db: Database,
        sealer: Sealer,
        *,
        allow_loopback: bool = False,
        livemode: bool = False,
        poster: Poster | None = None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        """`livemode` is what the events say of themselves; `spread` gives the jitter, from 0 to 1."""
        self._db = db
        self._sealer = sealer
        self._livemode = livemode
        self._poster = poster or Poster(SystemResolver(), allow_loopback=allow_loopback)
        self._spread = spread
        self._busy: Counter[str] = Counter()

    async def deliver(self, delivery_id: str) -> None:
        """Make one attempt if it is due and the endpoint can take it, else come back later."""
        async with self._db.connection() as connection:
            delivery = await deliveries.get(connection, delivery_id)
        if delivery is None or delivery.state != "pending":
            return
        if self._busy[delivery.endpoint_id] >= AT_ONCE:
            async with self._db.transaction() as tx:
                # Its due time stays as it is: another job may be attempting it under that lease.
                await enqueue(tx, [Job(JobName.DELIVER, delivery_id, timedelta(seconds=1 + 2 * self._spread()))])
            return
        self._busy[delivery.endpoint_id] += 1
        try:
            async with self._db.transaction() as tx:
                attempt = await self._take(tx, delivery_id)
            if attempt is None:
                return
            reply = await self._poster.post(attempt.url, attempt.headers, attempt.body)
            async with self._db.transaction() as tx:
                await self._record(tx, attempt, reply)
        finally:
            self._busy[delivery.endpoint_id] -= 1

    async def _take(self, tx: Transaction, delivery_id: str) -> _Attempt | None:
        """Lease the delivery and gather what to send; None when there is nothing to do now."""
        wait = await deliveries.lease(tx, delivery_id, LEASE)
        if wait is None:
            return None
        if wait:  # another job has it, or it is too early
            await enqueue(tx, [Job(JobName.DELIVER, delivery_id, wait)])
            return None
        delivery = await deliveries.get(tx, delivery_id)
        assert delivery is not None  # noqa: S101 - it was leased just now
        endpoint = await endpoints.find(tx, delivery.endpoint_id)
        event = await deliveries.event_of(tx, delivery.event_id)
        secrets = await endpoints.live_secrets(tx, endpoint.id)
        wanted = endpoint.is_enabled or event.type == ENDPOINT_TESTED
        if endpoint.deleted_at is not None or not wanted or not secrets:
            await deliveries.cancel(tx, delivery_id)
            return None
        now: datetime = await tx.fetchval("SELECT now()")
        if endpoint.throttled_until is not None and endpoint.throttled_until > now:
            pause = endpoint.throttled_until - now
            await self._come_back(tx, delivery_id, pause * (1 + 0.1 * self._spread()))
            return None
        body = body_of(envelope(event, livemode=self._livemode))
        opened = [self._sealer.open(secret.ciphertext).decode() for secret in secrets]
        headers = signed_headers(opened, message_id=event.id, at=now, body=body)
        return _Attempt(delivery, endpoint.url, event.type, headers, body)

    async def _come_back(self, tx: Transaction, delivery_id: str, delay: timedelta) -> None:
        await deliveries.postpone(tx, delivery_id, delay)
        await enqueue(tx, [Job(JobName.DELIVER, delivery_id, delay)])

    async def _record(self, tx: Transaction, attempt: _Attempt, reply: Reply) -> None:
        """Write the attempt and everything that follows from it. Locks the endpoint first, as all who change it do."""
        endpoint = await endpoints.lock(tx, attempt.delivery.endpoint_id)
        assert endpoint is not None  # noqa: S101 - endpoints are never removed
        log.info("delivery.attempted", delivery_id=attempt.delivery.id, status=reply.status, error=reply.error)
        if reply.succeeded:
            await _write(tx, attempt, reply, "succeeded")
            await endpoints.note_success(tx, endpoint.id)
            return
        failing_for = await endpoints.note_failure(tx, endpoint.id, _throttle(reply))
        delay = None
        if reply.status != _GONE and attempt.kind != ENDPOINT_TESTED:
            delay = delivery_delay(attempt.delivery.attempts + 1, self._spread())
        if delay is None:
            await _write(tx, attempt, reply, "canceled" if reply.status == _GONE else "exhausted")
        else:
            delay = max(delay, reply.retry_after or delay)
            await _write(tx, attempt, reply, "pending", delay)
            await enqueue(tx, [Job(JobName.DELIVER, attempt.delivery.id, delay)])
        await _give_up_if_hopeless(tx, endpoint, reply, failing_for)


async def _write(tx: Transaction, attempt: _Attempt, reply: Reply, state: str, delay: timedelta = timedelta(0)) -> None:
    await deliveries.record_attempt(
        tx,
        attempt.delivery.id,
        status=reply.status,
        error=reply.error,
        response=reply.text,
        duration_ms=reply.duration_ms,
        state=state,
        delay=delay,
    )


def _throttle(reply: Reply) -> timedelta | None:
    """How long the whole endpoint is left alone after a failure."""
    if reply.status in _SLOW_DOWN:
        return reply.retry_after or _SLOW_DOWN_FOR
    return reply.retry_after


async def _give_up_if_hopeless(tx: Transaction, endpoint: Endpoint, reply: Reply, failing_for: timedelta) -> None:
    if reply.status == _GONE:
        await give_up(tx, endpoint.id, "gone")
    elif failing_for >= GIVE_UP_AFTER:
        await give_up(tx, endpoint.id, "failing")
