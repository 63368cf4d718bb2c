"""One POST to a subscriber: within a budget of time and bytes, to a guarded address, and never any further."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache

import httpcore
import httpx

from app.domain.errors import WebhookUrlForbidden
from app.domain.urls import hook_url
from app.ports.resolver import Resolver
from app.services.hosts import public_name
from webhooks.outbound.guard import AddressDenied, AnswerTooLarge, GuardedNetwork

BUDGET_SECONDS = 15.0  # for all of it: name, connection, TLS, request and the whole answer
MOST_READ = 64 * 1024  # bytes, headers included
KEPT = 2 * 1024  # bytes of the answer's body that are written down
LONGEST_PAUSE = timedelta(hours=24)

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a POST. `error` is set whenever there was no whole answer, or a redirect."""

    status: int | None
    error: str | None
    text: str | None
    retry_after: timedelta | None
    duration_ms: int

    @property
    def succeeded(self) -> bool:
        """Whether the subscriber has taken the event: a whole answer with a 2xx status."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class _Answer:
    """An answer as far as it has come."""

    status: int | None = None
    kept: bytes = b""
    retry_after: timedelta | None = None


@cache
def _system_tls() -> ssl.SSLContext:
    """One for the process: reading the authorities takes tens of milliseconds."""
    return httpx.create_ssl_context(trust_env=False)


class Poster:
    """Posts, each time over a new connection: no redirects, no proxies, no cookies, no decompression.

    That is why it speaks HTTP through httpcore, which knows none of these, rather than through httpx.
    """

    def __init__(
        self,
        resolver: Resolver,
        *,
        allow_loopback: bool = False,
        tls: ssl.SSLContext | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        budget_seconds: float = BUDGET_SECONDS,
    ) -> None:
        """`allow_loopback` is for development. `tls` and `network` replace the system's own."""
        self._allow_loopback = allow_loopback
        self._tls = tls or _system_tls()
        self._network = GuardedNetwork(resolver, allow_loopback=allow_loopback, read_limit=MOST_READ, network=network)
        self._budget = budget_seconds

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """POST `body`; whatever goes wrong is told in the reply, nothing is raised."""
        begun = time.monotonic()
        answer, error = _Answer(), None
        try:
            async with asyncio.timeout(self._budget):
                await self._exchange(url, headers, body, answer)
        except TimeoutError:
            error = "timeout"
        except WebhookUrlForbidden:
            error = "url_forbidden"
        except AddressDenied:
            error = "address_denied"
        except AnswerTooLarge:
            error = "answer_too_large"
        except httpcore.ConnectError:
            error = "connection_failed"
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError):
            error = "connection_broken"
        if error is None and answer.status is not None and 300 <= answer.status < 400:
            error = "redirect"
        return Reply(
            status=answer.status,
            error=error,
            text=_plain(answer.kept) if answer.status is not None else None,
            retry_after=answer.retry_after,
            duration_ms=round((time.monotonic() - begun) * 1000),
        )

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes, answer: _Answer) -> None:
        # The rules are asked again: what was stored under other rules, or by other hands, is not trusted.
        target = str(hook_url(url, public_name=public_name, allow_loopback=self._allow_loopback))
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls, network_backend=self._network, max_keepalive_connections=0
            ) as pool,
            pool.stream("POST", target, headers=[*_FIXED_HEADERS, *headers.items()], content=body) as response,
        ):
            answer.status = response.status
            answer.retry_after = _retry_after(response.headers, datetime.now(UTC))
            async for chunk in response.aiter_stream():
                answer.kept += chunk[: KEPT - len(answer.kept)]


_FIXED_HEADERS = (
    ("content-type", "application/json"),
    ("user-agent", "Rampwright/1"),
    ("accept-encoding", "identity"),
    ("connection", "close"),
)


def _retry_after(headers: list[tuple[bytes, bytes]], now: datetime) -> timedelta | None:
    """How long the other side asks us to wait, a day at most: seconds or a date (RFC 9110, 10.2.3)."""
    for name, value in headers:
        if name.lower() == b"retry-after":
            return _pause(value.decode("latin-1").strip(), now)
    return None


def _pause(text: str, now: datetime) -> timedelta | None:
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return max(timedelta(0), min(wait, LONGEST_PAUSE))


def _plain(body: bytes) -> str:
    """Bytes of any kind as text that the database can hold."""
    return body.decode("utf-8", "replace").replace("\x00", "")
