"""Looking at every text in a body, wherever it stands: nothing invisible, and nothing that must never reach us."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.api.bodies import JsonObject
from app.api.pointers import pointer
from app.api.refusals import InvalidRequest, Unauthenticated
from app.domain.errors import ForbiddenData
from app.domain.forbidden import Forbidden, forbidden_in
from app.schemas.base import plain_text

_MOST_VALUES: Final = 1_000
# Fields whose digits are an amount: they have a strict form of their own.
_AMOUNTS: Final = frozenset({"amount"})


def check(document: JsonObject, *, exempt: frozenset[str] = frozenset()) -> None:
    """Refuse a document for its texts; top-level fields named in `exempt` may hold a card number.

    Raises InvalidRequest, ForbiddenData, and Unauthenticated for an API key in a body.
    """
    _Reader(exempt).read(document, ())


class _Reader:
    """One pass over one document."""

    def __init__(self, exempt: frozenset[str]) -> None:
        self._exempt = exempt
        self._left = _MOST_VALUES

    def read(self, value: JsonValue, place: tuple[str | int, ...]) -> None:
        if isinstance(value, str):
            self._text(value, place)
        elif isinstance(value, dict):
            self._count(len(value), place)
            for name, item in value.items():
                self._plain(name, place)
                _refuse(forbidden_in(name), place)
                self.read(item, (*place, name))
        elif isinstance(value, list):
            self._count(len(value), place)
            for index, item in enumerate(value):
                self.read(item, (*place, index))

    def _count(self, more: int, place: tuple[str | int, ...]) -> None:
        self._left -= more
        if self._left < 0:
            raise InvalidRequest([(pointer(place), "too_many")])

    def _text(self, value: str, place: tuple[str | int, ...]) -> None:
        self._plain(value, place)
        name = str(place[-1]) if place else ""
        if name in _AMOUNTS:
            return
        found = forbidden_in(value, name)
        if found is Forbidden.CARD and len(place) == 1 and name in self._exempt:
            return
        _refuse(found, place)

    def _plain(self, value: str, place: tuple[str | int, ...]) -> None:
        if value.isascii() and value.isprintable():
            return
        try:
            plain_text(value)
        except ValueError:
            raise InvalidRequest([(pointer(place), "invalid_text")]) from None


def _refuse(found: Forbidden | None, place: tuple[str | int, ...]) -> None:
    if found is Forbidden.API_KEY:
        raise Unauthenticated("An API key was sent in the body. Revoke it, and send keys in the Authorization header.")
    if found is not None:
        raise ForbiddenData(pointer=pointer(place))
