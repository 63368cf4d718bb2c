"""Request headers, read as the bytes that came: a header that may stand once is refused when it stands twice."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import Scope

from app.api.refusals import HeaderInvalid, IdempotencyKeyInvalid, IdempotencyKeyMissing
from app.domain.errors import DomainError
from app.domain.forbidden import forbidden_in

_BARE_KEY: Final = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]{1,255}")  # printable, without '"', ',' and ';'
_QUOTED_KEY: Final = re.compile(rb'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"')  # an RFC 8941 string without escapes
_VERSION_TAG: Final = re.compile(rb'"([0-9]{1,18})(?:-[0-9a-f]{16})?"')
_ENTITY_TAG: Final = re.compile(rb'(?:W/)?"[\x21\x23-\x7e]*"')


def values(scope: Scope, name: bytes) -> list[bytes]:
    """Every value of a header, in the order of arrival; `name` in lower case."""
    return [value for key, value in scope["headers"] if key == name]


def only(scope: Scope, name: bytes, refusal: type[DomainError] = HeaderInvalid) -> bytes | None:
    """The one value of a header, or None; raises `refusal` when there are several."""
    found = values(scope, name)
    if len(found) > 1:
        raise refusal
    return found[0] if found else None


def idempotency_key(scope: Scope) -> str:
    """The request's key; `"abc"` and `abc` are the same. Raises IdempotencyKeyMissing or IdempotencyKeyInvalid."""
    value = only(scope, b"idempotency-key", IdempotencyKeyInvalid)
    if value is None:
        raise IdempotencyKeyMissing
    quoted = _QUOTED_KEY.fullmatch(value)
    if quoted is None and not _BARE_KEY.fullmatch(value):
        raise IdempotencyKeyInvalid
    key = (quoted[1] if quoted else value).decode("ascii")
    if forbidden_in(key):
        raise IdempotencyKeyInvalid("An Idempotency-Key is kept; it must not be a card number or a secret.")
    return key


def expected_sequences(scope: Scope) -> frozenset[int] | None:
    """What If-Match asks for: any of these sequences, or None for any at all.

    Our entity tags begin with the sequence; another well-formed tag matches nothing. Raises HeaderInvalid.
    """
    value = only(scope, b"if-match")
    if value is None or value == b"*":
        return None
    tags = [tag.strip() for tag in value.split(b",")]
    if not all(_ENTITY_TAG.fullmatch(tag) for tag in tags):
        raise HeaderInvalid("If-Match is a list of entity tags.")
    return frozenset(int(found[1]) for tag in tags if (found := _VERSION_TAG.fullmatch(tag)))


def none_match(scope: Scope, tag: str) -> bool:
    """Whether If-None-Match leaves the answer to be sent: true unless it names this very tag."""
    wanted = [part.strip() for value in values(scope, b"if-none-match") for part in value.split(b",")]
    return tag.encode() not in [part.removeprefix(b"W/") for part in wanted] and b"*" not in wanted
