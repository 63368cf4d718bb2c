"""When try n is due."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.retry import DELIVERY_SCHEDULE, delivery_delay, job_delay

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Deliverability".
SPECIFIED = ["0s", "5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"]
SECONDS = {"s": 1, "m": 60, "h": 3600}
SPREAD = st.floats(0, 1)


def test_deliveries_follow_the_specification() -> None:
    due = [timedelta(seconds=int(wait[:-1]) * SECONDS[wait[-1]]) for wait in SPECIFIED]
    assert list(DELIVERY_SCHEDULE) == due
    assert sum(due, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


def test_the_first_attempt_is_made_at_once_and_there_are_ten() -> None:
    assert delivery_delay(0, 1.0) == timedelta(0)
    assert delivery_delay(9, 0.0) == timedelta(hours=24)
    assert delivery_delay(10, 0.0) is None
    assert delivery_delay(11, 0.0) is None


@given(st.integers(0, 9), SPREAD)
def test_up_to_a_tenth_is_added_and_nothing_taken_away(attempts: int, spread: float) -> None:
    delay = delivery_delay(attempts, spread)
    assert delay is not None
    assert DELIVERY_SCHEDULE[attempts] <= delay <= DELIVERY_SCHEDULE[attempts] * 1.1


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (10, 256), (11, 300), (50, 300), (10**6, 300)]
)
def test_jobs_double_their_wait_up_to_five_minutes(tries: int, seconds: float) -> None:
    assert job_delay(tries, 0.0) == timedelta(seconds=seconds)


@given(st.integers(1, 10**9), SPREAD)
def test_a_job_is_never_given_up_and_never_waits_long(tries: int, spread: float) -> None:
    assert timedelta(seconds=0.5) <= job_delay(tries, spread) <= timedelta(seconds=330)


@given(st.integers(1, 40), SPREAD)
def test_spread_moves_two_jobs_apart(tries: int, spread: float) -> None:
    assert job_delay(tries, 0.0) * (1 + 0.1 * spread) == pytest.approx(job_delay(tries, spread), abs=timedelta(0, 1e-3))
