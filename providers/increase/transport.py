"""How requests reach Increase: one httpx client of our own below the SDK, and every answer as plain JSON."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import orjson
from increase import AsyncIncrease

from providers.increase.errors import Malformed, translated

# https://increase.com/documentation: which address belongs to which environment. Any other, such as our own far side,
# is a test environment.
LIVE_HOST = "api.increase.com"


class Raw(Protocol):
    """An answer as the SDK hands it over unread: its models would take any JSON for what they expect."""

    @property
    def headers(self) -> httpx.Headers:
        """The answer's headers."""
        ...

    async def read(self) -> bytes:
        """The answer's body."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `replayed` says that the object was made by an earlier request under the same key."""

    document: object
    replayed: bool


def check_address(api_base: str, *, livemode: bool) -> None:
    """Raise ValueError when this address is not one for this mode, or not safe for live money."""
    parts = urlsplit(api_base)
    if livemode and (parts.scheme, parts.hostname) != ("https", LIVE_HOST):
        raise ValueError(f"live payouts go to https://{LIVE_HOST} and nowhere else")
    if not livemode and parts.hostname == LIVE_HOST:
        raise ValueError(f"{LIVE_HOST} moves real money, and this is test mode")


def client_for(api_key: str, api_base: str, *, timeout: float) -> tuple[AsyncIncrease, httpx.AsyncClient]:
    """The SDK, and the connections below it, which the caller closes.

    The SDK's own retries are off: one call is one request, so that our jobs alone decide when to ask again and the time
    of a call is bounded by one timeout. Redirects are not followed: a key must not travel to another host.
    """
    limits = httpx.Timeout(timeout, connect=min(5.0, timeout))
    http = httpx.AsyncClient(verify=_tls(), timeout=limits, follow_redirects=False)
    client = AsyncIncrease(
        api_key=api_key, base_url=api_base.rstrip("/"), http_client=http, timeout=limits, max_retries=0
    )
    return client, http


async def ask(call: Awaitable[Raw], *, reading: bool = False) -> Answer:
    """Make one request; raises the port's errors and no others."""
    try:
        response = await call
        document: object = orjson.loads(await response.read())
        return Answer(document, response.headers.get("idempotent-replayed") == "true")
    except Exception as error:
        # Everything, for the SDK and what is below it have errors of many kinds for an answer without sense.
        raise translated(error, reading=reading) from error


def page_in(document: object) -> tuple[list[object], str | None]:
    """One page of a list, and where the next begins; raises Malformed."""
    data, cursor = (
        (document.get("data"), document.get("next_cursor")) if isinstance(document, Mapping) else (None, None)
    )
    if not isinstance(data, list) or not (cursor is None or isinstance(cursor, str)) or (cursor and not data):
        raise Malformed("a list without data")
    return data, cursor or None


@cache
def _tls() -> ssl.SSLContext:
    """What certificates are checked against; reading it takes longer than ten requests, so it is read once."""
    return httpx.create_ssl_context()
