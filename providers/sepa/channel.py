"""The way to the bank as two folders: what lies in the outbox is handed over, what the bank leaves lies in the inbox.

In production an SFTP mount, or an EBICS client that synchronises both, stands behind them; such a client must take
only `*.xml`, and may move or delete what it has taken. Nothing in the inbox is ever changed by us.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from app.ports.bank_files import FileUnreadable
from app.ports.errors import ProviderRejected, ProviderUnavailable
from providers.sepa.format import PROVIDER
from providers.sepa.xml import MAX_BYTES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.xml", re.ASCII)
T = TypeVar("T")


class FolderChannel:
    """Implements FileChannel, exactly once through any crash of ours.

    Three steps hand a file over, each on disk before the next: it is staged whole, it is marked, it is renamed into
    the outbox. A mark whose staged file is gone says that the rename has happened, whatever became of the file since.
    `<outbox>.staged` and `<outbox>.sent` stand beside the outbox, on the same file system; the marks are never deleted.
    """

    def __init__(self, outbox: Path, inbox: Path) -> None:
        """Both folders must exist by the first call."""
        self._outbox, self._inbox = outbox, inbox
        self._staged = outbox.with_name(f"{outbox.name}.staged")
        self._sent = outbox.with_name(f"{outbox.name}.sent")

    async def put(self, name: str, data: bytes) -> None:
        """Hand a file over whole, unless one of this name was handed over before.

        Raises ProviderRejected when that one had other content, ProviderUnavailable when the folders fail, ValueError
        for a name that is not a plain `*.xml`.
        """
        _check_name(name)
        await _in_thread(lambda: self._put(name, data))

    async def names(self) -> Sequence[str]:
        """The `*.xml` in the inbox, oldest first and then by name; half-written files of other names are not seen."""
        return await _in_thread(self._names)

    async def get(self, name: str) -> bytes:
        """A file's content; raises FileUnreadable when it is larger than we read, ProviderUnavailable, ValueError."""
        _check_name(name)
        return await _in_thread(lambda: self._get(name))

    def _put(self, name: str, data: bytes) -> None:
        if not self._outbox.is_dir():
            raise FileNotFoundError(
                self._outbox
            )  # never made here: an unmounted outbox must not look like an empty one
        for folder in (self._staged, self._sent):
            folder.mkdir(exist_ok=True)
        mark, staged, target = self._sent / name, self._staged / name, self._outbox / name
        with _alone(self._sent):
            digest = sha256(data).hexdigest()
            if mark.exists():
                if mark.read_text("ascii") != digest:
                    raise ProviderRejected(PROVIDER, "another file of this name was handed over before")
            else:
                _write_durably(staged, data)
                _write_durably(mark, digest.encode())
            if staged.exists():
                if target.exists():
                    raise ProviderRejected(PROVIDER, "a file of this name, not by us, is in the outbox")
                staged.rename(target)
                _sync(self._outbox)
                _sync(self._staged)

    def _names(self) -> list[str]:
        found: list[tuple[int, str]] = []
        with os.scandir(self._inbox) as entries:
            for entry in entries:
                if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
        return [name for _, name in sorted(found)]

    def _get(self, name: str) -> bytes:
        # A symbolic link or a pipe in the inbox is nothing that a bank leaves.
        descriptor = os.open(self._inbox / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileUnreadable("not a regular file")
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FileUnreadable(f"larger than {MAX_BYTES} bytes")
        return data


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError("a file's name is letters, digits, dots, hyphens and underscores, and ends in .xml")


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise ProviderUnavailable(PROVIDER, f"the folders do not work: {type(error).__name__}") from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes and threads out while one file is handed over; the lock dies with its process."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_durably(path: Path, data: bytes) -> None:
    """Put a whole file there, or nothing, and have it survive a loss of power."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".tmp", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
