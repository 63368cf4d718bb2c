"""From a refusal to an HTTP answer: one table of statuses, one form of body (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from app.api import refusals as front
from app.db.outages import TRANSIENT
from app.domain import errors as domain
from app.domain.errors import DomainError
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from app.schemas.pointers import errors_of

DOCS: Final = "https://docs.rampwright.org/problems/"
MEDIA_TYPE: Final = "application/problem+json"
_MOST_ERRORS: Final = 16
_LONGEST_POINTER: Final = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """What a class of refusals is over HTTP. `retryable`: the same request may succeed later, by itself."""

    status: int
    title: str
    retryable: bool = False


# A class that is not here is what its nearest ancestor is.
KINDS: Final[dict[type[DomainError], Kind]] = {
    DomainError: Kind(422, "The request was refused"),
    domain.ValidationFailed: Kind(422, "The request is not valid"),
    domain.UnknownField: Kind(422, "The request has an unknown field"),
    domain.AddressInvalid: Kind(422, "The address is not valid"),
    domain.AddressBlocked: Kind(422, "The address cannot be used"),
    domain.NetworkMismatch: Kind(422, "The address belongs to another network"),
    domain.ForbiddenData: Kind(422, "The request holds data that must not be sent"),
    domain.WebhookUrlForbidden: Kind(422, "The URL is not allowed"),
    domain.RouteUnsupported: Kind(422, "The exchange is not offered"),
    domain.AmountBelowMin: Kind(422, "The amount is too small"),
    domain.AmountAboveMax: Kind(422, "The amount is too large"),
    domain.NotFound: Kind(404, "Not found"),
    domain.Conflict: Kind(409, "The state does not allow this"),
    domain.PreconditionFailed: Kind(412, "The object has changed"),
    domain.QuoteUsed: Kind(409, "The quote is used"),
    domain.QuoteExpired: Kind(410, "The quote has expired"),
    domain.IdempotencyMismatch: Kind(422, "The key belongs to another request"),
    domain.IdempotencyInProgress: Kind(409, "The request is still being carried out", retryable=True),
    domain.InsufficientLiquidity: Kind(422, "The market is too thin", retryable=True),
    domain.InsufficientBalance: Kind(422, "There is not enough money"),
    domain.ExternalAccountUnverified: Kind(422, "The account is not verified"),
    domain.SelfApprovalForbidden: Kind(403, "Another key has to approve"),
    domain.SessionExpired: Kind(401, "The session has ended"),
    domain.SessionUsed: Kind(401, "The session is used"),
    domain.SessionOriginMismatch: Kind(403, "The request comes from elsewhere"),
    domain.TooOften: Kind(429, "Too many requests", retryable=True),
    domain.RouteUnavailable: Kind(503, "No price or rail is available", retryable=True),
    front.Unauthenticated: Kind(401, "Not authenticated"),
    front.KeyExpired: Kind(401, "The key has expired"),
    front.ScopeMissing: Kind(403, "The key lacks the scope"),
    front.UnsupportedVersion: Kind(400, "Unknown API version"),
    front.HeaderInvalid: Kind(400, "A header is not valid"),
    front.HeadersTooLarge: Kind(431, "The headers are too large"),
    front.IdempotencyKeyMissing: Kind(400, "The Idempotency-Key is missing"),
    front.IdempotencyKeyInvalid: Kind(400, "The Idempotency-Key is not valid"),
    front.UnsupportedMediaType: Kind(415, "The media type is not supported"),
    front.PayloadTooLarge: Kind(413, "The body is too large"),
    front.MalformedJson: Kind(400, "The body is not valid JSON"),
    front.DuplicateKey: Kind(400, "A key is there twice"),
    front.MethodNotAllowed: Kind(405, "The method is not allowed"),
    front.RateLimited: Kind(429, "Too many requests", retryable=True),
    front.Unavailable: Kind(503, "Unavailable", retryable=True),
    front.ProviderRefused: Kind(409, "The provider refused"),
    front.InternalError: Kind(500, "Internal error", retryable=True),
    front.UnknownFields: Kind(422, "The request has an unknown field"),
}


def kind_of(refusal: DomainError) -> Kind:
    """What a refusal is over HTTP."""
    return next(KINDS[cls] for cls in type(refusal).__mro__ if cls in KINDS)


def refusal_of(error: Exception) -> DomainError:
    """The refusal that stands for an exception; InternalError for what nobody expected."""
    match error:
        case DomainError():
            return error
        case RequestValidationError():
            found = errors_of(error.errors())
            unknown = all(code == domain.UnknownField.code for _, code in found)
            return front.UnknownFields(found) if unknown else front.InvalidRequest(found)
        case HTTPException(status_code=405):
            return front.MethodNotAllowed()
        case HTTPException(status_code=404):
            return domain.NotFound()
        case ProviderRejected():
            return front.ProviderRefused()
        case ProviderUnavailable() | OutcomeUnknown():
            return front.Unavailable("The provider does not answer.", retry_after=5)
        case _ if isinstance(error, TRANSIENT):
            return front.Unavailable(retry_after=1)
        case _:
            return front.InternalError()


def body_of(refusal: DomainError, request_id: str) -> bytes:
    """The problem document of a refusal, never above 8 KiB."""
    kind = kind_of(refusal)
    document: dict[str, object] = {
        "type": DOCS + refusal.code,
        "title": kind.title,
        "status": kind.status,
        "detail": refusal.detail,
        "instance": f"urn:rampwright:request:{request_id}",
        "code": refusal.code,
        "request_id": request_id,
        "retryable": kind.retryable,
        "errors": [
            {"pointer": pointer[:_LONGEST_POINTER], "code": code} for pointer, code in _errors(refusal)[:_MOST_ERRORS]
        ],
    }
    if refusal.retry_after is not None:
        document["retry_after"] = refusal.retry_after
    if refusal.state is not None:
        document["state"] = refusal.state
    return orjson.dumps(document)


def _errors(refusal: DomainError) -> list[tuple[str, str]]:
    if refusal.errors:
        return list(refusal.errors)
    return [] if refusal.pointer is None else [(refusal.pointer, refusal.code)]


def answer_to(error: Exception, request_id: str) -> Response:
    """The HTTP answer to a refusal or a failure."""
    refusal = refusal_of(error)
    headers: dict[str, str] = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if kind_of(refusal).status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="rampwright"'
    if isinstance(refusal, front.PayloadTooLarge):
        headers["Connection"] = "close"  # the rest of the body is on its way and nobody will read it
    return Response(body_of(refusal, request_id), kind_of(refusal).status, headers, MEDIA_TYPE)
