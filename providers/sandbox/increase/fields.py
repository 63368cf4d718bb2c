"""Reading what a request gives, in Increase's forms: JSON bodies, and lists with dots in their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from providers.sandbox.increase.books import Page
from providers.sandbox.increase.errors import invalid
from providers.sandbox.store import Value

LONGEST_PAGE = 100
LONGEST_PAGE_OF_EVENTS = 1000
_BOUNDS = {"after": ">", "before": "<", "on_or_after": ">=", "on_or_before": "<="}
# Members by which lists can be narrowed; `in` takes several.
_MEMBERS = ("account_id", "account_number_id", "associated_object_id")
_CHOICES = ("status", "category")


class Fields:
    """A request's members, each read once; what was not read is refused by `end`."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = dict(given)

    def text(self, name: str, longest: int = 200) -> str:
        """A text that must be there."""
        value = self.optional(name, longest)
        if value is None:
            raise invalid(name, "This field is required.")
        return value

    def optional(self, name: str, longest: int = 200) -> str | None:
        """A text that may be left out."""
        value = self._given.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or not value or len(value) > longest:
            raise invalid(name, f"This has to be a text of 1 to {longest} characters.")
        return value

    def one_of(self, name: str, choices: tuple[str, ...], otherwise: str) -> str:
        """One of some words."""
        value = self.optional(name) or otherwise
        if value not in choices:
            raise invalid(name, f"This has to be one of {', '.join(choices)}.")
        return value

    def cents(self, name: str) -> int:
        """An amount above zero. Increase would take a negative one on ACH, which is a debit; nothing here makes any."""
        value = self._given.pop(name, None)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**12:
            raise invalid(name, "This has to be a whole number of cents above zero.")
        return value

    def digits(self, name: str, longest: int) -> str:
        """Digits that must be there."""
        value = self.text(name, longest)
        if not (value.isascii() and value.isdigit()):
            raise invalid(name, "This has to be digits.")
        return value

    def routing_number(self) -> str:
        """Nine digits whose weighted sum is a multiple of ten, as the American Bankers Association has it."""
        value = self.digits("routing_number", 9)
        if len(value) != 9 or sum(int(digit) * weight for digit, weight in zip(value, (3, 7, 1) * 3, strict=True)) % 10:
            raise invalid("routing_number", "This is not a routing number.")
        return value

    def inner(self, name: str) -> Fields | None:
        """An object inside."""
        value = self._given.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise invalid(name, "This has to be an object.")
        return Fields(value)

    def each(self, name: str) -> list[Fields] | None:
        """A list of objects."""
        value = self._given.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise invalid(name, "This has to be a list of objects.")
        return [Fields(item) for item in value]

    def end(self) -> None:
        """Refuse what nobody has read."""
        for name in self._given:
            raise invalid(name, "There is no such field.")


def page_of(kind: str, query: Mapping[str, str]) -> Page:
    """Which part of a list is asked for; raises Refusal."""
    conditions: list[tuple[str, Value]] = []
    limit, cursor = LONGEST_PAGE, None
    longest = LONGEST_PAGE_OF_EVENTS if kind == "event" else LONGEST_PAGE
    for name, value in query.items():
        head, _, tail = name.partition(".")
        if name == "limit":
            limit = _whole(name, value, longest)
        elif name == "cursor":
            cursor = _whole(name, value.removeprefix("cursor_"), 2**62)
        elif name == "idempotency_key":
            conditions.append(("idempotency_key = ?", value))
        elif name in _MEMBERS:
            conditions.append((f"json_extract(body, '$.{name}') = ?", value))
        elif head in _CHOICES and tail == "in":
            # A source's category is a member of the transaction's source.
            place = "$.source.category" if kind == "transaction" and head == "category" else f"$.{head}"
            wanted = f",{value},"
            conditions.append((f"instr(?, ',' || json_extract(body, '{place}') || ',') > 0", wanted))
        elif head == "created_at" and tail in _BOUNDS:
            conditions.append((f"created {_BOUNDS[tail]} ?", _moment(name, value)))
        else:
            raise invalid(name, "There is no such parameter.")
    return Page(kind, limit, cursor, tuple(conditions))


def _whole(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= most:
        raise invalid(name, f"This has to be from 1 to {most}.")
    return int(text)


def _moment(name: str, text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise invalid(name, "This has to be an ISO 8601 time.") from None
