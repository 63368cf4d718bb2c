"""The market of the far side: a book for each pair at each venue, and the ways a venue can be told to lie."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import orjson

from providers.sandbox.store import Store

VENUES: Final = ("kraken", "binance")
_BASES: Final = {"XBT": Decimal(1), "ETH": Decimal("0.04"), "LTC": Decimal("0.0015"), "USDC": Decimal("0.00001413")}
# Units of the currency per euro: only the size of a number, no price that anybody should believe.
_QUOTES: Final = {"EUR": Decimal(1), "USD": Decimal("1.16"), "GBP": Decimal("0.87"), "JPY": Decimal(178)}
_LONG_NAMES: Final = {"XBT": "XXBTZ{}", "ETH": "XETHZ{}", "LTC": "XLTCZ{}", "USDC": "USDC{}"}
# Every pair, and what Kraken's answers call it.
PAIRS: Final = {base + quote: _LONG_NAMES[base].format(quote) for base in _BASES for quote in _QUOTES}

Levels = tuple[tuple[str, str], ...]  # (price, quantity), best first

FIRST_ASKS: Levels = (("61000.00", "0.20"), ("61010.00", "0.35"), ("61050.00", "0.60"), ("61200.00", "1.50"))
FIRST_BIDS: Levels = (("60980.00", "0.15"), ("60965.00", "0.40"), ("60900.00", "0.80"))
TAIL_LEVELS: Final = 100
TAIL_STEP: Final = Decimal("0.0005")  # of the price, between two levels of the tail
TAIL_QUANTITY: Final = Decimal("2.50")
HANG_SECONDS: Final = 30.0
STALE_SECONDS: Final = 600
_BEAT_SECONDS: Final = 1.0
_REMEMBERED: Final = 100  # books of each pair that were told
_BEATING_LEVEL: Final = 50  # of the tail: its quantity changes with every beat, so that streams have something to say


class Mood(StrEnum):
    """How a venue behaves for one pair."""

    NORMAL = "normal"
    ERROR = "error"  # an outage: the venue's own error form, and no stream
    HANG = "hang"  # no answer until the caller has given up, and a stream that says nothing
    CROSSED = "crossed"  # the best bid above the best ask
    STALE = "stale"  # what was true ten minutes ago, and says so
    GAP = "gap"  # once a second an update is lost on the stream
    BAD_CHECKSUM = "bad_checksum"  # once a second an update whose checksum is wrong; for Binance the same as a gap


@dataclass(frozen=True, slots=True)
class PairBook:
    """What is published for one pair: the first levels as set, then, if `tail`, a hundred more.

    `shift_bps` moves every price by so many hundredths of a percent: 500 is a disagreement of 5 %.
    """

    asks: Levels
    bids: Levels
    tail: bool = True
    mood: Mood = Mood.NORMAL
    shift_bps: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """A whole book at one version; versions rise with every change."""

    version: int
    asks: Levels
    bids: Levels


def pair_named(text: str) -> str | None:
    """Kraken's pair behind any of its spellings: XBTEUR, XXBTZEUR, XBT/EUR, BTCEUR."""
    name = text.upper().replace("/", "").replace("BTC", "XBT")
    for pair, long_name in PAIRS.items():
        if name in (pair, long_name):
            return pair
    return None


