"""Jobs that are in hand when a worker dies: the guilty one is parked, the innocent ones are done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.db.database import Database
from app.db.jobs import Job as Wanted
from app.db.jobs import JobName, enqueue
from app.worker_guard import Guard

LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours gets to run after it."""


class Doomed(Guard):
    """The guard of a process that is killed: it does not get to say that the job came back."""

    async def _came_back(self, job: Job) -> None:
        pass


async def job_picked(db: Database, times: int) -> Job:
    """A job that workers have taken so often, without ever giving it back."""
    async with db.transaction() as tx:
        await enqueue(tx, [Wanted(JobName.DELIVER, "wd_1")])
        record = dict(await tx.fetchrow("UPDATE pgqueuer SET execute_after = $1 RETURNING *", LONG_AGO))
        for _ in range(times):
            await tx.execute(
                "INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority) VALUES ($1, 'picked', 'deliver', 0)",
                record["id"],
            )
    return Job.model_validate(record | {"headers": {}})


async def parked(db: Database) -> bool:
    async with db.connection() as connection:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT 1 FROM alerts WHERE kind = 'deadly_job')"))


async def starts(db: Database) -> int:
    async with db.connection() as connection:
        return int(await connection.fetchval("SELECT coalesce(sum(starts), 0) FROM suspects"))


async def test_a_job_that_kills_every_worker_is_parked_after_three_starts_alone(db: Database) -> None:
    job, tried = await job_picked(db, 4), []

    async def deadly(subject: str) -> None:
        tried.append(subject)
        raise Killed

    for expected in (1, 2, 3):
        with pytest.raises(Killed):
            await Doomed(db, timedelta(seconds=10)).guarded(deadly)(job)
        assert await starts(db) == expected
    assert not await parked(db)
    await Guard(db, timedelta(seconds=10)).guarded(deadly)(job)
    assert len(tried) == 3
    assert await parked(db)


async def test_an_innocent_job_is_done_however_often_its_worker_was_killed(db: Database) -> None:
    job, done = await job_picked(db, 50), []

    async def harmless(subject: str) -> None:
        done.append(subject)

    await Guard(db, timedelta(seconds=10)).guarded(harmless)(job)
    assert done == ["wd_1"]
    assert await starts(db) == 0
    assert not await parked(db)


async def test_a_suspect_that_fails_is_tried_again_like_any_other(db: Database) -> None:
    job = await job_picked(db, 50)

    async def failing(subject: str) -> None:
        raise RuntimeError(subject)

    for _ in range(5):
        with pytest.raises(RetryRequested):
            await Guard(db, timedelta(seconds=10)).guarded(failing)(job)
    assert await starts(db) == 0
    assert not await parked(db)
