"""The signer's end of the socket: several callers at once, one transaction after the other."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

import structlog

from app.signer import wire
from app.signer.refusals import Refused, Rule
from app.signer.vault import Vault

log = structlog.get_logger(__name__)

_MOST_CALLERS: Final = 64
_READ_LIMIT: Final = 1 << 16


class Server:
    """Answers over an open listening socket, whose file says who may call."""

    def __init__(self, vault: Vault, listener: socket.socket) -> None:
        """Nothing is answered before `start`."""
        self._vault = vault
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Answer from now on."""
        self._server = await asyncio.start_unix_server(self._serve, sock=self._listener, limit=_READ_LIMIT)

    async def stop(self) -> None:
        """Take no more calls, and end those that are open."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._callers):
            writer.close()
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers.add(writer)
        try:
            if len(self._callers) <= _MOST_CALLERS:
                await self._talk(reader, writer)
        except (ConnectionError, wire.MalformedError) as error:
            log.warning("signer.call_ended", error=str(error))
        finally:
            self._callers.discard(writer)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (frame := await wire.read_frame(reader)) is not None:
            writer.write(wire.framed(await self._answer(frame)))
            await writer.drain()

    async def _answer(self, frame: bytes) -> bytes:
        try:
            match wire.read_request(frame):
                case wire.Public():
                    return wire.answer_public(self._vault.public())
                case wire.SignDraft() as said:
                    return wire.answer_raw(await self._vault.sign_draft(said.network, wire.draft_of(said)))
                case wire.SignCall() as said:
                    return wire.answer_raw(await self._vault.sign_call(wire.call_of(said)))
        except wire.MalformedError as error:
            return wire.answer_refused(Refused(Rule.MALFORMED, str(error)))
        except Refused as refused:
            log.warning("signer.refused", rule=refused.rule.value, why=str(refused), subjects=refused.subjects[:10])
            return wire.answer_refused(refused)
