"""Sockets that servers listen on: opened here, or handed over by a supervisor that keeps them over restarts."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def open_listener(host: str, port: int, fd: int | None = None) -> socket.socket:
    """A listening socket; port 0 picks a free one, `fd` is an inherited one. Raises OSError when the port is taken."""
    if fd is not None:
        return socket.socket(fileno=fd)
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)


def port_of(listener: socket.socket) -> int:
    """The port of a listening socket."""
    port: int = listener.getsockname()[1]
    return port
