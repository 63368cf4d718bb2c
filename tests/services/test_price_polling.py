"""The price board's background task: how often it asks, how it backs off, and that nothing ends it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator

import httpx
import pytest

from app.ports.errors import ProviderThrottled
from app.ports.rates import Book
from app.services.prices import PriceBoard, PriceRules
from tests.services.venues import EUR, GOOD, RULES, Clock, Puppet, open_market


async def pauses_of(
    source: Puppet, rules: PriceRules, polls: int, clock: Clock | None = None, refreshed: float | None = None
) -> list[float]:
    """How long `run` waits after each of the first polls; the clock stands still unless one is given.

    `refreshed`: it begins so many seconds after a refresh, and waits before the first poll too.
    """
    pauses: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == polls:
            enough.set()
            await asyncio.Event().wait()

    clock = clock or Clock()
    board = PriceBoard([source], [EUR], rules, clock=clock, sleep=sleep)
    if refreshed is not None:
        await board.refresh()
        clock.now += refreshed
    running = asyncio.create_task(board.run())
    async with asyncio.timeout(5):
        await enough.wait()
    assert not running.done()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    return pauses


async def test_a_healthy_source_is_asked_once_a_second() -> None:
    assert await pauses_of(Puppet(GOOD), RULES, 4) == [1.0] * 4


@pytest.mark.parametrize(("ago", "pause"), [(0.25, 0.75), (3.0, 0.0)])
async def test_what_was_asked_before_the_task_began_is_asked_again_when_it_is_due(ago: float, pause: float) -> None:
    assert await pauses_of(Puppet(GOOD), RULES, 2, refreshed=ago) == [pause, 1.0]


@pytest.mark.parametrize("failure", [httpx.ConnectError("leaked"), ValueError("a bug"), TimeoutError()])
async def test_no_failure_ends_the_polling_and_each_one_slows_it(failure: Exception) -> None:
    assert await pauses_of(Puppet(failure), RULES, 6) == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


async def test_an_answer_ends_the_slowness() -> None:
    class Moody(Puppet):
        answers: Iterator[Book | BaseException] = itertools.cycle([TimeoutError(), TimeoutError(), GOOD])

        async def depth(self, base: str, quote: str) -> Book:
            """The next answer."""
            self.answer = next(self.answers)
            return await super().depth(base, quote)

    assert await pauses_of(Moody(GOOD), RULES, 6) == [1.0, 2.0, 1.0, 1.0, 2.0, 1.0]


@pytest.mark.parametrize(("asked_for", "pause"), [(7.0, 7.0), (None, 1.0), (0.1, 1.0), (1e9, 60.0)])
async def test_a_throttling_venue_gets_the_pause_it_asks_for_within_reason(
    asked_for: float | None, pause: float
) -> None:
    throttled = ProviderThrottled("puppet", "slow down", retry_after=asked_for)
    assert await pauses_of(Puppet(throttled), RULES, 1) == [pause]


async def test_run_keeps_the_board_fresh_through_an_outage_of_one_venue() -> None:
    async with open_market() as market:
        polled = asyncio.Condition()
        rounds = 0

        async def sleep(_: float) -> None:
            nonlocal rounds
            async with polled:
                rounds += 1
                polled.notify_all()
            await asyncio.sleep(0.001)

        async def until_polled_again() -> None:
            async with asyncio.timeout(5), polled:
                enough = rounds + 6  # two sources in turn: each has answered at least once more
                await polled.wait_for(lambda: rounds >= enough)

        board = PriceBoard(market.sources, [EUR], RULES, clock=market.clock, sleep=sleep)
        running = asyncio.create_task(board.run())
        await until_polled_again()
        for _ in range(5):
            market.clock.now += 1.9
            await until_polled_again()
            assert "first" in board.merged(*EUR, now=market.clock.now).sources
        market.first.failure = httpx.ReadError("cut off")
        market.clock.now += 5
        await until_polled_again()
        assert "second" in board.merged(*EUR, now=market.clock.now).sources
        market.first.failure = None
        await until_polled_again()
        assert "first" in board.merged(*EUR, now=market.clock.now).sources
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_time_spent_asking_counts_towards_the_pause() -> None:
    clock = Clock()

    class Slow(Puppet):
        async def depth(self, base: str, quote: str) -> Book:
            """The answer after 0.4 seconds."""
            clock.now += 0.4
            return await super().depth(base, quote)

    assert await pauses_of(Slow(GOOD), RULES, 2, clock) == pytest.approx([0.6, 0.6])
