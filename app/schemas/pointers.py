"""Where in a request something is wrong: JSON pointers (RFC 6901) and short codes, never the value itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_CODES: Final = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_pattern_mismatch": "invalid_format",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "too_long": "too_many",
    "too_short": "too_few",
    "literal_error": "not_allowed",
    "enum": "not_allowed",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "value_error": "invalid_text",
}


def pointer(parts: Iterable[str | int]) -> str:
    """A JSON pointer from the names on the way."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def errors_of(errors: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The validator's errors as (pointer, code); what it says of the offending value is left behind."""
    found = []
    for error in errors:
        place = list(error["loc"])
        if place and place[0] == "body":
            place = place[1:]
        if place and place[-1] == "[key]":
            place = place[:-2]  # the key itself is what is wrong, so it is not repeated
        kind = str(error["type"])
        code = _CODES.get(kind, "wrong_type" if kind.endswith("_type") else "invalid")
        found.append((pointer(place), code))
    return found
