"""What the stripe SDK and httpx raise, in the words of our ports."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import stripe

from app.ports.errors import (
    CONTRACT_VIOLATION,
    STORED_ERROR,
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)

PROVIDER = "stripe"

# Failures of httpx before the first byte of the request could leave (TLS and DNS errors are ConnectError).
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Malformed(ValueError):
    """Stripe's answer is not what Stripe documents."""


def translated(error: Exception, *, reading: bool) -> ProviderError:
    """Our error for one that came out of a call.

    Whatever is not plainly "nothing happened" or "refused" is OutcomeUnknown, also errors that the SDK did not
    foresee. A request that only reads changes nothing, so not knowing its answer is ProviderUnavailable.
    """
    if isinstance(error, Malformed):
        return OutcomeUnknown(PROVIDER, f"unusable answer: {error}", code=CONTRACT_VIOLATION)
    if isinstance(error, stripe.RateLimitError):
        return ProviderThrottled(PROVIDER, "too many requests", retry_after=_retry_after(error))
    if isinstance(error, stripe.AuthenticationError) and reading:
        # Keys are changed; what we could not read meanwhile is still there to be read.
        return ProviderUnavailable(PROVIDER, "the API key was refused (401)", code=error.code)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        # Stripe's own sentence shows a part of the key.
        return ProviderRejected(PROVIDER, f"the API key was refused ({error.http_status})", code=error.code)
    if isinstance(error, stripe.IdempotencyError):
        return ProviderRejected(PROVIDER, _said(error), code="idempotency_error")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        return ProviderRejected(PROVIDER, _said(error), code=error.code)
    if isinstance(error, _NEVER_SENT):
        return ProviderUnavailable(PROVIDER, f"not reached: {type(error).__name__}")
    if isinstance(error, stripe.APIError) and error.http_status == 409:
        return ProviderUnavailable(PROVIDER, "the same request is still being carried out", code=_code(error))
    return _lost(error, reading=reading)


def _lost(error: Exception, *, reading: bool) -> ProviderError:
    """There was no usable answer."""
    why = f"no usable answer: {type(error).__name__}{_status(error)}"
    pause = _retry_after(error) if isinstance(error, stripe.StripeError) else None
    if reading:
        return ProviderUnavailable(PROVIDER, why, retry_after=pause)
    return OutcomeUnknown(PROVIDER, why, code=_kept(error), retry_after=pause)


def is_their_trouble(error: Exception) -> bool:
    """Whether an error says that Stripe is away or overburdened, rather than that it has answered."""
    if isinstance(error, stripe.RateLimitError):
        return True
    if isinstance(error, stripe.StripeError) and error.http_status is not None:
        return error.http_status >= 500
    return isinstance(error, httpx.HTTPError)


def _kept(error: Exception) -> str | None:
    """STORED_ERROR for an error of its own that Stripe keeps under the key and gives again: asking again is in vain."""
    headers = error.headers if isinstance(error, stripe.StripeError) else None
    return STORED_ERROR if (headers or {}).get("idempotent-replayed") == "true" else None


def _said(error: stripe.StripeError) -> str:
    return error.user_message or type(error).__name__


def _status(error: Exception) -> str:
    status = error.http_status if isinstance(error, stripe.StripeError) else None
    return "" if status is None else f" (HTTP {status})"


def _code(error: stripe.StripeError) -> str | None:
    return error.error.code if error.error is not None else None


def _retry_after(error: stripe.StripeError) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None for anything else."""
    text = (error.headers or {}).get("retry-after")
    if text is None:
        return None
    try:
        seconds = float(text)
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
