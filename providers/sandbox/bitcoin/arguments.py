"""Reading the arguments of a JSON-RPC call, refused as Core refuses them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from providers.sandbox.bitcoin.address import script_of
from providers.sandbox.bitcoin.errors import DECODE_FAILED, INVALID_PARAMETER, NOT_FOUND, TYPE_ERROR, RpcError
from providers.sandbox.bitcoin.mining import COIN

_HASH = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_DESCRIPTOR = re.compile(r"(raw|addr)\(([0-9a-zA-Z]*)\)(#[0-9a-z]{8})?", re.ASCII)
_KINDS = {bool: "bool", int: "number", Decimal: "number", str: "string", list: "array", dict: "object"}


def wrong_type(value: object, expected: str) -> RpcError:
    """Core's refusal of a value of the wrong type."""
    return RpcError(
        TYPE_ERROR, f"JSON value of type {_KINDS.get(type(value), 'null')} is not of expected type {expected}"
    )


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise wrong_type(value, "string")
    return value


def whole(value: object) -> int:
    """An integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(value, "number")
    return value


def flag(value: object) -> bool:
    """A truth value."""
    if not isinstance(value, bool):
        raise wrong_type(value, "bool")
    return value


def verbosity(value: object) -> int:
    """How much to tell: a number, or the truth value that older callers use."""
    return int(value) if isinstance(value, bool) else whole(value)


def array(value: object) -> list[object]:
    """An array."""
    if not isinstance(value, list):
        raise wrong_type(value, "array")
    return value


def hash_of(value: object, name: str) -> str:
    """The id of a block or a transaction, in lower case."""
    digits = text(value)
    if not _HASH.fullmatch(digits):
        raise RpcError(INVALID_PARAMETER, f"{name} must be hexadecimal string of length 64 (not '{digits[:80]}')")
    return digits.lower()


def satoshi(value: object) -> int:
    """An amount in BTC, as a number or a string, with eight decimals at most."""
    if not isinstance(value, int | Decimal | str) or isinstance(value, bool):
        raise RpcError(TYPE_ERROR, "Amount is not a number or string")
    try:
        units = Decimal(value) * COIN
        if units != units.to_integral_value() or not 0 <= units <= 21_000_000 * COIN:
            raise RpcError(TYPE_ERROR, "Invalid amount")
    except InvalidOperation:
        raise RpcError(TYPE_ERROR, "Invalid amount") from None
    return int(units)


def raw_transaction(value: object) -> bytes:
    """The bytes of a transaction."""
    try:
        return bytes.fromhex(text(value))
    except ValueError:
        raise RpcError(DECODE_FAILED, "TX decode failed: not hexadecimal") from None


def descriptor(value: object) -> tuple[bytes, str]:
    """The script that a scan object stands for, and the object as it was said.

    Known are `raw(<hex>)` and `addr(<address>)`; a descriptor's checksum is not looked at.
    """
    said = text(value.get("desc") if isinstance(value, dict) else value)
    match = _DESCRIPTOR.fullmatch(said)
    if match is None:
        raise RpcError(NOT_FOUND, f"Only raw(<hex>) and addr(<address>) descriptors are known here, not '{said[:80]}'")
    if match[1] == "addr":
        return script_of(match[2]), said
    try:
        return bytes.fromhex(match[2]), said
    except ValueError:
        raise RpcError(NOT_FOUND, "Raw script is not hex") from None
