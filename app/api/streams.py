"""Streams: bounded in number and in time, so that nobody can keep a process busy for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

from fastapi.responses import StreamingResponse

from app.api.context import Context
from app.api.refusals import RateLimited
from app.db.database import Database
from app.domain.session import SessionStatus
from app.services import event_log, session_view
from app.services.envelopes import body_of

_MOST_STREAMS: Final = 100
_MOST_PAGES: Final = 500
_MOST_OF_A_SESSION: Final = 6  # tabs
_LONGEST_SECONDS: Final = 300.0  # then the caller comes again, with Last-Event-ID
_PAUSE_SECONDS: Final = 0.5
_HEARTBEAT_SECONDS: Final = 15.0
_BATCH: Final = 100
_MEDIA_TYPE: Final = "text/event-stream; charset=utf-8"
_ENDED: Final = frozenset({SessionStatus.EXPIRED.value, SessionStatus.REVOKED.value})


class Streams:
    """The open streams of events of one process."""

    def __init__(self, *, most: int = _MOST_STREAMS, longest: float = _LONGEST_SECONDS) -> None:
        """`longest` is in seconds."""
        self._most = most
        self._longest = longest
        self._open = 0

    def open(self, db: Database, partner_id: str, after: int, *, livemode: bool) -> StreamingResponse:
        """Stream a partner's events from after a number on; raises RateLimited when too many streams are open."""
        if self._open >= self._most:
            raise RateLimited("Too many streams are open.", retry_after=5)
        return StreamingResponse(self._lines(db, partner_id, after, livemode), media_type=_MEDIA_TYPE)

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


class PageStreams:
    """The open streams of the pages that one process serves."""

    def __init__(self, *, most: int = _MOST_PAGES, longest: float = _LONGEST_SECONDS) -> None:
        """`longest` is in seconds."""
        self._most = most
        self._longest = longest
        self._open: Counter[str] = Counter()

    def open(self, context: Context, session_id: str) -> StreamingResponse:
        """Stream a session's view; raises RateLimited when too many streams are open, of this session or of all."""
        if self._open[session_id] >= _MOST_OF_A_SESSION or self._open.total() >= self._most:
            raise RateLimited("Too many streams are open.", retry_after=5)
        return StreamingResponse(self._views(context, session_id), media_type=_MEDIA_TYPE)

    async def _views(self, context: Context, session_id: str) -> AsyncIterator[bytes]:
        """The view whenever its mark has changed; the last one of a session that has ended ends the stream."""
        self._open[session_id] += 1
        clock = asyncio.get_running_loop().time
        ends = clock() + self._longest
        spoke, seen = clock(), None
        try:
            yield b"retry: 1000\n\n"
            while clock() < ends:
                news = await session_view.changed(
                    context.db, context.rails, context.policy, context.sessions, session_id, seen
                )
                if news is not None:
                    seen, view = news
                    yield b"event: session\ndata: %b\n\n" % view.model_dump_json().encode()
                    spoke = clock()
                    if view.status in _ENDED:
                        return
                elif clock() - spoke > _HEARTBEAT_SECONDS:
                    yield b": still here\n\n"
                    spoke = clock()
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._open[session_id] -= 1
            if not self._open[session_id]:
                del self._open[session_id]
