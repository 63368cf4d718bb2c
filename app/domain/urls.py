"""Webhook URLs: which ones we would ever POST to, and which addresses no name of theirs may lead to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from app.domain.errors import WebhookUrlForbidden

MAX_URL: Final = 2048  # characters
PORTS: Final = frozenset({443, 8443})
LOOPBACK: Final = "127.0.0.1"

# The parts are cut once, here, and the URL is put together again from them: libraries disagree on where a host ends
# when there is an `@`, a backslash or a control character. RFC 3986, without userinfo and fragment.
_PATH: Final = r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
_PORT: Final = r":(?P<port>[1-9][0-9]{0,4})"
_PUBLIC: Final = re.compile(rf"https://(?P<host>[^\s/?#@:\\\[\]%\x00-\x20\x7f]+)(?:{_PORT})?{_PATH}", re.ASCII)
_LOOPBACK: Final = re.compile(rf"http://127\.0\.0\.1{_PORT}{_PATH}", re.ASCII)

# The union of what two hardened senders refuse, because `ipaddress.is_global` calls several of these global: NAT64 and
# 6to4 of loopback and of the cloud's metadata service among them.
# https://github.com/svix/svix-webhooks and https://github.com/stripe/smokescreen
_DENIED: Final = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # also ::1 and addresses that hold an IPv4 address
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


@dataclass(frozen=True, slots=True)
class HookUrl:
    """A URL that passed the rules, in parts; `host` is in its ASCII form, `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    def __str__(self) -> str:
        port = "" if (self.scheme, self.port) == ("https", 443) else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.target}"

    @property
    def is_loopback(self) -> bool:
        """Whether this is the development machine itself; only ever so where loopback is allowed."""
        return self.host == LOOPBACK


def hook_url(text: str, *, public_name: Callable[[str], str | None], allow_loopback: bool = False) -> HookUrl:
    """Read a webhook URL; raises WebhookUrlForbidden for everything that is not plainly public https.

    `public_name` turns a host into its ASCII form, or into None when it is no DNS name under a public suffix.
    `allow_loopback` is for development: it admits `http://127.0.0.1:<port>` and nothing else.
    """
    if len(text) > MAX_URL:
        raise WebhookUrlForbidden(f"The URL is longer than {MAX_URL} characters.", pointer="/url")
    loopback = _LOOPBACK.fullmatch(text) if allow_loopback else None
    if loopback is not None and int(loopback["port"]) < 65536:
        return HookUrl("http", LOOPBACK, int(loopback["port"]), _target(loopback))
    found = _PUBLIC.fullmatch(text)
    if found is None:
        raise WebhookUrlForbidden(pointer="/url")
    port = int(found["port"] or 443)
    host = public_name(found["host"])
    if port not in PORTS or host is None:
        raise WebhookUrlForbidden(pointer="/url")
    url = HookUrl("https", host, port, _target(found))
    if len(str(url)) > MAX_URL:
        raise WebhookUrlForbidden(f"The URL is longer than {MAX_URL} characters.", pointer="/url")
    return url


def _target(found: re.Match[str]) -> str:
    return (found["path"] or "/") + (found["query"] or "")


def is_denied(address: str) -> bool:
    """Whether nothing of ours may connect to this IP address; what cannot be read as one is denied too."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return True
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in block for block in _DENIED if block.version == parsed.version)
