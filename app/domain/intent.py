"""Intents: what was agreed to be sent, under a seal that only we can make and that the signer verifies.

Whoever can write to the database can swap an address or an amount there. Without the key of the seal he cannot make
the signer sign for it (faults.md, F-94).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_VERSION: Final = b"\x01"
_DIGEST: Final = "sha256"
SEAL_SIZE: Final = 33  # bytes: the version, and HMAC-SHA256
LEAST_KEY: Final = 32  # bytes


@dataclass(frozen=True, slots=True)
class Intent:
    """That a send was agreed to: for which order or payout, in which asset (its ledger id), and the seal upon it."""

    subject: str
    asset: str
    seal: bytes


class IntentKeys:
    """The keys of the seals: the first one seals, every one verifies, so that keys can be rolled."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Newest first; raises ValueError without any, or for one of fewer than LEAST_KEY bytes."""
        if not keys or min(len(key) for key in keys) < LEAST_KEY:
            raise ValueError(f"a key for intents has at least {LEAST_KEY} bytes")
        self._keys = tuple(keys)

    @classmethod
    def read(cls, text: str) -> IntentKeys:
        """The keys of a file, one in hex a line; raises ValueError, which does not repeat them."""
        try:
            keys = [bytes.fromhex(line) for line in text.split()]
        except ValueError:
            raise ValueError("a key for intents is written in hex") from None
        return cls(keys)

    @classmethod
    def ephemeral(cls) -> IntentKeys:
        """A key that nobody else has: what is sealed with it is signed by no signer but one that was given it."""
        return cls([os.urandom(LEAST_KEY)])

    def __repr__(self) -> str:
        return f"<IntentKeys {len(self._keys)}>"

    def seal(self, subject: str, *, network: str, asset: str, script: str, units: int) -> bytes:
        """The seal upon a send of so many units of an asset to a script, for an order or a payout."""
        return _VERSION + hmac.digest(self._keys[0], _text(subject, network, asset, script, units), _DIGEST)

    def verify(self, intent: Intent, *, network: str, script: str, units: int) -> bool:
        """Whether exactly this was sealed with one of the keys; in constant time for each of them."""
        text = _text(intent.subject, network, intent.asset, script, units)
        wanted = [_VERSION + hmac.digest(key, text, _DIGEST) for key in self._keys]
        return any([hmac.compare_digest(each, intent.seal) for each in wanted])


def _text(subject: str, network: str, asset: str, script: str, units: int) -> bytes:
    """What is sealed: every part with its length in front, so that no two sends are spelt alike."""
    parts = ("rampwright intent", subject, network, asset, script, str(units))
    return b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
