"""Answers: the ready bytes that a service gives, and shown objects with their entity tag."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from app.api.headers import none_match
from app.api.problems import MEDIA_TYPE
from app.schemas.base import Resource
from app.schemas.problems import Problem
from app.services.idempotent import Answer

_JSON: Final = "application/json"
# What FastAPI shows for a model in `responses`.
Documented = dict[int | str, dict[str, Any]]


def answered(answer: Answer) -> Response:
    """The answer to a keyed request, marked when it is a repetition."""
    response = Response(answer.body, answer.status, media_type=_JSON if answer.status < 400 else MEDIA_TYPE)
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def shown(request: Request, resource: Resource, *, sequence: int | None = None) -> Response:
    """One object, or nothing but 304 when the caller has this very version.

    The entity tag begins with the object's sequence, which is what If-Match compares; the digest behind it covers what
    may change without a transition, such as confirmations.
    """
    body = resource.model_dump_json().encode()
    digest = hashlib.sha256(body).hexdigest()[:16]
    tag = f'"{digest}"' if sequence is None else f'"{sequence}-{digest}"'
    if not none_match(request.scope, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type=_JSON, headers={"ETag": tag})


def page_of_items(page: Resource) -> Response:
    """A list."""
    return Response(page.model_dump_json().encode(), media_type=_JSON)


def gives(model: type[Resource], *, status: int = 200) -> Documented:
    """How a route documents its answer, and its refusals."""
    return {status: {"model": model, "description": (model.__doc__ or "").strip()}, **_REFUSALS}


_PROBLEM: Final[dict[str, Any]] = {"model": Problem, "description": "A refusal"}
_REFUSALS: Final[Documented] = {"4XX": _PROBLEM, "5XX": _PROBLEM}
