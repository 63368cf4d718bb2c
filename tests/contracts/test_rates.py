"""The venues' adapters keep the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from providers.contracts.rates import RatesContract, RatesHarness
from providers.rates.binance import BinanceRates
from providers.rates.kraken import KrakenRates
from tests.providers.sandbox.increase.far_side import Sandbox


class Line(httpx.AsyncBaseTransport):
    """The way to the venue. It can be cut, and it can be made to say what is no book."""

    def __init__(self) -> None:
        self._open = httpx.AsyncHTTPTransport(verify=False)
        self.cut = False
        self.says: bytes | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        if self.says is not None:
            return httpx.Response(200, content=self.says, request=request)
        return await self._open.handle_async_request(request)

    async def aclose(self) -> None:
        await self._open.aclose()


class VenueHarness(RatesHarness):
    """An adapter and its line."""

    def __init__(self, source: KrakenRates | BinanceRates, line: Line) -> None:
        self.source, self._line = source, line

    async def be_away(self) -> None:
        self._line.cut = True

    async def answer_nonsense(self) -> None:
        self._line.says = b'{"error": [], "result": {"XXBTZEUR": {"asks": [["-1", "nan"]], "bids": 7}}, "asks": true}'


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    opened = Line()
    yield opened
    await opened.aclose()


@pytest.fixture
async def client(line: Line) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=line) as opened:
        yield opened


class TestKraken(RatesContract):
    @pytest.fixture
    def harness(self, sandbox: Sandbox, client: httpx.AsyncClient, line: Line) -> VenueHarness:
        return VenueHarness(KrakenRates(client, base_url=f"{sandbox.url}/kraken"), line)


class TestBinance(RatesContract):
    @pytest.fixture
    def harness(self, sandbox: Sandbox, client: httpx.AsyncClient, line: Line) -> VenueHarness:
        return VenueHarness(BinanceRates(client, base_url=f"{sandbox.url}/binance"), line)
