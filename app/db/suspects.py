"""Suspects: jobs that were in hand when their worker died, and how often each was started with no other beside it."""

from __future__ import annotations

from app.db.database import Transaction


async def picks(tx: Transaction, job_id: int) -> int:
    """How often a worker has taken the job."""
    return int(await tx.fetchval("SELECT count(*) FROM pgqueuer_log WHERE job_id = $1 AND status = 'picked'", job_id))


async def start(tx: Transaction, job_id: int) -> int:
    """Write down, before it runs, that the job is started alone; how often that has been, this time included."""
    return int(
        await tx.fetchval(
            """
            INSERT INTO suspects AS known (job_id, starts) VALUES ($1, 1)
            ON CONFLICT (job_id) DO UPDATE SET starts = known.starts + 1 RETURNING starts
            """,
            job_id,
        )
    )


async def clear(tx: Transaction, job_id: int) -> None:
    """The job came back, well or not: it does not kill."""
    await tx.execute("DELETE FROM suspects WHERE job_id = $1", job_id)
