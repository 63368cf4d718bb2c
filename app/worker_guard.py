"""Guarding jobs: a failure is tried again later, and a job that kills its worker again and again is parked."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.db import suspects
from app.db.alerts import raise_alert
from app.db.database import Database
from app.domain.retry import job_delay
from app.ports.errors import ProviderError
from app.services.spending import SendWaits

log = structlog.get_logger(__name__)

Handler = Callable[[str], Awaitable[None]]

# A job that was picked this often more than it was retried was in its worker's hands when that died.
_SUSPICIOUS_PICKS = 2
# So were all others in hand. A suspect therefore runs with no other suspect beside it; one that never came back from
# that either, so many times, is what kills.
_DEADLY_STARTS = 3
_WORRYING_TRIES = 10


class Guard:
    """What stands between the job engine and the handlers of one worker."""

    def __init__(self, db: Database, heartbeat: timedelta) -> None:
        """`heartbeat` is how long a worker is silent before its jobs are picked by another."""
        self._db = db
        self._heartbeat = heartbeat
        self._one_suspect = asyncio.Lock()

    def guarded(self, handler: Handler) -> Callable[[Job], Awaitable[None]]:
        """The handler, as the job engine calls it."""

        async def run(job: Job) -> None:
            if not await self._is_suspect(job):
                await self._try(job, handler)
                return
            async with self._one_suspect:
                if await self._starts(job) > _DEADLY_STARTS:
                    await self._park(job)
                    return
                try:
                    await self._try(job, handler)
                finally:
                    await self._came_back(job)

        return run

    async def _is_suspect(self, job: Job) -> bool:
        """A job is only picked anew when its worker has been silent for a heartbeat: younger ones need no look."""
        if datetime.now(UTC) - job.execute_after < self._heartbeat:
            return False
        async with self._db.connection() as connection:
            return await suspects.picks(connection, job.id) - job.attempts > _SUSPICIOUS_PICKS

    async def _starts(self, job: Job) -> int:
        async with self._db.connection() as connection:
            return await suspects.start(connection, job.id)

    async def _came_back(self, job: Job) -> None:
        async with self._db.connection() as connection:
            await suspects.clear(connection, job.id)

    async def _park(self, job: Job) -> None:
        async with self._db.transaction() as tx:
            detail = f"killed its worker {_DEADLY_STARTS} times while it ran alone"
            await raise_alert(tx, "deadly_job", f"{job.entrypoint}:{_subject(job)}", detail)
        log.error("job.parked", job=job.entrypoint, subject=_subject(job))

    async def _try(self, job: Job, handler: Handler) -> None:
        subject = _subject(job)
        try:
            await handler(subject)
        except Exception as error:
            delay = job_delay(job.attempts + 1, random.random())  # noqa: S311 - spread, not secrecy
            if isinstance(error, ProviderError) and error.retry_after is not None:
                delay = max(delay, timedelta(seconds=min(error.retry_after, 3600.0)))
            expected = isinstance(error, ProviderError | SendWaits)
            log.warning(
                "job.failed", job=job.entrypoint, subject=subject, tries=job.attempts + 1,
                error=f"{type(error).__name__}: {error}", exc_info=not expected,
            )  # fmt: skip
            if job.attempts == _WORRYING_TRIES:
                await self._worry(job, error)
            raise RetryRequested(delay, f"{type(error).__name__}") from error

    async def _worry(self, job: Job, error: Exception) -> None:
        """A job is never given up, but a person should know of one that keeps failing."""
        with contextlib.suppress(Exception):  # the database may be what is failing
            async with self._db.transaction() as tx:
                subject = f"{job.entrypoint}:{_subject(job)}"
                await raise_alert(tx, "job_failing", subject, f"{type(error).__name__}: {error}")


def _subject(job: Job) -> str:
    return (job.payload or b"").decode()
