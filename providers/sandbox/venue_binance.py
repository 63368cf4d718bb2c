"""Binance's public interface over our market: REST depth, and the combined diff depth stream with update numbers.

Source: Binance's "REST API" (Order book) and "Web Socket Streams" (Diff. Depth Stream).
"""

from __future__ import annotations

import asyncio
from typing import Final

import orjson
from fastapi import APIRouter, Response, WebSocket
from fastapi.responses import JSONResponse

from providers.sandbox.venue import HANG_SECONDS, STALE_SECONDS, Levels, Mood, Venue, pair_named
from providers.sandbox.venue_stream import Ended, Listener

NAME: Final = "binance"
LONGEST_LIMIT: Final = 5000
_FAULT_SECONDS: Final = 1.0


def router(venue: Venue) -> APIRouter:
    """What Binance answers."""
    routes = APIRouter(prefix="/binance")

    @routes.get("/api/v3/depth")
    async def depth(symbol: str = "", limit: int = 100) -> Response:
        pair = pair_named(symbol)
        if pair is None:
            return JSONResponse({"code": -1121, "msg": "Invalid symbol."}, 400)
        mood = venue.book(pair, NAME).mood
        if mood is Mood.HANG:
            await asyncio.sleep(HANG_SECONDS)
        if mood is Mood.ERROR:
            return JSONResponse({"code": -1001, "msg": "Internal error; unable to process your request."}, 503)
        found, most = venue.published(pair, NAME), min(max(limit, 1), LONGEST_LIMIT)
        headers = {"age": str(STALE_SECONDS)} if mood is Mood.STALE else {}
        body = {"lastUpdateId": found.version, "bids": found.bids[:most], "asks": found.asks[:most]}
        return JSONResponse(body, headers=headers)

    @routes.websocket("/stream")
    async def events(socket: WebSocket, streams: str = "") -> None:
        pairs = [pair_named(name.partition("@")[0]) for name in streams.split("/")]
        await Listener(socket, _Talk(venue, [pair for pair in pairs if pair is not None])).serve()

    return routes


class _Talk:
    """One connection's side of the protocol."""

    def __init__(self, venue: Venue, pairs: list[str]) -> None:
        self._venue = venue
        self._sent = {pair: venue.published(pair, NAME) for pair in pairs}
        self._spoilt_at = 0.0

    def greeting(self) -> list[bytes]:
        """Nothing: the streams are named in the address."""
        return []

    def heard(self, text: str) -> list[bytes]:
        """Requests change nothing here."""
        return [orjson.dumps({"result": None, "id": orjson.loads(text).get("id")})]

    def due(self, now: float) -> list[bytes]:
        """An event for every book that has changed; raises Ended when the venue hangs up."""
        moods = {pair: self._venue.book(pair, NAME).mood for pair in self._sent}
        if Mood.ERROR in moods.values():
            raise Ended
        if Mood.HANG in moods.values():
            return []
        spoil = now - self._spoilt_at >= _FAULT_SECONDS
        if spoil:
            self._spoilt_at = now
        return [event for pair, mood in moods.items() if (event := self._event(pair, mood, spoil=spoil)) is not None]

    def _event(self, pair: str, mood: Mood, *, spoil: bool) -> bytes | None:
        before, now = self._sent[pair], self._venue.published(pair, NAME)
        if before.version == now.version:
            return None
        self._sent[pair] = now
        lost = int(spoil and mood in (Mood.GAP, Mood.BAD_CHECKSUM))
        if lost and now.version == before.version + 1:
            return None  # the only update there was is the lost one; the next one does not join
        symbol = pair.replace("XBT", "BTC")
        told = [before, *self._venue.told_since(before.version, pair, NAME)]
        data = {
            "e": "depthUpdate",
            "E": int(self._venue.told_at(pair, NAME).timestamp() * 1000),
            "s": symbol,
            "U": before.version + 1 + lost,
            "u": now.version,
            "b": _touched([each.bids for each in told]),
            "a": _touched([each.asks for each in told]),
        }
        return orjson.dumps({"stream": f"{symbol.lower()}@depth@100ms", "data": data})


def _touched(states: list[Levels]) -> list[tuple[str, str]]:
    """Every level that was another one in any of these states than it is in the last, as it is now; gone ones with 0.

    Whoever joins the stream with a snapshot from between two events must be told of those levels too.
    """
    now, touched = dict(states[-1]), dict[str, None]()
    for levels in states[:-1]:
        then = dict(levels)
        touched |= dict.fromkeys(price for price in {**then, **now} if then.get(price) != now.get(price))
    return [(price, now.get(price, "0.00000000")) for price in touched]
