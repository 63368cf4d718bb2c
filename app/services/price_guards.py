"""When prices are believed: rules for one book, for several together, and for how far a price may jump.

A feed that is wrong looks like a market: these are the bounds against prices that are zero, negative, a thousandfold,
stale, or only one venue's word.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain.depth import Level, after_fee
from app.domain.errors import RouteUnavailable
from app.ports.rates import Book

# No market moves tenfold between two looks, whoever says so: somebody has mistaken a unit.
_BEYOND_BELIEF: Final = 10
_WHOLE: Final = 10_000


@dataclass(frozen=True, slots=True)
class PriceRules:
    """When a price may be used, and how often to ask for one. Durations are in seconds.

    Raises ValueError for rules under which a price could never be refused, or never be used.
    """

    required_sources: int = 1
    stale_after: float = 2.0
    apart_bps: int = 200  # sources whose middle prices are this far apart, or further, cannot both be right
    poll_every: float = 1.0
    timeout: float = 1.0
    slowest_poll: float = 5.0  # a failing source is asked less and less often, down to this
    look_every: float = 0.25  # how often a book that a stream keeps in memory is taken over
    taker_bps: int = 0  # what a venue takes that does not say so
    jump_bps: int = 1_000  # a price that has moved so far at once is believed when a second source says the same,
    settled_after: float = 60.0  # or when it has stayed there so long

    def __post_init__(self) -> None:
        if self.required_sources < 1:
            raise ValueError("at least one source must be required")
        if min(self.apart_bps, self.jump_bps, self.poll_every, self.look_every, self.timeout) <= 0:
            raise ValueError("distances and durations must be above zero")
        if self.stale_after <= max(self.poll_every, self.look_every) or self.slowest_poll < self.poll_every:
            raise ValueError("a price must live longer than the pause between polls")


class Doubt(StrEnum):
    """Why there is no price for a pair."""

    NO_FRESH_PRICE = "no_fresh_price"
    DISAGREEMENT = "disagreement"
    CROSSED = "crossed"
    JUMP = "jump"


class Trouble(StrEnum):
    """What is wrong with what one source says, in words that may be told to anybody."""

    NO_ANSWER = "no_answer"
    UNUSABLE_BOOK = "unusable_book"
    CROSSED_BOOK = "crossed_book"
    STALE = "stale"


CROSSED_CODE: Final = "crossed"  # by which an adapter says that a book was crossed already where it came from
_CROSSED: Final = "the book is crossed"

_WORDS: Final = {
    Doubt.NO_FRESH_PRICE: "There is no fresh price for this pair now.",
    Doubt.DISAGREEMENT: "The price sources for this pair disagree now.",
    Doubt.CROSSED: "The price sources for this pair contradict each other now.",
    Doubt.JUMP: "The price of this pair has moved too far at once to be believed yet.",
}


class Doubtful(RouteUnavailable):
    """There is no price that can be believed now; `doubt` says why."""

    def __init__(self, doubt: Doubt, *, retry_after: int) -> None:
        """Try again after so many seconds."""
        super().__init__(_WORDS[doubt], retry_after=retry_after)
        self.doubt = doubt


def problem_with(book: Book, base: str, quote: str) -> str | None:
    """Why a book cannot be priced from; None when it can. Pricing relies on these."""
    if (book.base, book.quote) != (base, quote):
        return "answered for another pair"
    if not book.asks or not book.bids:
        return "a side of the book is empty"
    if any(min(level.price, level.quantity) <= 0 for level in (*book.asks, *book.bids)):
        return "a price or quantity is not above zero"
    if not _is_sorted(book.asks) or not _is_sorted(book.bids[::-1]):
        return "the book is not sorted"
    if book.bids[0].price >= book.asks[0].price:
        return _CROSSED
    return None


def trouble_of(problem: str) -> Trouble:
    """The same in a word that may be told."""
    return Trouble.CROSSED_BOOK if problem == _CROSSED else Trouble.UNUSABLE_BOOK


def _is_sorted(levels: Sequence[Level]) -> bool:
    """Whether prices ascend."""
    return all(lower.price <= upper.price for lower, upper in itertools.pairwise(levels))


def are_apart(books: Sequence[Book], apart_bps: int) -> bool:
    """Whether any two middle prices are so far apart, measured by the lower one."""
    doubled_mids = [doubled_mid(book.asks, book.bids) for book in books]
    lowest, highest = min(doubled_mids), max(doubled_mids)
    return len(books) > 1 and (highest - lowest) * _WHOLE >= apart_bps * lowest


def are_crossed(asks: Sequence[Level], bids: Sequence[Level], taker_ppm: int) -> bool:
    """Whether, fees paid, a coin could be sold dearer than bought: free money is always a mistake, and it is ours."""
    cheapest = after_fee(asks[0], taker_ppm, buying=True)
    return after_fee(bids[0], taker_ppm, buying=False) > cheapest


def doubled_mid(asks: Sequence[Level], bids: Sequence[Level]) -> int:
    """Twice the middle price, which is a whole number."""
    return asks[0].price + bids[0].price


class JumpGuard:
    """What one pair's price was when it was last believed, and how far it may have moved since."""

    def __init__(self, rules: PriceRules) -> None:
        """Nothing is known yet: the first price is believed."""
        self._rules = rules
        self._believed: int | None = None
        self._other: tuple[int, float] | None = None  # where a price has jumped to, and since when

    def believes(self, mid: int, sources: int, now: float) -> bool:
        """Whether a middle price, which so many sources agree on, can be believed."""
        last = self._believed
        if last is None or self._are_near(mid, last):
            self._settle(mid)
            return True
        if max(mid, last) >= _BEYOND_BELIEF * min(mid, last):
            self._other = None
            return False
        if self._other is None or not self._are_near(mid, self._other[0]):
            self._other = (mid, now)
        if sources > 1 or now - self._other[1] >= self._rules.settled_after:
            self._settle(mid)
            return True
        return False

    def _settle(self, mid: int) -> None:
        self._believed, self._other = mid, None

    def _are_near(self, one: int, other: int) -> bool:
        return abs(one - other) * _WHOLE < self._rules.jump_bps * min(one, other)
