"""Connections to venues: kept through failures without haste, read with a deadline, and never led elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from providers.rates.stream import FIRST_PAUSE, LONGEST_PAUSE, Broken, Send, Stream, pause_after

Handler = Callable[[ServerConnection], Awaitable[None]]


class Ear:
    """A feed that only listens."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.heard: list[str] = []
        self.losses: list[str] = []
        self.breaks_on = "bad"

    def address(self) -> str:
        """Where to connect."""
        return self._address

    async def opened(self, send: Send) -> None:
        """Say hello."""
        await send("hello")

    async def received(self, text: str) -> None:
        """Remember."""
        if text == self.breaks_on:
            raise Broken("out of step")
        if text == "bug":
            raise KeyError(text)
        self.heard.append(text)

    def lost(self, reason: str) -> None:
        """Remember."""
        self.losses.append(reason)


@contextlib.asynccontextmanager
async def listening(
    handler: Handler, process_request: Callable[[ServerConnection, Request], Response] | None = None
) -> AsyncIterator[str]:
    """A server of ours on a free port."""
    async with serve(handler, "127.0.0.1", 0, process_request=process_request) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def losses_of(ear: Ear, count: int, *, deadline: float = 5.0) -> list[float]:
    """Run a stream until so many connections have been lost; the pauses that it made."""
    pauses: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == count:
            enough.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(Stream(ear, "venue", deadline=deadline, sleep=sleep, chance=lambda: 1.0).run())
    async with asyncio.timeout(20):
        await enough.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return pauses


async def test_every_lost_connection_is_made_again_ever_more_slowly() -> None:
    async def handler(connection: ServerConnection) -> None:
        assert await connection.recv() == "hello"
        await connection.send("one")

    async with listening(handler) as address:
        ear = Ear(address)
        pauses = await losses_of(ear, 4)
    assert ear.heard == ["one"] * 4
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert ear.losses == ["ConnectionClosedOK"] * 4


@pytest.mark.parametrize(
    ("message", "reason"),
    [("bad", "out of step"), (b"bytes", "a message that is not text"), ("bug", "unexpected KeyError")],
)
async def test_what_cannot_be_read_ends_the_connection_and_not_the_stream(message: str | bytes, reason: str) -> None:
    says = iter([message, "good"])

    async def handler(connection: ServerConnection) -> None:
        await connection.send(next(says))
        await connection.wait_closed()

    async with listening(handler) as address:
        ear = Ear(address)
        running = asyncio.create_task(Stream(ear, "venue", deadline=5, sleep=lambda _: asyncio.sleep(0)).run())
        async with asyncio.timeout(10):
            while not ear.heard:
                await asyncio.sleep(0.01)
        running.cancel()
    assert (ear.heard, ear.losses) == (["good"], [reason])


async def test_silence_beyond_the_deadline_is_a_lost_connection() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()  # answers pings, and says nothing

    async with listening(handler) as address:
        ear = Ear(address)
        await losses_of(ear, 1, deadline=0.1)
    assert ear.losses == ["silent for too long"]


async def test_a_venue_that_is_not_there_is_no_reason_to_end() -> None:
    ear = Ear("ws://127.0.0.1:9")
    assert await losses_of(ear, 3) == [0.5, 1.0, 2.0]
    assert ear.losses == ["ConnectionRefusedError"] * 3


async def test_nobody_sends_us_elsewhere() -> None:
    visits: list[str] = []

    async def elsewhere(connection: ServerConnection) -> None:
        visits.append("elsewhere")

    async with listening(elsewhere) as other:

        def redirect(_: ServerConnection, __: Request) -> Response:
            return Response(HTTPStatus.FOUND, "Found", Headers({"Location": other}))

        async with listening(elsewhere, process_request=redirect) as address:
            ear = Ear(address)
            await losses_of(ear, 2)
    assert ear.losses == ["InvalidStatus"] * 2
    assert visits == []


def test_pauses_double_up_to_a_limit_and_chance_shortens_them() -> None:
    assert [pause_after(failures, 1.0) for failures in (0, 1, 2, 3, 7, 8, 10_000)] == [
        FIRST_PAUSE, FIRST_PAUSE, 1.0, 2.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE,
    ]  # fmt: skip
    assert pause_after(1, 0.0) == FIRST_PAUSE / 2
    assert pause_after(10_000, 0.0) == LONGEST_PAUSE / 2


def test_a_venue_that_always_hangs_up_is_not_asked_more_often_than_it_allows() -> None:
    """Kraken's front admits about 150 connections in ten minutes, Binance 300 in five."""

    def attempts(seconds: float, lives: float) -> Iterator[float]:
        now, failures = 0.0, 0
        while now < seconds:
            yield now
            failures = 0 if lives > 30 else failures + 1
            now += lives + pause_after(failures, 0.0)

    assert len(list(attempts(600, 0.0))) < 60
    assert len(list(attempts(600, 31.0))) < 60
    assert len(list(attempts(300, 5.0))) < 60
