"""Screening: what we ask of a sanctions list's own format. The operator brings the file; no network is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol


class ListUnreadable(ValueError):
    """The file is not such a list, is cut short, or names no address: the list before it stays in force."""


@dataclass(frozen=True, slots=True)
class ListedAddress:
    """One address of one listed party. `label` is the list's own word for the currency, `entry` its number there."""

    address: str
    label: str
    entry: str
    name: str


@dataclass(frozen=True, slots=True)
class ListRead:
    """A whole list. `issued_on` is the publisher's date, not the day on which the file was fetched."""

    issued_on: date
    addresses: tuple[ListedAddress, ...]

    def __iter__(self) -> Iterator[ListedAddress]:
        """The addresses."""
        return iter(self.addresses)


class ListFormat(Protocol):
    """One publisher's list."""

    @property
    def source(self) -> str:
        """How the list is called here: `ofac_sdn`."""
        ...

    def read(self, path: Path) -> ListRead:
        """Read a file; raises ListUnreadable and OSError."""
        ...


class SenderLookup(Protocol):
    """A chain that can say whose coins a transaction spent."""

    async def senders(self, txid: str, block_hash: str) -> tuple[str, ...]:
        """The addresses that a transaction of this block spent from, each once, as far as the chain tells.

        Where an input fits several addresses, all of them. Raises ProviderUnavailable.
        """
        ...
