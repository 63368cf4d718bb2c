"""The route that every endpoint is: strict query, strict body, then FastAPI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from app.api import bodies, texts
from app.api.bodies import JsonObject
from app.api.headers import values
from app.api.queries import Query, read_query
from app.api.refusals import MalformedJson
from app.api.texts import Place

_DOCUMENT = "rampwright.document"
_QUERY = "rampwright.query"
# Where digits that look like a card number are let through, by path. The one field for card numbers takes Stripe's
# published test cards, and never stores them; bank accounts' numbers look like one by chance, and are sealed.
_BANK_NUMBERS = ("account_number", "iban")
_IN_ITEMS = frozenset(("items", "*", "external_account", name) for name in _BANK_NUMBERS)
_CARD_PLACES: dict[str, frozenset[Place]] = {
    "/v1/simulate/card/pay": frozenset({("card",)}),
    "/v1/simulate/debit/authorize": frozenset({("account",)}),
    "/v1/external_accounts": frozenset((name,) for name in _BANK_NUMBERS),
    "/v1/session/orders": frozenset(("bank", name) for name in _BANK_NUMBERS),
    "/v1/payout_batches": _IN_ITEMS,
    "/v1/payout_batches/validate": _IN_ITEMS,
}


@dataclass(frozen=True, slots=True)
class _Room:
    """How large a body may be: in bytes, and in names and values."""

    bytes: int = bodies.MAX_BYTES
    values: int = texts.MOST_VALUES


_USUAL_ROOM = _Room()
_BATCH_ROOM = _Room(8 * 1024 * 1024, 400_000)
_ROOMS = {"/v1/payout_batches": _BATCH_ROOM, "/v1/payout_batches/validate": _BATCH_ROOM}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose body has been read and checked already."""

    _raw: bytes
    _document: JsonObject

    async def load(self, *, required: bool) -> None:
        """Read the body; raises what `bodies` and `texts` raise. Nothing at all is `{}` where none is required."""
        length = values(self.scope, b"content-length")
        if not required and not values(self.scope, b"transfer-encoding") and length in ([], [b"0"]):
            self._raw, self._document = b"", {}
        else:
            path: str = self.scope["path"]
            room = _ROOMS.get(path, _USUAL_ROOM)
            bodies.check_headers(self.scope, room.bytes)
            self._raw = await bodies.read(self.receive, room.bytes)
            if not self._raw.strip():
                raise MalformedJson
            if len(self._raw) > bodies.MAX_BYTES:
                # Tenths of a second: beside the loop, so that others are answered meanwhile.
                self._document = await asyncio.to_thread(_document, self._raw, path, room)
            else:
                self._document = _document(self._raw, path, room)
        self.scope[_DOCUMENT] = self._document

    async def body(self) -> bytes:
        """The raw body."""
        return self._raw

    async def json(self) -> JsonObject:
        """The parsed body."""
        return self._document


def _document(raw: bytes, path: str, room: _Room) -> JsonObject:
    document = bodies.parse(raw)
    texts.check(document, card_places=_CARD_PLACES.get(path, frozenset()), most_values=room.values)
    return document


class StrictRoute(APIRoute):
    """What the route documents in `openapi_extra` is all that it accepts in the query."""

    def get_route_handler(self) -> Handler:
        """The handler behind the strict reading."""
        inner = super().get_route_handler()
        parameters = (self.openapi_extra or {}).get("parameters", [])
        allowed = frozenset(parameter["name"] for parameter in parameters if parameter["in"] == "query")
        body = self.body_field
        required = body is not None and body.field_info.is_required()

        async def handle(request: Request) -> Response:
            request.scope[_QUERY] = read_query(request.scope["query_string"], allowed)
            if body is None:
                return await inner(request)
            strict = StrictRequest(request.scope, request.receive)
            await strict.load(required=required)
            return await inner(strict)

        return handle


def document_of(scope: Scope) -> JsonObject:
    """The body of this request."""
    document: JsonObject = scope.get(_DOCUMENT, {})
    return document


def query_of(scope: Scope) -> Query:
    """The query of this request."""
    query: Query = scope[_QUERY]
    return query
