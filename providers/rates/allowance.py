"""How much may be asked of a venue: a bucket that fills steadily, from which every request takes its weight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Allowance:
    """`per_second` weight comes in, up to `burst`; `take` waits until there is enough, in the order of asking."""

    def __init__(
        self,
        *,
        per_second: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Begin with a full bucket."""
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._level = burst
        self._at = clock()
        self._turn = asyncio.Lock()

    async def take(self, weight: float) -> None:
        """Wait until so much may be asked; raises ValueError for more than the bucket ever holds."""
        if weight > self._burst:
            raise ValueError("this request weighs more than the venue allows at once")
        async with self._turn:
            while (missing := weight - self._fill()) > 0:
                await self._sleep(missing / self._per_second)
            self._level -= weight

    def _fill(self) -> float:
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._at) * self._per_second)
        self._at = now
        return self._level
