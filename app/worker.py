"""The job process: one handler per job name, and the loops that publish events, follow chains and sweep."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.db.alerts import raise_alert
from app.db.database import Database
from app.db.jobs import JobName
from app.domain.retry import job_delay
from app.ports.errors import ProviderError, ProviderThrottled
from app.services import follower, payments, refunds, sends, sweeps
from app.services.sends import WalletShort
from app.wiring import Worker
from webhooks.inbound.process import process_notification
from webhooks.outbound.publish import publish_waiting

log = structlog.get_logger(__name__)

Handler = Callable[[str], Awaitable[None]]

_BATCH = 20
_CONCURRENT = 64
_HEARTBEAT = timedelta(seconds=10)
_PUBLISH_SECONDS = 0.1
_FOLLOW_SECONDS = 0.5
_SWEEP_SECONDS = 1.0
_WAKE_SECONDS = 60.0
_PRUNE_SECONDS = 3600.0
# A job that was picked this often more than it was retried has killed its worker each time.
_DEADLY_PICKS = 4
_WORRYING_TRIES = 10


def handlers(worker: Worker) -> dict[JobName, Handler]:
    """Who does which job. Every handler may be run again from the start at any time."""
    db, rails = worker.db, worker.rails
    [sender] = worker.senders.values()

    return {
        JobName.START_PAYMENT: lambda payment_id: payments.start(db, rails, payment_id),
        JobName.CAPTURE_PAYMENT: lambda order_id: payments.capture(db, rails, order_id),
        JobName.CANCEL_PAYMENT: lambda order_id: payments.cancel(db, rails, order_id),
        JobName.REFUND_ORDER: lambda order_id: refunds.refund_order(db, order_id),
        JobName.REFUND_PAYMENT: lambda refund_id: refunds.refund_payment(db, rails, refund_id),
        JobName.SEND_COINS: lambda order_id: sends.send_coins(db, sender, order_id),
        JobName.PROCESS_NOTIFICATION: lambda stored_id: process_notification(db, rails, stored_id),
        JobName.DELIVER: worker.deliverer.deliver,
    }


def queue_on(worker: Worker, connection: asyncpg.Connection[asyncpg.Record]) -> PgQueuer:
    """The job engine with every handler registered."""
    queue = PgQueuer(AsyncpgDriver(connection))
    for name, handler in handlers(worker).items():
        queue.entrypoint(name.value, on_failure="hold")(_guarded(worker.db, handler))
    return queue


def _guarded(db: Database, handler: Handler) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        subject = (job.payload or b"").decode()
        if await _is_deadly(db, job, subject):
            return
        try:
            await handler(subject)
        except Exception as error:
            delay = job_delay(job.attempts + 1, random.random())  # noqa: S311 - spread, not secrecy
            if isinstance(error, ProviderThrottled) and error.retry_after is not None:
                delay = max(delay, timedelta(seconds=min(error.retry_after, 3600.0)))
            expected = isinstance(error, ProviderError | WalletShort)
            log.warning(
                "job.failed", job=job.entrypoint, subject=subject, tries=job.attempts + 1,
                error=f"{type(error).__name__}: {error}", exc_info=not expected,
            )  # fmt: skip
            if job.attempts == _WORRYING_TRIES:
                await _worry(db, job, subject, error)
            raise RetryRequested(delay, f"{type(error).__name__}") from error

    return run


async def _worry(db: Database, job: Job, subject: str, error: Exception) -> None:
    """A job is never given up, but a person should know of one that keeps failing."""
    with contextlib.suppress(Exception):  # the database may be what is failing
        async with db.transaction() as tx:
            await raise_alert(tx, "job_failing", f"{job.entrypoint}:{subject}", f"{type(error).__name__}: {error}")


async def _is_deadly(db: Database, job: Job, subject: str) -> bool:
    """Whether this job has killed its worker again and again; then it is parked for a person.

    A job is only picked anew when its worker has been silent for a heartbeat, so younger ones need no look.
    """
    if datetime.now(UTC) - job.execute_after < _HEARTBEAT:
        return False
    async with db.transaction() as tx:
        picks = await tx.fetchval("SELECT count(*) FROM pgqueuer_log WHERE job_id = $1 AND status = 'picked'", job.id)
        if picks - job.attempts <= _DEADLY_PICKS:
            return False
        await raise_alert(tx, "deadly_job", f"{job.entrypoint}:{subject}", f"picked {picks} times")
    log.error("job.parked", job=job.entrypoint, subject=subject, picks=picks)
    return True


async def follow_chains(worker: Worker) -> bool:
    """One round of following every chain. True when one of them has more to read."""
    more = False
    for sender in worker.senders.values():
        more = await follower.follow(worker.db, sender.rail) or more
    return more


def sweeps_of(worker: Worker) -> dict[str, Callable[[], Awaitable[int]]]:
    """Every sweep by name. Each has a loop of its own, so that a provider that hangs delays no other work."""
    db, rails = worker.db, worker.rails
    return {
        "expire": lambda: sweeps.expire_orders(db),
        "poll": lambda: sweeps.poll_payments(db, rails),
        "settle": lambda: sweeps.settle_operations(db, rails),
        "rebroadcast": lambda: sweeps.rebroadcast(db, worker.senders),
    }


async def _forever(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Repeat a piece of work; its failures are logged and never end the loop. It says True to go on at once."""
    while True:
        more: object = False
        try:
            more = await work()
        except Exception as error:
            log.warning("loop.failed", loop=name, error=f"{type(error).__name__}: {error}")
        if more is not True:
            await asyncio.sleep(seconds)


async def run(worker: Worker, connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Work until SIGTERM or SIGINT, then finish what is in hand. Raises when the database connection is lost."""
    queue = queue_on(worker, connection)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, queue.shutdown.set)
    loops = [
        asyncio.create_task(_forever("follow", _FOLLOW_SECONDS, lambda: follow_chains(worker))),
        asyncio.create_task(_forever("publish", _PUBLISH_SECONDS, lambda: publish_waiting(worker.db))),
        *(asyncio.create_task(_forever(name, _SWEEP_SECONDS, work)) for name, work in sweeps_of(worker).items()),
        asyncio.create_task(_forever("wake", _WAKE_SECONDS, lambda: sweeps.wake_jobs(worker.db))),
        asyncio.create_task(_forever("prune", _PRUNE_SECONDS, lambda: sweeps.forget_old_answers(worker.db))),
    ]
    try:
        await queue.run(
            dequeue_timeout=timedelta(seconds=5),
            batch_size=_BATCH,
            max_concurrent_tasks=_CONCURRENT,
            heartbeat_timeout=_HEARTBEAT,
        )
    finally:
        for task in loops:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*loops)
