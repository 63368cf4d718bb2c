"""Prices: what a venue's order book looks like to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from app.domain.depth import Level

__all__ = ["Book", "Level", "LiveRateSource", "RateSource"]


@dataclass(frozen=True, slots=True)
class Book:
    """A venue's depth for one pair at one moment.

    Asks ascend, bids descend. `taken_at` is seconds of the process's monotonic clock, so that a
    wrong wall clock can never make an old price look fresh. `taker_ppm` is what the venue charges this account for
    taking, in millionths; None where it was not asked.
    """

    source: str
    base: str
    quote: str
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    taken_at: float
    taker_ppm: int | None = None


class RateSource(Protocol):
    """A venue that publishes its depth."""

    @property
    def name(self) -> str:
        """The venue's name: `kraken`."""
        ...

    async def depth(self, base: str, quote: str) -> Book:
        """The book now, for example of BTC against EUR; raises ProviderUnavailable."""
        ...


@runtime_checkable
class LiveRateSource(RateSource, Protocol):
    """A venue whose books are kept in memory by what it sends; `depth` costs nothing while they are."""

    async def run(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Keep the books of these pairs (BTC, EUR) until cancelled, through every lost connection."""
        ...

    def is_live(self, base: str, quote: str) -> bool:
        """Whether this pair's book is in memory and in step; else `depth` asks the venue."""
        ...
