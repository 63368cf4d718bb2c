"""The reference: the OpenAPI document and a page that shows it, both without anybody else's server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files
from types import NoneType
from typing import Any, Final, get_args

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.api.calls import Reading, Writing
from app.api.door import VERSION
from app.api.examples import example_of
from app.api.headers import none_match
from app.api.problems import MEDIA_TYPE
from app.api.session_calls import PageReading, PageWriting
from app.domain.event_types import EVENT_TYPES
from app.schemas.events import EventOut
from app.schemas.problems import Problem

Json = dict[str, Any]

_DESCRIPTION: Final = """A fiat/crypto ramp that you host yourself.

Every request carries `Authorization: Bearer <key>`; every POST an `Idempotency-Key`. Money is a decimal string with its
asset, never a number. Times are RFC 3339 in UTC. Refusals are RFC 9457 problem documents with a stable `code`.
Unknown fields and unknown query parameters are refused, not ignored."""
_VERSION_HEADER: Final[Json] = {
    "name": "Rampwright-Version",
    "in": "header",
    "required": False,
    "description": "The dated version of this API that you were written for",
    "schema": {"type": "string", "enum": [VERSION]},
}
_KEY_HEADER: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Names this request: the same key gives the same answer, and makes nothing twice",
    "schema": {"type": "string", "pattern": "^[!#-+\\--:<-~]{1,255}$"},
    "example": "9f86d081-order-42",
}
_MATCH_HEADER: Final[Json] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "Only if the object still has this entity tag, which begins with its `sequence`",
    "schema": {"type": "string"},
    "example": '"1"',
}
_MAY_MATCH: Final = frozenset(
    {
        "cancel_order",
        "refund_order",
        "update_endpoint",
        "delete_endpoint",
        "enable_endpoint",
        "disable_endpoint",
        "close_external_account",
        "approve_payout_batch",
        "reject_payout_batch",
        "cancel_payout_batch",
    }
)


def document(routers: Sequence[APIRouter]) -> Json:
    """The OpenAPI 3.1 document of these routes, with an example for every operation and the events as webhooks."""
    app = FastAPI(generate_unique_id_function=lambda route: route.name)
    for router in routers:
        app.include_router(router)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    found = get_openapi(
        title="Rampwright", version=VERSION, openapi_version="3.1.0", description=_DESCRIPTION, routes=app.routes
    )
    for route in routes:
        if route.include_in_schema:
            for method in route.methods or ():
                _finish(found["paths"][route.path_format][method.lower()], route)
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    found["servers"] = [{"url": "/"}]
    found["components"]["responses"] = {
        "Refusal": {
            "description": "A refusal. `code` says which; `errors` says where.",
            "content": {
                MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example_of(Problem)}
            },
        }
    }
    found["components"]["securitySchemes"] = {
        "api_key": {"type": "http", "scheme": "bearer", "description": "`rmp_sk_test_…` or `rmp_sk_live_…`"},
        "session": {
            "type": "http",
            "scheme": "bearer",
            "description": "`rmp_ws_test_…` or `rmp_ws_live_…`: what a page's browser has made, for one session",
        },
    }
    found["webhooks"] = {kind: {"post": _webhook(kind)} for kind in EVENT_TYPES}
    whole: Json = _whole(found)
    return whole


def _whole(value: Any) -> Any:
    """The same document; FastAPI writes the bounds of whole numbers as 1.0."""
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _finish(operation: Json, route: APIRoute) -> None:
    """Say of one operation what FastAPI cannot know."""
    operation["summary"], _, rest = (route.endpoint.__doc__ or "").strip().partition(". ")
    operation["summary"] = operation["summary"].rstrip(".")
    operation["description"] = rest or operation["summary"] + "."
    parameters = operation.setdefault("parameters", [])
    _finish_access(operation, route)
    if route.path.startswith("/v1/"):
        parameters.append(_VERSION_HEADER)
    if any(isinstance(depended.call, Writing | PageWriting) for depended in route.dependant.dependencies):
        parameters.append(_KEY_HEADER)
    if route.name in _MAY_MATCH:
        parameters.append(_MATCH_HEADER)
    if route.body_field is not None:
        body = operation["requestBody"]["content"]["application/json"]
        models = _models_of(route.body_field.field_info.annotation)
        if len(models) == 1:
            # A body that may be left out is still an object when it is there.
            body["schema"] = {"$ref": f"#/components/schemas/{models[0].__name__}"}
        body["example"] = example_of(models[0])
    if route.path.startswith("/v1/"):
        operation["responses"].pop("422", None)
    for status, response in route.responses.items():
        answer = response.get("model")
        if answer is Problem:
            operation["responses"][str(status)] = {"$ref": "#/components/responses/Refusal"}
        elif answer is not None:
            operation["responses"][str(status)]["content"]["application/json"]["example"] = example_of(answer)


def _finish_access(operation: Json, route: APIRoute) -> None:
    """Say who may do it: a partner's key with a scope, or a page's credential."""
    for depended in route.dependant.dependencies:
        match depended.call:
            case Reading(scope=scope):
                operation["security"] = [{"api_key": [] if scope is None else [scope]}]
            case PageReading():
                operation["security"] = [{"session": []}]


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """What a body may be; one that may be left out is nothing besides."""
    return [part for part in get_args(annotation) if part is not NoneType] or [annotation]


def _webhook(kind: str) -> Json:
    example = example_of(EventOut) | {"type": kind}
    return {
        "operationId": kind.replace(".", "_"),
        "tags": ["events sent to you"],
        "summary": kind,
        "description": "Signed as the Standard Webhooks specification says; answer 2xx within 15 seconds.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EventOut"}, "example": example}},
        },
        "responses": {"2XX": {"description": "Received"}},
    }


class Reference:
    """The document's bytes, made when somebody first asks."""

    def __init__(self, routers: Sequence[APIRouter]) -> None:
        """Of these routes."""
        self._routers = routers
        self._body: bytes | None = None

    def body(self) -> bytes:
        """The document as JSON."""
        if self._body is None:
            self._body = orjson.dumps(document(self._routers))
        return self._body


router = APIRouter(include_in_schema=False)
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES: Final = {
    "/docs": ("reference.html", "text/html; charset=utf-8"),
    "/docs/reference.js": ("reference.js", "text/javascript; charset=utf-8"),
    "/docs/reference.css": ("reference.css", "text/css; charset=utf-8"),
}


@router.get("/openapi.json")
async def get_document(request: Request) -> Response:
    """The OpenAPI document."""
    reference: Reference = request.app.state.reference
    return _file(request, reference.body(), "application/json")


def _file(request: Request, body: bytes, media_type: str) -> Response:
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"', "Content-Security-Policy": _PAGE_POLICY}
    if not none_match(request.scope, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _serve(name: str, media_type: str) -> Callable[[Request], Any]:
    body = files("app.api").joinpath("static", name).read_bytes()

    async def serve(request: Request) -> Response:
        return _file(request, body, media_type)

    return serve


for _path, (_name, _type) in _FILES.items():
    router.add_api_route(_path, _serve(_name, _type), methods=["GET"])
