"""Stripe's words and ours. A word that is not here is never guessed at: it means pending, or unknown."""

from __future__ import annotations

from app.domain.assets import CATALOGUE
from app.domain.money import Asset
from app.ports.outcome import Outcome
from app.ports.payin import DisputeStatus, PaymentStatus, ReviewStatus
from app.ports.records import LineKind

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

# https://docs.stripe.com/api/charges/object, `status`
CHARGE_STATUSES = frozenset({"pending", "succeeded", "failed"})

# https://docs.stripe.com/radar/reviews, `closed_reason`; null while it is open
REVIEW_ENDS: dict[str, ReviewStatus] = {
    "approved": ReviewStatus.APPROVED,
    **dict.fromkeys(
        (
            "acknowledged",
            "canceled",
            "disputed",
            "payment_never_settled",
            "redacted",
            "refunded",
            "refunded_as_fraud",
        ),
        ReviewStatus.CLOSED,
    ),
}

# https://docs.stripe.com/api/payouts/object, `status`
PAYOUT_STATUSES = frozenset({"paid", "pending", "in_transit", "canceled", "failed"})

# https://docs.stripe.com/reports/balance-transaction-types: why our balance at Stripe changed.
LINE_KINDS: dict[str, LineKind] = {
    "charge": LineKind.CHARGE,
    "payment": LineKind.CHARGE,
    "payment_failure_refund": LineKind.CHARGE_FAILED,
    "payment_reversal": LineKind.CHARGE_FAILED,
    "refund": LineKind.REFUND,
    "payment_refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND_FAILED,
    "payout": LineKind.PAYOUT,
    "payout_cancel": LineKind.PAYOUT_FAILED,
    "payout_failure": LineKind.PAYOUT_FAILED,
    **dict.fromkeys(("stripe_fee", "stripe_fx_fee", "tax_fee"), LineKind.FEE),
    **dict.fromkeys(("topup", "topup_reversal"), LineKind.TOP_UP),
    **dict.fromkeys(
        (
            "payment_network_reserve_hold",
            "payment_network_reserve_release",
            "payout_minimum_balance_hold",
            "payout_minimum_balance_release",
            "reserve_hold",
            "reserve_release",
            "reserve_transaction",
            "reserved_funds",
        ),
        LineKind.RESERVE,
    ),
    # Told apart by their reporting category; what is neither is for a person.
    "adjustment": LineKind.OTHER,
    # Products of Stripe's that nothing here uses: advances, Connect, Issuing, Climate, Tax and the like.
    **dict.fromkeys(
        (
            "advance",
            "advance_funding",
            "anticipation_repayment",
            "application_fee",
            "application_fee_refund",
            "climate_order_purchase",
            "climate_order_refund",
            "connect_collection_transfer",
            "contribution",
            "fee_credit_funding",
            "inbound_transfer",
            "inbound_transfer_reversal",
            "issuing_authorization_hold",
            "issuing_authorization_release",
            "issuing_dispute",
            "issuing_dispute_provisional_credit",
            "issuing_dispute_provisional_credit_reversal",
            "issuing_transaction",
            "obligation_outbound",
            "obligation_reversal_inbound",
            "payment_unreconciled",
            "stripe_balance_payment_debit",
            "stripe_balance_payment_debit_reversal",
            "tax_fund",
            "transfer",
            "transfer_cancel",
            "transfer_failure",
            "transfer_refund",
        ),
        LineKind.OTHER,
    ),
}
# https://docs.stripe.com/reports/reporting-categories, of adjustments
ADJUSTMENTS: dict[str, LineKind] = {
    "dispute": LineKind.DISPUTE,
    "dispute_reversal": LineKind.DISPUTE_REVERSED,
    "fee": LineKind.FEE,
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


def review_status_of(closed_reason: str | None) -> ReviewStatus:
    """Where a review that was closed for this reason stands; UNKNOWN for an unknown word."""
    if closed_reason is None:
        return ReviewStatus.OPEN
    return REVIEW_ENDS.get(closed_reason, ReviewStatus.UNKNOWN)


def line_kind_of(kind: str, category: str) -> LineKind:
    """Why a balance transaction of this type and reporting category is there; OTHER for an unknown word."""
    if kind == "adjustment":
        return ADJUSTMENTS.get(category, LineKind.OTHER)
    return LINE_KINDS.get(kind, LineKind.OTHER)


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
