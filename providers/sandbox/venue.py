"""A venue that publishes its depth as Kraken does (docs.kraken.com, Get Order Book), and can be told to lie."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import orjson
from fastapi import APIRouter

from providers.sandbox.store import Store

# What each currency is called in Kraken's answers, and where its default book stands.
PAIRS = {"XBTEUR": "XXBTZEUR", "XBTUSD": "XXBTZUSD", "XBTGBP": "XXBTZGBP", "XBTJPY": "XXBTZJPY"}
# Units of the currency per euro: only the size of a number, no price that anybody should believe.
SCALE = {"XBTEUR": Decimal(1), "XBTUSD": Decimal("1.16"), "XBTGBP": Decimal("0.87"), "XBTJPY": Decimal(178)}
DECIMALS = {"XBTJPY": 0}

Levels = tuple[tuple[str, str], ...]  # (price, quantity), best first

FIRST_ASKS: Levels = (("61000.00", "0.20"), ("61010.00", "0.35"), ("61050.00", "0.60"), ("61200.00", "1.50"))
FIRST_BIDS: Levels = (("60980.00", "0.15"), ("60965.00", "0.40"), ("60900.00", "0.80"))
TAIL_LEVELS = 100
TAIL_STEP = Decimal("0.0005")  # of the price, between two levels of the tail
TAIL_QUANTITY = "2.50"
HANG_SECONDS = 30.0
LONGEST_COUNT = 500


class Mood(StrEnum):
    """How the venue behaves for one pair."""

    NORMAL = "normal"
    ERROR = "error"  # Kraken's error form
    HANG = "hang"  # no answer until the caller has given up
    CROSSED = "crossed"  # the best bid above the best ask


@dataclass(frozen=True, slots=True)
class PairBook:
    """What is published for one pair: the first levels as set, then, if `tail`, a hundred more."""

    asks: Levels
    bids: Levels
    tail: bool = True
    mood: Mood = Mood.NORMAL


def pair_named(text: str) -> str | None:
    """Kraken's pair behind any of its spellings: XBTEUR, XXBTZEUR, XBT/EUR, BTCEUR."""
    name = text.upper().replace("/", "").replace("BTC", "XBT")
    for pair, long_name in PAIRS.items():
        if name in (pair, long_name):
            return pair
    return None


class Venue:
    """The books of every pair; what was set stays set after a kill."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._books = {pair: _default(pair) for pair in PAIRS}
        for pair, body in store.read("SELECT pair, body FROM venue"):
            kept = orjson.loads(str(body))
            self._books[str(pair)] = PairBook(
                asks=tuple((price, quantity) for price, quantity in kept["asks"]),
                bids=tuple((price, quantity) for price, quantity in kept["bids"]),
                tail=kept["tail"],
                mood=Mood(kept["mood"]),
            )

    def book(self, pair: str) -> PairBook:
        """What is published now."""
        return self._books[pair]

    def put(self, pair: str, book: PairBook) -> None:
        """Publish this from now on."""
        self._books[pair] = book
        body = {"asks": book.asks, "bids": book.bids, "tail": book.tail, "mood": book.mood}
        self._store.write(
            "INSERT OR REPLACE INTO venue (pair, body) VALUES (?, ?)", (pair, orjson.dumps(body).decode())
        )

    def reset(self, pair: str) -> None:
        """Go back to the default book."""
        self._books[pair] = _default(pair)
        self._store.write("DELETE FROM venue WHERE pair = ?", (pair,))


def router(venue: Venue, clock: Callable[[], float] = time.time) -> APIRouter:
    """Kraken's public REST, as far as depth goes."""
    routes = APIRouter()

    @routes.get("/kraken/0/public/Depth")
    async def depth(pair: str = "", count: int = 100) -> dict[str, object]:
        name = pair_named(pair)
        if name is None:
            return {"error": ["EQuery:Unknown asset pair"]}
        if not 1 <= count <= LONGEST_COUNT:
            return {"error": ["EGeneral:Invalid arguments"]}
        book = venue.book(name)
        if book.mood is Mood.HANG:
            await asyncio.sleep(HANG_SECONDS)
        if book.mood is Mood.ERROR:
            return {"error": ["EService:Unavailable"]}
        asks, bids = _side(book.asks, book, count, up=True), _side(book.bids, book, count, up=False)
        if book.mood is Mood.CROSSED:
            asks, bids = bids[::-1], asks[::-1]
        now = int(clock())
        return {
            "error": [],
            "result": {
                PAIRS[name]: {
                    "asks": [[_price(price), quantity, now] for price, quantity in asks],
                    "bids": [[_price(price), quantity, now] for price, quantity in bids],
                }
            },
        }

    return routes


def _default(pair: str) -> PairBook:
    places = Decimal(1).scaleb(-DECIMALS.get(pair, 2))

    def scaled(levels: Levels) -> Levels:
        return tuple((str((Decimal(price) * SCALE[pair]).quantize(places)), quantity) for price, quantity in levels)

    return PairBook(scaled(FIRST_ASKS), scaled(FIRST_BIDS))


def _side(first: Levels, book: PairBook, count: int, *, up: bool) -> list[tuple[str, str]]:
    """The first levels, then the tail beyond the last of them."""
    levels = list(first)
    if book.tail and levels:
        price = Decimal(levels[-1][0])
        places = Decimal(1).scaleb(min(0, int(price.as_tuple().exponent)))
        for _ in range(TAIL_LEVELS):
            price = (price * (1 + TAIL_STEP if up else 1 - TAIL_STEP)).quantize(places)
            levels.append((str(price), TAIL_QUANTITY))
    return levels[:count]


def _price(text: str) -> str:
    """Kraken writes five decimals."""
    return f"{Decimal(text):.5f}"
