"""Reading the node's JSON: every field is checked, and every amount becomes whole satoshi, exactly."""

from __future__ import annotations

from typing import Final

import orjson

from app.ports.chain import BlockId, ChainBlock, ChainOutput, ChainTransaction

_SATOSHI: Final = 100_000_000
# Below 2^26 coins neighbouring floats are less than a satoshi apart, so that no two amounts have the same float.
_MOST_COINS: Final = 1 << 26
_HASH_LENGTH = 64
_HEX = frozenset("0123456789abcdef")


class Unusable(ValueError):
    """The answer is not what the node's interface promises."""


def decode(content: bytes) -> object:
    """Read JSON; raises Unusable. Numbers with a point become the floats nearest to them: see `as_satoshi`."""
    try:
        answer: object = orjson.loads(content)
    except ValueError:
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
    """An amount of bitcoin as whole satoshi; raises Unusable when it is none.

    A node writes eight decimals, and the parser takes the float nearest to them. The quotient is the float nearest to
    so many satoshi, and below `_MOST_COINS` that of no other amount: when they are equal nothing was rounded away.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < _MOST_COINS:
        raise Unusable("not an amount")
    whole = int(value)
    satoshi = whole * _SATOSHI + round((value - whole) * _SATOSHI)
    if satoshi / _SATOSHI != value:
        raise Unusable("not an amount of satoshi")
    return satoshi


def block_of(answer: dict[str, object]) -> ChainBlock:
    """A block from `getblock` with verbosity 2; raises Unusable."""
    block = BlockId(as_count(answer.get("height")), as_hash(answer.get("hash")))
    time = None if answer.get("time") is None else as_count(answer["time"])
    return ChainBlock(block, tuple(transaction_of(as_object(item)) for item in as_list(answer.get("tx"))), time)


def transaction_of(answer: dict[str, object]) -> ChainTransaction:
    """A transaction as blocks and `getrawtransaction` show it; raises Unusable."""
    spends = _plain(answer.get("vin"))
    return ChainTransaction(
        as_hash(answer.get("txid")),
        # A coinbase makes its coins from nothing and names no outpoint.
        tuple((as_hash(spend.get("txid")), as_count(spend.get("vout"))) for spend in spends if "coinbase" not in spend),
        tuple(_output_of(item) for item in _plain(answer.get("vout"))),
    )


def _plain(items: object) -> list[dict[str, object]]:
    """Inputs or outputs without those of Litecoin's extension blocks, which are in no block of the chain itself."""
    found = [as_object(item) for item in as_list(items)]
    return [item for item in found if item.get("ismweb") is not True]


def _output_of(answer: dict[str, object]) -> ChainOutput:
    script = as_text(as_object(answer.get("scriptPubKey")).get("hex"))
    return ChainOutput(as_count(answer.get("n")), script, as_satoshi(answer.get("value")))
