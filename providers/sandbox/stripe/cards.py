"""Stripe's published test cards and what each of them does (docs.stripe.com/testing)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CardDecline:
    """What the issuer answers: Stripe's error code, its decline code, and the sentence."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card by its behaviour; its number is never stored."""

    name: str
    brand: str
    last4: str
    decline: CardDecline | None = None
    three_d_secure: bool = False
    dispute: str | None = None  # opened by itself once the money was taken
    fraud_warning: bool = False
    refund_begins: str = "succeeded"
    refund_ends: str = "succeeded"
    kind: str = "card"  # Stripe's type of payment method

    def details(self) -> dict[str, object]:
        """What a charge shows of it."""
        shown = {"brand": self.brand, "last4": self.last4} if self.kind == "card" else {}
        return {self.kind: shown, "type": self.kind}


def _declined(decline_code: str, message: str = "Your card was declined.") -> CardDecline:
    return CardDecline("card_declined", decline_code, message)


_GENERIC = _declined("generic_decline")
_INSUFFICIENT = _declined("insufficient_funds", "Your card has insufficient funds.")
_EXPIRED = CardDecline("expired_card", "expired_card", "Your card has expired.")
_CVC = CardDecline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
_PROCESSING = CardDecline(
    "processing_error", "processing_error", "An error occurred while processing your card. Try again in a little bit."
)

BY_NUMBER: dict[str, Card] = {
    "4242424242424242": Card("pm_card_visa", "visa", "4242"),
    "4000056655665556": Card("pm_card_visa_debit", "visa", "5556"),
    "5555555555554444": Card("pm_card_mastercard", "mastercard", "4444"),
    "378282246310005": Card("pm_card_amex", "amex", "0005"),
    "4000000000000002": Card("pm_card_visa_chargeDeclined", "visa", "0002", _GENERIC),
    "4000000000009995": Card("pm_card_visa_chargeDeclinedInsufficientFunds", "visa", "9995", _INSUFFICIENT),
    "4000000000009987": Card("pm_card_visa_chargeDeclinedLostCard", "visa", "9987", _declined("lost_card")),
    "4000000000009979": Card("pm_card_visa_chargeDeclinedStolenCard", "visa", "9979", _declined("stolen_card")),
    "4000000000000069": Card("pm_card_chargeDeclinedExpiredCard", "visa", "0069", _EXPIRED),
    "4000000000000127": Card("pm_card_chargeDeclinedIncorrectCvc", "visa", "0127", _CVC),
    "4000000000000119": Card("pm_card_chargeDeclinedProcessingError", "visa", "0119", _PROCESSING),
    "4000000000006975": Card(
        "pm_card_visa_chargeDeclinedVelocityLimitExceeded", "visa", "6975", _declined("card_velocity_exceeded")
    ),
    "4100000000000019": Card("pm_card_radarBlock", "visa", "0019", _declined("fraudulent")),
    "4000002500003155": Card("pm_card_authenticationRequiredOnSetup", "visa", "3155", three_d_secure=True),
    "4000002760003184": Card("pm_card_authenticationRequired", "visa", "3184", three_d_secure=True),
    "4000000000003220": Card("pm_card_threeDSecure2Required", "visa", "3220", three_d_secure=True),
    "4000008400001629": Card(
        "pm_card_threeDSecureRequiredChargeDeclined", "visa", "1629", _GENERIC, three_d_secure=True
    ),
    "4000000000000259": Card("pm_card_createDispute", "visa", "0259", dispute="fraudulent"),
    "4000000000002685": Card("pm_card_createDisputeProductNotReceived", "visa", "2685", dispute="product_not_received"),
    "4000000000005423": Card("pm_card_createIssuerFraudRecord", "visa", "5423", fraud_warning=True),
    "4000000000007726": Card("pm_card_pendingRefund", "visa", "7726", refund_begins="pending"),
    "4000000000005126": Card("pm_card_refundFail", "visa", "5126", refund_ends="failed"),
}
BY_NAME: dict[str, Card] = {card.name: card for card in BY_NUMBER.values()}

# How the money of a bank transfer pays: its refunds wait for the customer's own bank details.
TRANSFER = Card("customer_balance", "", "", kind="customer_balance", refund_begins="requires_action")

AUTHENTICATION_FAILED = CardDecline(
    "payment_intent_authentication_failure",
    None,
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod"
    " to attempt to fulfill this PaymentIntent again.",
)
