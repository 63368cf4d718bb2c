"""Reading the node's JSON: every field is checked, every amount is a Decimal until it is whole satoshi."""

from __future__ import annotations

import json
from decimal import Decimal

from app.ports.chain import BlockId, ChainBlock, ChainOutput, ChainTransaction

_DECIMALS = 8
_HASH_LENGTH = 64
_HEX = frozenset("0123456789abcdef")


class Unusable(ValueError):
    """The answer is not what the node's interface promises."""


def decode(content: bytes) -> object:
    """Read JSON without ever making a float; raises Unusable."""
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


def as_hash(value: object) -> str:
    """The value as the 64 lower-case hex digits of a transaction id or block hash; raises Unusable."""
    text = as_text(value)
    if len(text) != _HASH_LENGTH or not _HEX.issuperset(text):
        raise Unusable("not a hash")
    return text


def as_count(value: object) -> int:
    """The value as a whole number not below zero; raises Unusable."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unusable("not a count")
    return value


def as_satoshi(value: object) -> int:
    """An amount of bitcoin as whole satoshi; raises Unusable when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unusable("not an amount")
    satoshi = Decimal(value).scaleb(_DECIMALS)
    if satoshi < 0 or satoshi != satoshi.to_integral_value():
        raise Unusable("not an amount of satoshi")
    return int(satoshi)


def block_of(answer: dict[str, object]) -> ChainBlock:
    """A block from `getblock` with verbosity 2; raises Unusable."""
    block = BlockId(as_count(answer.get("height")), as_hash(answer.get("hash")))
    return ChainBlock(block, tuple(transaction_of(as_object(item)) for item in as_list(answer.get("tx"))))


def transaction_of(answer: dict[str, object]) -> ChainTransaction:
    """A transaction as blocks and `getrawtransaction` show it; raises Unusable."""
    spends = [as_object(item) for item in as_list(answer.get("vin"))]
    return ChainTransaction(
        as_hash(answer.get("txid")),
        # A coinbase makes its coins from nothing and names no outpoint.
        tuple((as_hash(spend.get("txid")), as_count(spend.get("vout"))) for spend in spends if "coinbase" not in spend),
        tuple(_output_of(as_object(item)) for item in as_list(answer.get("vout"))),
    )


def _output_of(answer: dict[str, object]) -> ChainOutput:
    script = as_text(as_object(answer.get("scriptPubKey")).get("hex"))
    return ChainOutput(as_count(answer.get("n")), script, as_satoshi(answer.get("value")))


def _refuse(constant: str) -> object:
    raise Unusable(f"{constant} is not a number")
