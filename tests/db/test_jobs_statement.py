"""Jobs written as part of a larger statement are the rows that the job engine itself would have written."""

from __future__ import annotations

from datetime import timedelta

from app.db.database import Database
from app.db.jobs import Job, JobName, enqueue, enqueued

_JOBS = [
    Job(JobName.START_PAYMENT, "pay_1", timedelta(seconds=10)),
    Job(JobName.DELIVER, "wd_1", timedelta(0)),
]
_SOURCE = """
    SELECT 'start_payment', 'pay_1', interval '10 seconds' UNION ALL SELECT 'deliver', 'wd_1', interval '0'
"""


async def test_both_ways_write_the_same_rows(db: Database) -> None:
    async with db.transaction() as tx:
        await enqueue(tx, _JOBS)
        await tx.execute(f"WITH {enqueued(_SOURCE)} SELECT 1")
        jobs = [dict(record) for record in await tx.fetch("SELECT * FROM pgqueuer ORDER BY id")]
        logs = [dict(record) for record in await tx.fetch("SELECT * FROM pgqueuer_log ORDER BY job_id")]
    assert [job.pop("id") for job in jobs] == [log.pop("job_id") for log in logs]
    for log in logs:
        log.pop("id")
    for written in (jobs, logs):
        assert written[:2] == written[2:]
