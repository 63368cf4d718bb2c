"""Limits on processor time that mean the same on a slow machine as on a fast one."""

from __future__ import annotations

import hashlib
import time
from typing import Final

_ROUNDS: Final = 20_000
_SECONDS_WHERE_MEASURED: Final = 0.012  # of those rounds, on the machine for which the limits were written


def seconds_here(seconds: float) -> float:
    """What so many seconds of processor time on the machine of reference are on this one, now; never less."""
    started = time.process_time()
    data = b""
    for _ in range(_ROUNDS):
        data = hashlib.sha256(data).digest()
    return seconds * max(1.0, (time.process_time() - started) / _SECONDS_WHERE_MEASURED)
