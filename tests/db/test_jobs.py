"""Jobs are enqueued inside the caller's transaction: they exist when it commits, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.db.database import Database, Transaction
from app.db.jobs import Job, JobName, enqueue
from tests.db.rows import count, make_order

JOB = Job(JobName.SEND_COINS, "or_1")


async def test_a_commit_keeps_it(db: Database) -> None:
    async with db.transaction() as tx:
        await enqueue(tx, [JOB, Job(JobName.DELIVER, "wd_1", timedelta(minutes=5))])
        assert await count(db, "pgqueuer") == 0  # nobody else sees it yet
    async with db.connection() as connection:
        found = await connection.fetch(
            """
            SELECT entrypoint, payload, execute_after > now() + interval '4 minutes' AS later
            FROM pgqueuer ORDER BY id
            """
        )
    assert [tuple(row) for row in found] == [("send_coins", b"or_1", False), ("deliver", b"wd_1", True)]


@pytest.mark.parametrize("first", [True, False])
async def test_a_rollback_drops_it(db: Database, first: bool) -> None:
    """Also when the job is the transaction's very first statement, before anything else has begun it."""

    async def fail() -> None:
        async with db.transaction() as tx:
            if not first:
                await tx.execute("INSERT INTO partners (id, name) VALUES ('pt_x', 'x')")
            await enqueue(tx, [JOB])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await count(db, "pgqueuer") == 0
    assert await count(db, "partners") == 0


async def test_a_savepoint_drops_it(db: Database) -> None:
    async def fail(tx: Transaction) -> None:
        async with tx.transaction():
            await enqueue(tx, [JOB])
            raise RuntimeError

    async with db.transaction() as tx:
        with pytest.raises(RuntimeError):
            await fail(tx)
        await enqueue(tx, [Job(JobName.DELIVER, "wd_1")])
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT string_agg(entrypoint, ',') FROM pgqueuer") == "deliver"


async def test_nothing_to_enqueue(db: Database) -> None:
    await make_order(db)
    async with db.transaction() as tx:
        await enqueue(tx, [])
    assert await count(db, "pgqueuer") == 0
