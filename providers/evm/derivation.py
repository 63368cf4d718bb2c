"""Keys that follow from keys (BIP-32), and the text of a public one (an "xpub"), from which addresses can be made.

Only the steps that are taken here exist: children by number below an account's key. coincurve does the arithmetic.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from coincurve import PrivateKey, PublicKey

HARDENED: Final = 0x80000000
ACCOUNT_DEPTH: Final = 3  # of an account's key below the root: purpose, coin, account
_VERSION: Final = bytes.fromhex("0488b21e")  # "xpub", on every network: Ethereum has no prefixes of its own
_DIGITS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SIZE: Final = 78


@dataclass(frozen=True, slots=True, repr=False)
class ExtendedPrivateKey:
    """A private key with the chain code that its children are made with."""

    key: PrivateKey
    chain_code: bytes

    @classmethod
    def from_seed(cls, seed: bytes) -> ExtendedPrivateKey:
        """The root of a seed's tree."""
        digest = hmac.digest(b"Bitcoin seed", seed, "sha512")
        return cls(PrivateKey(digest[:32]), digest[32:])

    def child(self, number: int) -> ExtendedPrivateKey:
        """The key below this one; hardened from HARDENED on."""
        parent = b"\x00" + self.key.secret if number >= HARDENED else self.key.public_key.format()
        digest = hmac.digest(self.chain_code, parent + number.to_bytes(4, "big"), "sha512")
        return ExtendedPrivateKey(self.key.add(digest[:32]), digest[32:])

    @property
    def public(self) -> ExtendedPublicKey:
        """The public half."""
        return ExtendedPublicKey(self.key.public_key.format(), self.chain_code)


@dataclass(frozen=True, slots=True)
class ExtendedPublicKey:
    """A public key (33 bytes) with its chain code: enough to make the addresses below it, and to sign nothing."""

    key: bytes
    chain_code: bytes

    def child(self, number: int) -> ExtendedPublicKey:
        """The key below this one; `number` lies below HARDENED."""
        digest = hmac.digest(self.chain_code, self.key + number.to_bytes(4, "big"), "sha512")
        return ExtendedPublicKey(PublicKey(self.key).add(digest[:32]).format(), digest[32:])

    def account_text(self, number: int, fingerprint: bytes) -> str:
        """The key of an account, the child of this number of the key with this fingerprint, as text (BIP-32)."""
        payload = bytes([ACCOUNT_DEPTH]) + fingerprint + number.to_bytes(4, "big") + self.chain_code + self.key
        return _base58(_VERSION + payload)

    @property
    def fingerprint(self) -> bytes:
        """The first four bytes of the key's hash, by which its children name it."""
        return hashlib.new("ripemd160", hashlib.sha256(self.key).digest()).digest()[:4]


def read_account_key(text: str) -> ExtendedPublicKey:
    """Read the extended public key of an account; raises ValueError, which does not repeat it."""
    data = _from_base58(text.strip())
    if len(data) != _SIZE or data[:4] != _VERSION or data[4] != ACCOUNT_DEPTH:
        raise ValueError("this is not the extended public key of an account")
    return ExtendedPublicKey(PublicKey(data[45:]).format(), data[13:45])


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]


def _base58(payload: bytes) -> str:
    """Base58 with a checksum; an xpub never begins with a zero byte, so that leading zeros need no care."""
    number = int.from_bytes(payload + _checksum(payload), "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = _DIGITS[digit] + text
    return text


def _from_base58(text: str) -> bytes:
    number = 0
    if len(text) > 2 * _SIZE:
        raise ValueError("too long for an extended key")
    for char in text:
        digit = _DIGITS.find(char)
        if digit < 0:
            raise ValueError("an extended key is written in base58")
        number = number * 58 + digit
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if _checksum(data[:-4]) != data[-4:]:
        raise ValueError("the checksum of the extended key is wrong")
    return data[:-4]
