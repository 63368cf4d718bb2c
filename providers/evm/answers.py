"""Reading the node's JSON: every field is checked. Hashes and addresses leave here in lower-case hex without `0x`."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final

from providers.evm.encoding import ADDRESS_SIZE, WORD

_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})", re.ASCII)
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


class Unusable(ValueError):
    """The answer is not what the node's interface promises."""


def decode(content: bytes) -> object:
    """Read JSON; raises Unusable."""
    try:
        answer: object = json.loads(content, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unusable("not JSON") from None
    return answer


def as_object(value: object) -> dict[str, object]:
    """The value as a JSON object; raises Unusable."""
    if not isinstance(value, dict):
        raise Unusable("not an object")
    return value


def as_list(value: object) -> list[object]:
    """The value as a JSON array; raises Unusable."""
    if not isinstance(value, list):
        raise Unusable("not a list")
    return value


def as_text(value: object) -> str:
    """The value as a string; raises Unusable."""
    if not isinstance(value, str):
        raise Unusable("not a string")
    return value


def as_quantity(value: object) -> int:
    """A number as the interface writes it, `0x1f`; raises Unusable."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Unusable("not a quantity")
    return int(value, 16)


def as_data(value: object) -> bytes:
    """Bytes as the interface writes them, `0x00ff`; raises Unusable."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise Unusable("not data")
    return bytes.fromhex(value[2:])


def as_hash(value: object) -> str:
    """The 64 digits of a transaction's or block's hash; raises Unusable."""
    return _exactly(value, WORD, "hash")


def as_script(value: object) -> str:
    """The 40 digits of an address; raises Unusable."""
    return _exactly(value, ADDRESS_SIZE, "address")


def as_word(value: object) -> int:
    """A number as a contract writes it, one word of 32 bytes; raises Unusable."""
    return int(_exactly(value, WORD, "word"), 16)


def as_flag(value: object) -> bool:
    """A yes or no as receipts have it, `0x1` or `0x0`; raises Unusable."""
    number = as_quantity(value)
    if number > 1:
        raise Unusable("neither yes nor no")
    return number == 1


def _exactly(value: object, size: int, what: str) -> str:
    data = as_data(value)
    if len(data) != size:
        raise Unusable(f"not of the size of a {what}")
    return data.hex()


def _refuse(number: str) -> object:
    raise Unusable(f"{number} is not a whole number")
