"""The two spellings of Bitcoin addresses: base58check, and bech32 with its successor bech32m (BIP-173, BIP-350)."""

from __future__ import annotations

import hashlib
from functools import reduce
from operator import xor

_BASE58_CHARS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58 = {char: value for value, char in enumerate(_BASE58_CHARS)}
_BECH32_CHARS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32 = {char: value for value, char in enumerate(_BECH32_CHARS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
# What each of the 32 values of the top five bits feeds back: thousands of addresses are read at once.
_FEEDBACK = tuple(reduce(xor, (term for bit, term in enumerate(_GENERATOR) if top >> bit & 1), 0) for top in range(32))
_CHECKSUM_BECH32 = 1
_CHECKSUM_BECH32M = 0x2BC830A3
_MAX_LENGTH = 90


def double_sha256(data: bytes) -> bytes:
    """SHA-256 twice, the hash that Bitcoin uses for ids and checksums."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def decode_base58check(text: str) -> bytes:
    """The payload of a base58check string, version byte included; raises ValueError."""
    if len(text) > _MAX_LENGTH:
        raise ValueError("too long")
    number = 0
    for char in text:
        if char not in _BASE58:
            raise ValueError("not base58")
        number = number * 58 + _BASE58[char]
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload, checksum = data[:-4], data[-4:]
    if not payload or double_sha256(payload)[:4] != checksum:
        raise ValueError("wrong checksum")
    return payload


def decode_segwit(text: str) -> tuple[str, int, bytes]:
    """The human-readable part, witness version and witness program of a segwit address; raises ValueError.

    Version 0 must carry a bech32 checksum and every later version a bech32m one (BIP-350).
    """
    if len(text) > _MAX_LENGTH or not text.isascii() or text not in (text.lower(), text.upper()):
        raise ValueError("not bech32")
    hrp, separator, tail = text.lower().rpartition("1")
    if not separator or not hrp or len(tail) < 7 or not _BECH32.keys() >= set(tail):
        raise ValueError("not bech32")
    if any(not 33 <= ord(char) <= 126 for char in hrp):
        raise ValueError("not bech32")
    values = [_BECH32[char] for char in tail]
    version = values[0]
    wanted = _CHECKSUM_BECH32M if version else _CHECKSUM_BECH32
    if _polymod(_expand(hrp) + values) != wanted:
        raise ValueError("wrong checksum")
    program = _bytes_of(values[1:-6])
    if version > 16 or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise ValueError("no such witness program")
    return hrp, version, program


def encode_base58check(payload: bytes) -> str:
    """A payload, version byte included, as base58check text."""
    data = payload + double_sha256(payload)[:4]
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, value = divmod(number, 58)
        digits = _BASE58_CHARS[value] + digits
    return _BASE58_CHARS[0] * (len(data) - len(data.lstrip(b"\0"))) + digits


def encode_segwit(hrp: str, version: int, program: bytes) -> str:
    """A witness program as the one lower-case spelling of its address."""
    number, bits = int.from_bytes(program, "big"), len(program) * 8
    padding = -bits % 5
    number, bits = number << padding, bits + padding
    values = [version, *(number >> shift & 31 for shift in range(bits - 5, -1, -5))]
    wanted = _CHECKSUM_BECH32M if version else _CHECKSUM_BECH32
    check = _polymod(_expand(hrp) + values + [0] * 6) ^ wanted
    values += [check >> 5 * place & 31 for place in range(5, -1, -1)]
    return f"{hrp}1" + "".join(_BECH32_CHARS[value] for value in values)


def _expand(hrp: str) -> list[int]:
    return [ord(char) >> 5 for char in hrp] + [0] + [ord(char) & 31 for char in hrp]


def _polymod(values: list[int]) -> int:
    """The checksum of BIP-173: a polynomial over five-bit values."""
    check = 1
    for value in values:
        check = (check & 0x1FFFFFF) << 5 ^ value ^ _FEEDBACK[check >> 25]
    return check


def _bytes_of(values: list[int]) -> bytes:
    """Join five-bit values into bytes; the padding must be short and zero, so that one program has one spelling."""
    number = 0
    for value in values:
        number = number << 5 | value
    padding = len(values) * 5 % 8
    if padding > 4 or number & ((1 << padding) - 1):
        raise ValueError("wrong padding")
    return (number >> padding).to_bytes(len(values) * 5 // 8, "big")
