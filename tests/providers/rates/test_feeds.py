"""The venues' feeds without a network: what is asked for, how old it counts, and when it is begun anew."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.ports.errors import ProviderUnavailable
from providers.rates.allowance import Allowance
from providers.rates.binance_feed import BinanceFeed
from providers.rates.kraken_book import checksum
from providers.rates.kraken_feed import KrakenFeed
from providers.rates.live import QUIET_SECONDS
from providers.rates.rest import Rest
from providers.rates.stream import Broken
from tests.services.venues import Clock

PAIRS = [("BTC", "EUR"), ("ETH", "GBP")]
KNOWN = {"XXBTZEUR": {"pair_decimals": 1, "lot_decimals": 8}}
NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z
Message = dict[str, object]


@asynccontextmanager
async def kraken(known: object = KNOWN) -> AsyncIterator[tuple[KrakenFeed, Clock, list[Message]]]:
    """A feed of two pairs of which the venue has one, opened; what it has sent."""
    clock, sent = Clock(), list[Message]()

    def respond(request: httpx.Request) -> httpx.Response:
        names = request.url.params["pair"].split(",")
        if "ETHGBP" in names:
            return httpx.Response(200, json={"error": ["EQuery:Unknown asset pair"]})
        return httpx.Response(200, json={"error": [], "result": known})

    async def send(text: str) -> None:
        sent.append(json.loads(text))

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        rest = Rest(client, "kraken", "https://venue.test", Allowance(per_second=1e9, burst=1e9))
        feed = KrakenFeed(rest, "kraken", "wss://venue.test/v2", clock, lambda: NOW)
        feed.follow(PAIRS)
        await feed.opened(send)
        yield feed, clock, sent


def said(kind: str, ask: int, *, wrong: int = 0, at: str = "2023-11-14T22:13:20Z", symbol: str = "BTC/EUR") -> str:
    """A book message of one level a side, its best ask in tenths."""
    data = {
        "symbol": symbol,
        "asks": [{"price": ask / 10, "qty": 0.5}],
        "bids": [{"price": 60980.0, "qty": 1.0}] if kind == "snapshot" else [],
        "checksum": checksum([(ask, 50_000_000)], [(609_800, 100_000_000)]) + wrong,
        "timestamp": at,
    }
    return json.dumps({"channel": "book", "type": kind, "data": [data]})


async def test_kraken_is_asked_for_the_pairs_that_it_has() -> None:
    async with kraken() as (feed, _, sent):
        assert sent == [{"method": "subscribe", "params": {"channel": "book", "symbol": ["BTC/EUR"], "depth": 100}}]
        assert feed.book("BTC", "EUR", None) is None
        await feed.received(said("snapshot", 610_000))
        book = feed.book("BTC", "EUR", 2_600)
        assert book is not None
        assert (book.asks[0].price, book.taken_at, book.taker_ppm) == (61_000_00, 1_000.0, 2_600)
        assert feed.book("ETH", "GBP", None) is None


@pytest.mark.parametrize("known", [{}, None, {"XXBTZEUR": {}}, {"XXBTZEUR": {"pair_decimals": 99, "lot_decimals": 8}}])
async def test_without_decimals_there_is_no_connection(known: object) -> None:
    with pytest.raises(Broken):
        async with kraken(known):
            pass


async def test_a_heartbeat_keeps_a_book_young_and_silence_makes_it_old() -> None:
    async with kraken() as (feed, clock, _):
        await feed.received(said("snapshot", 610_000))
        clock.now += QUIET_SECONDS - 0.1
        await feed.received('{"channel":"heartbeat"}')
        book = feed.book("BTC", "EUR", None)
        assert book is not None
        assert book.taken_at == clock.now
        clock.now += QUIET_SECONDS
        assert not feed.is_live("BTC", "EUR")
        assert feed.book("BTC", "EUR", None) is None


async def test_fault_f_135_a_feed_that_is_late_is_old_however_lively_it_is() -> None:
    async with kraken() as (feed, clock, _):
        await feed.received(said("snapshot", 610_000, at="2023-11-14T22:13:19.5Z"))
        book = feed.book("BTC", "EUR", None)
        assert book is not None
        assert book.taken_at == clock.now - 0.5
        await feed.received(said("snapshot", 610_000, at="2023-11-14T22:03:20Z"))
        await feed.received('{"channel":"heartbeat"}')
        assert feed.book("BTC", "EUR", None) is None


async def test_a_wrong_checksum_voids_the_book_until_a_new_snapshot_and_too_many_end_the_connection() -> None:
    async with kraken() as (feed, _, sent):
        await feed.received(said("snapshot", 610_000))
        await feed.received(said("update", 610_000, wrong=1))
        assert feed.book("BTC", "EUR", None) is None
        assert [message["method"] for message in sent] == ["subscribe", "unsubscribe", "subscribe"]
        await feed.received(said("update", 610_000))  # it was on its way; without a snapshot it means nothing
        assert feed.book("BTC", "EUR", None) is None
        await feed.received(said("snapshot", 610_000))
        await feed.received(said("update", 610_000))
        assert feed.book("BTC", "EUR", None) is not None
        for _ in range(4):
            await feed.received(said("snapshot", 610_000, wrong=1))
        with pytest.raises(Broken, match="again and again"):
            await feed.received(said("snapshot", 610_000, wrong=1))


async def test_a_lost_connection_leaves_no_book() -> None:
    async with kraken() as (feed, _, _sent):
        await feed.received(said("snapshot", 610_000))
        feed.lost("closed")
        assert feed.book("BTC", "EUR", None) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{", "[" * 100_000, '{"channel":"book"}', '{"channel":"book","data":[]}',
        '{"channel":"book","data":[1]}',
    ],
)  # fmt: skip
async def test_what_is_no_message_ends_the_connection(text: str) -> None:
    async with kraken() as (feed, _, _sent):
        with pytest.raises(Broken):
            await feed.received(text)


class Snapshots:
    """Binance's depth over REST, as it is told to answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.last = 100
        self.fails = False

    async def __call__(self, symbol: str) -> Message:
        self.asked += 1
        if self.fails:
            raise ProviderUnavailable("binance", "status 503")
        return {"lastUpdateId": self.last, "bids": [["60980", "1"]], "asks": [["61000", "1"]]}


