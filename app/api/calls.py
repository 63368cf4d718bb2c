"""One call of an endpoint: who calls, with what scope, and under which idempotency key. What routes depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import Request

from app.api import headers, problems
from app.api.auth import require_scope
from app.api.bodies import canonical
from app.api.context import Context, context_of
from app.api.queries import Query
from app.api.routing import document_of, query_of
from app.db.partners import Caller
from app.domain.errors import DomainError
from app.services.idempotent import IdempotentRequest

REQUEST_ID: Final = "rampwright.request_id"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that reads."""

    context: Context
    caller: Caller
    request_id: str
    query: Query


@dataclass(frozen=True, slots=True)
class Write(Call):
    """A call that changes something, once per key. `expected` are the sequences that If-Match allows, None for any."""

    request: IdempotentRequest
    expected: frozenset[int] | None


class Reading:
    """The dependency of a route that reads; `scope` is what the key must allow, None for any key."""

    def __init__(self, scope: str | None = None) -> None:
        """Name the scope."""
        self.scope = scope

    async def __call__(self, request: Request) -> Call:
        """Check the scope; raises ScopeMissing."""
        caller = require_scope(request, self.scope)
        return Call(await context_of(request), caller, request.scope[REQUEST_ID], query_of(request.scope))


class Writing(Reading):
    """The dependency of a route that changes something and is safe to repeat."""

    async def __call__(self, request: Request) -> Write:
        """Check the scope and read the key; raises ScopeMissing and the refusals of `headers`."""
        scope = request.scope
        caller = require_scope(request, self.scope)
        request_id: str = scope[REQUEST_ID]

        context = await context_of(request)
        once = keyed(context, request, caller.partner_id, headers.idempotency_key(scope))
        expected = headers.expected_sequences(scope)
        return Write(context, caller, request_id, query_of(scope), once, expected)


def keyed(context: Context, request: Request, partner_id: str, key: str) -> IdempotentRequest:
    """The request as it is carried out once under a key of a partner's."""
    request_id: str = request.scope[REQUEST_ID]

    def render(refusal: DomainError) -> tuple[int, bytes]:
        return problems.kind_of(refusal).status, problems.body_of(refusal, request_id)

    return IdempotentRequest(partner_id, key, fingerprint=_fingerprint(context, request), render=render)


def _fingerprint(context: Context, request: Request) -> bytes:
    """What makes two requests the same: method, path and body, whatever the body's spelling.

    Under a key of ours, so that nobody who reads the database can guess a bank account's number from it.
    """
    head = f"{request.method} {request.scope['path']}\n".encode()
    return context.sealer.fingerprint(head + canonical(document_of(request.scope)))
