"""One POST against receivers that misbehave: faults.md F-124, F-125, F-128."""

from __future__ import annotations

import asyncio
import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.webhooks.names import Names
from tests.webhooks.receivers import Received, answering, receiver
from webhooks.outbound.post import KEPT, Poster, Reply

BUDGET = 0.5


async def post(url: str, *, budget: float = BUDGET) -> Reply:
    return await Poster(Names([]), allow_loopback=True, budget_seconds=budget).post(url, {}, b'{"a":1}')


async def test_a_whole_answer_with_a_2xx_is_success() -> None:
    for status in (200, 201, 202, 204, 299):
        async with receiver(answering(status, body=b"" if status == 204 else b"thanks")) as there:
            reply = await post(there.url)
            assert (reply.succeeded, reply.status, reply.error) == (True, status, None)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 502, 503, 504])
async def test_fault_f_124_a_status_that_is_no_success(status: int) -> None:
    async with receiver(answering(status, body=b"no")) as there:
        reply = await post(there.url)
        assert (reply.succeeded, reply.status, reply.text, reply.error) == (False, status, "no", None)


async def test_fault_f_124_nobody_listens() -> None:
    async with receiver(answering(200)) as there:
        url = there.url
    reply = await post(url)
    assert (reply.succeeded, reply.status, reply.error) == (False, None, "connection_failed")


async def test_fault_f_124_connection_reset_and_nonsense() -> None:
    async def hang_up(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def babble(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no HTTP\r\n\r\n")

    async def stop_early(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort")

    for behave, status in ((hang_up, None), (babble, None), (stop_early, 200)):
        async with receiver(behave) as there:
            reply = await post(there.url)
            assert (reply.succeeded, reply.status, reply.error) == (False, status, "connection_broken")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_fault_f_125_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    async with receiver(answering(200)) as canary:
        async with receiver(answering(status, headers=f"location: {canary.url}\r\n")) as there:
            reply = await post(there.url)
        assert (reply.succeeded, reply.status, reply.error) == (False, status, "redirect")
        assert canary.connections == 0


async def _hang(_: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _drip_body(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_headers(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-a: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("behave", [_hang, _drip_body, _drip_headers])
async def test_fault_f_128_slow_receivers_cost_no_more_than_the_budget(
    behave: object,
) -> None:
    assert callable(behave)
    async with receiver(behave) as there:
        begun = time.monotonic()
        reply = await post(there.url)
        assert (reply.succeeded, reply.error) == (False, "timeout")
        assert BUDGET <= time.monotonic() - begun < BUDGET + 3
        assert BUDGET * 1000 <= reply.duration_ms < (BUDGET + 3) * 1000


async def _endless_body(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def _endless_headers(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-a: " + b"b" * 1000 + b"\r\n")
        await writer.drain()


async def _endless_informational(_: Received, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()


@pytest.mark.parametrize("behave", [_endless_body, _endless_headers, _endless_informational])
async def test_fault_f_128_huge_answers_are_cut_off_at_once(behave: object) -> None:
    assert callable(behave)
    async with receiver(behave) as there:
        begun = time.monotonic()
        reply = await post(there.url, budget=10)
        assert (reply.succeeded, reply.error) == (False, "answer_too_large")
        assert time.monotonic() - begun < 8


async def test_what_is_kept_of_an_answer_is_short_and_can_be_stored() -> None:
    body = b"\x00\xff" + "ü".encode() * 5000
    async with receiver(answering(500, body=body)) as there:
        reply = await post(there.url)
    assert reply.text is not None
    assert "\x00" not in reply.text
    assert reply.text.startswith("\N{REPLACEMENT CHARACTER}ü")
    assert len(reply.text) <= KEPT


async def test_a_compressed_answer_is_never_unpacked() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    async with receiver(answering(200, headers="content-encoding: gzip\r\n", body=bomb)) as there:
        reply = await post(there.url)
        assert there.requests[0].headers["accept-encoding"] == "identity"
    assert reply.succeeded
    assert len(reply.text or "") <= KEPT


async def test_retry_after_is_read_as_seconds_or_as_a_date_and_is_bounded() -> None:
    now = datetime.now(UTC)
    dates = {
        format_datetime(now + timedelta(seconds=90), usegmt=True): 90,
        format_datetime(now - timedelta(days=3), usegmt=True): 0,
        format_datetime(now + timedelta(days=300), usegmt=True): 86_400,
    }
    for text, seconds in {"0": 0, "17": 17, "999999999": 86_400, **dates}.items():
        async with receiver(answering(503, headers=f"retry-after: {text}\r\n")) as there:
            pause = (await post(there.url)).retry_after
            assert pause is not None
            assert abs(pause.total_seconds() - seconds) < 5
    for text in ("", "-5", "1e3", "١٢", "soon", "Mon, 99 Foo 2026 99:99:99 GMT", "1" * 30):
        async with receiver(answering(503, headers=f"retry-after: {text}\r\n")) as there:
            assert (await post(there.url)).retry_after is None
