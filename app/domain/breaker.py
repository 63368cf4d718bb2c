"""A circuit breaker: whom we leave alone for a while after it has failed several times in a row."""

from __future__ import annotations

from typing import Final

MOST_SECONDS: Final = 3600.0  # nobody is left alone for longer, whatever it asks for
_FAILURES: Final = 5
_FIRST_SECONDS: Final = 5.0
_LONGEST_OWN_SECONDS: Final = 300.0


class Breaker:
    """Counts failures in a row. All times are seconds of one monotonic clock, which the caller reads."""

    def __init__(self) -> None:
        self._failures = 0
        self._resumes_at = float("-inf")

    def waits(self, now: float) -> float:
        """For how many seconds nothing is asked; zero when it may be. After a pause one request finds out."""
        return max(0.0, self._resumes_at - now)

    def succeeded(self) -> None:
        """An answer came, whatever it was: the other side is there."""
        self._failures, self._resumes_at = 0, float("-inf")

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """Nothing usable came. From the fifth time on there is a pause: what was asked for, or double the last one."""
        self._failures += 1
        if self._failures < _FAILURES:
            return
        doubled = min(_FIRST_SECONDS * 2.0 ** min(self._failures - _FAILURES, 16), _LONGEST_OWN_SECONDS)
        self._resumes_at = now + min(max(doubled, retry_after or 0.0), MOST_SECONDS)
