"""Every refusal Rampwright can give, each with a stable code.

    RampwrightError
    ├── DomainError                  a refusal: the caller asked for something that cannot be done
    │   ├── ValidationFailed         the request's own words are wrong
    │   │   ├── AddressInvalid, AddressBlocked, NetworkMismatch, ForbiddenData, UnknownField, WebhookUrlForbidden
    │   │   ├── RouteUnsupported         this exchange is not offered at all
    │   │   └── AmountBelowMin, AmountAboveMax
    │   ├── NotFound
    │   ├── Conflict                 the thing exists but is not in a state that allows this
    │   │   ├── ConflictState, QuoteUsed, IllegalTransition, IdempotencyInProgress
    │   │   └── IdempotencyMismatch
    │   ├── QuoteExpired
    │   ├── InsufficientLiquidity, InsufficientBalance
    │   ├── ExternalAccountUnverified, SelfApprovalForbidden
    │   ├── SessionExpired, SessionUsed, SessionOriginMismatch
    │   ├── TooOften
    │   └── RouteUnavailable         no price, or no rail, for now
    └── UnbalancedEntry              a programmer's error: the books would not balance

The docstring of a class is its default message; `app/api/problems.py` decides the HTTP status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class RampwrightError(Exception):
    """The root of every error that Rampwright itself raises."""


class UnbalancedEntry(RampwrightError):
    """A ledger entry does not balance in every asset."""


class DomainError(RampwrightError):
    """The request was refused."""

    code: ClassVar[str] = "refused"

    def __init__(
        self,
        detail: str | None = None,
        *,
        pointer: str | None = None,
        retry_after: int | None = None,
        state: dict[str, object] | None = None,
        errors: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Say `detail` (default: the class docstring); `pointer` is a JSON pointer into the request body.

        Where several things are wrong, `errors` names them all: pairs of a pointer and a code.
        """
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.pointer = pointer
        self.errors = errors
        self.retry_after = retry_after
        self.state = state
        super().__init__(self.detail)


class ValidationFailed(DomainError):
    """The request is not valid."""

    code = "validation_failed"


class UnknownField(ValidationFailed):
    """The request has a field that this endpoint does not know."""

    code = "unknown_field"


class AddressInvalid(ValidationFailed):
    """The address is not valid on this network."""

    code = "address_invalid"


class AddressBlocked(ValidationFailed):
    """This address cannot be used."""

    code = "address_blocked"


class NetworkMismatch(ValidationFailed):
    """The address belongs to another network."""

    code = "network_mismatch"


class ForbiddenData(ValidationFailed):
    """The request holds data that must never be sent here, such as a card number or a private key."""

    code = "forbidden_data"


class WebhookUrlForbidden(ValidationFailed):
    """The URL must be https, on port 443 or 8443, with a public host name and no credentials."""

    code = "webhook_url_forbidden"


class AmountBelowMin(ValidationFailed):
    """The amount is below what can be exchanged."""

    code = "amount_below_min"


class AmountAboveMax(ValidationFailed):
    """The amount is above what can be exchanged in one order."""

    code = "amount_above_max"


class RouteUnsupported(ValidationFailed):
    """This exchange is not offered here."""

    code = "route_unavailable"


class NotFound(DomainError):
    """There is no such object."""

    code = "not_found"


class Conflict(DomainError):
    """The request conflicts with what is already there."""

    code = "conflict_state"


class ConflictState(Conflict):
    """The object is not in a state that allows this."""

    code = "conflict_state"


class IllegalTransition(Conflict):
    """The state machine has no edge for this trigger from this state."""

    code = "conflict_state"


class QuoteUsed(Conflict):
    """The quote has already been used by another order."""

    code = "quote_used"


class PreconditionFailed(Conflict):
    """The object has changed since the version that If-Match names."""

    code = "precondition_failed"


class QuoteExpired(DomainError):
    """The quote's price is no longer held; ask for a new quote."""

    code = "quote_expired"


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used before with another request."""

    code = "idempotency_mismatch"


class IdempotencyInProgress(Conflict):
    """A request with this Idempotency-Key is still being carried out."""

    code = "idempotency_in_progress"


class InsufficientLiquidity(DomainError):
    """The market has too little depth for this amount."""

    code = "insufficient_liquidity"


class InsufficientBalance(DomainError):
    """There is not enough money for this."""

    code = "insufficient_balance"


class ExternalAccountUnverified(DomainError):
    """The external account is not verified, so nothing is paid to it."""

    code = "external_account_unverified"


class SelfApprovalForbidden(DomainError):
    """Who asked for a payout cannot approve it."""

    code = "self_approval_forbidden"


class SessionExpired(DomainError):
    """This session has ended, or its secret is not valid. Nothing more happens in it; go back and begin again."""

    code = "session_expired"


class SessionUsed(DomainError):
    """This session was opened in another browser, or its stored data was deleted."""

    code = "session_already_used"


class SessionOriginMismatch(DomainError):
    """The request comes from a page that is not ours."""

    code = "session_origin_mismatch"


class TooOften(DomainError):
    """This was done too often in a short time."""

    code = "rate_limited"


class RouteUnavailable(DomainError):
    """No price or no rail is available for this exchange now."""

    code = "route_unavailable"
