"""Reading a body strictly: its type, its size, its one spelling of JSON. Everything here happens before any schema."""

from __future__ import annotations

import json
import re
from typing import Final, TypeAlias

import orjson
from pydantic import JsonValue
from starlette.types import Receive, Scope

from app.api.headers import only, values
from app.api.refusals import DuplicateKey, InvalidRequest, MalformedJson, PayloadTooLarge, UnsupportedMediaType

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 32
JsonObject: TypeAlias = dict[str, JsonValue]

_CONTENT_TYPE: Final = re.compile(rb'application/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?[ \t]*', re.IGNORECASE)
_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def check_headers(scope: Scope) -> None:
    """Refuse what is not plain JSON by its own headers; raises UnsupportedMediaType or PayloadTooLarge."""
    content_type = only(scope, b"content-type", UnsupportedMediaType)
    if content_type is None or not _CONTENT_TYPE.fullmatch(content_type):
        raise UnsupportedMediaType
    if any(coding.strip().lower() != b"identity" for coding in values(scope, b"content-encoding")):
        raise UnsupportedMediaType
    length = only(scope, b"content-length", PayloadTooLarge)
    if length is not None and int(length) > MAX_BYTES:
        raise PayloadTooLarge


async def read(receive: Receive) -> bytes:
    """The whole body. Stops reading, and raises PayloadTooLarge, as soon as it is longer than we take."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the caller went away while sending")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BYTES:
            raise PayloadTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def parse(raw: bytes) -> JsonObject:
    """One JSON object, read strictly.

    Raises MalformedJson (also for nesting deeper than 32, a byte order mark, NaN, lone surrogates), DuplicateKey, and
    InvalidRequest for a document that is not an object.
    """
    if _depth(raw) > MAX_DEPTH:
        raise MalformedJson("The body is nested too deeply.")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise MalformedJson from None
    if not isinstance(document, dict):
        raise InvalidRequest([("", "wrong_type")])
    # The fast parser keeps the last of two equal keys without a word; the slow one shows us every pair.
    json.loads(raw, object_pairs_hook=_refuse_repeats, parse_int=_ignore, parse_float=_ignore)
    return document


def _depth(raw: bytes) -> int:
    opened = raw.count(b"{") + raw.count(b"[")
    if opened <= MAX_DEPTH:
        return opened  # cannot be deeper than that
    depth = deepest = 0
    for token in _STRING_OR_BRACKET.findall(raw):
        if token in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"}", b"]"):
            depth -= 1
    return deepest


def _refuse_repeats(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise DuplicateKey


def _ignore(_digits: str) -> None:
    """Numbers are the fast parser's business; here they cost nothing, however long they are."""


def canonical(value: JsonValue) -> bytes:
    """The one spelling of a document (RFC 8785): no white space, keys in the order of their UTF-16 code units."""
    return orjson.dumps(_sorted(value))


def _sorted(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
