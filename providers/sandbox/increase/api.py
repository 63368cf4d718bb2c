"""Increase's front door: keys, idempotency and errors around the endpoints of resources.py."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Request, Response

from providers.sandbox.gate import Answer, json_answer
from providers.sandbox.increase.accounts import Accounts
from providers.sandbox.increase.books import Books, Key, is_sandbox_key, owner_of_key, visible
from providers.sandbox.increase.errors import Document, Refusal, carry_out
from providers.sandbox.increase.fields import Fields
from providers.sandbox.increase.resources import Ask, Resources
from providers.sandbox.store import Store

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as HTTP delivered it."""

    method: str
    path: str
    query: str
    body: bytes
    authorization: str | None
    key: str | None


class IncreaseApi:
    """Answers requests. Everything one request does is done in one step of the store, or not at all."""

    def __init__(self, store: Store, books: Books, accounts: Accounts, resources: Resources) -> None:
        self._store = store
        self._books = books
        self._accounts = accounts
        self._resources = resources

    def answer(self, asked: Asked) -> Answer:
        """Carry out one request."""
        try:
            owner = _owner(asked)
        except Refusal as refusal:
            return _refused(refusal)
        self._accounts.ensure(owner)  # stays, whatever becomes of the request
        replayed = False

        def act() -> Document:
            nonlocal replayed
            key = _key(asked)
            made = self._made(owner, key) if key is not None else None
            if made is not None:
                replayed = True
                return made
            ask = Ask(owner, Fields(_body(asked)), dict(parse_qsl(asked.query, keep_blank_values=True)), key)
            return self._resources.handle(asked.method, asked.path, ask)

        outcome = carry_out(self._store, act)
        if isinstance(outcome, Refusal):
            return _refused(outcome)
        headers = ((b"idempotent-replayed", b"true"),) if replayed else ()
        return json_answer(200, orjson.dumps(visible(outcome)), *headers)

    def _made(self, owner: str, key: Key) -> Document | None:
        """The object that this very request made before; raises Refusal when another one used its key.

        A key makes one object at most and is kept for good; a request that was refused has not used it.
        https://increase.com/documentation/idempotency-keys
        """
        found = self._books.under_key(owner, key.key)
        if found is None:
            return None
        document, fingerprint = found
        if fingerprint != key.fingerprint:
            raise Refusal("idempotency_key_already_used_error", resource_id=document["id"])
        return document


def router(api: IncreaseApi) -> APIRouter:
    """Every path below /increase, whatever its method; the table of endpoints is in resources.py."""
    routes = APIRouter()

    async def increase(request: Request) -> Response:
        headers = request.headers
        answer = api.answer(
            Asked(
                method=request.method,
                path=request.path_params["path"],
                query=request.url.query,
                body=await request.body(),
                authorization=headers.get("authorization"),
                key=headers.get("idempotency-key"),
            )
        )
        response = Response(answer.body, answer.status)
        response.raw_headers = list(answer.headers)
        return response

    routes.add_route("/increase{path:path}", increase, methods=["GET", "POST", "PATCH"])
    return routes


def _refused(refusal: Refusal) -> Answer:
    return json_answer(refusal.status, orjson.dumps(refusal.document))


def _owner(asked: Asked) -> str:
    scheme, _, api_key = (asked.authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not api_key:
        raise Refusal("invalid_api_key_error", reason="no_header")
    if not is_sandbox_key(api_key):
        raise Refusal("invalid_api_key_error", reason="no_credential")
    return owner_of_key(api_key)


def _key(asked: Asked) -> Key | None:
    if asked.method != "POST" or asked.key is None:
        return None
    if not 1 <= len(asked.key) <= LONGEST_KEY:
        raise Refusal("invalid_parameters_error", f"Idempotency-Key: 1 to {LONGEST_KEY} characters.", errors=[])
    canonical = orjson.dumps([asked.path, _body(asked)], option=orjson.OPT_SORT_KEYS)
    return Key(asked.key, hashlib.sha256(canonical).hexdigest())


def _body(asked: Asked) -> Document:
    if asked.method == "GET" or not asked.body:
        return {}
    try:
        body = orjson.loads(asked.body)
    except orjson.JSONDecodeError:
        raise Refusal("malformed_request_error", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refusal("malformed_request_error", "The body is not an object.")
    return body
