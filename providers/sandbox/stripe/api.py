"""Stripe's front door: keys, versions, idempotency, errors and expansion around the verbs of resources.py."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from fastapi import APIRouter, Request, Response

from providers.sandbox.gate import Answer, json_answer
from providers.sandbox.requests import Call
from providers.sandbox.store import Store
from providers.sandbox.stripe.accounts import account_of, is_test_key, secret_key_in
from providers.sandbox.stripe.books import Books, Caller, token
from providers.sandbox.stripe.errors import Document, Refusal, carry_out, invalid
from providers.sandbox.stripe.idempotency import Idempotency, Kept
from providers.sandbox.stripe.objects import API_VERSION, visible
from providers.sandbox.stripe.params import Params, decode
from providers.sandbox.stripe.resources import Resources
from providers.sandbox.stripe.verbs import Ask

DEEPEST_EXPANSION = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as HTTP delivered it."""

    method: str
    path: str  # from /v1 on
    query: str
    body: bytes
    authorization: str | None
    key: str | None
    version: str | None
    connected: str | None = None  # the account that the caller acts for


class StripeApi:
    """Answers requests. Everything one request does is done in one step of the store, or not at all."""

    def __init__(self, store: Store, books: Books, resources: Resources) -> None:
        self._store = store
        self._books = books
        self._resources = resources
        self.idempotency = Idempotency(store)

    def answer(self, asked: Asked) -> Answer:
        """Carry out one request."""
        request_id = f"req_{token(14)}"
        key = asked.key if asked.method == "POST" else None
        headers = {"request-id": request_id, "stripe-version": asked.version or API_VERSION}
        if key is not None:
            headers["idempotency-key"] = key
        try:
            account = self._account(asked)
            kept = self.idempotency.find(account, key, asked.path, asked.body) if key is not None else None
            if kept is not None:
                headers |= {"idempotent-replayed": "true", "original-request": kept.request_id}
                return _answer(kept.status, kept.body, headers)
            status, body = self._do(asked, Caller(account, request_id, asked.key))
        except Refusal as refusal:
            return _answer(refusal.status, orjson.dumps({"error": refusal.document}), headers)
        if key is not None:
            self.idempotency.keep(account, key, asked.path, asked.body, Kept(status, body, request_id))
        return _answer(status, body, headers)

    def pin(self, call: Call, answer: Answer) -> None:
        """Make an answer the one that this request's key gives from now on, as Stripe does with a 500 of its own."""
        if call.account is not None and call.key is not None:
            kept = Kept(answer.status, answer.body, f"req_{token(14)}")
            self.idempotency.keep(call.account, call.key, call.path, call.body, kept)

    def _account(self, asked: Asked) -> str:
        secret_key = secret_key_in(asked.authorization)
        if secret_key is None:
            raise Refusal("You did not provide an API key.", status=401, stored=False)
        if not is_test_key(secret_key):
            shown = f"{secret_key[:8]}...{secret_key[-4:]}"
            raise Refusal(f"Invalid API Key provided: {shown}", status=401, code="api_key_invalid", stored=False)
        return asked.connected or account_of(secret_key)

    def _do(self, asked: Asked, caller: Caller) -> tuple[int, bytes]:
        """The status and body that an idempotency key remembers; raises Refusal for those that it does not."""
        try:
            form = decode(asked.query if asked.method in ("GET", "DELETE") else asked.body.decode())
        except UnicodeDecodeError:
            raise invalid("Invalid request body: not UTF-8.", "") from None
        params = Params(form)
        expand = params.texts("expand")

        def act() -> Document:
            document = self._resources.handle(asked.method, asked.path, Ask(caller, params))
            return self._expanded(caller.account, document, expand)

        outcome = carry_out(self._store, act)
        if not isinstance(outcome, Refusal):
            return 200, orjson.dumps(visible(outcome))
        if not outcome.stored:
            raise outcome
        return outcome.status, orjson.dumps({"error": outcome.document})

    def _expanded(self, account: str, document: Document, paths: list[str]) -> Document:
        for path in paths:
            steps = path.split(".")
            if len(steps) > DEEPEST_EXPANSION:
                raise invalid(f"You cannot expand more than {DEEPEST_EXPANSION} levels of a property.", "expand")
            self._expand(account, document, steps, path)
        return document

    def _expand(self, account: str, place: object, steps: list[str], path: str) -> None:
        if isinstance(place, list):
            for item in place:
                self._expand(account, item, steps, path)
            return
        if not steps or not isinstance(place, dict):
            return
        head, *rest = steps
        if head not in place:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        value = place[head]
        if isinstance(value, str):
            found = self._books.any(account, value)
            if found is None:
                raise invalid(f"This property cannot be expanded ({path}).", "expand")
            place[head] = visible(found)
        self._expand(account, place[head], rest, path)


def router(api: StripeApi) -> APIRouter:
    """Every path below /stripe, whatever its method; the table of endpoints is in resources.py."""
    routes = APIRouter()

    async def stripe(request: Request) -> Response:
        headers = request.headers
        answer = api.answer(
            Asked(
                method=request.method,
                path=request.path_params["path"],
                query=request.url.query,
                body=await request.body(),
                authorization=headers.get("authorization"),
                key=headers.get("idempotency-key"),
                version=headers.get("stripe-version"),
                connected=headers.get("stripe-account"),
            )
        )
        response = Response(answer.body, answer.status)
        response.raw_headers = list(answer.headers)
        return response

    # Without FastAPI's machinery, which would double the cost of a request and knows nothing of Stripe's forms.
    routes.add_route("/stripe{path:path}", stripe, methods=["GET", "POST", "DELETE"])
    return routes


def _answer(status: int, body: bytes, headers: dict[str, str]) -> Answer:
    return json_answer(status, body, *((name.encode(), value.encode("latin-1")) for name, value in headers.items()))
