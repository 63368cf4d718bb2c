"""The prices we may quote from: books kept in memory by a background task, merged, and trusted by `price_guards`.

No request ever waits for a venue. `PriceBoard.run` asks every source for every pair, over and over; `PriceBoard.merged`
only looks at what is there and refuses when that is not good enough. There is no default price, and an answer that
could not be used changes nothing: the one before it serves until it is stale.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from app.ports.errors import ProviderError, ProviderThrottled
from app.ports.rates import Book, LiveRateSource, RateSource
from app.services.price_guards import (
    CROSSED_CODE,
    Doubt,
    Doubtful,
    PriceRules,
    Trouble,
    problem_with,
    trouble_of,
)
from app.services.price_pairs import Merged, Pair, Slot, is_fresh, merged_of

__all__ = [
    "Doubt",
    "Doubtful",
    "Merged",
    "PairState",
    "PriceBoard",
    "PriceRules",
    "SourceState",
    "Trouble",
    "merged_of",
]

_LONGEST_PAUSE: Final = 60.0  # seconds that a venue may make us wait by asking for it
_RESTART_SECONDS: Final = 1.0  # before a source whose own task ended is started again
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source stands for one pair.

    `ok` says whether its book is fresh enough to count; `reason` says what is wrong with its last answer, which may
    already be something while the answer before it is still good; `trouble` is the same in a word that may be told to
    anybody. `live` says whether a stream keeps its book, `since` when `ok` last changed.
    """

    source: str
    base: str
    quote: str
    age_seconds: float | None
    ok: bool
    reason: str | None
    trouble: Trouble | None
    live: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class PairState:
    """Whether a pair can be quoted, and since when; `doubt` says why not."""

    base: str
    quote: str
    doubt: Doubt | None
    since: datetime


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
        """`sources` in the order in which equal prices are preferred; `pairs` as (base, quote), for example BTC, EUR.

        Fewer sources than the rules require is no mistake here: every price is then refused. Raises ValueError when
        two sources have one name, for then they may be one venue agreeing with itself.
        """
        if len({source.name for source in sources}) < len(sources):
            raise ValueError("every price source needs a name of its own")
        self.rules = rules
        self._sources = sources
        self._clock = clock
        self._sleep = sleep
        self._pairs = {
            pair: Pair(*pair, [Slot(source, *pair) for source in sources], rules) for pair in dict.fromkeys(pairs)
        }

    @property
    def source_names(self) -> tuple[str, ...]:
        """The names of the sources, in their configured order."""
        return tuple(source.name for source in self._sources)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every pair, as (base, quote)."""
        return tuple(self._pairs)

    async def run(self) -> None:
        """Keep every book fresh until cancelled. One task for each source and pair, so that none waits for another."""
        async with asyncio.TaskGroup() as tasks:
            for source in self._sources:
                if isinstance(source, LiveRateSource):
                    tasks.create_task(self._keep(source))
            for pair in self._pairs.values():
                for slot in pair.slots:
                    tasks.create_task(self._follow(pair, slot))

    async def refresh(self, only: tuple[str, str] | None = None) -> None:
        """Ask every source once, at the same time, for all pairs or for one. Never raises for a source's sake."""
        async with asyncio.TaskGroup() as tasks:
            for name, pair in self._pairs.items():
                for slot in pair.slots if only in (None, name) else ():
                    tasks.create_task(self._poll(pair, slot))

    def merged(self, base: str, quote: str, *, now: float) -> Merged:
        """The book to price from: all that agree, as one. `now` is the monotonic clock's.

        Raises Doubtful when there are fewer fresh books than required, when any two of them are too far apart, when
        together they are crossed after fees (one of them is wrong then, and we cannot know which), and when the price
        has jumped.
        """
        pair = self._pairs.get((base, quote))
        if pair is None:
            raise Doubtful(Doubt.NO_FRESH_PRICE, retry_after=math.ceil(self.rules.poll_every))
        return pair.judged(now)

    def books(self, base: str, quote: str, *, now: float) -> tuple[Book, ...]:
        """Every fresh book of a pair by itself, in the configured order; whether they agree is not asked."""
        pair = self._pairs.get((base, quote))
        return () if pair is None else pair.fresh(now)

    def states(self, *, now: float) -> tuple[SourceState, ...]:
        """How every source stands for every pair, for metrics and health."""
        return tuple(self._state(slot, now) for pair in self._pairs.values() for slot in pair.slots)

    def pair_states(self, *, now: float) -> tuple[PairState, ...]:
        """Whether each pair can be quoted."""
        for pair in self._pairs.values():
            self._judge(pair, now)
        return tuple(PairState(pair.base, pair.quote, pair.doubt, pair.since) for pair in self._pairs.values())

    def _state(self, slot: Slot, now: float) -> SourceState:
        book = slot.book
        fresh = book is not None and is_fresh(book, now, self.rules)
        if fresh is not slot.ok:
            slot.ok, slot.since = fresh, datetime.now(UTC)
        age = None if book is None else now - book.taken_at
        reason = slot.failure if fresh or slot.failure else "stale"
        trouble = None if reason is None else slot.trouble if slot.failure else Trouble.STALE
        return SourceState(
            slot.source.name, slot.base, slot.quote, age, fresh, reason, trouble, slot.is_live, slot.since
        )

    def _judge(self, pair: Pair, now: float) -> None:
        """Look at a pair, so that a jump is noticed when it happens and not when somebody asks."""
        try:
            pair.judged(now)
        except Doubtful:
            return

    async def _keep(self, source: LiveRateSource) -> None:
        """Let a source keep its own books; a bug in it must end nobody else's."""
        while True:
            try:
                await source.run(self.pairs)
            except Exception:
                _log.exception("price.source_ended", source=source.name)
            else:
                return  # it has nothing to keep: it is asked instead
            await self._sleep(_RESTART_SECONDS)

    async def _follow(self, pair: Pair, slot: Slot) -> None:
        """Poll one source for one pair for ever, each time measured from the start of the poll before."""
        if slot.book is not None:  # `refresh` has asked already
            await self._sleep(self._left(slot, self.rules.poll_every))
        while True:
            pause = await self._poll(pair, slot)
            if slot.is_live and not slot.failures:
                pause = self.rules.look_every
            await self._sleep(self._left(slot, pause))

    def _left(self, slot: Slot, pause: float) -> float:
        return max(0.0, slot.asked_at + pause - self._clock())

    async def _poll(self, pair: Pair, slot: Slot) -> float:
        """Ask once and keep the answer, or why there is none; say how long after this start to ask again."""
        slot.asked_at = self._clock()
        try:
            async with asyncio.timeout(self.rules.timeout):
                book = await slot.source.depth(slot.base, slot.quote)
            problem = problem_with(book, slot.base, slot.quote)
        except TimeoutError:
            return self._failed(slot, "no answer in time")
        except ProviderThrottled as error:
            return max(self._failed(slot, str(error)), min(error.retry_after or 0.0, _LONGEST_PAUSE))
        except ProviderError as error:
            crossed = error.code == CROSSED_CODE
            return self._failed(slot, str(error), trouble=Trouble.CROSSED_BOOK if crossed else Trouble.NO_ANSWER)
        except Exception as error:  # an adapter's bug must not end the other sources' polling
            return self._failed(slot, f"unexpected {type(error).__name__}", bug=error)
        if problem is not None:
            return self._failed(slot, problem, trouble=trouble_of(problem))
        if slot.failures:
            _log.info("price.source_recovered", source=slot.source.name, base=slot.base, quote=slot.quote)
        slot.book, slot.failure, slot.failures = book, None, 0
        self._judge(pair, self._clock())
        return self.rules.poll_every

    def _failed(
        self, slot: Slot, reason: str, *, trouble: Trouble = Trouble.NO_ANSWER, bug: Exception | None = None
    ) -> float:
        """Note a failure, log it when it is news, and say how long to wait: twice as long each time, up to a limit."""
        if slot.failure != reason:
            fields = {"source": slot.source.name, "base": slot.base, "quote": slot.quote, "reason": reason}
            _log.warning("price.source_failed", **fields, exc_info=bug)
        slot.failure, slot.trouble = reason, trouble
        slot.failures += 1
        doublings = min(slot.failures - 1, 16)  # a float overflows if doubled for months
        return min(self.rules.poll_every * 2.0**doublings, self.rules.slowest_poll)
