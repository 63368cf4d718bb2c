"""Reading a body strictly: its type, its size, its one spelling of JSON. Everything here happens before any schema."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final, TypeAlias

import orjson
from pydantic import JsonValue
from starlette.types import Receive, Scope

from app.api.headers import only, values
from app.api.refusals import DuplicateKey, InvalidRequest, MalformedJson, PayloadTooLarge, UnsupportedMediaType
from app.schemas import strict_json

MAX_BYTES: Final = 64 * 1024
JsonObject: TypeAlias = dict[str, JsonValue]

_CONTENT_TYPE: Final = re.compile(rb'application/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?[ \t]*', re.IGNORECASE)


def check_headers(scope: Scope, most: int = MAX_BYTES) -> None:
    """Refuse what is not plain JSON by its own headers; raises UnsupportedMediaType or PayloadTooLarge."""
    check_type(scope, _CONTENT_TYPE)
    check_length(scope, most)


def check_type(scope: Scope, accepted: re.Pattern[bytes]) -> bytes:
    """The content type, if it is one that is taken and the body is not compressed; raises UnsupportedMediaType."""
    content_type = only(scope, b"content-type", UnsupportedMediaType)
    if content_type is None or not accepted.fullmatch(content_type):
        raise UnsupportedMediaType
    if any(coding.strip().lower() != b"identity" for coding in values(scope, b"content-encoding")):
        raise UnsupportedMediaType
    return content_type


def check_length(scope: Scope, most: int) -> None:
    """Refuse a body that says itself that it is longer than `most` bytes; raises PayloadTooLarge."""
    length = only(scope, b"content-length", PayloadTooLarge)
    if length is not None and int(length) > most:
        raise PayloadTooLarge


async def chunks(receive: Receive, most: int) -> AsyncIterator[bytes]:
    """The body as it arrives. Stops reading, and raises PayloadTooLarge, as soon as it is longer than `most` bytes."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the caller went away while sending")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise PayloadTooLarge
        yield chunk
        if not message.get("more_body", False):
            return


async def read(receive: Receive, most: int = MAX_BYTES) -> bytes:
    """The whole body; raises PayloadTooLarge."""
    return b"".join([chunk async for chunk in chunks(receive, most)])


def parse(raw: bytes) -> JsonObject:
    """One JSON object, read strictly.

    Raises MalformedJson (also for nesting deeper than 32, a byte order mark, NaN, lone surrogates), DuplicateKey, and
    InvalidRequest for a document that is not an object.
    """
    try:
        document = strict_json.read(raw)
    except strict_json.NestedTooDeeply:
        raise MalformedJson("The body is nested too deeply.") from None
    except strict_json.NotJson:
        raise MalformedJson from None
    except strict_json.RepeatedKey:
        raise DuplicateKey from None
    if not isinstance(document, dict):
        raise InvalidRequest([("", "wrong_type")])
    return document


def canonical(value: JsonValue) -> bytes:
    """The one spelling of a document (RFC 8785): no white space, keys in the order of their UTF-16 code units."""
    spelled = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return spelled if spelled.isascii() else orjson.dumps(_sorted(value))  # of ASCII keys the two orders are one


def _sorted(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
