"""The key file: the wallet's seed, encrypted under a passphrase (scrypt, RFC 7914; AES-256-GCM), as versioned JSON."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.errors import RampwrightError

# OWASP's password storage sheet: 2^17 blocks, 128 MB, about half a second.
WORK: Final = 17
_LEAST_WORK: Final = 10
_BLOCK: Final = 8
_SALT: Final = 16
_NONCE: Final = 12
_SEED_SIZES: Final = range(32, 65)
_MOST_BYTES: Final = 10_000
# What the file is for is authenticated with it: one of another version or purpose does not open.
_PURPOSE: Final = b"rampwright wallet seed 1"


class KeyFileError(RampwrightError):
    """The key file cannot be used; the message says why, and nothing of what is in it."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    kdf: Literal["scrypt"]
    cipher: Literal["aes-256-gcm"]
    work: int = Field(ge=_LEAST_WORK, le=24)
    salt: str
    nonce: str
    sealed: str


def encrypt(seed: bytes, passphrase: str, *, work: int = WORK) -> bytes:
    """The text of a key file; `work` is the power of two that scrypt takes. Raises ValueError for an odd seed."""
    if len(seed) not in _SEED_SIZES:
        raise ValueError("a seed has 32 to 64 bytes")
    if not passphrase:
        raise KeyFileError("the passphrase is empty")
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = AESGCM(_key(passphrase, salt, work)).encrypt(nonce, seed, _PURPOSE)
    file = _File(
        version=1, kdf="scrypt", cipher="aes-256-gcm", work=work, salt=_text(salt), nonce=_text(nonce),
        sealed=_text(sealed),
    )  # fmt: skip
    return file.model_dump_json(indent=2).encode() + b"\n"


def decrypt(text: bytes, passphrase: str) -> bytes:
    """The seed in a key file; raises KeyFileError for another file, or another passphrase."""
    try:
        file = _File.model_validate_json(text)
        salt, nonce, sealed = (base64.b64decode(part, validate=True) for part in (file.salt, file.nonce, file.sealed))
    except (ValidationError, ValueError):
        raise KeyFileError("this is not a key file of version 1") from None
    try:
        return AESGCM(_key(passphrase, salt, file.work)).decrypt(nonce, sealed, _PURPOSE)
    except (InvalidTag, ValueError):
        raise KeyFileError("the passphrase does not open the key file") from None


def read(path: Path) -> bytes:
    """The text of the key file at `path`; raises KeyFileError."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise KeyFileError(f"the key file cannot be read: {error}") from None


def write_new(path: Path, text: bytes) -> None:
    """Write a key file where there is none, mode 0600, on the disk when it returns; raises KeyFileError."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, path)  # unlike a rename, it never takes the place of another key
    except FileExistsError:
        raise KeyFileError(f"there is a key file already: {path}") from None
    finally:
        unfinished.unlink()


def _key(passphrase: str, salt: bytes, work: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << work, r=_BLOCK, p=1).derive(passphrase.encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
