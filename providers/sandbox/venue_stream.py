"""One WebSocket connection to a venue: what it is told is answered, and what is due is said, ten times a second."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Protocol

from fastapi import WebSocket, WebSocketDisconnect

_TICK_SECONDS: Final = 0.1
_TRY_AGAIN_LATER: Final = 1013


class Ended(Exception):
    """The venue hangs up."""


class Talk(Protocol):
    """A venue's protocol on one connection."""

    def greeting(self) -> list[bytes]:
        """What is said first."""
        ...

    def heard(self, text: str) -> list[bytes]:
        """Answer a request."""
        ...

    def due(self, now: float) -> list[bytes]:
        """What has to be said by now; raises Ended."""
        ...


class Listener:
    """Whoever is connected."""

    def __init__(self, socket: WebSocket, talk: Talk) -> None:
        self._socket = socket
        self._talk = talk

    async def serve(self) -> None:
        """Until either side ends it."""
        await self._socket.accept()
        hearing = asyncio.create_task(self._hear())
        with suppress(WebSocketDisconnect, RuntimeError):  # starlette's words for a peer that has gone
            try:
                await self._say(self._talk.greeting())
                while not hearing.done():
                    await self._say(self._talk.due(asyncio.get_running_loop().time()))
                    await asyncio.sleep(_TICK_SECONDS)
            except Ended:
                await self._socket.close(_TRY_AGAIN_LATER)
        hearing.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await hearing

    async def _hear(self) -> None:
        while True:
            await self._say(self._talk.heard(await self._socket.receive_text()))

    async def _say(self, messages: list[bytes]) -> None:
        for message in messages:
            await self._socket.send_text(message.decode())
