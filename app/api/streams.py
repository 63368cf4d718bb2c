"""Streams: bounded in number and in time, so that nobody can keep a process busy for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
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
    """The open streams of one kind in one process: who has them, and when they speak."""

    def __init__(
        self, *, most: int = _MOST_STREAMS, most_of_one: int | None = None, longest: float = _LONGEST_SECONDS
    ) -> None:
        """`most_of_one` bounds those of one owner; `longest` is in seconds."""
        self._most = most
        self._most_of_one = most if most_of_one is None else most_of_one
        self._longest = longest
        self._open: Counter[str] = Counter()

    def open(self, owner: str, messages: AsyncGenerator[bytes, None]) -> StreamingResponse:
        """Stream messages, of which an empty one says that there is nothing at the moment.

        Raises RateLimited when too many streams are open, of this owner or of all.
        """
        if self._open[owner] >= self._most_of_one or self._open.total() >= self._most:
            raise RateLimited("Too many streams are open.", retry_after=5)
        return StreamingResponse(self._paced(owner, messages), media_type=_MEDIA_TYPE)

    async def _paced(self, owner: str, messages: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
        self._open[owner] += 1
        clock = asyncio.get_running_loop().time
        spoke = clock()
        ends = spoke + self._longest
        try:
            yield b"retry: 1000\n\n"
            async with aclosing(messages):
                async for message in messages:
                    if message:
                        yield message
                        spoke = clock()
                    if clock() >= ends:
                        return
                    if message:
                        continue
                    if clock() - spoke > _HEARTBEAT_SECONDS:
                        yield b": still here\n\n"
                        spoke = clock()
                    await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]


def page_streams() -> Streams:
    """The streams of the pages in customers' browsers: one for each tab of a session, and not many of those."""
    return Streams(most=_MOST_PAGES, most_of_one=_MOST_OF_A_SESSION)


async def events_after(db: Database, partner_id: str, after: int, *, livemode: bool) -> AsyncGenerator[bytes, None]:
    """A partner's events from after a number on."""
    while True:
        page = await event_log.page(db, partner_id, after, _BATCH, livemode=livemode)
        for event in page.data:
            after = event.partner_sequence or after
            yield b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), body_of(event))
        if not page.has_more:
            yield b""


async def views_of(context: Context, session_id: str) -> AsyncGenerator[bytes, None]:
    """A session's view whenever its mark has changed; the last one is that of a session that has ended."""
    seen: str | None = None
    while True:
        news = await session_view.changed(context.db, context.rails, context.policy, context.sessions, session_id, seen)
        if news is not None:
            seen, view = news
            yield b"event: session\ndata: %b\n\n" % view.model_dump_json().encode()
            if view.status in _ENDED:
                return
        yield b""
