"""Around every request: its id, the headers of every answer, who may come in, one log line, and no crash unanswered."""

from __future__ import annotations

import time
from collections.abc import Iterable
from traceback import format_exception
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from app.api.auth import EXCHANGE, authenticate, authenticate_page, caller_or_none, is_page, require_own_page
from app.api.calls import REQUEST_ID
from app.api.context import Context
from app.api.headers import only
from app.api.metrics import observe
from app.api.problems import answer_to
from app.api.refusals import HeaderInvalid, HeadersTooLarge, UnsupportedVersion
from app.api.session_calls import base_url_of
from app.db.columns import new_id

VERSION: Final = "2026-11-01"
_MOST_HEADERS: Final = 100
_MOST_HEADER_BYTES: Final = 32 * 1024
_NO_CONTENT_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_FRAMED_BY_NOBODY: Final = b"frame-ancestors 'none'"
_ALWAYS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"rampwright-version", VERSION.encode()),
]
_UNLESS_SAID: Final = [
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    _NO_CONTENT_POLICY,
]

log = structlog.get_logger(__name__)


class Door:
    """The outermost layer. Pure ASGI, because Starlette's own base class costs a quarter of a millisecond."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = scope[REQUEST_ID] = new_id("req")  # the client's own is not trusted
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        answer = _Answer(send, request_id, without_body=scope["method"] == "HEAD")
        if answer.without_body:
            scope["method"] = "GET"
        try:
            await self._enter(scope)
            await self._app(scope, receive, answer.send)
        except Exception as error:
            await self._failed(error, scope, receive, answer)
        finally:
            _record(scope, answer, time.perf_counter() - started)

    async def _enter(self, scope: Scope) -> None:
        """Raise when the request may not come in."""
        if scope["http_version"] == "0.9":
            raise HeaderInvalid("HTTP/1.1 is spoken here.")
        headers = scope["headers"]
        if len(headers) > _MOST_HEADERS or sum(len(n) + len(v) for n, v in headers) > _MOST_HEADER_BYTES:
            raise HeadersTooLarge
        if not scope["path"].startswith("/v1/"):
            return
        await self._authenticate(scope)
        version = only(scope, b"rampwright-version", UnsupportedVersion)
        if version is not None and version != VERSION.encode():
            raise UnsupportedVersion

    async def _authenticate(self, scope: Scope) -> None:
        """Partners come with a key, a page with its session's credential, or with the secret to be exchanged for it."""
        db, livemode = self._context.db, self._context.rails.livemode
        if not is_page(scope["path"]):
            await authenticate(db, scope, livemode=livemode)
            return
        require_own_page(scope, base_url_of(self._context, scope))
        if scope["path"] != EXCHANGE:
            await authenticate_page(db, scope, livemode=livemode)

    async def _failed(self, error: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if answer.status:
            raise error  # the answer has begun: only breaking the connection can still tell
        response = answer_to(error, scope[REQUEST_ID])
        if response.status_code == 500:
            # As text: a renderer given the exception itself may print local variables, and with them secrets.
            log.error("request.crashed", kind=type(error).__name__, trace="".join(format_exception(error)))
        await response(scope, receive, answer.send)


class _Answer:
    """The way out: adds what every answer carries, and remembers the status."""

    def __init__(self, send: Send, request_id: str, *, without_body: bool) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.without_body = without_body
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = _completed(message.get("headers", []), self._request_id)
        elif self.without_body:
            message = {**message, "body": b""}
        await self._send(message)


def _completed(said: Iterable[tuple[bytes, bytes]], request_id: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of an answer: its own, and what it did not say itself."""
    headers = [*said, *_ALWAYS, (b"request-id", request_id)]
    names = {name for name, _ in headers}
    headers += [header for header in _UNLESS_SAID if header[0] not in names]
    # X-Frame-Options cannot name those who may: it stays away from the one page whose policy does.
    if any(name == b"content-security-policy" and _FRAMED_BY_NOBODY in value for name, value in headers):
        headers.append((b"x-frame-options", b"DENY"))
    return headers


def _record(scope: Scope, answer: _Answer, seconds: float) -> None:
    """One line and one observation, by the route's pattern: a path or a query may hold what must not be kept."""
    route = getattr(scope.get("route"), "path", "unmatched")
    status = answer.status or 499
    observe(scope["method"], route, status, seconds)
    caller = caller_or_none(scope)
    log.info(
        "request.answered",
        method=scope["method"] if route != "unmatched" else "-",
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 2),
        peer=(scope.get("client") or ("-",))[0],
        partner_id=caller.partner_id if caller else None,
        key_id=caller.key_id if caller else None,
    )
