"""Kraken's public interface over our market: REST depth and pairs, and the WebSocket v2 book channel with checksums.

Source: docs.kraken.com, "Get Order Book", "Get Tradable Asset Pairs", "Book (Level 2)", "Book checksum (WebSocket v2)".
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import orjson
from fastapi import APIRouter, Response, WebSocket

from providers.sandbox.venue import HANG_SECONDS, PAIRS, STALE_SECONDS, Levels, Mood, Venue, pair_named
from providers.sandbox.venue_stream import Ended, Listener

NAME: Final = "kraken"
LONGEST_COUNT: Final = 500
_PRICE_PLACES, _VOLUME_PLACES = 5, 8
_HEARTBEAT_SECONDS: Final = 1.0
_FAULT_SECONDS: Final = 1.0
_UNKNOWN: Final[dict[str, object]] = {"error": ["EQuery:Unknown asset pair"]}


def router(venue: Venue, clock: Callable[[], float] = time.time) -> APIRouter:
    """What Kraken answers."""
    routes = APIRouter(prefix="/kraken")

    @routes.get("/0/public/Depth")
    async def depth(response: Response, pair: str = "", count: int = 100) -> dict[str, object]:
        name = pair_named(pair)
        if name is None:
            return _UNKNOWN
        if not 1 <= count <= LONGEST_COUNT:
            return {"error": ["EGeneral:Invalid arguments"]}
        mood = venue.book(name, NAME).mood
        if mood is Mood.HANG:
            await asyncio.sleep(HANG_SECONDS)
        if mood is Mood.ERROR:
            return {"error": ["EService:Unavailable"]}
        if mood is Mood.STALE:
            response.headers["age"] = str(STALE_SECONDS)
        found, now = venue.published(name, NAME), int(clock())
        sides = {"asks": found.asks, "bids": found.bids}
        book = {
            side: [[_price(price), quantity, now] for price, quantity in levels[:count]]
            for side, levels in sides.items()
        }
        return {"error": [], "result": {PAIRS[name]: book}}

    @routes.get("/0/public/AssetPairs")
    async def asset_pairs(pair: str = "") -> dict[str, object]:
        names = [pair_named(each) for each in pair.split(",")] if pair else list(PAIRS)
        if None in names:
            return _UNKNOWN
        decimals = {"pair_decimals": _PRICE_PLACES, "lot_decimals": _VOLUME_PLACES}
        return {"error": [], "result": {PAIRS[name]: {"altname": name, **decimals} for name in names if name}}

    @routes.websocket("/v2")
    async def books(socket: WebSocket) -> None:
        await Listener(socket, _Talk(venue)).serve()

    return routes


class _Talk:
    """One connection's side of the protocol."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._sent: dict[str, tuple[int, int, Levels, Levels]] = {}  # by pair: version, depth, asks, bids
        self._spoke_at = 0.0
        self._spoilt_at = 0.0

    def greeting(self) -> list[bytes]:
        """What is said first."""
        return [_message("status", "update", [{"system": "online", "api_version": "v2"}])]

    def heard(self, text: str) -> list[bytes]:
        """Answer a request."""
        request = orjson.loads(text)
        params = request.get("params") or {}
        answers = []
        for symbol in params.get("symbol", []):
            pair, depth = pair_named(symbol), int(params.get("depth", 10))
            reply = {"method": request["method"], "result": {"channel": "book", "symbol": symbol, "depth": depth}}
            if pair is None:
                answers.append(
                    orjson.dumps(reply | {"success": False, "error": f"Currency pair not supported {symbol}"})
                )
                continue
            answers.append(orjson.dumps(reply | {"success": True}))
            if request["method"] == "subscribe":
                answers.extend(self._snapshot(pair, depth))
            else:
                self._sent.pop(pair, None)
        return answers

    def due(self, now: float) -> list[bytes]:
        """What has to be said by now; raises Ended when the venue hangs up."""
        moods = {pair: self._venue.book(pair, NAME).mood for pair in self._sent}
        if Mood.ERROR in moods.values():
            raise Ended
        if Mood.HANG in moods.values():
            return []
        said = [message for pair in list(self._sent) for message in self._update(pair)]
        if now - self._spoilt_at >= _FAULT_SECONDS:
            self._spoilt_at = now
            said += [self._spoilt(pair) for pair, mood in moods.items() if mood in (Mood.GAP, Mood.BAD_CHECKSUM)]
        if not said and self._sent and now - self._spoke_at >= _HEARTBEAT_SECONDS:
            said = [orjson.dumps({"channel": "heartbeat"})]
        if said:
            self._spoke_at = now
        return said

    def _snapshot(self, pair: str, depth: int) -> list[bytes]:
        """The first word about a pair; from a venue that is silent there is none, but it is due later."""
        mood = self._venue.book(pair, NAME).mood
        if mood in (Mood.HANG, Mood.ERROR):
            self._sent[pair] = (0, depth, (), ())
            return []
        found = self._venue.published(pair, NAME)
        self._sent[pair] = (found.version, depth, found.asks[:depth], found.bids[:depth])
        wrong = int(mood is Mood.BAD_CHECKSUM)
        return [self._book(pair, "snapshot", found.asks[:depth], found.bids[:depth], wrong)]

    def _update(self, pair: str) -> list[bytes]:
        """What has changed since the last word about a pair."""
        version, depth, asks, bids = self._sent[pair]
        found = self._venue.published(pair, NAME)
        if found.version == version:
            return []
        if version == 0:
            return self._snapshot(pair, depth)
        now = (found.asks[:depth], found.bids[:depth])
        self._sent[pair] = (found.version, depth, *now)
        return [self._book(pair, "update", _changed(asks, now[0]), _changed(bids, now[1]), 0)]

    def _spoilt(self, pair: str) -> bytes:
        """An update that leads astray: its checksum is of a book that it does not tell."""
        return self._book(pair, "update", (), (), 1)

    def _book(self, pair: str, kind: str, asks: Levels, bids: Levels, wrong: int) -> bytes:
        _, _, all_asks, all_bids = self._sent[pair]
        moment = self._venue.told_at(pair, NAME).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        symbol = f"{pair[:-3].replace('XBT', 'BTC')}/{pair[-3:]}"
        data = {
            "symbol": symbol,
            "asks": [_level(price, quantity) for price, quantity in asks],
            "bids": [_level(price, quantity) for price, quantity in bids],
            "checksum": _checksum(all_asks, all_bids) ^ wrong,
            "timestamp": moment,
        }
        return _message("book", kind, [data])


