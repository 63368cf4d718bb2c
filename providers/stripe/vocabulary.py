"""Stripe's words and ours. A word that is not here is never guessed at: it means pending, or unknown."""

from __future__ import annotations

from app.domain.assets import CATALOGUE
from app.domain.money import Asset
from app.ports.outcome import Outcome
from app.ports.payin import DisputeStatus, PaymentStatus

# Stripe dates its words; these are the ones of the version that we ask for and register webhook endpoints with.
API_VERSION = "2026-10-28.endive"

# https://docs.stripe.com/payments/paymentintents/lifecycle
PAYMENT_STATUSES: dict[str, PaymentStatus] = {
    "requires_payment_method": PaymentStatus.AWAITING_CUSTOMER,
    "requires_confirmation": PaymentStatus.AWAITING_CUSTOMER,
    "requires_action": PaymentStatus.AUTHENTICATING,
    "processing": PaymentStatus.PROCESSING,
    "requires_capture": PaymentStatus.AUTHORISED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.CANCELED,
}

# https://docs.stripe.com/api/refunds/object, `status`
REFUND_OUTCOMES: dict[str, Outcome] = {
    "pending": Outcome.PENDING,
    "requires_action": Outcome.PENDING,
    "succeeded": Outcome.SUCCEEDED,
    "failed": Outcome.DECLINED,
    "canceled": Outcome.DECLINED,
}

# https://docs.stripe.com/api/disputes/object, `status`; the warning_ ones are inquiries, which take no money
DISPUTE_STATUSES: dict[str, DisputeStatus] = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.PREVENTED,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "appeal_needs_response": DisputeStatus.OPEN,
    "appeal_under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "prevented": DisputeStatus.PREVENTED,
}

_DECLINED = "Your card was declined."
_BANK = "Your bank declined the payment. Please contact your bank, or use another card."
_CARD = "Your card does not support this payment. Please use another card."
_DETAILS = "A detail of your card is wrong. Please check it and try again."
_LIMIT = "Your card's limit does not allow this payment. Please use another card."
_AGAIN = "The payment could not be processed. Please try again."
_AUTHENTICATE = "Your bank asks you to confirm this payment. Please try again and confirm it."

# https://docs.stripe.com/declines/codes: Stripe's decline code -> (our code, what a customer may read). Suspicions
# of theft or fraud are shown exactly like a plain decline, as Stripe asks.
_DECLINES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "approve_with_id",
            "call_issuer",
            "do_not_honor",
            "do_not_try_again",
            "generic_decline",
            "invalid_account",
            "new_account_information_available",
            "no_action_taken",
            "not_permitted",
            "reenter_transaction",
            "restricted_card",
            "revocation_of_all_authorizations",
            "revocation_of_authorization",
            "security_violation",
            "service_not_allowed",
            "stop_payment_order",
            "transaction_not_allowed",
            "card_declined",
            "fraudulent",
            "lost_card",
            "merchant_blacklist",
            "pickup_card",
            "stolen_card",
        ),
        ("card_declined", _BANK),
    ),
    **dict.fromkeys(
        ("insufficient_funds", "withdrawal_count_limit_exceeded", "card_velocity_exceeded", "amount_too_large"),
        ("insufficient_funds", _LIMIT),
    ),
    **dict.fromkeys(
        ("card_not_supported", "currency_not_supported", "invalid_amount", "testmode_decline"),
        ("card_not_supported", _CARD),
    ),
    "expired_card": ("expired_card", "Your card has expired. Please use another card."),
    **dict.fromkeys(
        (
            "incorrect_address",
            "incorrect_cvc",
            "incorrect_number",
            "incorrect_pin",
            "incorrect_zip",
            "invalid_cvc",
            "invalid_expiry_month",
            "invalid_expiry_year",
            "invalid_number",
            "invalid_pin",
            "pin_try_exceeded",
            "postal_code_invalid",
        ),
        ("incorrect_details", _DETAILS),
    ),
    **dict.fromkeys(
        ("duplicate_transaction", "issuer_not_available", "processing_error", "try_again_later"),
        ("processing_error", _AGAIN),
    ),
    **dict.fromkeys(
        (
            "authentication_not_handled",
            "authentication_required",
            "mobile_device_authentication_required",
            "offline_pin_required",
            "online_or_offline_pin_required",
            "payment_intent_authentication_failure",
        ),
        ("authentication_failed", _AUTHENTICATE),
    ),
}

# https://docs.stripe.com/api/refunds/object, `failure_reason`
_REFUND_FAILURES: dict[str, str] = {
    "charge_for_pending_refund_disputed": "refund_disputed",
    "declined": "refund_declined",
    "expired_or_canceled_card": "card_closed",
    "insufficient_funds": "provider_balance_insufficient",
    "lost_or_stolen_card": "card_closed",
    "merchant_request": "refund_canceled",
    "unknown": "refund_failed",
}

_FIAT = {asset.code.lower(): asset for asset in CATALOGUE if asset.is_fiat}


def payment_status_of(word: str) -> PaymentStatus:
    """Where a PaymentIntent with this status stands; UNKNOWN for a word that Stripe has not documented yet."""
    return PAYMENT_STATUSES.get(word, PaymentStatus.UNKNOWN)


def refund_outcome_of(word: str) -> Outcome:
    """How a refund with this status stands; PENDING for an unknown word."""
    return REFUND_OUTCOMES.get(word, Outcome.PENDING)


def dispute_status_of(word: str) -> DisputeStatus:
    """Where a dispute with this status stands; UNKNOWN for an unknown word."""
    return DISPUTE_STATUSES.get(word, DisputeStatus.UNKNOWN)


def decline_words(decline_code: str | None, code: str | None) -> tuple[str, str]:
    """Our code and the customer's sentence for a failed attempt; the issuer's code says more than the error's."""
    for word in (decline_code, code):
        if word is not None and word in _DECLINES:
            return _DECLINES[word]
    return "card_declined", _DECLINED


def refund_failure_code(reason: str | None) -> str:
    """Our code for why a refund failed."""
    return _REFUND_FAILURES.get(reason or "unknown", "refund_failed")


def currency_of(asset: Asset) -> str:
    """Stripe's name of a currency; raises KeyError for an asset that no card pays."""
    code = asset.code.lower()
    if _FIAT.get(code) != asset:
        raise KeyError(asset.id)
    return code


def asset_of_currency(currency: str) -> Asset | None:
    """The asset behind Stripe's currency; its smallest unit has the same size at Stripe for all that we know."""
    return _FIAT.get(currency)
