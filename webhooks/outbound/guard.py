"""The guard: a name is looked up, every address is checked, and the connection goes to a checked address itself."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from app.domain.urls import LOOPBACK, is_denied
from app.ports.resolver import Resolver

_MOST_TRIED = 3  # addresses of one host


class AddressDenied(Exception):
    """The host leads to an address that nothing of ours may connect to."""


class AnswerTooLarge(Exception):
    """The other side sent more than we are willing to read."""


class SystemResolver:
    """Looks names up the way the operating system does. Implements Resolver."""

    async def resolve(self, host: str) -> list[str]:
        """Every A and AAAA address of the host."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedNetwork(AsyncNetworkBackend):
    """Opens connections for an HTTP client that goes on using the name for Host, SNI and the certificate."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        allow_loopback: bool = False,
        read_limit: int,
        network: AsyncNetworkBackend | None = None,
    ) -> None:
        """`read_limit` is in bytes per connection, headers and body together."""
        self._resolver = resolver
        self._allow_loopback = allow_loopback
        self._read_limit = read_limit
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's own parameter
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to one of the host's addresses; raises AddressDenied when any of them is not public."""
        loopback = self._allow_loopback and host == LOOPBACK
        addresses = [LOOPBACK] if loopback else await self._checked(host)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses[:_MOST_TRIED]:
            try:
                stream = await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            peer = _peer_of(stream)
            if peer != LOOPBACK if loopback else is_denied(peer):
                await stream.aclose()
                raise AddressDenied(f"{host}: connected to another address than the one that was checked")
            return _LimitedStream(stream, self._read_limit)
        raise failure or httpcore.ConnectError("the host has no address")

    async def _checked(self, host: str) -> list[str]:
        addresses = await self._resolver.resolve(host)
        if any(is_denied(address) for address in addresses):
            raise AddressDenied(f"{host}: not all of its addresses are public")
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Wait, for the client's own purposes."""
        await asyncio.sleep(seconds)


def _peer_of(stream: AsyncNetworkStream) -> str:
    """Where the connection really ends, as the kernel says."""
    return str(stream.get_extra_info("socket").getpeername()[0])


class _LimitedStream(AsyncNetworkStream):
    """A connection that ends when the other side sends too much: an endless body, or headers without end."""

    def __init__(self, stream: AsyncNetworkStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the base class's own parameter
        data = await self._stream.read(max_bytes, timeout)
        self._left -= len(data)
        if self._left < 0:
            raise AnswerTooLarge
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the base class's own parameter
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's own parameter
    ) -> AsyncNetworkStream:
        return _LimitedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._limit)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
