"""The node's memory: an append-only file of blocks and invalidations, each record with its own checksum.

It is the one durable copy of the chain. Everything else, the kernel's databases included, can be rebuilt from it.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from enum import IntEnum
from pathlib import Path
from struct import Struct
from typing import NamedTuple

_HEAD = Struct("<4sBII")  # magic, kind, length, checksum of kind and body
_MAGIC = b"rwbl"


class Kind(IntEnum):
    """What a record says."""

    BLOCK = 1  # a block joined the ones we know; the body is the block
    INVALID = 2  # a block and all that stands on it are refused from now on; the body is its hash


class Record(NamedTuple):
    """One record."""

    kind: Kind
    body: bytes


class LogDamaged(Exception):
    """Sound records follow a broken one: that is no torn tail, and cutting there would lose acknowledged blocks."""


class BlockLog:
    """The open file. Opening it locks it: a second process on it gets BlockingIOError."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._pending: list[bytes] = []
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.records, self.size = _read(path.read_bytes())
            self._file.truncate(self.size)
            _sync_directory(path.parent)  # else a power cut could take the new file's name
        except BaseException:
            self._file.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether nothing more can be recorded: it was closed, or a write to it failed."""
        return self._file.closed

    def append(self, kind: Kind, body: bytes) -> None:
        """Note a record down; it counts once `sync` has returned."""
        head = _HEAD.pack(_MAGIC, kind, len(body), _checksum(kind, body))
        self._pending += (head, body)

    def sync(self) -> None:
        """Write what was appended and wait until it is on the disk; raises OSError.

        After a failure the log stays closed: a record written behind a torn one would be lost.
        """
        data = memoryview(b"".join(self._pending))
        self._pending.clear()
        try:
            while data:
                written = self._file.write(data)
                self.size += written
                data = data[written:]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.close()
            raise

    def close(self) -> None:
        """Release the file and its lock."""
        self._file.close()


def _read(data: bytes) -> tuple[list[Record], int]:
    """All sound records from the beginning, and where they end; raises LogDamaged."""
    records: list[Record] = []
    end = 0
    while (record := _record_at(data, end)) is not None:
        records.append(record)
        end += _HEAD.size + len(record.body)
    later = data.find(_MAGIC, end + 1)
    while later >= 0:
        if _record_at(data, later) is not None:
            raise LogDamaged(f"the block log is damaged at byte {end}, and sound again at byte {later}")
        later = data.find(_MAGIC, later + 1)
    return records, end


def _record_at(data: bytes, position: int) -> Record | None:
    if position + _HEAD.size > len(data):
        return None
    magic, kind, length, checksum = _HEAD.unpack_from(data, position)
    start = position + _HEAD.size
    body = data[start : start + length]
    if magic != _MAGIC or len(body) != length or checksum != _checksum(kind, body):
        return None
    return Record(Kind(kind), body)


def _checksum(kind: int, body: bytes) -> int:
    return zlib.crc32(body, kind)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
