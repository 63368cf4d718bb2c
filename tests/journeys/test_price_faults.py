"""Prices end to end: two venues of the far side stream to an instance, and each fault of theirs stops its quotes.

Whatever the machine's load, a quote that is given after a fault began may only be from books of before it, and never
from one older than two seconds: so no quote is given later than that.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.api.metrics import render
from app.db.database import Database
from app.main import build_app
from app.services.prices import PriceBoard, PriceRules
from providers.rates.allowance import Allowance
from providers.rates.binance import BinanceRates
from providers.rates.kraken import KrakenRates
from tests.api.front import QUOTE, Caller, open_front
from tests.providers.sandbox.stripe.far_side import Sandbox
from tests.support.postgres import create_database, drop_database

PATIENCE = 30.0
STALE = timedelta(seconds=2)
IN_FLIGHT = timedelta(seconds=0.3)  # a message that the venue had sent already
RULES = PriceRules(required_sources=2, stale_after=2.0, slowest_poll=1.0, taker_bps=26)
Json = dict[str, object]


@dataclass(slots=True)
class Instance:
    """A caller, the board behind it, and the far side's controls."""

    caller: Caller
    board: PriceBoard
    control: httpx.AsyncClient

    async def plant(self, **fault: object) -> datetime:
        """Have the venues misbehave; the moment from which they do."""
        answer = await self.control.put("/control/venue/XBTEUR", json=fault)
        assert answer.status_code == 200, answer.text
        return datetime.now(UTC)

    async def quoting(self) -> None:
        """Until there are quotes from both venues, each of them on its stream."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.caller.post("/v1/quotes", QUOTE)
                live = [state.live for state in self.board.states(now=0.0)]
                if answer.status_code == 201 and all(live):
                    assert answer.json()["mid_rate"]["sources"] == ["kraken", "binance"]
                    return
                await asyncio.sleep(0.1)

    async def refusing(self, since: datetime) -> Json:
        """Until a quote is refused; those that are given meanwhile must be from before the fault, and young."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.caller.post("/v1/quotes", QUOTE)
                if answer.status_code == 503:
                    problem: Json = answer.json()
                    return problem
                quote = answer.json()
                as_of = datetime.fromisoformat(quote["mid_rate"]["as_of"])
                assert as_of <= since + IN_FLIGHT
                assert datetime.fromisoformat(quote["created_at"]) - as_of <= STALE
                await asyncio.sleep(0.1)

    async def health(self) -> dict[str, tuple[str, str | None]]:
        """Status and reason of both venues, as partners see them."""
        listed = (await self.caller.get("/v1/providers")).json()["data"]
        return {one["name"]: (one["status"], one["reason"]) for one in listed if one["kind"] == "prices"}

    async def becomes(self, expected: dict[str, tuple[str, str | None]]) -> None:
        """Until both venues are seen to be so."""
        async with asyncio.timeout(PATIENCE):
            while await self.health() != expected:
                await asyncio.sleep(0.1)

    def metric(self, name: str) -> float:
        """The value of one series."""
        [line] = [line for line in render(self.board).decode().splitlines() if line.startswith(name)]
        return float(line.rpartition(" ")[2])


