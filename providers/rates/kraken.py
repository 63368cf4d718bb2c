"""Kraken's public order book as a rate source; any venue that answers in Kraken's shape can stand in for it.

`GET /0/public/Depth?pair=XBTEUR&count=100` answers with status 200 even when it fails:

    {"error": [], "result": {"XXBTZEUR": {"asks": [["61000.00000", "0.200", 1688671659], ...], "bids": [...]}}}

Source: docs.kraken.com, REST API, "Get Order Book" (`count` is 1 to 500) and "Errors" (a non-empty `error` means
failure).

A book is used whole or not at all. Prices finer than the quote asset's unit are rounded against the customer (asks
up, bids down), quantities down, so that we never promise more than the venue offers.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Final

import httpx

from app.domain.assets import BTC, asset_of
from app.ports.errors import ProviderThrottled, ProviderUnavailable
from app.ports.rates import Book, Level

# What we ask for -> what the answer may be keyed by: Kraken answers XBTEUR under its older name.
_PAIRS: Final = {
    (BTC.code, "EUR"): ("XBTEUR", "XXBTZEUR"),
    (BTC.code, "USD"): ("XBTUSD", "XXBTZUSD"),
    (BTC.code, "GBP"): ("XBTGBP", "XXBTZGBP"),
    (BTC.code, "JPY"): ("XBTJPY", "XXBTZJPY"),
}
_DIGITS: Final = 18  # more than any price or quantity has; a finer number is refused
_NUMBER: Final = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,18}))?", re.ASCII)
_THROTTLED: Final = ("EAPI:Rate limit exceeded", "EGeneral:Too many requests")
_LONGEST_ANSWER: Final = 1_000_000  # bytes; 500 levels a side are about 40,000


class KrakenRates:
    """A `RateSource` that asks one venue of Kraken's shape.

    The client brings the timeouts; `name` tells two such venues apart; `clock` is the monotonic clock by which a
    book's age is judged.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        name: str = "kraken",
        count: int = 100,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`base_url` is what stands before `/0/public/Depth`; `count` is how many levels a side to ask for."""
        if not 1 <= count <= 500:
            raise ValueError("count must be 1 to 500")
        self._client = client
        self._url = f"{base_url.rstrip('/')}/0/public/Depth"
        self._name = name
        self._count = count
        self._clock = clock

    @property
    def name(self) -> str:
        """The venue's name."""
        return self._name

    async def depth(self, base: str, quote: str) -> Book:
        """The book now, as old as the moment we asked; raises ProviderUnavailable for anything we cannot use."""
        names = _PAIRS.get((base, quote))
        if names is None:
            raise ProviderUnavailable(self._name, f"no pair {base}/{quote}")
        taken_at = self._clock()  # before asking: a slow answer is an old one
        body = await self._ask(names[0])
        try:
            asks, bids = _sides_from(body, names)
            return Book(
                source=self._name,
                base=base,
                quote=quote,
                asks=_levels(asks, asset_of(quote, None).decimals, upwards=True),
                bids=_levels(bids, asset_of(quote, None).decimals, upwards=False),
                taken_at=taken_at,
            )
        except _Unusable as problem:
            raise ProviderUnavailable(self._name, f"unusable book: {problem}") from None

    async def _ask(self, pair: str) -> object:
        """The decoded answer without its error list; raises ProviderUnavailable or ProviderThrottled."""
        body = _decoded(self._name, await self._fetch(pair))
        errors = body.get("error") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(errors, list):
            raise ProviderUnavailable(self._name, "the answer has no error list")
        if errors:
            code = str(errors[0])[:80]
            refusal = ProviderThrottled if code in _THROTTLED else ProviderUnavailable
            raise refusal(self._name, code)
        return body.get("result")

    async def _fetch(self, pair: str) -> bytes:
        """The bytes of an answer with status 200, read no further than we are willing to keep."""
        content = bytearray()
        try:
            async with self._client.stream("GET", self._url, params={"pair": pair, "count": self._count}) as response:
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    pause = _seconds(response.headers.get("retry-after"))
                    raise ProviderThrottled(self._name, "status 429", retry_after=pause)
                if response.status_code != httpx.codes.OK:
                    raise ProviderUnavailable(self._name, f"status {response.status_code}")
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > _LONGEST_ANSWER:
                        raise ProviderUnavailable(self._name, "the answer is too long")
        except httpx.HTTPError as error:
            raise ProviderUnavailable(self._name, f"no answer: {type(error).__name__}") from error
        return bytes(content)


def _decoded(name: str, content: bytes) -> object:
    """The bytes read as JSON; raises ProviderUnavailable when they are none."""
    try:
        body: object = json.loads(content)
    except (ValueError, RecursionError):
        raise ProviderUnavailable(name, "the answer is not JSON") from None
    return body


class _Unusable(Exception):
    """The answer is not a book that can be priced from."""


def _sides_from(result: object, names: tuple[str, ...]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Asks and bids as (price, quantity), both in 10^-18; raises _Unusable unless they make a market."""
    if not isinstance(result, dict) or len(result) != 1:
        raise _Unusable("not exactly one pair")
    pair, book = next(iter(result.items()))
    if pair not in names:
        raise _Unusable("another pair than asked for")
    if not isinstance(book, dict):
        raise _Unusable("no book under the pair")
    asks, bids = _entries(book.get("asks")), _entries(book.get("bids"))
    ask_prices, bid_prices = [price for price, _ in asks], [price for price, _ in bids]
    if ask_prices != sorted(ask_prices) or bid_prices != sorted(bid_prices, reverse=True):
        raise _Unusable("not sorted from the best price on")
    if bid_prices[0] >= ask_prices[0]:
        raise _Unusable("crossed")
    return asks, bids


def _entries(side: object) -> list[tuple[int, int]]:
    """One side's (price, quantity) pairs; raises _Unusable when it is empty or any entry is malformed."""
    if not isinstance(side, list) or not side:
        raise _Unusable("a side is missing or empty")
    entries = []
    for entry in side:
        if not isinstance(entry, list) or len(entry) != 3:
            raise _Unusable("an entry is not [price, volume, timestamp]")
        entries.append((_exact(entry[0]), _exact(entry[1])))
    return entries


def _exact(text: object) -> int:
    """A positive decimal string as a whole number of 10^-18; raises _Unusable for anything else, also for a float."""
    found = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise _Unusable("a price or volume is not a plain decimal string")
    number = int(found[1] + (found[2] or "").ljust(_DIGITS, "0"))
    if number == 0:
        raise _Unusable("a price or volume is zero")
    return number


def _levels(entries: list[tuple[int, int]], quote_decimals: int, *, upwards: bool) -> tuple[Level, ...]:
    """Whole units, prices rounded `upwards` or down, quantities down; what rounds to nothing is left out."""
    price_step, quantity_step = 10 ** (_DIGITS - quote_decimals), 10 ** (_DIGITS - BTC.decimals)
    levels = tuple(
        Level(-(-price // price_step) if upwards else price // price_step, quantity // quantity_step)
        for price, quantity in entries
        if quantity >= quantity_step and (upwards or price >= price_step)
    )
    if not levels:
        raise _Unusable("a side is empty once rounded")
    return levels


def _seconds(header: str | None) -> float | None:
    """A Retry-After in seconds; None when it is absent or a date."""
    return float(header) if header is not None and header.isascii() and header.isdigit() else None
