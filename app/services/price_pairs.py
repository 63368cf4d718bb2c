"""One pair's prices: what each source last said, and the one book that is made of those that are believed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import structlog

from app.domain.depth import Level, Side, merge
from app.ports.rates import Book, LiveRateSource, RateSource
from app.services.price_guards import (
    Doubt,
    Doubtful,
    JumpGuard,
    PriceRules,
    Trouble,
    are_apart,
    are_crossed,
    doubled_mid,
)

_PPM_PER_BPS: Final = 100
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Merged:
    """The books of the sources that agree, as one. Levels name their source; `taken_at` is the oldest book's."""

    base: str
    quote: str
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    sources: tuple[str, ...]
    taken_at: float


@dataclass(slots=True)
class Slot:
    """What one source last said about one pair."""

    source: RateSource
    base: str
    quote: str
    book: Book | None = None
    failure: str | None = "not asked yet"
    trouble: Trouble = Trouble.NO_ANSWER  # what the failure comes to
    failures: int = 0
    asked_at: float = -math.inf  # the monotonic clock's
    ok: bool = False
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_live(self) -> bool:
        """Whether a stream keeps the book."""
        return isinstance(self.source, LiveRateSource) and self.source.is_live(self.base, self.quote)


class Pair:
    """One pair: what its sources say, and what is made of it."""

    def __init__(self, base: str, quote: str, slots: list[Slot], rules: PriceRules) -> None:
        """A slot for each source, in the configured order."""
        self.base, self.quote, self.slots = base, quote, slots
        self._rules = rules
        self._jumps = JumpGuard(rules)
        self._from: tuple[Book, ...] = ()
        self._merged: Merged | None = None
        self.doubt: Doubt | None = Doubt.NO_FRESH_PRICE
        self.since = datetime.now(UTC)

    def fresh(self, now: float) -> tuple[Book, ...]:
        """Every book that is not stale, in the configured order of the sources."""
        return tuple(
            slot.book for slot in self.slots if slot.book is not None and is_fresh(slot.book, now, self._rules)
        )

    def judged(self, now: float) -> Merged:
        """The one book made of those that are fresh; raises Doubtful, and remembers why."""
        books = self.fresh(now)
        merged = self._merge(books) if len(books) >= self._rules.required_sources else None
        doubt = self._doubt(books, merged, now)
        if doubt is not self.doubt:
            self.doubt, self.since = doubt, datetime.now(UTC)
            _log.warning("price.pair", base=self.base, quote=self.quote, doubt=doubt)
        if doubt is not None or merged is None:
            raise Doubtful(doubt or Doubt.NO_FRESH_PRICE, retry_after=math.ceil(self._rules.poll_every))
        return merged

    def _doubt(self, books: tuple[Book, ...], merged: Merged | None, now: float) -> Doubt | None:
        if merged is None:
            return Doubt.NO_FRESH_PRICE
        if are_apart(books, self._rules.apart_bps):
            return Doubt.DISAGREEMENT
        if are_crossed(merged.asks, merged.bids, self._rules.taker_bps * _PPM_PER_BPS):
            return Doubt.CROSSED
        if not self._jumps.believes(doubled_mid(merged.asks, merged.bids), len(books), now):
            return Doubt.JUMP
        return None

    def _merge(self, books: tuple[Book, ...]) -> Merged:
        """One book of several, made again only when one of them is another one."""
        same = len(books) == len(self._from) and all(
            new.asks is old.asks and new.bids is old.bids and new.taker_ppm == old.taker_ppm
            for new, old in zip(books, self._from, strict=True)
        )
        if self._merged is None or not same:
            self._merged = merged_of(books, self._rules.taker_bps)
        elif books != self._from:
            self._merged = replace(self._merged, taken_at=min(book.taken_at for book in books))
        self._from = books
        return self._merged


def merged_of(books: Sequence[Book], taker_bps: int) -> Merged:
    """Several books of one pair as one, ranked by what a level comes to after its venue's fee."""
    ppm = taker_bps * _PPM_PER_BPS
    asks = merge((Side(book.source, book.asks, book.taker_ppm) for book in books), ppm, buying=True)
    bids = merge((Side(book.source, book.bids, book.taker_ppm) for book in books), ppm, buying=False)
    sources = tuple(book.source for book in books)
    return Merged(books[0].base, books[0].quote, asks, bids, sources, min(book.taken_at for book in books))


def is_fresh(book: Book, now: float, rules: PriceRules) -> bool:
    """Whether a book may be used. One that came in just after the caller read `now` is fresh all the same."""
    return now - book.taken_at <= rules.stale_after
