"""Becoming another account for good: a process that root starts loads and opens what it needs, then lets go of root.

The account needs no entry in the system's list of users: numbers are enough. Linux takes back two things when a
process changes its user, and both matter: it makes the process unreadable for others, which is kept, and it forgets to
end the process with its parent, which is asked for again.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from app.domain.errors import RampwrightError

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_PR_GET_PDEATHSIG: Final = 2
_MOST_ID: Final = (1 << 31) - 1


class RunAsError(RampwrightError):
    """A process cannot become the account that it should."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """An account by its numbers, with the groups that it is in besides its own."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `uid:gid` or `uid:gid:group,group`; raises RunAsError, also for root."""
        parts = text.split(":")
        try:
            uid, gid = int(parts[0]), int(parts[1])
            groups = tuple(int(group) for group in parts[2].split(",")) if len(parts) > 2 else ()
        except (ValueError, IndexError):
            raise RunAsError("an account is written uid:gid or uid:gid:group,group") from None
        if len(parts) > 3 or not all(0 < number <= _MOST_ID for number in (uid, gid, *groups)):
            raise RunAsError("an account is written uid:gid or uid:gid:group,group, and is not root")
        return cls(uid, gid, groups)

    def __str__(self) -> str:
        groups = ":" + ",".join(map(str, self.groups)) if self.groups else ""
        return f"{self.uid}:{self.gid}{groups}"


def become(account: RunAs | None, *, owned: Sequence[Path] = ()) -> None:
    """Be this account from now on; `owned` are folders of this process's own, which it takes along.

    Does nothing for None, or when that is who we are. Raises RunAsError when it cannot be done.
    """
    if account is None or os.getresuid() == (account.uid,) * 3:
        return
    if os.geteuid() != 0:
        raise RunAsError(f"only root can become uid {account.uid}")
    for folder in owned:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    parent, ending = os.getppid(), _ends_with_parent()
    os.setgroups(account.groups)
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    if ending:
        _prctl(_PR_SET_PDEATHSIG, ending)
        if os.getppid() != parent:
            raise RunAsError("the process that started this one has ended")
    os.umask(0o077)


def _ends_with_parent() -> int:
    """The signal that our parent's end sends us; 0 for none."""
    if not sys.platform.startswith("linux"):
        return 0
    number = ctypes.c_int(0)
    _prctl(_PR_GET_PDEATHSIG, ctypes.addressof(number))
    return number.value


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        raise RunAsError(f"prctl({option}): {os.strerror(ctypes.get_errno())}")
