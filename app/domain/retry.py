"""When try n is due: one schedule for jobs, one for deliveries to subscribers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

# The schedule of the Standard Webhooks specification, 1.0.0: ten attempts over 75 h 35 m 05 s.
DELIVERY_SCHEDULE: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
_JITTER: Final = 0.1
_JOB_FIRST_SECONDS: Final = 0.5
_JOB_LONGEST_SECONDS: Final = 300.0


def delivery_delay(attempts: int, spread: float) -> timedelta | None:
    """How long to wait after `attempts` failed attempts; None when there is no further one.

    `spread` is a random number from 0 to 1: up to a tenth is added, so that receivers are not hit in step.
    """
    if attempts >= len(DELIVERY_SCHEDULE):
        return None
    return DELIVERY_SCHEDULE[attempts] * (1 + _JITTER * spread)


def job_delay(tries: int, spread: float) -> timedelta:
    """How long a job waits after `tries` failed tries: doubling from half a second, at most five minutes.

    Jobs that move money are never given up: an unknown outcome stays unknown until the source is asked.
    """
    doubled = _JOB_FIRST_SECONDS * 2 ** min(tries - 1, 30)
    return timedelta(seconds=min(doubled, _JOB_LONGEST_SECONDS) * (1 + _JITTER * spread))
