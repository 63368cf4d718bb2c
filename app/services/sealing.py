"""Sealing: secrets that we must be able to read again are encrypted before they reach the database.

A fingerprint finds equal secrets without opening any of them.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FINGERPRINTS: Final = b"rampwright fingerprints"


class SealBroken(RuntimeError):
    """A sealed value cannot be opened with any of the instance's keys."""


class Sealer:
    """Encrypts with the first key and opens with any of them, so that keys can be rolled."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are Fernet keys (32 bytes, url-safe base64), newest first."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        oldest = base64.urlsafe_b64decode(keys[-1])
        self._fingerprint_key = HKDF(SHA256(), length=32, salt=None, info=_FINGERPRINTS).derive(oldest)

    def seal(self, secret: bytes) -> bytes:
        """Encrypt a secret."""
        return self._fernet.encrypt(secret)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt a secret; raises SealBroken."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SealBroken("a sealed value cannot be opened: is this the instance's key?") from None

    def fingerprint(self, secret: bytes) -> bytes:
        """32 bytes that are the same for the same secret, and tell nobody without our keys which one it is.

        HMAC-SHA256 under a key derived from the oldest of ours, so that adding a key changes no fingerprint. Taking the
        oldest away does: what was stored before is then no longer found by its fingerprint, and opens as before.
        """
        return hmac.digest(self._fingerprint_key, secret, "sha256")
