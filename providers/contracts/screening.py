"""The contract of `app.ports.screening`: a list is read whole with its publisher's date, or not at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from pathlib import Path

import pytest

from app.ports.screening import ListFormat, ListUnreadable


class ListHarness(ABC):
    """A list's format, and files of it."""

    format: ListFormat
    issued_on: date  # of the sound file
    addresses: frozenset[str]  # that the sound file names, as it spells them

    @abstractmethod
    def sound(self) -> Path:
        """A small list as its publisher would bring it out."""

    @abstractmethod
    def nobody(self) -> Path:
        """The same list without a single address."""


class ListContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> ListHarness:
        """Your format with its files."""
        raise NotImplementedError

    def test_a_list_is_read_with_its_date(self, harness: ListHarness) -> None:
        """Every address, with the party that it stands for."""
        read = harness.format.read(harness.sound())
        assert read.issued_on == harness.issued_on
        assert {listed.address for listed in read} == harness.addresses
        assert all(listed.entry and listed.name for listed in read)
        assert read == harness.format.read(harness.sound())

    def test_a_list_that_is_cut_short_is_not_read(self, harness: ListHarness, tmp_path: Path) -> None:
        """Half a list would let the other half pass."""
        whole = harness.sound().read_bytes()
        for part in (0, 1, len(whole) // 2, len(whole) * 9 // 10):
            cut = tmp_path / f"cut-{part}"
            cut.write_bytes(whole[:part])
            with pytest.raises(ListUnreadable):
                harness.format.read(cut)

    def test_a_list_that_names_nobody_is_not_read(self, harness: ListHarness) -> None:
        """It is far more likely to be a mistake than the end of all sanctions."""
        with pytest.raises(ListUnreadable):
            harness.format.read(harness.nobody())

    @pytest.mark.parametrize("content", [b"<html><body>Not found</body></html>", b"{}", b"\x00" * 1000, b"PK\x03\x04"])
    def test_another_file_is_not_read(self, harness: ListHarness, tmp_path: Path, content: bytes) -> None:
        """A download brings pages of errors too."""
        other = tmp_path / "other"
        other.write_bytes(content)
        with pytest.raises(ListUnreadable):
            harness.format.read(other)

    def test_a_file_that_is_not_there(self, harness: ListHarness, tmp_path: Path) -> None:
        """Is the operating system's own error."""
        with pytest.raises(OSError, match="missing"):
            harness.format.read(tmp_path / "missing")

    def test_it_has_a_name(self, harness: ListHarness) -> None:
        """By which its hits are told from those of other lists."""
        assert harness.format.source
