"""Bad input, cross-cutting: what is wrong below HTTP's surface, at a real server (C-05, C-12, C-19, C-20)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn

from app.main import build_app
from tests.api.front import Caller, Front
from tests.support.hosting import serving


@pytest.fixture(scope="module")
async def port(front: Front) -> AsyncIterator[int]:
    """The same instance behind a real server, on this port."""
    async with serving(build_app(front.context)) as (_, url):
        yield int(url.rpartition(":")[2])


async def speak(port: int, sent: bytes, *, more: bytes = b"") -> tuple[bytes, bool]:
    """Send bytes and read until the server closes or says nothing more; the answer, and whether it closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer, closed = b"", False
    try:
        writer.write(sent)
        for _ in range(200 if more else 0):
            writer.write(more)
            await asyncio.sleep(0)
        while True:
            chunk = await asyncio.wait_for(reader.read(65536), 0.5)
            if not chunk:
                closed = True
                break
            answer += chunk
    except TimeoutError:
        pass
    except ConnectionError:
        closed = True
    writer.close()
    return answer, closed


def head(caller: Caller, method: str, path: str, *lines: str) -> bytes:
    """The head of a request."""
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {caller.key}", *lines, "", ""]
    ).encode()


def status_of(answer: bytes) -> int:
    """The status of the first answer."""
    return int(answer.split(b" ", 2)[1])


JSON = ("Content-Type: application/json", "Idempotency-Key: k")


async def test_the_server_answers(port: int, caller: Caller) -> None:
    answer, closed = await speak(port, head(caller, "GET", "/v1/assets"))
    assert (status_of(answer), closed) == (200, False)


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /healthz/live\r\n\r\n",
        b"GET /healthz/live HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /healthz/live HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
        b"GET /healthz/live HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
        b"GET /healthz/live HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_c_19_c_20_not_http(port: int, sent: bytes) -> None:
    answer, closed = await speak(port, sent)
    assert closed
    assert not answer or status_of(answer) in {400, 505}


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: x",),
        ("Content-Length: -1",),
        ("Content-Length: +2",),
        ("Transfer-Encoding: chunked, identity",),
    ],
)
async def test_c_19_lengths_that_disagree(port: int, caller: Caller, lines: tuple[str, ...]) -> None:
    answer, closed = await speak(port, head(caller, "POST", "/v1/quotes", *JSON, *lines) + b"{}")
    assert closed
    assert status_of(answer) == 400


async def test_c_19_a_body_that_never_comes(front: Front, port: int, caller: Caller) -> None:
    before = await front.state()
    await speak(port, head(caller, "POST", "/v1/quotes", *JSON, "Content-Length: 100") + b'{"direction"')
    assert await front.state() == before


async def test_c_20_too_many_headers(port: int, caller: Caller) -> None:
    many = [f"X-Header-{number}: a" for number in range(200)]
    answer, _ = await speak(port, head(caller, "GET", "/v1/assets", *many))
    assert status_of(answer) == 431
    assert b"application/problem+json" in answer


async def test_c_20_a_header_of_64_kib(port: int, caller: Caller) -> None:
    answer, _ = await speak(port, head(caller, "GET", "/v1/assets", "X-Long: " + "a" * 65_536))
    assert not answer or status_of(answer) in {400, 431}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
async def test_c_05_methods_of_proxies(port: int, caller: Caller, method: str) -> None:
    answer, _ = await speak(port, head(caller, method, "/v1/assets"))
    assert status_of(answer) in {400, 405}
    assert caller.key.encode() not in answer


async def test_c_12_a_large_body_is_not_read_to_its_end(front: Front, port: int, caller: Caller) -> None:
    before = await front.state()
    sent = head(caller, "POST", "/v1/quotes", *JSON, "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer, closed = await speak(port, sent, more=chunk)
    assert closed
    assert not answer or status_of(answer) == 413
    declared, closed = await speak(port, head(caller, "POST", "/v1/quotes", *JSON, f"Content-Length: {2**30}"))
    assert (status_of(declared), closed) == (413, True)
    assert await front.state() == before


def test_uvicorn_is_what_we_think() -> None:
    """The figures above are of this server; another major version needs another look."""
    assert int(uvicorn.__version__.split(".")[0]) == 0
