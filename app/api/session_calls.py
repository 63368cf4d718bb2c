"""One call of a page: in which session, and under which idempotency key. What the page's routes depend on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.types import Scope

from app.api import headers
from app.api.auth import standing_of
from app.api.calls import REQUEST_ID, keyed
from app.api.context import Context, context_of
from app.api.headers import only
from app.api.refusals import HeaderInvalid
from app.api.routing import document_of
from app.db.sessions import Standing
from app.domain.errors import ForbiddenData
from app.domain.session import BOUND
from app.services import sessions
from app.services.idempotent import IdempotentRequest

_HOST: Final = re.compile(rb"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:]{2,45}\](?::[0-9]{1,5})?")


def base_url_of(context: Context, scope: Scope) -> str:
    """Where our pages are: as the operator says, else where this request was sent; raises HeaderInvalid."""
    if context.sessions.public_url is not None:
        return context.sessions.public_url
    host = only(scope, b"host")
    if host is None or not _HOST.fullmatch(host):
        raise HeaderInvalid("The Host header cannot be understood.")
    return f"{scope['scheme']}://{host.decode('ascii').lower()}"


@dataclass(frozen=True, slots=True)
class PageCall:
    """A call that reads."""

    context: Context
    found: Standing
    request_id: str

    async def bound(self, pointer: str | None) -> None:
        """Void the session when its page has named what is bound; raises ForbiddenData then."""
        if pointer is not None:
            await sessions.void(self.context.db, self.found.session, self.request_id)
            raise ForbiddenData("This is bound, and the session is over.", pointer=pointer)


@dataclass(frozen=True, slots=True)
class PageWrite(PageCall):
    """A call that changes something, once per key."""

    request: IdempotentRequest


class PageReading:
    """The dependency of a page's route that changes nothing."""

    async def __call__(self, request: Request) -> PageCall:
        """Look at the body's names; raises ForbiddenData for one of what is always bound."""
        context = await context_of(request)
        call = PageCall(context, standing_of(request.scope), request.scope[REQUEST_ID])
        await call.bound(next((f"/{name}" for name in document_of(request.scope) if name in BOUND), None))
        return call


class PageWriting(PageReading):
    """The dependency of a page's route that is safe to repeat."""

    async def __call__(self, request: Request) -> PageWrite:
        """Read the key as well; raises the refusals of `headers`. The same key in two sessions names two requests."""
        call = await super().__call__(request)
        session = call.found.session
        key = f"{session.id}:{headers.idempotency_key(request.scope)}"
        return PageWrite(
            call.context, call.found, call.request_id, keyed(call.context, request, session.partner_id, key)
        )
