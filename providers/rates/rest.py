"""Asking a venue over HTTP: bounded answers, its limits kept, and every failure in the words of our ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
import orjson

from app.ports.errors import ProviderThrottled, ProviderUnavailable
from providers.rates.allowance import Allowance

_LONGEST_ANSWER: Final = 1_000_000  # bytes; 500 levels a side are about 40,000
# Binance says 418 to an address that went on asking after 429; see its "LIMITS".
_TOO_OFTEN: Final = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.IM_A_TEAPOT)


class Answer:
    """A whole answer: its JSON, how long a cache has kept it, and its status."""

    def __init__(self, body: object, age: float, status: int) -> None:
        """`age` is in seconds."""
        self.body = body
        self.age = age
        self.status = status


class Rest:
    """One venue's HTTP interface at its configured address."""

    def __init__(self, client: httpx.AsyncClient, name: str, base_url: str, allowance: Allowance) -> None:
        """The client brings the timeouts; `allowance` is shared by all that ask this venue."""
        self._client = client
        self._name = name
        self._base = base_url.rstrip("/")
        self._allowance = allowance

    async def get(self, path: str, params: Mapping[str, str | int], *, weight: float, refusals: bool = False) -> Answer:
        """GET; see `send`."""
        return await self.send("GET", path, weight=weight, params=params, refusals=refusals)

    async def send(
        self,
        method: str,
        path: str,
        *,
        weight: float,
        params: Mapping[str, str | int] | None = None,
        content: str | None = None,
        headers: Mapping[str, str] | None = None,
        refusals: bool = False,
    ) -> Answer:
        """Ask once the allowance permits; with `refusals`, also statuses 400 to 499 are answers to be read.

        Raises ProviderThrottled, and ProviderUnavailable for anything else that is no usable answer.
        """
        await self._allowance.take(weight)
        try:
            async with self._client.stream(
                method, self._base + path, params=params, content=content, headers=headers
            ) as response:
                if response.status_code in _TOO_OFTEN:
                    pause = _seconds(response.headers.get("retry-after"))
                    raise ProviderThrottled(self._name, f"status {response.status_code}", retry_after=pause)
                readable = refusals and 400 <= response.status_code < 500
                if response.status_code != httpx.codes.OK and not readable:
                    raise ProviderUnavailable(self._name, f"status {response.status_code}")
                content_read = await self._read(response)
        except httpx.HTTPError as error:
            raise ProviderUnavailable(self._name, f"no answer: {type(error).__name__}") from error
        age = _seconds(response.headers.get("age")) or 0.0
        return Answer(self._decoded(content_read), age, response.status_code)

    async def _read(self, response: httpx.Response) -> bytes:
        """The body, read no further than we are willing to keep."""
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _LONGEST_ANSWER:
                raise ProviderUnavailable(self._name, "the answer is too long")
        return bytes(content)

    def _decoded(self, content: bytes) -> object:
        try:
            body: object = orjson.loads(content)  # itself refuses what is nested a thousand times
        except ValueError:
            raise ProviderUnavailable(self._name, "the answer is not JSON") from None
        return body


def _seconds(header: str | None) -> float | None:
    """A header in whole seconds; None when it is absent or a date."""
    return float(header) if header is not None and header.isascii() and header.isdigit() else None
