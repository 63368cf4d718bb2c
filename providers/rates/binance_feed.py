"""Binance's combined diff depth stream: joined to a snapshot by update numbers, and begun anew after a gap.

All pairs are on one connection, `/stream?streams=btceur@depth@100ms/...`; the venue ends it after a day at the latest.
Source: Binance's "Web Socket Streams".
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import orjson
import structlog

from app.ports.errors import ProviderError
from app.ports.rates import Book
from providers.rates.binance_book import PLACES, BinanceBook, Gap
from providers.rates.live import Kept, lag_of
from providers.rates.numbers import Scale, Unusable
from providers.rates.pairs import binance_symbol
from providers.rates.stream import Broken, Send

DEPTH: Final = 1_000  # levels kept of each side; a snapshot has 100
_SNAPSHOT_PAUSE: Final = 1.0  # seconds between two snapshots of one book
_log = structlog.stdlib.get_logger(__name__)

Snapshot = Callable[[str], Awaitable[dict[str, object]]]


class BinanceFeed:
    """The books of one venue of Binance's shape."""

    def __init__(
        self,
        name: str,
        url: str,
        snapshot: Snapshot,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`snapshot` asks for a symbol's depth over REST; `clock` is the monotonic one, `wall` the time of day."""
        self._name = name
        self._url = url.rstrip("/")
        self._snapshot = snapshot
        self._clock = clock
        self._wall = wall
        self._pairs: Sequence[tuple[str, str]] = ()
        self._kept: dict[str, Kept] = {}
        self._books: dict[str, BinanceBook] = {}
        self._asked_at: dict[str, float] = {}

    def follow(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Keep these pairs' books from the next connection on."""
        self._pairs = pairs

    def is_live(self, base: str, quote: str) -> bool:
        """Whether the pair's book is in step and was heard of a moment ago."""
        kept = self._kept.get(binance_symbol(base, quote))
        return kept is not None and kept.is_live(self._clock())

    def book(self, base: str, quote: str, taker_ppm: int | None) -> Book | None:
        """The pair's book, None while there is none."""
        kept = self._kept.get(binance_symbol(base, quote))
        return None if kept is None else kept.made(self._clock(), taker_ppm)

    def address(self) -> str:
        """Where to connect: the streams are named in the address."""
        names = (f"{binance_symbol(base, quote).lower()}@depth@100ms" for base, quote in self._pairs)
        return f"{self._url}/stream?streams={'/'.join(names)}"

    async def opened(self, send: Send) -> None:
        """Begin with empty books; the venue sends by itself."""
        for base, quote in self._pairs:
            symbol = binance_symbol(base, quote)
            self._books[symbol] = BinanceBook(DEPTH)
            scale = Scale(base, quote, price_places=PLACES, volume_places=PLACES)
            self._kept[symbol] = Kept(self._name, base, quote, self._books[symbol], scale)

    async def received(self, text: str) -> None:
        """Apply one event; ask for a snapshot where there is none yet."""
        event = _event_of(text)
        symbol = str(event.get("s"))
        book = self._books.get(symbol)
        if book is None or event.get("e") != "depthUpdate":
            return
        try:
            book.event(event)
            if not book.is_filled:
                await self._begin(symbol, book)
        except (Gap, Unusable) as problem:
            _log.warning("price.out_of_step", source=self._name, symbol=symbol, reason=str(problem))
            book.forget()
            return
        if book.is_filled:
            self._kept[symbol].changed(self._clock(), lag_of(event.get("E"), self._wall))

    def lost(self, reason: str) -> None:
        """Hold no book any longer."""
        self._kept, self._books = {}, {}

    async def _begin(self, symbol: str, book: BinanceBook) -> None:
        """Join a snapshot to what has waited; not more often than the venue likes to be asked."""
        now = self._clock()
        if now - self._asked_at.get(symbol, float("-inf")) < _SNAPSHOT_PAUSE:
            return
        self._asked_at[symbol] = now
        try:
            book.snapshot(await self._snapshot(symbol))
        except ProviderError as error:  # the stream goes on, and the next event asks again
            _log.warning("price.no_snapshot", source=self._name, symbol=symbol, reason=str(error))


def _event_of(text: str) -> dict[str, object]:
    """The event in a combined stream's message; raises Broken for what is none."""
    try:
        message = orjson.loads(text)
    except ValueError:
        raise Broken("a message that is not JSON") from None
    event = message.get("data") if isinstance(message, dict) else None
    if not isinstance(event, dict):
        raise Broken("a message without an event")
    return event