def event(first: int, last: int, *, late: float = 0.0, symbol: str = "BTCEUR") -> str:
    """An event in a combined stream."""
    data = {"e": "depthUpdate", "E": int((NOW - late) * 1000), "s": symbol, "U": first, "u": last, "b": [], "a": []}
    return json.dumps({"stream": f"{symbol.lower()}@depth@100ms", "data": data})


async def binance() -> tuple[BinanceFeed, Clock, Snapshots]:
    """A feed, opened."""
    clock, snapshots = Clock(), Snapshots()
    feed = BinanceFeed("binance", "wss://venue.test/", snapshots, clock, lambda: NOW)
    feed.follow(PAIRS)

    async def send(_: str) -> None:
        raise AssertionError("nothing has to be sent")

    await feed.opened(send)
    return feed, clock, snapshots


async def test_binances_streams_are_named_in_the_address() -> None:
    feed, _, _ = await binance()
    assert feed.address() == "wss://venue.test/stream?streams=btceur@depth@100ms/ethgbp@depth@100ms"


async def test_a_snapshot_is_asked_for_with_the_first_event_and_again_after_a_gap_but_not_in_haste() -> None:
    feed, clock, snapshots = await binance()
    assert snapshots.asked == 0
    await feed.received(event(95, 101))
    assert feed.is_live("BTC", "EUR")
    await feed.received(event(102, 102))
    assert snapshots.asked == 1
    await feed.received(event(104, 104))
    assert not feed.is_live("BTC", "EUR")
    snapshots.last = 105
    await feed.received(event(105, 105))
    assert snapshots.asked == 1  # a moment ago
    clock.now += 1.0
    await feed.received(event(106, 106))
    assert (snapshots.asked, feed.is_live("BTC", "EUR")) == (2, True)
    assert not feed.is_live("ETH", "GBP")


async def test_a_snapshot_that_fails_is_asked_for_with_a_later_event() -> None:
    feed, clock, snapshots = await binance()
    snapshots.fails = True
    await feed.received(event(95, 101))
    assert not feed.is_live("BTC", "EUR")
    snapshots.fails, clock.now = False, clock.now + 1.0
    await feed.received(event(102, 102))
    assert feed.is_live("BTC", "EUR")


async def test_fault_f_135_late_or_silent_events_make_an_old_book() -> None:
    feed, clock, _ = await binance()
    await feed.received(event(95, 101, late=0.25))
    book = feed.book("BTC", "EUR", None)
    assert book is not None
    assert book.taken_at == clock.now - 0.25
    await feed.received(event(102, 102, late=600))
    assert feed.book("BTC", "EUR", None) is None
    await feed.received(event(103, 103))
    assert feed.is_live("BTC", "EUR")
    clock.now += QUIET_SECONDS
    assert not feed.is_live("BTC", "EUR")
    feed.lost("closed")
    assert feed.book("BTC", "EUR", None) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data":1}', "[" * 100_000])
async def test_what_is_no_event_ends_the_connection(text: str) -> None:
    feed, _, _ = await binance()
    with pytest.raises(Broken):
        await feed.received(text)
