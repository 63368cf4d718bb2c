"""Rolling windows: how much has left within the last hour and the last day."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

HOUR: Final = 3600
DAY: Final = 86_400


@dataclass(slots=True)
class Window:
    """A sum over the last `seconds`. What came in one second is kept together until the last of it is too old."""

    seconds: int
    total: int = 0
    _parts: deque[tuple[int, int]] = field(default_factory=deque)

    def add(self, at: float, units: int) -> None:
        """Count units; `at`, in seconds since 1970, never goes back."""
        second = int(at)
        if self._parts and self._parts[-1][0] == second:
            units_before = self._parts.pop()[1]
            self._parts.append((second, units_before + units))
        else:
            self._parts.append((second, units))
        self.total += units

    def sum(self, now: float) -> int:
        """What counts now. A second counts until the whole of it is older than the window."""
        while self._parts and self._parts[0][0] + 1 <= now - self.seconds:
            self.total -= self._parts.popleft()[1]
        return self.total
