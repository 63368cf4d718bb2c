"""Origins: which pages may embed a session, in the one spelling that browsers compare."""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{4,253}}\Z){_LABEL}(?:\.{_LABEL})*\.[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+)(?::(?P<port>[1-9][0-9]{0,4}))?", re.ASCII)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
_REST: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?", re.ASCII)
MAX_URL: Final = 2048  # characters


def is_origin(text: str, *, allow_loopback: bool = False) -> bool:
    """Whether a text is an https origin, spelled as browsers spell it: lower case, no usual port, nothing behind.

    `allow_loopback` is for development: it admits `http://127.0.0.1:<port>` and `http://localhost:<port>`.
    """
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return False
    scheme, host, port = found["scheme"], found["host"], found["port"]
    if port is not None and int(port) > 65535:
        return False
    if scheme == "http":
        return allow_loopback and host in _LOOPBACK and port is not None
    return port != "443" and _HOST.fullmatch(host) is not None


def origin_of(url: str, *, allow_loopback: bool = False) -> str | None:
    """The origin of a URL that a customer may be sent back to; None when it is not plainly one."""
    if len(url) > MAX_URL:
        return None
    slashes = url.find("://") + 3
    ends = [place for mark in "/?" if (place := url.find(mark, slashes)) >= 0]
    cut = min(ends, default=len(url))
    origin = url[:cut]
    if not is_origin(origin, allow_loopback=allow_loopback) or not _REST.fullmatch(url[cut:]):
        return None
    return origin
