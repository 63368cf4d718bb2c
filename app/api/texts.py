"""Looking at every text in a body, wherever it stands: nothing invisible, and nothing that must never reach us."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from app.api.bodies import JsonObject
from app.api.refusals import InvalidRequest, Unauthenticated
from app.domain.errors import ForbiddenData
from app.domain.forbidden import Forbidden, forbidden_in
from app.schemas.base import plain_text
from app.schemas.pointers import pointer

MOST_VALUES: Final = 1_000
# Fields whose digits are an amount: they have a strict form of their own.
_AMOUNTS: Final = frozenset({"amount"})


# A place in a document: the names on the way, and `*` for any position in a list.
Place = tuple[str, ...]


def check(document: JsonObject, *, card_places: frozenset[Place] = frozenset(), most_values: int = MOST_VALUES) -> None:
    """Refuse a document for its texts; those at `card_places` may hold digits that look like a card number.

    Raises InvalidRequest, ForbiddenData, and Unauthenticated for an API key in a body.
    """
    _Reader(card_places, most_values).read(document, ())


class _Reader:
    """One pass over one document."""

    def __init__(self, card_places: frozenset[Place], most_values: int) -> None:
        self._card_places = card_places
        self._card_names = frozenset(place[-1] for place in card_places)
        self._left = most_values
        self._known_names: set[str] = set()  # ten thousand items have the same few

    def read(self, value: JsonObject | list[JsonValue], place: tuple[str | int, ...]) -> None:
        self._left -= len(value)
        if self._left < 0:
            raise InvalidRequest([(pointer(place), "too_many")])
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._item(item, place, index)
            return
        for name, item in value.items():
            if name not in self._known_names:
                self._plain(name, place)
                _refuse(forbidden_in(name), place)
                self._known_names.add(name)
            self._item(item, place, name)

    def _item(self, value: JsonValue, place: tuple[str | int, ...], name: str | int) -> None:
        if isinstance(value, str):
            self._text(value, place, name)
        elif isinstance(value, dict | list):
            self.read(value, (*place, name))

    def _text(self, value: str, place: tuple[str | int, ...], name: str | int) -> None:
        if not (value.isascii() and value.isprintable()):
            self._plain(value, (*place, name))
        if name in _AMOUNTS:
            return
        cards = name not in self._card_names or not self._may_look_like_a_card((*place, name))
        found = forbidden_in(value, str(name), cards=cards)
        if found is not None:
            _refuse(found, (*place, name))

    def _may_look_like_a_card(self, place: tuple[str | int, ...]) -> bool:
        return tuple("*" if isinstance(part, int) else part for part in place) in self._card_places

    def _plain(self, value: str, place: tuple[str | int, ...]) -> None:
        try:
            plain_text(value)
        except ValueError:
            raise InvalidRequest([(pointer(place), "invalid_text")]) from None


def _refuse(found: Forbidden | None, place: tuple[str | int, ...]) -> None:
    if found is Forbidden.API_KEY:
        raise Unauthenticated("An API key was sent in the body. Revoke it, and send keys in the Authorization header.")
    if found is not None:
        raise ForbiddenData(pointer=pointer(place))
