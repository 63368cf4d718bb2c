"""Binance's diff depth stream: how a book is kept, and the numbers that say whether an event is missing.

Events are gathered until a snapshot has come. Those with `u` <= `lastUpdateId` are in it already; the first that is
applied must have `U` <= `lastUpdateId` + 1 <= `u`, and each next one's `U` must be the `u` before plus one. Quantities
are absolute, 0 removes a level, and removing one that we do not have is normal. Source: Binance's "Web Socket Streams",
"How to manage a local order book correctly".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from providers.rates.ladder import Ladder
from providers.rates.numbers import Unusable, exact

PLACES: Final = 8  # decimals of every price and quantity that Binance writes
_MOST_WAITING: Final = 1_000  # events that may wait for a snapshot; at ten a second more than a minute


class Gap(Exception):
    """An event is missing; only a new snapshot helps."""


class BinanceBook:
    """One symbol's book, in 10^-8."""

    def __init__(self, depth: int) -> None:
        """Empty until a snapshot comes; `depth` bounds what is kept."""
        self.asks = Ladder(rising=True, deepest=depth)
        self.bids = Ladder(rising=False, deepest=depth)
        self.is_filled = False
        self._last = 0  # the update that the book is at
        self._begun = False  # whether an event has been applied since the snapshot
        self._waiting: list[Mapping[str, object]] = []

    @property
    def waits(self) -> bool:
        """Whether an event has come, so that a snapshot asked for now can be joined to the stream."""
        return bool(self._waiting)

    def event(self, event: Mapping[str, object]) -> None:
        """Apply one event, or keep it until there is a snapshot; raises Gap or Unusable, and the book is void then."""
        if not self.is_filled:
            self._waiting.append(event)
            if len(self._waiting) > _MOST_WAITING:
                self.forget()
                raise Gap("no snapshot came")
            return
        self._apply(event)

    def snapshot(self, data: Mapping[str, object]) -> None:
        """Begin with these levels and what has waited; raises Gap when the two do not join, Unusable otherwise."""
        waiting, self._waiting = self._waiting, []
        self.is_filled = self._begun = False
        self._last = _number(data.get("lastUpdateId"))
        self.asks.fill(_levels(data.get("asks")))
        self.bids.fill(_levels(data.get("bids")))
        self.is_filled = True
        for event in waiting:
            self._apply(event)

    def forget(self) -> None:
        """Throw everything away, for a new beginning."""
        self.is_filled = self._begun = False
        self._waiting = []

    def _apply(self, event: Mapping[str, object]) -> None:
        first, last = _number(event.get("U")), _number(event.get("u"))
        if not self._begun and last <= self._last:
            return  # the snapshot has it already
        joins = first <= self._last + 1 <= last if not self._begun else first == self._last + 1 <= last
        self.is_filled = False
        if not joins:
            raise Gap(f"update {self._last + 1} is missing")
        for side, levels in ((self.asks, event.get("a")), (self.bids, event.get("b"))):
            for price, quantity in _levels(levels):
                side.put(price, quantity)
            side.trim()
        self._last, self._begun = last, True
        self.is_filled = True


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unusable("an update has no number")
    return value


def _levels(levels: object) -> Iterable[tuple[int, int]]:
    if not isinstance(levels, list):
        raise Unusable("a side is missing")
    for level in levels:
        if not isinstance(level, list) or len(level) < 2:
            raise Unusable("a level is not [price, quantity]")
        price = exact(level[0], PLACES)
        if price == 0:
            raise Unusable("a price is zero")
        yield price, exact(level[1], PLACES)
