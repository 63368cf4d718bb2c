"""JSON-RPC 1.0 and 2.0 over HTTP, with Bitcoin Core's authentication and status codes (its src/httprpc.cpp)."""

from __future__ import annotations

import hmac
import inspect
import json
import logging
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import NamedTuple

import orjson
from fastapi import APIRouter, Request, Response

from providers.sandbox.bitcoin.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MISC,
    PARSE_ERROR,
    RpcError,
)
from providers.sandbox.bitcoin.methods import Methods
from providers.sandbox.bitcoin.node import Node

_log = logging.getLogger(__name__)
_STATUS_OF = {METHOD_NOT_FOUND: HTTPStatus.NOT_FOUND, INVALID_REQUEST: HTTPStatus.BAD_REQUEST}


class Answer(NamedTuple):
    """What one call gets. Only version 1 tells errors by the HTTP status; `body` is None for a notification."""

    status: HTTPStatus
    body: dict[str, object] | None


def router(node: Node, user: str, password: str) -> APIRouter:
    """The node's door: POST at the prefix under which this router is included."""
    dispatcher = Dispatcher(Methods(node).by_name)
    expected = b"Basic " + b64encode(f"{user}:{password}".encode())
    routes = APIRouter()

    @routes.post("", include_in_schema=False)
    async def call(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, expected):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="jsonrpc"'})
        return dispatcher.respond(await request.body())

    return routes


class Dispatcher:
    """From the bytes of a request to the bytes of its answer."""

    def __init__(self, methods: dict[str, Callable[..., object]]) -> None:
        self._methods = {name: (method, inspect.signature(method)) for name, method in methods.items()}

    def respond(self, body: bytes) -> Response:
        """Answer a single request or a batch."""
        try:
            request: object = json.loads(body, parse_float=Decimal)
        except (ValueError, RecursionError):
            return _failed(RpcError(PARSE_ERROR, "Parse error"))
        if isinstance(request, list):
            bodies = [answer.body for answer in map(self._answer, request) if answer.body is not None]
            return _response(HTTPStatus.OK, bodies) if bodies or not request else Response(status_code=204)
        if not isinstance(request, dict):
            return _failed(RpcError(PARSE_ERROR, "Top-level object parse error"))
        answer = self._answer(request)
        return Response(status_code=204) if answer.body is None else _response(answer.status, answer.body)

    def _answer(self, request: object) -> Answer:
        """Answer one call, whatever it is."""
        fields = request if isinstance(request, dict) else {}
        modern = fields.get("jsonrpc") == "2.0"
        is_notification = modern and "id" not in fields
        status, result, error = HTTPStatus.OK, None, None
        try:
            result = self._call(request)
        except RpcError as refusal:
            error = {"code": refusal.code, "message": refusal.message}
            status = _STATUS_OF.get(refusal.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        except Exception:
            # The far side must answer whatever happens in it; what happened is for its operator.
            _log.exception("a call of the node failed")
            error = {"code": INTERNAL_ERROR, "message": "Internal error"}
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        if is_notification:
            return Answer(HTTPStatus.NO_CONTENT, None)
        if not modern:
            return Answer(status, {"result": result, "error": error, "id": fields.get("id")})
        outcome: dict[str, object] = {"result": result} if error is None else {"error": error}
        return Answer(HTTPStatus.OK, {"jsonrpc": "2.0", **outcome, "id": fields["id"]})

    def _call(self, request: object) -> object:
        """Find the method, bind its arguments and run it; raises RpcError."""
        if not isinstance(request, dict):
            raise RpcError(INVALID_REQUEST, "Invalid Request object")
        if request.get("jsonrpc", "1.0") not in ("1.0", "1.1", "2.0"):
            raise RpcError(INVALID_REQUEST, "JSON-RPC version not supported")
        name, given = request.get("method"), request.get("params")
        if not isinstance(name, str):
            raise RpcError(INVALID_REQUEST, "Method must be a string")
        if not isinstance(given, list | dict | None):
            raise RpcError(INVALID_REQUEST, "Params must be an array or object")
        if name not in self._methods:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        method, signature = self._methods[name]
        try:
            bound = signature.bind(**given) if isinstance(given, dict) else signature.bind(*(given or []))
        except TypeError as error:
            code = INVALID_PARAMETER if isinstance(given, dict) else MISC
            raise RpcError(code, f"{name}: {error}") from None
        return method(*bound.args, **bound.kwargs)


def _failed(refusal: RpcError) -> Response:
    error = {"code": refusal.code, "message": refusal.message}
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, {"result": None, "error": error, "id": None})


def _response(status: HTTPStatus, body: object) -> Response:
    return Response(orjson.dumps(body, default=_plain), status, media_type="application/json")


def _plain(value: object) -> orjson.Fragment:
    """An id that came as a fraction goes back as it came."""
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no place in an answer")
