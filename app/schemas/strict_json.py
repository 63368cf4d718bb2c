"""JSON read strictly: one spelling, no key twice, not nested too deeply."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import orjson
from pydantic import JsonValue

MAX_DEPTH: Final = 32


class NotJson(ValueError):
    """This is not one JSON document."""


class NestedTooDeeply(NotJson):
    """The document is nested too deeply."""


class RepeatedKey(ValueError):
    """An object names the same key twice."""


def read(raw: bytes) -> JsonValue:
    """One JSON document.

    Raises NotJson (also for a byte order mark, NaN, lone surrogates), NestedTooDeeply beyond 32 levels, RepeatedKey.
    """
    try:
        document: JsonValue = orjson.loads(raw)  # itself refuses what is nested a thousand times
    except orjson.JSONDecodeError:
        raise NotJson from None
    if _is_deeper(document, MAX_DEPTH):
        raise NestedTooDeeply
    if isinstance(document, dict | list):
        # The fast parser keeps the last of two equal keys without a word; the slow one shows us every pair.
        json.loads(raw, object_pairs_hook=_refuse_repeats, parse_int=_ignore, parse_float=_ignore)
    return document


def _is_deeper(value: JsonValue, levels: int) -> bool:
    """Whether there are more levels of objects and lists than these."""
    if isinstance(value, dict):
        inner: Iterable[JsonValue] = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        return False
    if levels == 0:
        return True
    return any(_is_deeper(item, levels - 1) for item in inner if isinstance(item, dict | list))


def _refuse_repeats(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise RepeatedKey


def _ignore(_digits: str) -> None:
    """Numbers are the fast parser's business; here they cost nothing, however long they are."""
