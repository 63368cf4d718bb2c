"""Streams of events: bounded in number and in time, so that nobody can keep a process busy for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi.responses import StreamingResponse

from app.api.refusals import RateLimited
from app.db.database import Database
from app.services import event_log
from app.services.envelopes import body_of

_MOST_STREAMS: Final = 100
_LONGEST_SECONDS: Final = 300.0  # then the caller comes again, with Last-Event-ID
_PAUSE_SECONDS: Final = 0.5
_HEARTBEAT_SECONDS: Final = 15.0
_BATCH: Final = 100


class Streams:
    """The open streams of one process."""

    def __init__(self, *, most: int = _MOST_STREAMS, longest: float = _LONGEST_SECONDS) -> None:
        """`longest` is in seconds."""
        self._most = most
        self._longest = longest
        self._open = 0

    def open(self, db: Database, partner_id: str, after: int, *, livemode: bool) -> StreamingResponse:
        """Stream a partner's events from after a number on; raises RateLimited when too many streams are open."""
        if self._open >= self._most:
            raise RateLimited("Too many streams are open.", retry_after=5)
        return StreamingResponse(
            self._lines(db, partner_id, after, livemode), media_type="text/event-stream; charset=utf-8"
        )

    async def _lines(self, db: Database, partner_id: str, after: int, livemode: bool) -> AsyncIterator[bytes]:
        self._open += 1
        clock = asyncio.get_running_loop().time
        ends = clock() + self._longest
        spoke = clock()
        try:
            yield b"retry: 1000\n\n"
            while clock() < ends:
                page = await event_log.page(db, partner_id, after, _BATCH, livemode=livemode)
                for event in page.data:
                    after = event.partner_sequence or after
                    yield b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), body_of(event))
                    spoke = clock()
                if page.has_more:
                    continue
                if clock() - spoke > _HEARTBEAT_SECONDS:
                    yield b": still here\n\n"
                    spoke = clock()
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._open -= 1
