"""The route that every endpoint is: strict query, strict body, then FastAPI."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
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

_DOCUMENT = "rampwright.document"
_QUERY = "rampwright.query"
# The one endpoint with a field for card numbers: Stripe's published test cards, never stored.
_CARD_FIELDS = {"/v1/simulate/card/pay": frozenset({"card"})}

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
            bodies.check_headers(self.scope)
            self._raw = await bodies.read(self.receive)
            if not self._raw.strip():
                raise MalformedJson
            self._document = bodies.parse(self._raw)
            texts.check(self._document, exempt=_CARD_FIELDS.get(self.scope["path"], frozenset()))
        self.scope[_DOCUMENT] = self._document

    async def body(self) -> bytes:
        """The raw body."""
        return self._raw

    async def json(self) -> JsonObject:
        """The parsed body."""
        return self._document


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
