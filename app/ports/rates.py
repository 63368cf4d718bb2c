"""Prices: what a venue's order book looks like to us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a book: `price` in the quote asset's units per whole base coin, `quantity` in base units."""

    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Book:
    """A venue's depth for one pair at one moment.

    Asks ascend, bids descend. `taken_at` is seconds of the process's monotonic clock, so that a
    wrong wall clock can never make an old price look fresh.
    """

    source: str
    base: str
    quote: str
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    taken_at: float


class RateSource(Protocol):
    """A venue that publishes its depth."""

    @property
    def name(self) -> str:
        """The venue's name: `kraken`."""
        ...

    async def depth(self, base: str, quote: str) -> Book:
        """The book now, for example of BTC against EUR; raises ProviderUnavailable."""
        ...
