"""The block log: what a crash may leave at its end is cut, what it may not is refused."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from providers.sandbox.bitcoin.blocklog import BlockLog, Kind, LogDamaged, Record

RECORDS = [Record(Kind.BLOCK, b"first" * 20), Record(Kind.INVALID, bytes(32)), Record(Kind.BLOCK, b"rwbl")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with three records."""
    path = tmp_path / "blocks.log"
    log = BlockLog(path)
    for record in RECORDS:
        log.append(*record)
    log.sync()
    log.close()
    return path


def records_of(path: Path) -> list[Record]:
    log = BlockLog(path)
    try:
        assert log.size == path.stat().st_size
        return log.records
    finally:
        log.close()


def test_what_was_synced_is_read_again(path: Path) -> None:
    assert records_of(path) == RECORDS


def test_what_was_not_synced_is_not_there(path: Path) -> None:
    log = BlockLog(path)
    log.append(Kind.BLOCK, b"late")
    log.close()
    assert records_of(path) == RECORDS


def test_a_tail_torn_at_any_byte_is_cut_and_the_log_goes_on_behind_it(path: Path) -> None:
    whole = path.read_bytes()
    last = len(whole) - 13 - len(RECORDS[-1].body)  # 13 bytes lead a record
    for end in range(last, len(whole)):
        path.write_bytes(whole[:end])
        log = BlockLog(path)
        assert log.records == RECORDS[:-1]
        log.append(Kind.BLOCK, b"next")
        log.sync()
        log.close()
        assert records_of(path) == [*RECORDS[:-1], Record(Kind.BLOCK, b"next")]


@pytest.mark.parametrize("tail", [bytes(4096), b"rwbl", b"rwbl\x01\xff\xff\xff\xff....", b"\xff" * 100])
def test_a_tail_of_garbage_is_cut(path: Path, tail: bytes) -> None:
    path.write_bytes(path.read_bytes() + tail)
    assert records_of(path) == RECORDS


def test_damage_with_sound_records_behind_it_is_refused(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[20] ^= 1
    path.write_bytes(whole)
    with pytest.raises(LogDamaged):
        BlockLog(path)
    assert path.read_bytes() == whole  # nothing was cut


def test_a_changed_kind_is_damage(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[4] = Kind.INVALID
    path.write_bytes(whole)
    with pytest.raises(LogDamaged):
        BlockLog(path)


def test_two_at_once_are_refused(path: Path) -> None:
    log = BlockLog(path)
    with pytest.raises(BlockingIOError):
        BlockLog(path)
    log.close()
    assert records_of(path) == RECORDS


def test_after_a_failed_write_nothing_more_is_recorded(path: Path) -> None:
    """A file size limit stands for the full disk: five bytes of the next record fit."""
    log = BlockLog(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.size + 5, limits[1]))
    try:
        log.append(Kind.BLOCK, b"does not fit")
        with pytest.raises(OSError, match="too large"):
            log.sync()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.closed
    log.append(Kind.BLOCK, b"would stand behind a torn record")
    with pytest.raises(ValueError, match="closed"):
        log.sync()
    assert records_of(path) == RECORDS
