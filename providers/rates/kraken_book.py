"""Kraken's `book` channel (WebSocket v2): how a book is kept, and the checksum that says whether it is theirs.

A snapshot comes first; each update then names levels with their whole new quantity, 0 for gone. After every update the
book is cut to the depth that was subscribed to, and CRC32 over the best ten of each side must be the venue's. Source:
docs.kraken.com, "Book checksum (WebSocket v2)" and "Book (Level 2)".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from providers.rates.ladder import Ladder
from providers.rates.numbers import Unusable, exact

_CHECKED: Final = 10  # levels a side in the checksum, whatever the depth


class OutOfStep(Exception):
    """What we hold is not what the venue holds; only a new snapshot helps."""


@dataclass(frozen=True, slots=True)
class Places:
    """A pair's decimals: `pair_decimals` and `lot_decimals` of Kraken's AssetPairs."""

    price: int
    volume: int


class KrakenBook:
    """One pair's book in whole steps of its own decimals."""

    def __init__(self, places: Places, depth: int) -> None:
        """Empty until a snapshot comes; `depth` is what was subscribed to."""
        self._places = places
        self.asks = Ladder(rising=True, deepest=depth)
        self.bids = Ladder(rising=False, deepest=depth)
        self.is_filled = False

    def snapshot(self, data: Mapping[str, object]) -> None:
        """Begin with these levels; raises OutOfStep or Unusable, and the book is empty then."""
        self.is_filled = False
        self.asks.fill(self._levels(data.get("asks")))
        self.bids.fill(self._levels(data.get("bids")))
        self._compare(data.get("checksum"))
        self.is_filled = True

    def update(self, data: Mapping[str, object]) -> None:
        """Apply one message, all of it before the checksum; raises OutOfStep or Unusable, and the book is void then."""
        if not self.is_filled:
            raise OutOfStep("an update before the snapshot")
        self.is_filled = False
        for side, levels in ((self.asks, data.get("asks", [])), (self.bids, data.get("bids", []))):
            for price, quantity in self._levels(levels):
                side.put(price, quantity)
            side.trim()
        self._compare(data.get("checksum"))
        self.is_filled = True

    def _levels(self, levels: object) -> Iterable[tuple[int, int]]:
        if not isinstance(levels, list):
            raise Unusable("a side is missing")
        for level in levels:
            if not isinstance(level, dict):
                raise Unusable("a level is not an object")
            price = exact(str(level.get("price")), self._places.price)
            if price == 0:
                raise Unusable("a price is zero")
            yield price, exact(str(level.get("qty")), self._places.volume)

    def _compare(self, theirs: object) -> None:
        ours = checksum(self.asks.best(_CHECKED), self.bids.best(_CHECKED))
        if not isinstance(theirs, int) or theirs != ours:
            raise OutOfStep("the checksum differs")


def checksum(asks: Iterable[tuple[int, int]], bids: Iterable[tuple[int, int]]) -> int:
    """CRC32 over the best ten asks, then bids, best first: price and quantity of each without point and leading zeros.

    Written with all of the pair's decimals, a number without its point and leading zeros is the number of its steps.
    """
    text = "".join(f"{price}{quantity}" for side in (asks, bids) for price, quantity in side)
    return zlib.crc32(text.encode("ascii"))
