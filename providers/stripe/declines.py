"""Why a payment failed, in Stripe's codes and in ours. A code that is not here is shown as a plain decline."""

from __future__ import annotations

from typing import Final

_Words = tuple[str, str]  # our code, and what a customer may read

_DECLINED: Final = "Your card was declined."
_BANK: Final = "Your bank declined the payment. Please contact your bank, or use another card."
_CARD: Final = "Your card does not support this payment. Please use another card."
_DETAILS: Final = "A detail of your card is wrong. Please check it and try again."
_LIMIT: Final = "Your card or account does not allow a payment of this amount. Please use another one."
_AGAIN: Final = "The payment could not be processed. Please try again."
_AUTHENTICATE: Final = "Your bank asks you to confirm this payment. Please try again and confirm it."
_CLOSED: Final = "This account cannot be used for the payment. Please use another one."
_ACCOUNT: Final = "A detail of your bank account is wrong. Please check it and try again."
_MANDATE: Final = "The debit is not authorised any more. Please contact your bank, or pay in another way."
_REFUSED: Final = "Your bank did not carry out the payment. Please contact your bank, or pay in another way."


def _all(words: str, ours: str, sentence: str) -> dict[str, _Words]:
    return dict.fromkeys(words.split(), (ours, sentence))


# https://docs.stripe.com/declines/codes and https://docs.stripe.com/payments/sepa-debit: Stripe's code -> ours.
# Suspicions of theft or fraud are shown exactly like a plain decline, as Stripe asks.
DECLINES: Final[dict[str, _Words]] = {
    **_all(
        """
        approve_with_id call_issuer card_declined do_not_honor do_not_try_again fraudulent generic_decline
        invalid_account lost_card merchant_blacklist new_account_information_available no_action_taken not_permitted
        pickup_card reenter_transaction restricted_card revocation_of_all_authorizations revocation_of_authorization
        security_violation service_not_allowed stolen_card stop_payment_order transaction_not_allowed
        """,
        "card_declined",
        _BANK,
    ),
    **_all(
        """
        amount_too_large card_velocity_exceeded insufficient_funds withdrawal_count_limit_exceeded
        charge_exceeds_source_limit charge_exceeds_transaction_limit
        """,
        "insufficient_funds",
        _LIMIT,
    ),
    **_all(
        """
        card_not_supported currency_not_supported invalid_amount testmode_decline payment_method_not_available
        testmode_charges_only three_d_secure_authentication_not_supported
        """,
        "card_not_supported",
        _CARD,
    ),
    "expired_card": ("expired_card", "Your card has expired. Please use another card."),
    **_all(
        """
        incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip invalid_cvc
        invalid_expiry_month invalid_expiry_year invalid_number invalid_pin pin_try_exceeded postal_code_invalid
        cardholder_phone_number_required incorrect_postal_code invalid_card_type
        """,
        "incorrect_details",
        _DETAILS,
    ),
    **_all(
        """
        duplicate_transaction issuer_not_available processing_error try_again_later card_decline_rate_limit_exceeded
        payment_intent_payment_attempt_failed payment_method_provider_timeout
        three_d_secure_authentication_upstream_error
        """,
        "processing_error",
        _AGAIN,
    ),
    **_all(
        """
        authentication_not_handled authentication_required mobile_device_authentication_required
        offline_pin_required online_or_offline_pin_required payment_intent_authentication_failure
        authentication_failure payment_intent_action_required payment_intent_payment_attempt_expired
        """,
        "authentication_failed",
        _AUTHENTICATE,
    ),
    **_all(
        """
        account_closed bank_account_closed bank_account_frozen bank_account_restricted bank_account_unusable
        bank_ownership_changed expired_payment_method payment_method_bank_account_blocked payment_method_restricted
        payment_method_unactivated recipient_deceased
        """,
        "account_closed",
        _CLOSED,
    ),
    **_all(
        """
        account_information_mismatch account_number_invalid bank_account_bad_routing_numbers
        bank_account_invalid_details bank_account_unverified bank_account_verification_failed branch_does_not_exist
        incorrect_account_holder_name invalid_account_number invalid_currency no_account
        payment_method_currency_mismatch payment_method_microdeposit_failed
        payment_method_microdeposit_processing_error payment_method_microdeposit_verification_amounts_invalid
        payment_method_microdeposit_verification_amounts_mismatch
        payment_method_microdeposit_verification_attempts_exceeded
        payment_method_microdeposit_verification_descriptor_code_mismatch
        payment_method_microdeposit_verification_timeout routing_number_invalid sepa_unsupported_account
        tokenized_account_number_deactivated
        """,
        "incorrect_account",
        _ACCOUNT,
    ),
    **_all(
        """
        authorization_revoked billing_invalid_mandate debit_authorization_not_match debit_disputed
        debit_not_authorized india_recurring_payment_mandate_canceled payment_intent_mandate_invalid
        payment_method_customer_decline
        """,
        "mandate_invalid",
        _MANDATE,
    ),
    **_all(
        """
        bank_account_declined could_not_process generic_could_not_process payment_method_provider_decline
        refer_to_customer
        """,
        "bank_declined",
        _REFUSED,
    ),
    **_all(
        """
        capture_charge_authorization_expired charge_expired_for_capture
        """,
        "payment_expired",
        _AGAIN,
    ),
}


def decline_words(decline_code: str | None, code: str | None) -> _Words:
    """Our code and the customer's sentence for a failed attempt; the issuer's code says more than the error's."""
    for word in (decline_code, code):
        if word is not None and word in DECLINES:
            return DECLINES[word]
    return "card_declined", _DECLINED


def is_known(decline_code: str | None, code: str | None) -> bool:
    """Whether every code that was given means something to us."""
    return all(word is None or word in DECLINES for word in (decline_code, code))
