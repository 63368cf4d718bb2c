"""The circuit breaker (faults.md F-35, F-43)."""

from __future__ import annotations

import pytest

from app.domain.breaker import MOST_SECONDS, Breaker

TEN_YEARS = 315_360_000.0


def failing(times: int, retry_after: float | None = None, now: float = 100.0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.failed(now, retry_after)
    return breaker


def test_fault_f_43_five_failures_in_a_row_bring_a_pause() -> None:
    assert failing(4).waits(100.0) == 0
    assert failing(5).waits(100.0) == 5
    assert failing(5).waits(105.0) == 0, "after it one request finds out"


def test_fault_f_43_pauses_double_up_to_five_minutes() -> None:
    assert [failing(times).waits(100.0) for times in (6, 7, 8, 50)] == [10, 20, 40, 300]


@pytest.mark.parametrize(("asked", "given"), [(0.0, 5), (7.0, 7), (60.0, 60), (TEN_YEARS, MOST_SECONDS), (None, 5)])
def test_fault_f_35_what_is_asked_for_is_given_up_to_an_hour(asked: float | None, given: float) -> None:
    assert failing(5, asked).waits(100.0) == given


def test_an_answer_ends_it() -> None:
    breaker = failing(9)
    breaker.succeeded()
    assert breaker.waits(100.0) == 0
    breaker.failed(100.0, TEN_YEARS)
    assert breaker.waits(100.0) == 0, "one failure is no reason yet"
