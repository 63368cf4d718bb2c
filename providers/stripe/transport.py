"""How the stripe SDK reaches the network: one httpx client of our own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from typing import NoReturn

import httpx
import stripe

# Otherwise the SDK writes an id of this machine below the home directory, which a container may not have, and sends it.
stripe.enable_telemetry = False


@cache
def _tls() -> ssl.SSLContext:
    """What certificates are checked against; reading it takes longer than ten requests, so it is read once."""
    return httpx.create_ssl_context()


class HttpxTransport(stripe.HTTPClient):
    """An asynchronous HTTP client for the SDK.

    The SDK has one (stripe.HTTPXClient), which hands bodies over in a way that httpx deprecates, so that every POST
    warns. Redirects are not followed: Stripe has none, and a key must not travel to another host.
    """

    name = "httpx"

    def __init__(self, *, timeout: float) -> None:
        """`timeout` is in seconds, for each of sending and waiting; connecting gets five of them at most."""
        super().__init__()
        self._client = httpx.AsyncClient(verify=_tls(), timeout=httpx.Timeout(timeout, connect=min(5.0, timeout)))

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | bytes | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request; httpx's errors pass through the SDK as they are, and errors.py reads them."""
        response = await self._client.request(method, url, headers=headers, content=post_data or None)
        return response.content, response.status_code, response.headers

    async def sleep_async(self, seconds: float) -> None:
        """Wait, between the SDK's own retries, if there were any."""
        await asyncio.sleep(seconds)

    async def close_async(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: object = None, **_: object
    ) -> NoReturn:
        """Refused: the SDK's blocking calls would stop the event loop."""
        raise RuntimeError("the Stripe rail is asynchronous")

    def close(self) -> None:
        """Nothing to do for blocking calls."""
