"""What the increase SDK and httpx raise, in the words of our ports."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import increase

from app.ports.errors import (
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)

PROVIDER = "increase"
KEY_ALREADY_USED = "idempotency_key_already_used_error"

# Failures of httpx before the first byte of the request could leave (TLS and DNS errors are ConnectError).
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

# https://increase.com/documentation/errors: the types with which Increase refuses a request for good. A 4xx of another
# form may come from something between us and Increase, and says nothing about the request.
_REFUSALS = {
    "invalid_parameters_error": 400,
    "malformed_request_error": 400,
    "environment_mismatch_error": 403,
    "insufficient_permissions_error": 403,
    "private_feature_error": 403,
    "api_method_not_found_error": 404,
    "object_not_found_error": 404,
    KEY_ALREADY_USED: 409,
    "invalid_operation_error": 409,
}


class Malformed(ValueError):
    """Increase's answer is not what Increase documents."""


def translated(error: Exception, *, reading: bool) -> ProviderError:
    """Our error for one that came out of a call.

    Whatever is not plainly "nothing happened" or "refused" is OutcomeUnknown, also errors that the SDK did not
    foresee. A request that only reads changes nothing, so not knowing its answer is ProviderUnavailable.
    """
    if isinstance(error, Malformed):
        return OutcomeUnknown(PROVIDER, f"unusable answer: {error}", code="contract_violation")
    if isinstance(error, increase.APIStatusError):
        return _answered(error, reading=reading)
    cause = error.__cause__ if isinstance(error, increase.APIConnectionError) else error
    if isinstance(cause, _NEVER_SENT):
        return ProviderUnavailable(PROVIDER, f"not reached: {type(cause).__name__}")
    return _lost(type(cause or error).__name__, reading=reading)


def resource_under_key(error: BaseException | None) -> str | None:
    """The object that already carries the idempotency key of a refused request, if the refusal names one."""
    body = error.body if isinstance(error, increase.APIStatusError) else None
    reference = body.get("resource_id") if isinstance(body, dict) else None
    return reference if isinstance(reference, str) else None


def _answered(error: increase.APIStatusError, *, reading: bool) -> ProviderError:
    status, problem = error.status_code, error.body if isinstance(error.body, dict) else {}
    kind = problem.get("type")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ProviderThrottled(PROVIDER, "too many requests", retry_after=_retry_after(error, problem))
    if status == httpx.codes.UNAUTHORIZED and kind == "invalid_api_key_error":
        # Keys are changed; what we could not read meanwhile is still there to be read.
        why, reason = "the API key was refused (401)", problem.get("reason")
        code = reason if isinstance(reason, str) else kind
        return ProviderUnavailable(PROVIDER, why, code=code) if reading else ProviderRejected(PROVIDER, why, code=code)
    if isinstance(kind, str) and _REFUSALS.get(kind) == status:
        return ProviderRejected(PROVIDER, _said(problem, kind), code=kind)
    if status == httpx.codes.CONFLICT:
        # No documented refusal: somebody holds the key or the object right now. The same key is safe to send again.
        return ProviderUnavailable(PROVIDER, "the request is in conflict with another", code=_text(kind))
    return _lost(f"HTTP {status}", reading=reading)


def _lost(what: str, *, reading: bool) -> ProviderError:
    why = f"no usable answer: {what}"
    return ProviderUnavailable(PROVIDER, why) if reading else OutcomeUnknown(PROVIDER, why)


def _said(problem: dict[object, object], kind: str) -> str:
    """Increase's title; its detail and errors may repeat an account number."""
    return _text(problem.get("title")) or kind


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _retry_after(error: increase.APIStatusError, problem: dict[object, object]) -> float | None:
    """Seconds from a Retry-After header (seconds or a date), else from the answer itself; None for anything else."""
    text = error.response.headers.get("retry-after")
    if text is None:
        seconds = problem.get("retry_after")
        return _sane(float(seconds)) if isinstance(seconds, int) and not isinstance(seconds, bool) else None
    try:
        return _sane(float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _sane(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
