"""Jobs: deferred work, put on the queue inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from app.db.database import Transaction


class JobName(StrEnum):
    """Every kind of job. `worker.py` says who does it."""

    START_PAYMENT = "start_payment"
    CAPTURE_PAYMENT = "capture_payment"
    CANCEL_PAYMENT = "cancel_payment"
    REFUND_ORDER = "refund_order"
    REFUND_PAYMENT = "refund_payment"
    SEND_COINS = "send_coins"
    RETURN_SURPLUS = "return_surplus"
    END_STRAY = "end_stray"
    PROCESS_NOTIFICATION = "process_notification"
    DELIVER = "deliver"
    PAY_BANK = "pay_bank"
    PAY_OUT_ORDER = "pay_out_order"
    READ_BATCH = "read_batch"
    PAY_BATCH = "pay_batch"
    FINISH_BATCH = "finish_batch"


# What a customer has paid for goes first, whatever else has come in meanwhile.
_PRIORITIES: Final = {JobName.SEND_COINS: 2, JobName.CAPTURE_PAYMENT: 1}


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work: its name, the id of the row it is about, and how long it waits first."""

    name: JobName
    subject: str
    delay: timedelta | None = None


def enqueued(source: str) -> str:
    """The same as two more parts of a larger statement; `source` selects (name, subject, delay) of each job.

    What a hot write saves is a transaction of three round trips. These are the rows that pgqueuer 1.6 itself writes;
    a test compares the two.
    """
    return f"""queued AS (
    INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, headers, status)
    SELECT 0, name, convert_to(subject, 'UTF8'), now() + delay, 'null', 'queued'
    FROM ({source}) AS job (name, subject, delay)
    RETURNING id, entrypoint, priority
), logged AS (
    INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
    SELECT id, 'queued', entrypoint, priority FROM queued
)"""  # noqa: S608 - constants of ours


async def without_job(tx: Transaction, name: JobName, subjects: Sequence[str]) -> list[str]:
    """Those of the subjects for which no such job is on the queue, nor was parked for killing its worker."""
    records = await tx.fetch(
        """
        SELECT subject FROM unnest($2::text[]) AS wanted (subject) WHERE NOT EXISTS (
            SELECT 1 FROM pgqueuer WHERE entrypoint = $1 AND payload = convert_to(subject, 'UTF8')
              AND status IN ('queued', 'picked')
        ) AND NOT EXISTS (
            SELECT 1 FROM alerts WHERE kind = 'deadly_job' AND alerts.subject = $1 || ':' || wanted.subject
              AND resolved_at IS NULL
        )
        """,
        name.value,
        subjects,
    )
    return [record["subject"] for record in records]


async def enqueue(tx: Transaction, jobs: Sequence[Job]) -> None:
    """Put jobs on the queue; they exist when the caller's transaction commits, and not before."""
    if not jobs:
        return
    await Queries(AsyncpgDriver(tx)).enqueue(
        [job.name.value for job in jobs],
        [job.subject.encode() for job in jobs],
        [_PRIORITIES.get(job.name, 0) for job in jobs],
        [job.delay for job in jobs],
    )
