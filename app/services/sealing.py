"""Sealing: secrets that we must be able to read again are encrypted before they reach the database."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealBroken(RuntimeError):
    """A sealed value cannot be opened with any of the instance's keys."""


class Sealer:
    """Encrypts with the first key and opens with any of them, so that keys can be rolled."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are Fernet keys (32 bytes, url-safe base64), newest first."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: bytes) -> bytes:
        """Encrypt a secret."""
        return self._fernet.encrypt(secret)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt a secret; raises SealBroken."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SealBroken("a sealed value cannot be opened: is this the instance's key?") from None
