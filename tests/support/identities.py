"""Whom a process runs as, and what such a one may open and call; asked of the kernel, by becoming it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

Identity = tuple[int, int, list[int]]


def identity(pid: int) -> Identity:
    """Whom a process runs as, by the kernel: its user, its group, and its other groups; real and effective are one."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    [uid] = set(lines["Uid"].split())
    [gid] = set(lines["Gid"].split())
    return int(uid), int(gid), [int(group) for group in lines["Groups"].split()]


_AS_THEM = """
import os, socket, sys
uid, gid, groups, what, path = sys.argv[1:]
os.setgroups([int(group) for group in groups.split(",") if group])
os.setresgid(*[int(gid)] * 3)
os.setresuid(*[int(uid)] * 3)
try:
    if what == "open":
        open(path, "rb").read(1)
        print("read")
    else:
        socket.socket(socket.AF_UNIX).connect(path)
        print("called")
except OSError as error:
    print(type(error).__name__)
"""


def opened_by(who: Identity, path: Path) -> str:
    """What becomes of opening a file as somebody."""
    return _done_by(who, "open", path)


def called_by(who: Identity, path: Path) -> str:
    """What becomes of connecting to a socket as somebody."""
    return _done_by(who, "call", path)


def _done_by(who: Identity, what: str, path: Path) -> str:
    uid, gid, groups = who
    command = [sys.executable, "-c", _AS_THEM, str(uid), str(gid), ",".join(map(str, groups)), what, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
