"""The refusals that belong to the front door itself: keys, headers and the form of a request."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import DomainError, ValidationFailed


class Unauthenticated(DomainError):
    """Send a valid API key as `Authorization: Bearer <key>`, and nowhere else."""

    code = "unauthenticated"


class KeyExpired(Unauthenticated):
    """This API key has expired."""

    code = "key_expired"


class ScopeMissing(DomainError):
    """This API key is not allowed to do this."""

    code = "scope_missing"


class UnsupportedVersion(DomainError):
    """There is no such version of this API."""

    code = "unsupported_version"


class HeaderInvalid(DomainError):
    """A header of the request cannot be understood."""

    code = "header_invalid"


class HeadersTooLarge(DomainError):
    """The request has too many headers, or too long ones."""

    code = "headers_too_large"


class IdempotencyKeyMissing(DomainError):
    """Every POST needs an Idempotency-Key header."""

    code = "idempotency_key_missing"


class IdempotencyKeyInvalid(DomainError):
    """An Idempotency-Key is one value of 1 to 255 printable ASCII characters."""

    code = "idempotency_key_invalid"


class UnsupportedMediaType(DomainError):
    """The body must be application/json in UTF-8, without Content-Encoding."""

    code = "unsupported_media_type"


class PayloadTooLarge(DomainError):
    """The body is larger than what is taken here: 64 KiB, 8 MiB for a batch, 1 GiB for a file."""

    code = "payload_too_large"


class MalformedJson(DomainError):
    """The body is not one JSON document."""

    code = "malformed_json"


class DuplicateKey(DomainError):
    """An object in the body names the same key twice."""

    code = "duplicate_key"


class MethodNotAllowed(DomainError):
    """This path does not know this method."""

    code = "method_not_allowed"


class RateLimited(DomainError):
    """Too many of these at once."""

    code = "rate_limited"


class Unavailable(DomainError):
    """This cannot be done right now. Send the same request again."""

    code = "temporarily_unavailable"


class ProviderRefused(DomainError):
    """The provider refused this."""

    code = "provider_rejected"


class InternalError(DomainError):
    """Something went wrong on our side. Repeating the request with the same Idempotency-Key is safe."""

    code = "internal_error"


class InvalidRequest(ValidationFailed):
    """The request is not valid; `errors` says where and why."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        """`errors` are pairs of a JSON pointer and a code."""
        super().__init__(errors=errors)


class UnknownFields(InvalidRequest):
    """The request has fields that this endpoint does not know."""

    code = "unknown_field"
