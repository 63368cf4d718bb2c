"""The gate every request passes: read, spoilt when told to, logged, and answered once all is on disk."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from providers.sandbox.faults import Fault, FaultKind, Faults
from providers.sandbox.increase.books import owner_of_key
from providers.sandbox.requests import Call, RequestLog
from providers.sandbox.store import Store
from providers.sandbox.stripe.accounts import account_of, secret_key_in

ABORT = "sandbox.abort"  # the ASGI extension by which a request cuts its own connection; see main.AbortableProtocol
TARGETS = {"/stripe": "stripe", "/increase": "increase", "/bitcoin": "bitcoin"}
TARGETS |= {"/kraken": "kraken", "/binance": "binance"}
# What Increase calls these; for any other status the fault has to bring its own body.
_INCREASE_ERRORS = {429: "rate_limited_error", 500: "internal_server_error"}
GARBAGE = b"<html><body>502 Bad Gateway</body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def json_answer(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    """A response of JSON."""
    length = (b"content-length", str(len(body)).encode())
    return Answer(status, ((b"content-type", b"application/json"), length, *headers), body)


Pin = Callable[[Call, Answer], None]


class Gate:
    """ASGI middleware around the whole sandbox."""

    def __init__(self, app: ASGIApp, *, store: Store, faults: Faults, log: RequestLog, pin: Pin) -> None:
        """`pin` makes an answer the one that the request's idempotency key gives from now on."""
        self._app = app
        self._store = store
        self._faults = faults
        self._log = log
        self._pin = pin
        self._keys_in_flight: set[tuple[str | None, str]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = await _read(scope, receive)
        if call.target == "control":
            await self._send(send, await self._apply(scope, call))
            return
        key = (call.account, call.key) if call.target == "stripe" and call.key else None
        if key in self._keys_in_flight:
            self._log.add(call, 409, None)
            await self._send(send, _key_in_use(call))
            return
        if key is not None:
            self._keys_in_flight.add(key)
        try:
            await self._spoiled(scope, receive, send, call)
        finally:
            if key is not None:
                self._keys_in_flight.discard(key)

    async def _spoiled(self, scope: Scope, receive: Receive, send: Send, call: Call) -> None:
        fault = self._faults.for_call(call)
        answer = await self._answer(scope, call, fault)
        lost = fault is not None and fault.kind in (FaultKind.LOST, FaultKind.LOST_BEFORE)
        if _is_logged(call):
            self._log.add(call, None if lost else answer.status, fault.kind if fault else None)
        if fault is not None and fault.kind is FaultKind.DELAY:
            await self._store.durable()
            await asyncio.sleep(fault.seconds)
        if lost:
            await self._store.durable()
            await _abort(scope, receive)
        else:
            await self._send(send, answer)

    async def _answer(self, scope: Scope, call: Call, fault: Fault | None) -> Answer:
        if fault is None:
            return await self._apply(scope, call)
        if fault.kind is FaultKind.DELAY_BEFORE:
            await asyncio.sleep(fault.seconds)
        spoilt = _error_of(fault, call)
        if fault.kind not in (FaultKind.ERROR_BEFORE, FaultKind.LOST_BEFORE):
            real = await self._apply(scope, call)
            if fault.kind is FaultKind.GARBAGE:
                return Answer(200, ((b"content-type", b"text/html"),), (fault.body or "").encode() or GARBAGE)
            if fault.kind is not FaultKind.ERROR_AFTER:
                return real
        if fault.sticky and call.target == "stripe":
            self._pin(call, spoilt)  # Increase keeps objects under a key, not answers
        return spoilt

    async def _apply(self, scope: Scope, call: Call) -> Answer:
        """Let the sandbox do what was asked, and catch its answer."""
        body, whole = bytearray(), Answer(500, (), b"")

        async def receive() -> Message:
            return {"type": "http.request", "body": call.body, "more_body": False}

        async def catch(message: Message) -> None:
            nonlocal whole
            if message["type"] == "http.response.start":
                whole = Answer(message["status"], tuple(message.get("headers", ())), b"")
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await self._app(scope, receive, catch)
        return Answer(whole.status, whole.headers, bytes(body))

    async def _send(self, send: Send, answer: Answer) -> None:
        await self._store.durable()
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})


async def _read(scope: Scope, receive: Receive) -> Call:
    received_at = time.time()
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    path: str = scope["path"]
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    prefix = next((prefix for prefix in TARGETS if path == prefix or path.startswith(prefix + "/")), None)
    if prefix is None:
        return Call("control", scope["method"], path, None, None, body, received_at)
    target = TARGETS[prefix]
    path = path.removeprefix(prefix)
    if target == "bitcoin":
        path = f"{path}/{_rpc_method(body)}"
    account = _account_in(target, headers.get(b"authorization"))
    return Call(target, scope["method"], path, account, headers.get(b"idempotency-key"), body, received_at)


def _account_in(target: str, authorization: str | None) -> str | None:
    """Whose request it is: an id that its key opens, never the key."""
    accounts = {"stripe": account_of, "increase": owner_of_key}
    secret_key = secret_key_in(authorization) if target in accounts else None
    return accounts[target](secret_key) if secret_key else None


def _rpc_method(body: bytes) -> str:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "?"
    return str(request.get("method", "?")) if isinstance(request, dict) else "batch"


def _is_logged(call: Call) -> bool:
    """Whether the request can change anything, or reads the books that the auditor compares."""
    if call.target == "bitcoin":
        return call.path in ("/sendrawtransaction", "/generatetoaddress", "/invalidateblock", "/batch")
    return call.target in ("stripe", "increase")


def _key_in_use(call: Call) -> Answer:
    message = (
        f"There is currently another in-progress request using this Idempotency Key ({call.key}), probably because you"
        " submitted twice and the first request has not finished. Please retry later."
    )
    error = {"code": "idempotency_key_in_use", "message": message, "type": "idempotency_error"}
    return json_answer(409, orjson.dumps({"error": error}))


def _error_of(fault: Fault, call: Call) -> Answer:
    """The error that the fault asks for, in the words of the protocol that was spoken."""
    error: object = {"message": "An unknown error occurred.", "type": "api_error"}
    if fault.status == 429:
        error = {"message": "Too many requests.", "type": "invalid_request_error", "code": "rate_limit"}
    shapes: dict[str, object] = {
        "stripe": {"error": error},
        "increase": {"type": _INCREASE_ERRORS.get(fault.status), "status": fault.status, "title": "A sandbox fault."},
        "kraken": {"error": ["EService:Unavailable"], "result": {}},
        "binance": {"code": -1000, "msg": "An unknown error occurred while processing the request."},
        "bitcoin": {"result": None, "error": {"code": -1, "message": "sandbox fault"}, "id": None},
    }
    body = json.dumps(shapes[call.target]) if fault.body is None else fault.body
    retry = ((b"retry-after", fault.retry_after.encode("latin-1")),) if fault.retry_after is not None else ()
    return json_answer(fault.status, body.encode(), *retry)


async def _abort(scope: Scope, receive: Receive) -> None:
    """Cut the connection without a byte of an answer."""
    scope["extensions"][ABORT]["transport"].abort()
    while (await receive())["type"] != "http.disconnect":
        pass
