"""Host names: the one ASCII spelling of a public DNS name."""

from __future__ import annotations

from functools import cache

import idna
from publicsuffixlist import PublicSuffixList

_MAX_NAME = 253  # characters, without the root's dot: RFC 1035, 2.3.4


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def public_name(host: str) -> str | None:
    """The A-label form of a name below a public suffix; None for anything else, IP addresses in any spelling included.

    Compatibility forms are folded first (UTS 46), so that a full-width dot or digit hides nothing.
    """
    try:
        name = idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
    last = name.rpartition(".")[2]
    # A last label that is a number makes a resolver read the whole as an IPv4 address.
    if len(name) > _MAX_NAME or not last or last.isdigit() or last.startswith("0x"):
        return None
    return name if _suffixes().privatesuffix(name) else None
