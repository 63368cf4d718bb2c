"""What a stream's books have in common: how old they are, and their form in our units, made once for each change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from app.ports.rates import Book
from providers.rates.ladder import Ladder
from providers.rates.numbers import Scale

# A book that has heard nothing for so long is asked for instead, well before it counts as stale.
QUIET_SECONDS = 1.5


class TwoSided(Protocol):
    """A book of any venue's."""

    asks: Ladder
    bids: Ladder
    is_filled: bool


class Kept:
    """One pair's book on a stream.

    `heard_at` is when the stream last spoke, `lag` by how much the venue's own time was behind ours in what it said
    last of this book: a feed that is late is old, however lively.
    """

    def __init__(self, name: str, base: str, quote: str, book: TwoSided, scale: Scale) -> None:
        """Empty until the book is filled."""
        self.name, self.base, self.quote = name, base, quote
        self.book = book
        self._scale = scale
        self.heard_at = float("-inf")
        self.lag = 0.0
        self._made: Book | None = None

    def changed(self, now: float, lag: float) -> None:
        """The book is another one now."""
        self.heard_at, self.lag = now, max(0.0, lag)
        self._made = None

    def is_live(self, now: float) -> bool:
        """Whether the book is in step, and the stream neither silent nor late."""
        return self.book.is_filled and now - self.heard_at + self.lag < QUIET_SECONDS

    def made(self, now: float, taker_ppm: int | None) -> Book | None:
        """The book in our units, None while it is not live. It is handed out as it is: judging it is not done here."""
        if not self.is_live(now):
            return None
        if self._made is None:
            self._made = Book(
                source=self.name,
                base=self.base,
                quote=self.quote,
                asks=self._scale.levels(self.book.asks.best(), upwards=True),
                bids=self._scale.levels(self.book.bids.best(), upwards=False),
                taken_at=0.0,
            )
        return replace(self._made, taken_at=self.heard_at - self.lag, taker_ppm=taker_ppm)


def lag_of(moment: object, wall: Callable[[], float]) -> float:
    """By how many seconds a moment, RFC 3339 or milliseconds since 1970, lies behind our wall clock; 0 for neither."""
    if isinstance(moment, int) and not isinstance(moment, bool):
        return wall() - moment / 1000
    if isinstance(moment, str):
        try:
            return wall() - datetime.fromisoformat(moment).timestamp()
        except ValueError:
            return 0.0
    return 0.0
