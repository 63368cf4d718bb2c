"""The prices we may quote from: books kept in memory by a background task, and the rules by which they are trusted.

No request ever waits for a venue. `PriceBoard.run` asks every source for every pair, over and over; `PriceBoard.book`
only looks at what is there and refuses when that is not good enough. There is no default price, and an answer that
could not be used changes nothing: the one before it serves until it is stale.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.domain.errors import RouteUnavailable
from app.ports.errors import ProviderError, ProviderThrottled
from app.ports.rates import Book, Level, RateSource

_LONGEST_PAUSE: Final = 60.0  # seconds that a venue may make us wait by asking for it
_log = structlog.stdlib.get_logger(__name__)


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

    def __post_init__(self) -> None:
        if self.required_sources < 1:
            raise ValueError("at least one source must be required")
        if min(self.apart_bps, self.poll_every, self.timeout) <= 0:
            raise ValueError("distances and durations must be above zero")
        if self.stale_after <= self.poll_every or self.slowest_poll < self.poll_every:
            raise ValueError("a price must live longer than the pause between polls")


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source stands for one pair.

    `ok` says whether its book is fresh enough to count; `reason` says what is wrong with its last answer, which may
    already be something while the answer before it is still good.
    """

    source: str
    base: str
    quote: str
    age_seconds: float | None
    ok: bool
    reason: str | None


@dataclass(slots=True)
class _Slot:
    """What one source last said about one pair."""

    source: RateSource
    base: str
    quote: str
    book: Book | None = None
    failure: str | None = "not asked yet"
    failures: int = 0


class PriceBoard:
    """The newest book of every source for every pair, in one process's memory."""

    def __init__(
        self,
        sources: Sequence[RateSource],
        pairs: Sequence[tuple[str, str]],
        rules: PriceRules,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`sources` in the order in which their prices are preferred; `pairs` as (base, quote), for example BTC, EUR.

        Fewer sources than the rules require is no mistake here: every `book` is then refused. Raises ValueError when
        two sources have one name, for then they may be one venue agreeing with itself.
        """
        if len({source.name for source in sources}) < len(sources):
            raise ValueError("every price source needs a name of its own")
        self._rules = rules
        self._clock = clock
        self._sleep = sleep
        self._slots = [_Slot(source, base, quote) for base, quote in pairs for source in sources]

    async def run(self) -> None:
        """Keep every book fresh until cancelled. One task for each source and pair, so that none waits for another."""
        async with asyncio.TaskGroup() as tasks:
            for slot in self._slots:
                tasks.create_task(self._follow(slot))

    async def refresh(self) -> None:
        """Ask every source once, at the same time; for a start with prices. Never raises for a source's sake."""
        async with asyncio.TaskGroup() as tasks:
            for slot in self._slots:
                tasks.create_task(self._poll(slot))

    def book(self, base: str, quote: str, *, now: float) -> Book:
        """The book to price from: that of the first configured source among those that agree.

        `now` is the monotonic clock's. Raises RouteUnavailable, see `agreeing`.
        """
        return self.agreeing(base, quote, now=now)[0]

    def agreeing(self, base: str, quote: str, *, now: float) -> tuple[Book, ...]:
        """Every fresh book for the pair, in the configured order of the sources.

        Raises RouteUnavailable when there are fewer than required, or when any two of them are too far apart: then
        one of them is wrong and we cannot know which.
        """
        books = tuple(
            slot.book
            for slot in self._slots
            if slot.base == base and slot.quote == quote and slot.book is not None and self._is_fresh(slot.book, now)
        )
        retry_after = math.ceil(self._rules.poll_every)
        if len(books) < self._rules.required_sources:
            raise RouteUnavailable("There is no fresh price for this pair now.", retry_after=retry_after)
        doubled_mids = [book.asks[0].price + book.bids[0].price for book in books]
        lowest, highest = min(doubled_mids), max(doubled_mids)
        if len(books) > 1 and (highest - lowest) * 10_000 >= self._rules.apart_bps * lowest:
            raise RouteUnavailable("The price sources for this pair disagree now.", retry_after=retry_after)
        return books

    def states(self, *, now: float) -> tuple[SourceState, ...]:
        """How every source stands for every pair, for metrics and health."""
        return tuple(self._state(slot, now) for slot in self._slots)

    def _state(self, slot: _Slot, now: float) -> SourceState:
        age = None if slot.book is None else now - slot.book.taken_at
        fresh = slot.book is not None and self._is_fresh(slot.book, now)
        reason = slot.failure if fresh or slot.failure else "stale"
        return SourceState(slot.source.name, slot.base, slot.quote, age, fresh, reason)

    def _is_fresh(self, book: Book, now: float) -> bool:
        # A caller may have read `now` just before the book came in; that book is fresh all the same.
        return now - book.taken_at <= self._rules.stale_after

    async def _follow(self, slot: _Slot) -> None:
        """Poll one source for one pair for ever, each time measured from the start of the poll before."""
        while True:
            started = self._clock()
            pause = await self._poll(slot)
            await self._sleep(max(0.0, pause - (self._clock() - started)))

    async def _poll(self, slot: _Slot) -> float:
        """Ask once and keep the answer, or why there is none; say how long after this start to ask again."""
        try:
            async with asyncio.timeout(self._rules.timeout):
                book = await slot.source.depth(slot.base, slot.quote)
            problem = _problem_with(book, slot)
        except TimeoutError:
            return self._failed(slot, "no answer in time")
        except ProviderThrottled as error:
            return max(self._failed(slot, str(error)), min(error.retry_after or 0.0, _LONGEST_PAUSE))
        except ProviderError as error:
            return self._failed(slot, str(error))
        except Exception as error:  # an adapter's bug must not end the other sources' polling
            return self._failed(slot, f"unexpected {type(error).__name__}", bug=error)
        if problem is not None:
            return self._failed(slot, problem)
        if slot.failures:
            _log.info("price.source_recovered", source=slot.source.name, base=slot.base, quote=slot.quote)
        slot.book, slot.failure, slot.failures = book, None, 0
        return self._rules.poll_every

    def _failed(self, slot: _Slot, reason: str, *, bug: Exception | None = None) -> float:
        """Note a failure, log it when it is news, and say how long to wait: twice as long each time, up to a limit."""
        if slot.failure != reason:
            fields = {"source": slot.source.name, "base": slot.base, "quote": slot.quote, "reason": reason}
            _log.warning("price.source_failed", **fields, exc_info=bug)
        slot.failure = reason
        slot.failures += 1
        doublings = min(slot.failures - 1, 16)  # a float overflows if doubled for months
        return min(self._rules.poll_every * 2.0**doublings, self._rules.slowest_poll)


def _problem_with(book: Book, slot: _Slot) -> str | None:
    """Why a book cannot be priced from; None when it can. Pricing relies on these four."""
    if (book.base, book.quote) != (slot.base, slot.quote):
        return "answered for another pair"
    if not book.asks or not book.bids:
        return "a side of the book is empty"
    if any(min(level.price, level.quantity) <= 0 for level in (*book.asks, *book.bids)):
        return "a price or quantity is not above zero"
    if not _is_sorted(book.asks) or not _is_sorted(book.bids[::-1]):
        return "the book is not sorted"
    if book.bids[0].price >= book.asks[0].price:
        return "the book is crossed"
    return None


def _is_sorted(levels: Sequence[Level]) -> bool:
    """Whether prices ascend."""
    return all(lower.price <= upper.price for lower, upper in itertools.pairwise(levels))
