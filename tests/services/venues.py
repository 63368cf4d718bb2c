"""What the price board's tests share: venues of Kraken's shape that can be told to fail, and a clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from app.ports.rates import Book, Level
from app.services.prices import PriceBoard, PriceRules
from providers.rates.allowance import Allowance
from providers.rates.kraken import KrakenRates

EUR = ("BTC", "EUR")
PLENTY = Allowance(per_second=1e9, burst=1e9)  # these venues are asked as fast as a test can
RULES = PriceRules(required_sources=1, stale_after=2.0, poll_every=1.0, slowest_poll=5.0, timeout=0.05)


class Clock:
    """A monotonic clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Venue:
    """A venue of Kraken's shape around one middle price, in whole euros, that can be told to fail."""

    def __init__(self, mid: int) -> None:
        self.mid = mid
        self.failure: httpx.Response | Exception | None = None
        self.hangs = False
        self.asked = 0

    async def respond(self, _: httpx.Request) -> httpx.Response:
        """One answer to `GET /0/public/Depth`."""
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        book = {"asks": [[f"{self.mid + 10}.0", "1.5", 1]], "bids": [[f"{self.mid - 10}.0", "1.5", 1]]}
        return httpx.Response(200, json={"error": [], "result": {"XXBTZEUR": book}})


class Market:
    """Two venues, the clock they are read by, and boards upon them."""

    def __init__(self, clients: tuple[httpx.AsyncClient, httpx.AsyncClient], venues: tuple[Venue, Venue]) -> None:
        self.clock = Clock()
        self.first, self.second = venues
        self.sources = [
            KrakenRates(client, base_url="https://venue.test", name=name, clock=self.clock, allowance=PLENTY)
            for client, name in zip(clients, ("first", "second"), strict=True)
        ]

    def board(self, rules: PriceRules = RULES) -> PriceBoard:
        """A board on both venues."""
        return PriceBoard(self.sources, [EUR], rules, clock=self.clock)


@contextlib.asynccontextmanager
async def open_market() -> AsyncIterator[Market]:
    """Two healthy venues that agree."""
    venues = Venue(61_000), Venue(61_000)
    async with contextlib.AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(httpx.AsyncClient(transport=httpx.MockTransport(venue.respond)))
            for venue in venues
        ]
        yield Market((first, second), venues)


class Puppet:
    """A source of whatever it is given; what a third party's adapter may come to."""

    name = "puppet"

    def __init__(self, answer: Book | BaseException) -> None:
        self.answer = answer

    async def depth(self, base: str, quote: str) -> Book:
        """The given answer."""
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


GOOD = Book("puppet", "BTC", "EUR", (Level(101, 5), Level(102, 5)), (Level(99, 5), Level(98, 5)), 1_000.0)