class Venue:
    """The books of every pair at every venue; what was set stays set after a kill."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._books = {(venue, pair): default_book(pair) for venue in VENUES for pair in PAIRS}
        self._changes = dict.fromkeys(self._books, 1)
        self._beats = 0
        self._published: dict[tuple[str, str], deque[Published]] = {}
        for key, body in store.read("SELECT pair, body FROM venue"):
            venue, _, pair = str(key).rpartition(":")
            kept = orjson.loads(str(body))
            self._books[venue or "kraken", pair] = PairBook(
                asks=tuple((price, quantity) for price, quantity in kept["asks"]),
                bids=tuple((price, quantity) for price, quantity in kept["bids"]),
                tail=kept["tail"],
                mood=Mood(kept["mood"]),
                shift_bps=kept.get("shift_bps", 0),
            )

    async def beat(self) -> None:
        """Let the market move a little, for ever."""
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            self._beats += 1

    def book(self, pair: str, venue: str = "kraken") -> PairBook:
        """What was set."""
        return self._books[venue, pair]

    def put(self, pair: str, book: PairBook, venue: str) -> None:
        """Publish this from now on."""
        self._books[venue, pair] = book
        self._changes[venue, pair] += 1
        body = {
            "asks": book.asks, "bids": book.bids, "tail": book.tail, "mood": book.mood, "shift_bps": book.shift_bps,
        }  # fmt: skip
        self._store.write(
            "INSERT OR REPLACE INTO venue (pair, body) VALUES (?, ?)", (f"{venue}:{pair}", orjson.dumps(body).decode())
        )

    def reset(self, pair: str, venue: str) -> None:
        """Go back to the default book."""
        self._books[venue, pair] = default_book(pair)
        self._changes[venue, pair] += 1
        self._store.write("DELETE FROM venue WHERE pair = ?", (f"{venue}:{pair}",))

    def version(self, pair: str, venue: str) -> int:
        """Rises with every change of the book."""
        return self._changes[venue, pair] * 10_000_000 + self._beats

    def published(self, pair: str, venue: str) -> Published:
        """What is published now, all of it."""
        version = self.version(pair, venue)
        told = self._published.setdefault((venue, pair), deque(maxlen=_REMEMBERED))
        if not told or told[-1].version != version:
            book = self._books[venue, pair]
            asks, bids = self._side(book.asks, book, pair, up=True), self._side(book.bids, book, pair, up=False)
            if book.mood is Mood.CROSSED and asks and bids:
                asks, bids = _swapped(asks, bids)
            told.append(Published(version, asks, bids))
        return told[-1]

    def told_since(self, version: int, pair: str, venue: str) -> list[Published]:
        """Every book that anybody has been told after a version, the newest last."""
        return [published for published in self._published.get((venue, pair), ()) if published.version > version]

    def told_at(self, pair: str, venue: str) -> datetime:
        """The moment that the venue gives for what it says now."""
        age = STALE_SECONDS if self._books[venue, pair].mood is Mood.STALE else 0
        return datetime.now(UTC) - timedelta(seconds=age)

    def _side(self, first: Levels, book: PairBook, pair: str, *, up: bool) -> Levels:
        """The first levels, then the tail beyond the last of them, all of it shifted."""
        levels = list(first)
        if book.tail and levels:
            price = Decimal(levels[-1][0])
            places = Decimal(1).scaleb(min(0, int(price.as_tuple().exponent)))
            whole = TAIL_QUANTITY / _BASES[pair[: -len("EUR")]]
            for number in range(TAIL_LEVELS):
                price = (price * (1 + TAIL_STEP if up else 1 - TAIL_STEP)).quantize(places)
                quantity = whole + self._beats % 2 if number == _BEATING_LEVEL else whole
                levels.append((str(price), f"{quantity:.2f}"))
        if not book.shift_bps:
            return tuple(levels)
        factor = 1 + Decimal(book.shift_bps) / 10_000
        return tuple((f"{Decimal(price) * factor:.5f}", quantity) for price, quantity in levels)


def _swapped(asks: Levels, bids: Levels) -> tuple[Levels, Levels]:
    """A crossed book: the best ask just below the best bid, the rest as it was."""
    return ((bids[0][0], asks[0][1]), *asks[1:]), ((asks[0][0], bids[0][1]), *bids[1:])


def default_book(pair: str) -> PairBook:
    """Where a pair's book stands when nobody has set it."""
    base, quote = pair[:-3], pair[-3:]
    scale = _BASES[base] * _QUOTES[quote]
    places = Decimal(1).scaleb(-_decimals(base, quote))

    def scaled(levels: Levels) -> Levels:
        return tuple(
            (str((Decimal(price) * scale).quantize(places)), _more(quantity, base)) for price, quantity in levels
        )

    return PairBook(scaled(FIRST_ASKS), scaled(FIRST_BIDS))


def _decimals(base: str, quote: str) -> int:
    """How finely the default book is priced."""
    if base == "USDC":
        return 2 if quote == "JPY" else 4
    return 0 if quote == "JPY" else 2


def _more(quantity: str, base: str) -> str:
    """As much of a cheaper coin as is worth the same."""
    return quantity if base == "XBT" else f"{Decimal(quantity) / _BASES[base]:.2f}"
