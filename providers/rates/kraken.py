"""Kraken as a rate source: its book channel where a stream is configured, its REST depth where not, or meanwhile.

`GET /0/public/Depth?pair=XBTEUR&count=100` answers with status 200 even when it fails:

    {"error": [], "result": {"XXBTZEUR": {"asks": [["61000.00000", "0.200", 1688671659], ...], "bids": [...]}}}

Source: docs.kraken.com, REST API, "Get Order Book" (`count` is 1 to 500) and "Errors" (a non-empty `error` means
failure); public endpoints may be asked once a second (support.kraken.com, "What are the API rate limits?").

A book is used whole or not at all. Prices finer than the quote asset's unit are rounded against the customer (asks
up, bids down), quantities down, so that we never promise more than the venue offers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import httpx

from app.ports.errors import ProviderThrottled, ProviderUnavailable
from app.ports.rates import Book
from providers.rates.allowance import Allowance
from providers.rates.fees import FeeTable, KrakenFees
from providers.rates.kraken_feed import KrakenFeed
from providers.rates.numbers import FINEST, Scale, Unusable, exact
from providers.rates.pairs import kraken_answers, kraken_pair
from providers.rates.rest import Rest
from providers.rates.venue import Venue

_THROTTLED: Final = ("EAPI:Rate limit exceeded", "EGeneral:Too many requests")
CROSSED: Final = "crossed"  # also the code of the refusal, so that the board can tell
PER_SECOND: Final = 1.0
_BURST: Final = 8.0
# A heartbeat comes about once a second when nothing else does (docs.kraken.com, "Heartbeat").
_SILENCE_SECONDS: Final = 5.0


class KrakenRates(Venue):
    """A `LiveRateSource` that speaks to one venue of Kraken's shape.

    The client brings the timeouts; `name` tells two such venues apart; `clock` is the monotonic clock by which a
    book's age is judged.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        stream_url: str | None = None,
        name: str = "kraken",
        count: int = 100,
        key: tuple[str, str] | None = None,
        allowance: Allowance | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`base_url` is what stands before `/0/public/Depth`, `stream_url` the whole address of the WebSocket v2.

        `count` is how many levels a side to ask for; `key` is an API key and its secret, for reading our own fees;
        `allowance` is how often the venue may be asked, its own limit unless it is given.
        """
        if not 1 <= count <= 500:
            raise ValueError("count must be 1 to 500")
        self._count = count
        self._clock = clock
        self._rest = Rest(client, name, base_url, allowance or Allowance(per_second=PER_SECOND, burst=_BURST))
        fees = FeeTable(name, None if key is None else KrakenFees(self._rest, name, *key))
        feed = None if stream_url is None else KrakenFeed(self._rest, name, stream_url, clock)
        super().__init__(name, fees, feed, silence_seconds=_SILENCE_SECONDS)

    async def _ask(self, base: str, quote: str, fee: int | None) -> Book:
        params: dict[str, str | int] = {"pair": kraken_pair(base, quote), "count": self._count}
        taken_at = self._clock()  # before asking: a slow answer is an old one
        answer = await self._rest.get("/0/public/Depth", params, weight=1)
        try:
            asks, bids = _sides_from(result_of(self._name, answer.body), kraken_answers(base, quote))
            scale = Scale(base, quote)
            book = Book(
                source=self._name,
                base=base,
                quote=quote,
                asks=scale.levels(asks, upwards=True),
                bids=scale.levels(bids, upwards=False),
                taken_at=taken_at - answer.age,
                taker_ppm=fee,
            )
        except Unusable as problem:
            code = str(problem) if str(problem) == CROSSED else None
            raise ProviderUnavailable(self._name, f"unusable book: {problem}", code=code) from None
        if not book.asks or not book.bids:
            raise ProviderUnavailable(self._name, "unusable book: a side is empty once rounded")
        return book


def result_of(name: str, body: object) -> object:
    """What an answer of Kraken's says; raises ProviderUnavailable or ProviderThrottled for what it refuses."""
    errors = body.get("error") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(errors, list):
        raise ProviderUnavailable(name, "the answer has no error list")
    if errors:
        code = str(errors[0])[:80]
        refusal = ProviderThrottled if code in _THROTTLED else ProviderUnavailable
        raise refusal(name, code)
    return body.get("result")


def _sides_from(result: object, names: tuple[str, ...]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Asks and bids as (price, quantity), both in 10^-18; raises Unusable unless they make a market."""
    if not isinstance(result, dict) or len(result) != 1:
        raise Unusable("not exactly one pair")
    pair, book = next(iter(result.items()))
    if pair not in names:
        raise Unusable("another pair than asked for")
    if not isinstance(book, dict):
        raise Unusable("no book under the pair")
    asks, bids = _entries(book.get("asks")), _entries(book.get("bids"))
    ask_prices, bid_prices = [price for price, _ in asks], [price for price, _ in bids]
    if ask_prices != sorted(ask_prices) or bid_prices != sorted(bid_prices, reverse=True):
        raise Unusable("not sorted from the best price on")
    if bid_prices[0] >= ask_prices[0]:
        raise Unusable(CROSSED)
    return asks, bids


def _entries(side: object) -> list[tuple[int, int]]:
    """One side's (price, quantity) pairs; raises Unusable when it is empty or any entry is malformed."""
    if not isinstance(side, list) or not side:
        raise Unusable("a side is missing or empty")
    entries = []
    for entry in side:
        if not isinstance(entry, list) or len(entry) != 3:
            raise Unusable("an entry is not [price, volume, timestamp]")
        price, volume = exact(entry[0], FINEST), exact(entry[1], FINEST)
        if price == 0 or volume == 0:
            raise Unusable("a price or volume is zero")
        entries.append((price, volume))
    return entries