@pytest.fixture(scope="module")
async def instance(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """An instance whose prices come from both venues of a far side of its own."""
    home: Path = tmp_path_factory.mktemp("venues")
    sandbox, url = Sandbox(home), await create_database(database_url)
    streams = sandbox.url.replace("http", "ws", 1)
    db = Database(url)
    plenty = Allowance(per_second=100, burst=100)
    async with open_front(db, sandbox.url) as front, httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as http:
        kraken = KrakenRates(
            http, base_url=f"{sandbox.url}/kraken", stream_url=f"{streams}/kraken/v2", allowance=plenty
        )
        binance = BinanceRates(http, base_url=f"{sandbox.url}/binance", stream_url=f"{streams}/binance")
        board = PriceBoard([kraken, binance], [("BTC", "EUR")], RULES)
        running = asyncio.create_task(board.run())
        transport = httpx.ASGITransport(build_app(replace(front.context, board=board)))
        async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as api:
            caller = replace(await front.caller(), http=api)
            yield Instance(caller, board, http)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    await db.close()
    await drop_database(url)
    sandbox.end(signal.SIGKILL)


@pytest.fixture
async def market(instance: Instance) -> AsyncIterator[Instance]:
    """The same, with both venues well at the beginning and at the end."""
    await instance.quoting()
    yield instance
    await instance.control.delete("/control/venue/XBTEUR")


async def test_fault_f_135_quotes_come_from_both_streams_and_say_so(market: Instance) -> None:
    assert await market.health() == {"kraken": ("operational", None), "binance": ("operational", None)}
    assert market.metric('rampwright_pair_quotable{base="BTC",quote="EUR"}') == 1
    assert market.metric('rampwright_price_streaming{base="BTC",quote="EUR",source="binance"}') == 1
    await market.plant(venue="binance", asks=[["60995.00", "0.001"], ["61000.00", "0.2"]])
    async with asyncio.timeout(PATIENCE):
        while True:
            quote = (await market.caller.post("/v1/quotes", QUOTE)).json()
            if quote["levels"][0] == ["60995.00", "0.00100000"]:
                break
            await asyncio.sleep(0.1)
    [rate] = (await market.caller.get("/v1/rates")).json()["data"]
    assert (rate["bid"], rate["ask"], rate["sources"]) == ("60980.00", "60995.00", ["kraken", "binance"])


@pytest.mark.parametrize(
    ("mood", "reason"), [("error", "no_answer"), ("hang", "no_answer"), ("stale", "stale"), ("crossed", "crossed_book")]
)
@pytest.mark.parametrize("venue", ["kraken", "binance"])
async def test_fault_f_135_an_outage_a_stale_book_and_a_crossed_book_stop_quotes_within_two_seconds(
    market: Instance, venue: str, mood: str, reason: str
) -> None:
    planted = await market.plant(venue=venue, mood=mood)
    problem = await market.refusing(planted)
    assert problem["code"] == "route_unavailable"
    other = "binance" if venue == "kraken" else "kraken"
    await market.becomes({venue: ("down", reason), other: ("operational", None)})
    assert market.metric('rampwright_pair_quotable{base="BTC",quote="EUR"}') == 0
    assert market.metric('rampwright_pair_doubt{base="BTC",quote="EUR",reason="no_fresh_price"}') == 1
    assert market.metric(f'rampwright_price_fresh{{base="BTC",quote="EUR",source="{venue}"}}') == 0


async def test_fault_f_135_a_disagreement_of_five_per_cent_stops_quotes_within_two_seconds(market: Instance) -> None:
    planted = await market.plant(venue="binance", shift_bps=500)
    problem = await market.refusing(planted)
    assert problem["detail"] == "The price sources for this pair disagree now."
    await market.becomes({"kraken": ("degraded", "disagreement"), "binance": ("degraded", "disagreement")})
    assert market.metric('rampwright_pair_doubt{base="BTC",quote="EUR",reason="disagreement"}') == 1


async def test_fault_f_135_a_price_that_is_a_thousandfold_at_both_venues_is_not_quoted(market: Instance) -> None:
    planted = await market.plant(shift_bps=99_990_000 // 10)
    await market.refusing(planted)
    await market.becomes({"kraken": ("degraded", "jump"), "binance": ("degraded", "jump")})
    assert market.metric('rampwright_pair_doubt{base="BTC",quote="EUR",reason="jump"}') == 1


@pytest.mark.parametrize("mood", ["gap", "bad_checksum"])
async def test_a_stream_that_loses_updates_is_begun_anew_and_the_venue_is_asked_meanwhile(
    market: Instance, mood: str
) -> None:
    """Both venues lose an update every second; what is quoted meanwhile still follows the market."""
    await market.plant(mood=mood)
    for price in ("60990.00", "60980.50", "60999.00"):
        await market.plant(mood=mood, asks=[[price, "0.5"]], tail=False)
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await market.caller.post("/v1/quotes", QUOTE)
                if answer.status_code == 201 and answer.json()["levels"][0][0] == price:
                    break
                await asyncio.sleep(0.1)
