"""What a process that holds keys asks of the kernel: no core dumps, nobody looking in, nothing swapped out."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # prctl(2)
_MCL_CURRENT_AND_FUTURE: Final = 3  # mlockall(2)


def harden() -> None:
    """Ask for all of it. Locking memory is refused to ordinary users with little allowance, and then left out."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_DUMPABLE")
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft == resource.RLIM_INFINITY:  # else what is locked later would be refused, and memory with it
        libc.mlockall(_MCL_CURRENT_AND_FUTURE)
