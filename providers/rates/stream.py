"""A connection on which a venue tells of its books, kept open through every failure.

What comes is handed to a `Feed`. Silence beyond the deadline, books that stay out of step, and every lost connection
lead to a new one, after a pause that doubles up to a limit and is shortened by chance, so that no crowd of instances
comes back at once. Redirects are not followed: we speak to the configured address and nobody else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
_SETTLED_SECONDS: Final = 30.0  # a connection that lived so long was a good one: the next pause is short again
_OPEN_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 1.0
_PING_SECONDS: Final = 10.0  # Binance takes five messages a second, pings among them
_LONGEST_MESSAGE: Final = 4_000_000  # bytes; a snapshot of 1,000 levels a side is about 80,000
_log = structlog.stdlib.get_logger(__name__)

Send = Callable[[str], Awaitable[None]]


class Broken(Exception):
    """This connection is of no more use; the reason, without anything secret."""


class Feed(Protocol):
    """What is done with a connection. It is told of the end by `lost`, whatever the reason."""

    def address(self) -> str:
        """Where to connect."""
        ...

    async def opened(self, send: Send) -> None:
        """A connection is there; raises Broken or ProviderError when it cannot be used."""
        ...

    async def received(self, text: str) -> None:
        """One message; raises Broken when the connection is of no more use."""
        ...

    def lost(self, reason: str) -> None:
        """The connection is gone, and with it whatever was held because of it."""
        ...


class _NoRedirects(connect):
    """The library's connector, without its willingness to be sent elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Leave a redirect the refusal that it is to us."""
        return exc


class Stream:
    """Keeps one feed connected."""

    def __init__(
        self,
        feed: Feed,
        name: str,
        *,
        deadline: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`deadline` is the longest silence, in seconds."""
        self._feed = feed
        self._name = name
        self._deadline = deadline
        self._sleep = sleep
        self._chance = chance

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failures = 0
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await self._once()
                reason = "closed"
            except Broken as error:
                reason = str(error)
            except TimeoutError:
                reason = "silent for too long"
            except (OSError, WebSocketException) as error:
                reason = type(error).__name__
            except Exception as error:  # a bug in reading one message must not end the feed for good
                reason = f"unexpected {type(error).__name__}"
                _log.exception("price.stream_failed", source=self._name)
            self._feed.lost(reason)
            settled = asyncio.get_running_loop().time() - started > _SETTLED_SECONDS
            failures = 0 if settled else failures + 1
            _log.warning("price.stream_lost", source=self._name, reason=reason, failures=failures)
            await self._sleep(pause_after(failures, self._chance()))

    async def _once(self) -> None:
        """One connection, from its opening to its end."""
        async with _NoRedirects(
            self._feed.address(),
            proxy=None,
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            max_size=_LONGEST_MESSAGE,
        ) as connection:
            await self._feed.opened(connection.send)
            while True:
                async with asyncio.timeout(self._deadline):
                    text = await connection.recv()
                if not isinstance(text, str):
                    raise Broken("a message that is not text")
                await self._feed.received(text)


def pause_after(failures: int, chance: float) -> float:
    """Seconds before the next connection after so many failures in a row; `chance` lies in [0, 1)."""
    doublings = min(max(failures - 1, 0), 16)
    return min(FIRST_PAUSE * 2.0**doublings, LONGEST_PAUSE) * (0.5 + chance / 2)
