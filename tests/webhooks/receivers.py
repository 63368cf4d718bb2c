"""Subscribers to POST to: well-behaved ones and hostile ones, over plain sockets of this machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

Behaviour = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Received:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """A listening subscriber; `connections` counts even those that never say a word."""

    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"


def answering(status: int, *, headers: str = "", body: bytes = b"ok") -> Behaviour:
    """Always the same answer."""

    async def behave(_: Received, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} Whatever\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)

    return behave


def in_turn(*statuses: int) -> Behaviour:
    """One status after the other; the last one for ever."""
    waiting = list(statuses)

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        status = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        await answering(status)(received, writer)

    return behave


@asynccontextmanager
async def receiver(behave: Behaviour, *, tls: SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Listen on a free port of 127.0.0.1 until the block ends."""
    found = Receiver()
    open_tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_tasks.add(task)
        found.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                received = await _read(reader)
                found.requests.append(received)
                await behave(received, writer)
                await writer.drain()
        finally:
            open_tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        remaining: Sequence[asyncio.Task[None]] = list(open_tasks)
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(head[0], headers, body)
