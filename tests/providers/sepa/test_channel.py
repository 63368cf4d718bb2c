"""The two folders: every file is handed over whole and once, whatever happens between two steps."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
from pathlib import Path

import pytest

from app.ports.bank_files import FileUnreadable
from app.ports.errors import ProviderRejected, ProviderUnavailable
from providers.sepa.channel import FolderChannel
from providers.sepa.xml import MAX_BYTES


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox"
    folder.mkdir()
    return folder


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def channel(outbox: Path, inbox: Path) -> FolderChannel:
    return FolderChannel(outbox, inbox)


async def test_a_file_is_handed_over_once(channel: FolderChannel, outbox: Path) -> None:
    for _ in range(2):
        await channel.put("a.xml", b"<a/>")
        assert [path.name for path in outbox.iterdir()] == ["a.xml"]
    assert (outbox / "a.xml").read_bytes() == b"<a/>"


async def test_a_file_that_the_bank_took_away_is_not_handed_over_again(channel: FolderChannel, outbox: Path) -> None:
    await channel.put("a.xml", b"<a/>")
    (outbox / "a.xml").unlink()
    await channel.put("a.xml", b"<a/>")
    await FolderChannel(outbox, outbox).put("a.xml", b"<a/>")  # and by another process
    assert not list(outbox.iterdir())


async def test_other_content_under_a_used_name_is_refused(channel: FolderChannel, outbox: Path) -> None:
    await channel.put("a.xml", b"<a/>")
    with pytest.raises(ProviderRejected):
        await channel.put("a.xml", b"<b/>")
    assert (outbox / "a.xml").read_bytes() == b"<a/>"


async def test_somebody_elses_file_is_not_overwritten(channel: FolderChannel, outbox: Path) -> None:
    (outbox / "a.xml").write_bytes(b"theirs")
    with pytest.raises(ProviderRejected):
        await channel.put("a.xml", b"<a/>")
    assert (outbox / "a.xml").read_bytes() == b"theirs"


async def test_many_at_once_hand_it_over_once(channel: FolderChannel, outbox: Path) -> None:
    taken = 0

    async def bank() -> None:
        nonlocal taken
        for _ in range(200):
            for path in outbox.glob("*.xml"):
                path.unlink()
                taken += 1
            await asyncio.sleep(0.002)

    await asyncio.gather(bank(), *(channel.put("a.xml", b"<a/>") for _ in range(20)))
    assert taken == 1


async def test_who_hands_a_file_over_is_alone(channel: FolderChannel, outbox: Path) -> None:
    await channel.put("first.xml", b"<a/>")
    with (outbox.with_name("outbox.sent") / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = asyncio.create_task(channel.put("a.xml", b"<a/>"))
        await asyncio.sleep(0.2)
        assert not (outbox / "a.xml").exists()
    await waiting
    assert (outbox / "a.xml").exists()


class Killed(BaseException):
    """Stands for the end of the process: nothing handles it."""


STEPS = 9  # calls of fsync and rename that one handing over makes


def die_before(patch: pytest.MonkeyPatch, step: int) -> None:
    """Let the process end just before the nth call that the disk has to keep."""
    calls = itertools.count(1)
    fsync, rename = os.fsync, Path.rename

    def fsync_or_end(descriptor: int) -> None:
        if next(calls) == step:
            raise Killed
        fsync(descriptor)

    def rename_or_end(source: Path, target: Path) -> Path:
        if next(calls) == step:
            raise Killed
        return rename(source, target)

    patch.setattr(os, "fsync", fsync_or_end)
    patch.setattr(Path, "rename", rename_or_end)


@pytest.mark.parametrize("step", range(1, STEPS + 1))
async def test_a_crash_before_any_step_is_repaired_by_doing_it_again(
    outbox: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    with monkeypatch.context() as patch:
        die_before(patch, step)
        with pytest.raises(Killed):
            FolderChannel(outbox, inbox)._put("a.xml", b"<a/>")
    taken = []
    for _ in range(3):  # the bank looks before each new try
        for path in outbox.glob("*.xml"):
            taken.append(path.read_bytes())
            path.unlink()
        await FolderChannel(outbox, inbox).put("a.xml", b"<a/>")
    taken += [path.read_bytes() for path in outbox.glob("*.xml")]
    assert taken == [b"<a/>"]


async def test_there_are_no_more_steps_than_were_tried(
    channel: FolderChannel, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        die_before(patch, STEPS + 1)
        channel._put("a.xml", b"<a/>")
    assert [path.name for path in outbox.iterdir()] == ["a.xml"]


async def test_the_inbox_is_listed_oldest_first_and_only_whole_files(channel: FolderChannel, inbox: Path) -> None:
    for age, name in ((3, "c.xml"), (1, "b.xml"), (2, "a.xml"), (0, ".x.xml"), (0, "y.xml.part"), (0, "z.txt")):
        (inbox / name).write_bytes(b"<a/>")
        os.utime(inbox / name, (1000 + age, 1000 + age))
    (inbox / "folder.xml").mkdir()
    (inbox / "link.xml").symlink_to(inbox / "a.xml")
    assert list(await channel.names()) == ["b.xml", "a.xml", "c.xml"]
    assert await channel.get("a.xml") == b"<a/>"
    assert list(await channel.names()) == ["b.xml", "a.xml", "c.xml"]  # what was read stays


async def test_only_a_plain_file_of_a_bounded_size_is_read(channel: FolderChannel, inbox: Path) -> None:
    (inbox / "link.xml").symlink_to("/etc/hostname")
    os.mkfifo(inbox / "pipe.xml")
    with (inbox / "big.xml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for name, error in (("link.xml", ProviderUnavailable), ("pipe.xml", FileUnreadable), ("big.xml", FileUnreadable)):
        with pytest.raises(error):
            await channel.get(name)


@pytest.mark.parametrize("name", ["../a.xml", "a/b.xml", ".a.xml", "a.txt", "", "a.xml\n", "ä.xml", "x" * 200 + ".xml"])
async def test_a_name_cannot_leave_the_folder(channel: FolderChannel, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        await channel.put(name, b"<a/>")
    with pytest.raises(ValueError, match="name"):
        await channel.get(name)


async def test_folders_that_are_not_there_are_an_outage(tmp_path: Path) -> None:
    channel = FolderChannel(tmp_path / "outbox", tmp_path / "inbox")
    with pytest.raises(ProviderUnavailable):
        await channel.put("a.xml", b"<a/>")
    assert not list(tmp_path.iterdir())  # an unmounted outbox must not be mistaken for an empty one
    with pytest.raises(ProviderUnavailable):
        await channel.names()
    with pytest.raises(ProviderUnavailable):
        await channel.get("a.xml")
