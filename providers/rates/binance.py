"""Binance as a rate source: its diff depth stream where one is configured, its REST depth where not, or meanwhile.

`GET /api/v3/depth?symbol=BTCEUR&limit=100` answers `{"lastUpdateId": 160, "bids": [["0.0024", "10"], ...], ...}`, and a
refusal as `{"code": -1121, "msg": "Invalid symbol."}` with status 400. Requests have weights, of which an address
may use 6,000 a minute. Source: Binance's "REST API", "Order book" and "Limits".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import httpx

from app.ports.errors import ProviderThrottled, ProviderUnavailable
from app.ports.rates import Book
from providers.rates.allowance import Allowance
from providers.rates.binance_book import PLACES, BinanceBook
from providers.rates.binance_feed import DEPTH, BinanceFeed
from providers.rates.fees import BinanceFees, FeeTable
from providers.rates.numbers import Scale, Unusable
from providers.rates.pairs import binance_symbol
from providers.rates.rest import Rest
from providers.rates.venue import Venue

WEIGHT_PER_MINUTE: Final = 6_000
_SHARE: Final = 0.8  # of the allowance; the rest is left to others behind our address
_BURST: Final = 400.0
# Quiet pairs send nothing, so that silence proves nothing; the connection's own pings do.
_SILENCE_SECONDS: Final = 60.0
_INVALID_SYMBOL: Final = -1121
_TOO_MANY_REQUESTS: Final = -1003


def depth_weight(limit: int) -> int:
    """What asking for so many levels a side counts; raises ValueError beyond 5,000."""
    for most, weight in ((100, 5), (500, 25), (1000, 50), (5000, 250)):
        if 1 <= limit <= most:
            return weight
    raise ValueError("limit must be 1 to 5000")


class BinanceRates(Venue):
    """A `LiveRateSource` that speaks to one venue of Binance's shape.

    The client brings the timeouts; `name` tells two such venues apart; `clock` is the monotonic clock by which a
    book's age is judged.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        stream_url: str | None = None,
        name: str = "binance",
        limit: int = 100,
        key: tuple[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`base_url` is what stands before `/api/v3/depth`, `stream_url` what stands before `/stream`.

        `limit` is how many levels a side to ask for; `key` is an API key and its secret, for reading our own fees.
        """
        self._weight = depth_weight(limit)
        self._limit = limit
        self._clock = clock
        allowance = Allowance(per_second=WEIGHT_PER_MINUTE * _SHARE / 60, burst=_BURST)
        self._rest = Rest(client, name, base_url, allowance)
        fees = FeeTable(name, None if key is None else BinanceFees(self._rest, name, *key))
        feed = None if stream_url is None else BinanceFeed(name, stream_url, self._snapshot, clock)
        super().__init__(name, fees, feed, silence_seconds=_SILENCE_SECONDS)

    async def _ask(self, base: str, quote: str, fee: int | None) -> Book:
        taken_at = self._clock()  # before asking: a slow answer is an old one
        body, age = await self._depth(binance_symbol(base, quote))
        found, scale = BinanceBook(DEPTH), Scale(base, quote, price_places=PLACES, volume_places=PLACES)
        try:
            found.snapshot(body)
        except Unusable as problem:
            raise ProviderUnavailable(self._name, f"unusable book: {problem}") from None
        asks = scale.levels(found.asks.best(), upwards=True)
        bids = scale.levels(found.bids.best(), upwards=False)
        if not asks or not bids:
            raise ProviderUnavailable(self._name, "unusable book: a side is empty")
        return Book(self._name, base, quote, asks, bids, taken_at - age, fee)

    async def _snapshot(self, symbol: str) -> dict[str, object]:
        return (await self._depth(symbol))[0]

    async def _depth(self, symbol: str) -> tuple[dict[str, object], float]:
        """The depth as it was answered, and its age in a cache in seconds."""
        params: dict[str, str | int] = {"symbol": symbol, "limit": self._limit}
        answer = await self._rest.get("/api/v3/depth", params, weight=self._weight, refusals=True)
        body = answer.body
        if not isinstance(body, dict):
            raise ProviderUnavailable(self._name, "the answer is not an object")
        if answer.status != httpx.codes.OK:
            raise _refusal(self._name, body)
        return body, answer.age


def _refusal(name: str, body: dict[str, object]) -> ProviderUnavailable:
    """What a refusal says, in our ports' words."""
    code = body.get("code")
    if code == _TOO_MANY_REQUESTS:
        return ProviderThrottled(name, "too many requests")
    if code == _INVALID_SYMBOL:
        return ProviderUnavailable(name, "no such pair")
    return ProviderUnavailable(name, f"code {code}" if isinstance(code, int) else "refused")
