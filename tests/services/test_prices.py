"""The price board with two venues of Kraken's shape: when it gives a price, and when it refuses (faults.md F-135)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest

from app.domain.errors import RouteUnavailable
from app.ports.rates import Book, Level
from app.services.prices import PriceBoard, PriceRules
from providers.rates.kraken import KrakenRates
from tests.services.venues import EUR, GOOD, RULES, Market, Puppet, Venue, open_market


@pytest.fixture
async def market() -> AsyncIterator[Market]:
    async with open_market() as opened:
        yield opened


def refusal(board: PriceBoard, now: float) -> RouteUnavailable:
    """The refusal that a quote would meet now."""
    with pytest.raises(RouteUnavailable) as refused:
        board.merged(*EUR, now=now)
    return refused.value


def reasons(board: PriceBoard, now: float) -> list[tuple[str, bool, str | None]]:
    """Source, ok and reason of every state."""
    return [(state.source, state.ok, state.reason) for state in board.states(now=now)]


async def test_before_the_first_answer_there_is_no_price(market: Market) -> None:
    board = market.board()
    assert refusal(board, market.clock.now).retry_after == 1
    assert reasons(board, market.clock.now) == [("first", False, "not asked yet"), ("second", False, "not asked yet")]
    assert market.first.asked == 0  # asking for a price asks no venue


async def test_sources_that_agree_give_one_book(market: Market) -> None:
    market.second.mid = 61_005
    board = market.board()
    await board.refresh()
    market.clock.now += 0.5
    book = board.merged(*EUR, now=market.clock.now)
    assert (book.sources, book.taken_at) == (("first", "second"), 1_000.0)
    assert [(level.source, level.price) for level in book.asks] == [("first", 61_010_00), ("second", 61_015_00)]
    assert [(level.source, level.price) for level in book.bids] == [("second", 60_995_00), ("first", 60_990_00)]
    assert [each.source for each in board.books(*EUR, now=market.clock.now)] == ["first", "second"]
    assert [state.age_seconds for state in board.states(now=market.clock.now)] == [0.5, 0.5]
    assert reasons(board, market.clock.now) == [("first", True, None), ("second", True, None)]


async def test_a_pair_without_a_source_has_no_price(market: Market) -> None:
    board = market.board()
    await board.refresh()
    for pair in (("BTC", "USD"), ("ETH", "EUR")):
        with pytest.raises(RouteUnavailable):
            board.merged(*pair, now=market.clock.now)


async def test_an_outage_stops_quotes_within_two_seconds_and_the_venues_return_ends_it(market: Market) -> None:
    board = market.board()
    await board.refresh()
    market.first.failure = market.second.failure = httpx.ConnectError("no route")
    market.clock.now += 2.0
    await board.refresh()
    assert board.merged(*EUR, now=market.clock.now).sources == ("first", "second")  # two seconds old, to the dot
    market.clock.now += 0.001
    assert refusal(board, market.clock.now).code == "route_unavailable"
    assert reasons(board, market.clock.now)[0] == ("first", False, "first: no answer: ConnectError")
    market.second.failure = None
    await board.refresh()
    assert "second" in board.merged(*EUR, now=market.clock.now).sources
    market.first.failure = None
    await board.refresh()
    assert "first" in board.merged(*EUR, now=market.clock.now).sources


async def test_a_board_that_is_no_longer_polled_goes_stale(market: Market) -> None:
    board = market.board()
    await board.refresh()
    market.clock.now += 2.001
    refusal(board, market.clock.now)
    assert reasons(board, market.clock.now)[0] == ("first", False, "stale")


async def test_a_slow_answer_is_as_old_as_its_question(market: Market) -> None:
    board = market.board()
    answers_at = market.clock.now + 3.0

    async def respond(_: httpx.Request) -> httpx.Response:
        market.clock.now = answers_at
        return await Venue(61_000).respond(_)

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        slow = KrakenRates(client, base_url="https://venue.test", clock=market.clock)
        board = PriceBoard([slow], [EUR], RULES, clock=market.clock)
        await board.refresh()
        refusal(board, market.clock.now)


async def test_two_required_means_two_fresh_ones(market: Market) -> None:
    board = market.board(replace(RULES, required_sources=2))
    await board.refresh()
    assert "first" in board.merged(*EUR, now=market.clock.now).sources
    market.second.failure = httpx.Response(503)
    market.clock.now += 2.5
    await board.refresh()
    refusal(board, market.clock.now)
    market.second.failure = None
    await board.refresh()
    assert "first" in board.merged(*EUR, now=market.clock.now).sources


async def test_more_required_than_configured_never_quotes(market: Market) -> None:
    board = PriceBoard(market.sources[:1], [EUR], replace(RULES, required_sources=2), clock=market.clock)
    await board.refresh()
    refusal(board, market.clock.now)


@pytest.mark.parametrize(("mid", "agrees"), [(62_219, True), (62_220, False), (59_804, True), (59_803, False)])
async def test_sources_two_per_cent_apart_stop_quotes(market: Market, mid: int, agrees: bool) -> None:
    """2 % of the lower one: 61,000 and 62,220 are exactly that far apart."""
    market.second.mid = mid
    board = market.board(replace(RULES, taker_bps=100))  # so dear that they are not crossed either
    await board.refresh()
    if agrees:
        assert "first" in board.merged(*EUR, now=market.clock.now).sources
        return
    assert "disagree" in refusal(board, market.clock.now).detail
    market.second.mid = 61_000
    await board.refresh()
    assert "first" in board.merged(*EUR, now=market.clock.now).sources


async def test_a_stale_source_has_no_say_in_the_agreement(market: Market) -> None:
    market.second.mid = 90_000
    board = market.board()
    await board.refresh()
    refusal(board, market.clock.now)
    market.second.failure = httpx.Response(500)
    market.clock.now += 2.5
    await board.refresh()
    assert "first" in board.merged(*EUR, now=market.clock.now).sources


async def test_a_venue_that_hangs_is_given_up_and_holds_nobody_up(market: Market) -> None:
    market.first.hangs = True
    board = market.board()
    await asyncio.wait_for(board.refresh(), timeout=5)
    assert "second" in board.merged(*EUR, now=market.clock.now).sources
    assert reasons(board, market.clock.now)[0] == ("first", False, "no answer in time")


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        (replace(GOOD, bids=(Level(101, 5),)), "the book is crossed"),
        (replace(GOOD, bids=(Level(103, 5),)), "the book is crossed"),
        (replace(GOOD, asks=()), "a side of the book is empty"),
        (replace(GOOD, bids=()), "a side of the book is empty"),
        (replace(GOOD, asks=GOOD.asks[::-1]), "the book is not sorted"),
        (replace(GOOD, bids=GOOD.bids[::-1]), "the book is not sorted"),
        (replace(GOOD, asks=(Level(101, 0),)), "a price or quantity is not above zero"),
        (replace(GOOD, bids=(Level(0, 5),)), "a price or quantity is not above zero"),
        (replace(GOOD, bids=(Level(99, 5), Level(-1, 5))), "a price or quantity is not above zero"),
        (replace(GOOD, quote="USD"), "answered for another pair"),
    ],
)
async def test_a_book_that_cannot_be_priced_from_is_not_used(book: Book, reason: str) -> None:
    source = Puppet(book)
    board = PriceBoard([source], [EUR], RULES)
    await board.refresh()
    refusal(board, 1_000.0)
    assert reasons(board, 1_000.0) == [("puppet", False, reason)]
    source.answer = GOOD
    await board.refresh()
    assert board.books(*EUR, now=1_000.0) == (GOOD,)
    board.merged(*EUR, now=1_000.0)


async def test_a_book_that_came_in_after_the_caller_read_the_clock_is_fresh() -> None:
    board = PriceBoard([Puppet(GOOD)], [EUR], RULES)
    await board.refresh()
    assert board.merged(*EUR, now=999.9).taken_at == GOOD.taken_at


def test_rules_that_make_no_sense_are_refused_at_once() -> None:
    changes: list[Callable[[], PriceRules]] = [
        lambda: replace(RULES, required_sources=0),
        lambda: replace(RULES, apart_bps=0),
        lambda: replace(RULES, timeout=0.0),
        lambda: replace(RULES, poll_every=0.0),
        lambda: replace(RULES, stale_after=1.0),
        lambda: replace(RULES, slowest_poll=0.5),
        lambda: replace(RULES, jump_bps=0),
        lambda: replace(RULES, look_every=0.0),
        lambda: replace(RULES, look_every=2.0),
    ]
    for change in changes:
        with pytest.raises(ValueError, match="must"):
            change()


def test_one_venue_cannot_agree_with_itself(market: Market) -> None:
    with pytest.raises(ValueError, match="name of its own"):
        PriceBoard([market.sources[0], market.sources[0]], [EUR], RULES)