def _changed(before: Levels, now: Levels) -> Levels:
    """The levels that are new or other, and those that are gone with quantity 0."""
    old, new = dict(before), dict(now)
    gone = tuple((price, "0") for price in old if price not in new)
    return (*gone, *((price, quantity) for price, quantity in now if old.get(price) != quantity))


def _checksum(asks: Levels, bids: Levels) -> int:
    """CRC32 over the best ten of both sides, as the guide has it: digits without point and leading zeros."""
    digits = ""
    for side in (asks[:10], bids[:10]):
        for price, quantity in side:
            for text in (_price(price), _volume(quantity)):
                digits += text.replace(".", "").lstrip("0")
    return zlib.crc32(digits.encode())


def _level(price: str, quantity: str) -> dict[str, orjson.Fragment]:
    """A level whose numbers are written out in full, as Kraken does."""
    return {"price": orjson.Fragment(_price(price)), "qty": orjson.Fragment(_volume(quantity))}


def _message(channel: str, kind: str, data: list[dict[str, object]]) -> bytes:
    return orjson.dumps({"channel": channel, "type": kind, "data": data})


def _price(text: str) -> str:
    """Kraken writes five decimals."""
    return f"{Decimal(text):.{_PRICE_PLACES}f}"


def _volume(text: str) -> str:
    return f"{Decimal(text):.{_VOLUME_PLACES}f}"
