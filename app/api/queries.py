"""Query parameters: only those that the endpoint documents, each once, in one spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from app.api.refusals import InvalidRequest, UnknownFields
from app.db.pages import Page
from app.schemas.base import plain_text

Query = Mapping[str, str]
Parameter = dict[str, Any]

_MOST_PARAMETERS: Final = 50
_MOST_METADATA: Final = 10
_METADATA: Final = re.compile(r"metadata\[([^\[\]]{1,40})\]")
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
MOST_PER_PAGE: Final = 100
_USUAL_PER_PAGE: Final = 20


def wrong(name: str, code: str) -> InvalidRequest:
    """The refusal of one parameter."""
    return InvalidRequest([(f"/query/{name}", code)])


def read_query(raw: bytes, allowed: frozenset[str]) -> Query:
    """The parameters of a query string; raises InvalidRequest for unknown, repeated or unreadable ones."""
    if not raw:
        return {}
    pairs = raw.split(b"&")
    if len(pairs) > _MOST_PARAMETERS:
        raise wrong("", "too_many")
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = (_decoded(part) for part in pair.partition(b"="))
        known = name in allowed or ("metadata[key]" in allowed and _METADATA.fullmatch(name))
        if not known:
            raise UnknownFields([(f"/query/{name}", "unknown_field")])
        if name in found:
            raise wrong(name, "repeated")
        found[name] = value
    return found


def _decoded(part: bytes) -> str:
    try:
        return plain_text(unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8"))
    except ValueError:
        raise wrong("", "invalid_text") from None


def limit_of(query: Query) -> int:
    """How many items at most, 1 to 100."""
    value = query.get("limit")
    if value is None:
        return _USUAL_PER_PAGE
    if not _LIMIT.fullmatch(value) or int(value) > MOST_PER_PAGE:
        raise wrong("limit", "out_of_range")
    return int(value)


def moment_of(query: Query, name: str) -> datetime | None:
    """A point in time, RFC 3339 with its zone."""
    value = query.get(name)
    if value is None:
        return None
    if not _MOMENT.fullmatch(value):
        raise wrong(name, "invalid_format")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong(name, "invalid_format") from None


def page_of(query: Query, cursor: re.Pattern[str]) -> Page:
    """The page that the query asks for; `cursor` is the form of the list's ids."""
    after, before = query.get("starting_after"), query.get("ending_before")
    if after is not None and before is not None:
        raise wrong("ending_before", "excludes_starting_after")
    for name, value in (("starting_after", after), ("ending_before", before)):
        if value is not None and not cursor.fullmatch(value):
            raise wrong(name, "invalid_format")
    return Page(limit_of(query), after, before)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time; each bound as (operator, moment)."""

    bounds: tuple[tuple[str, datetime], ...]


def period_of(query: Query) -> Period:
    """The bounds on `created_at`; raises InvalidRequest when nothing can lie between them."""
    bounds = []
    for operator in ("gte", "gt", "lte", "lt"):
        moment = moment_of(query, f"created_at[{operator}]")
        if moment is not None:
            bounds.append((operator, moment))
    lower = [moment for operator, moment in bounds if operator.startswith("g")]
    upper = [moment for operator, moment in bounds if operator.startswith("l")]
    if lower and upper and max(lower) > min(upper):
        raise wrong("created_at", "empty_period")
    return Period(tuple(bounds))


def metadata_of(query: Query) -> dict[str, str]:
    """The metadata that an item must carry, all of it."""
    wanted = {found[1]: value for name, value in query.items() if (found := _METADATA.fullmatch(name))}
    if len(wanted) > _MOST_METADATA:
        raise wrong("metadata", "too_many")
    return wanted


def parameter(name: str, description: str, example: object, schema: Mapping[str, object] | None = None) -> Parameter:
    """How one query parameter is documented, and by that allowed."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": dict(schema or {"type": "string"}),
        "example": example,
    }


LIMIT: Final = parameter(
    "limit", "At most so many items", 20, {"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": 20}
)
PAGING: Final = [
    LIMIT,
    parameter("starting_after", "The id after which to go on, to older items", "or_01JD0000000000000000000000"),
    parameter("ending_before", "The id before which to end, to newer items", "or_01JD0000000000000000000000"),
]
CREATED_AT: Final = [
    parameter(
        f"created_at[{operator}]",
        f"Created {words} this moment (RFC 3339)",
        "2026-11-01T12:00:00Z",
        {"type": "string", "format": "date-time"},
    )
    for operator, words in (("gte", "at or after"), ("gt", "after"), ("lte", "at or before"), ("lt", "before"))
]
METADATA: Final = parameter("metadata[key]", "Only items whose metadata has this value under `key`", "9")
