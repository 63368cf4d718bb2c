"""Kraken's WebSocket v2: subscribes to our pairs' books and keeps them, the checksum verified on each update.

A book that is out of step is asked for anew on the same connection; what keeps failing ends the connection. Source:
docs.kraken.com, "Book (Level 2)", "Heartbeat" and "Get Tradable Asset Pairs" (`pair_decimals`, `lot_decimals`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Final

import orjson
import structlog

from app.ports.errors import ProviderError, ProviderUnavailable
from app.ports.rates import Book
from providers.rates.kraken_book import KrakenBook, OutOfStep, Places
from providers.rates.live import Kept, lag_of
from providers.rates.numbers import Scale, Unusable
from providers.rates.pairs import kraken_answers, kraken_pair, kraken_symbol
from providers.rates.rest import Rest
from providers.rates.stream import Broken, Send

_DEPTH: Final = 100  # one of 10, 25, 100, 500, 1000
_MOST_RESYNCS: Final = 5  # of one book without a good update between them
_log = structlog.stdlib.get_logger(__name__)


class KrakenFeed:
    """The books of one venue of Kraken's shape."""

    def __init__(
        self, rest: Rest, name: str, url: str, clock: Callable[[], float], wall: Callable[[], float] = time.time
    ) -> None:
        """`clock` is the monotonic one, `wall` tells the time of day that the venue's moments are held against."""
        self._rest = rest
        self._name = name
        self._url = url
        self._clock = clock
        self._wall = wall
        self._pairs: Sequence[tuple[str, str]] = ()
        self._places: dict[str, Places] = {}
        self._kept: dict[str, Kept] = {}
        self._books: dict[str, KrakenBook] = {}
        self._resyncs: dict[str, int] = {}
        self._send: Send | None = None

    def follow(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Keep these pairs' books from the next connection on."""
        self._pairs = pairs

    def is_live(self, base: str, quote: str) -> bool:
        """Whether the pair's book is in step and the stream not silent."""
        kept = self._kept.get(kraken_symbol(base, quote))
        return kept is not None and kept.is_live(self._clock())

    def book(self, base: str, quote: str, taker_ppm: int | None) -> Book | None:
        """The pair's book, None while there is none."""
        kept = self._kept.get(kraken_symbol(base, quote))
        return None if kept is None else kept.made(self._clock(), taker_ppm)

    def address(self) -> str:
        """Where to connect."""
        return self._url

    async def opened(self, send: Send) -> None:
        """Subscribe to every pair that the venue has."""
        self._send = send
        try:
            await self._learn(self._pairs)
        except ProviderError as error:
            raise Broken(f"the pairs' decimals are not to be had: {error}") from None
        for base, quote in self._pairs:
            symbol = kraken_symbol(base, quote)
            if (places := self._places.get(symbol)) is not None:
                self._books[symbol] = KrakenBook(places, _DEPTH)
                scale = Scale(base, quote, price_places=places.price, volume_places=places.volume)
                self._kept[symbol] = Kept(self._name, base, quote, self._books[symbol], scale)
        if not self._books:
            raise Broken("the venue has none of our pairs")
        await self._ask("subscribe", list(self._books))

    async def received(self, text: str) -> None:
        """Apply one message."""
        message = _read(text)
        now = self._clock()
        for kept in self._kept.values():  # whatever comes proves that nothing else was on its way
            kept.heard_at = now
        if message.get("channel") == "book":
            data = message.get("data")
            if not isinstance(data, list) or len(data) != 1 or not isinstance(data[0], dict):
                raise Broken("a book message without its book")
            await self._apply(str(message.get("type")), data[0], now)
        elif message.get("success") is False and message.get("method") == "subscribe":
            _log.warning("price.pair_refused", source=self._name, reason=str(message.get("error"))[:80])

    def lost(self, reason: str) -> None:
        """Hold no book any longer."""
        self._kept, self._books, self._resyncs, self._send = {}, {}, {}, None

    async def _apply(self, kind: str, data: dict[str, object], now: float) -> None:
        symbol = str(data.get("symbol"))
        book = self._books.get(symbol)
        if book is None:
            return
        if kind == "update" and not book.is_filled:
            return  # what was on its way when we asked for a new snapshot
        try:
            if kind == "snapshot":
                book.snapshot(data)
            else:
                book.update(data)
        except (OutOfStep, Unusable) as problem:
            await self._resync(symbol, str(problem))
            return
        if kind == "update":
            self._resyncs.pop(symbol, None)
        self._kept[symbol].changed(now, lag_of(data.get("timestamp"), self._wall))

    async def _resync(self, symbol: str, reason: str) -> None:
        """Ask for the book from the beginning; raises Broken when that has not helped often enough."""
        self._resyncs[symbol] = self._resyncs.get(symbol, 0) + 1
        _log.warning("price.out_of_step", source=self._name, symbol=symbol, reason=reason)
        if self._resyncs[symbol] >= _MOST_RESYNCS:
            raise Broken(f"out of step again and again: {reason}")
        await self._ask("unsubscribe", [symbol])
        await self._ask("subscribe", [symbol])

    async def _ask(self, method: str, symbols: list[str]) -> None:
        assert self._send is not None  # noqa: S101 - there is a connection, or nothing would have been received
        params = {"channel": "book", "symbol": symbols, "depth": _DEPTH}
        await self._send(json.dumps({"method": method, "params": params}))

    async def _learn(self, pairs: Sequence[tuple[str, str]]) -> None:
        """The pairs' decimals, once for all; a pair that the venue does not have is left out."""
        unknown = [pair for pair in pairs if kraken_symbol(*pair) not in self._places]
        if not unknown:
            return
        names = ",".join(kraken_pair(*pair) for pair in unknown)
        answer = await self._rest.get("/0/public/AssetPairs", {"pair": names}, weight=1)
        body = answer.body if isinstance(answer.body, dict) else {}
        if body.get("error") == ["EQuery:Unknown asset pair"]:
            if len(unknown) > 1:  # one that it does not have spoils the answer about all
                for pair in unknown:
                    await self._learn([pair])
            return
        found = body.get("result")
        for base, quote in unknown:
            answers = [found.get(name) for name in kraken_answers(base, quote)] if isinstance(found, dict) else []
            decimals = next((answer for answer in answers if isinstance(answer, dict)), None)
            if decimals is None:
                raise ProviderUnavailable(self._name, "no word about a pair")
            self._places[kraken_symbol(base, quote)] = _places(self._name, decimals)


def _places(name: str, pair: dict[str, object]) -> Places:
    price, volume = pair.get("pair_decimals"), pair.get("lot_decimals")
    if not isinstance(price, int) or not isinstance(volume, int) or not (0 <= price <= 18 and 0 <= volume <= 18):
        raise ProviderUnavailable(name, "the pair's decimals cannot be read")
    return Places(price, volume)


def _read(text: str) -> dict[str, object]:
    """One message, its numbers as they were written; raises Broken for what is none."""
    try:
        orjson.loads(text)  # refuses what is nested a thousand times, which the standard library may not survive
        message = json.loads(text, parse_float=str)
    except ValueError:
        raise Broken("a message that is not JSON") from None
    if not isinstance(message, dict):
        raise Broken("a message that is not an object")
    return message
