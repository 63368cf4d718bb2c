"""Every documented word of Stripe has a meaning of ours, and an undocumented one is never guessed at."""

from __future__ import annotations

import typing

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from app.domain.assets import BTC, CATALOGUE
from app.ports.outcome import Outcome
from app.ports.payin import DisputeStatus, PaymentStatus
from providers.stripe.vocabulary import (
    DISPUTE_STATUSES,
    PAYMENT_STATUSES,
    REFUND_OUTCOMES,
    asset_of_currency,
    currency_of,
    decline_words,
    dispute_status_of,
    payment_status_of,
    refund_failure_code,
    refund_outcome_of,
)

# docs.stripe.com/declines/codes
# fmt: off
DECLINE_CODES = [
    "authentication_not_handled", "authentication_required", "approve_with_id", "call_issuer", "card_not_supported",
    "card_velocity_exceeded", "currency_not_supported", "do_not_honor", "do_not_try_again", "duplicate_transaction",
    "expired_card", "fraudulent", "generic_decline", "incorrect_address", "incorrect_cvc", "incorrect_number",
    "incorrect_pin", "incorrect_zip", "insufficient_funds", "invalid_account", "invalid_amount", "invalid_cvc",
    "invalid_expiry_month", "invalid_expiry_year", "invalid_number", "invalid_pin", "issuer_not_available",
    "lost_card", "merchant_blacklist", "mobile_device_authentication_required", "new_account_information_available",
    "no_action_taken", "not_permitted", "offline_pin_required", "online_or_offline_pin_required", "pickup_card",
    "pin_try_exceeded", "processing_error", "reenter_transaction", "restricted_card",
    "revocation_of_all_authorizations", "revocation_of_authorization", "security_violation", "service_not_allowed",
    "stolen_card", "stop_payment_order", "testmode_decline", "transaction_not_allowed", "try_again_later",
    "withdrawal_count_limit_exceeded",
]
# fmt: on


def words_of(kind: type, name: str) -> set[str]:
    """The words that the SDK's own types list for a field."""
    module = __import__(kind.__module__, fromlist=["x"])
    hint = eval(str(kind.__annotations__[name]), {**vars(typing), **vars(module), "typing": typing})  # noqa: S307
    return {word for part in typing.get_args(hint) for word in typing.get_args(part)}


def test_the_sdk_knows_no_status_that_we_do_not() -> None:
    assert words_of(stripe.PaymentIntent, "status") == set(PAYMENT_STATUSES)
    assert words_of(stripe.Dispute, "status") == set(DISPUTE_STATUSES)
    assert set(REFUND_OUTCOMES) == {"pending", "requires_action", "succeeded", "failed", "canceled"}


@pytest.mark.parametrize("code", DECLINE_CODES)
def test_every_documented_decline_has_words(code: str) -> None:
    ours, sentence = decline_words(code, "card_declined")
    assert ours
    assert sentence.endswith(".")
    assert (ours, sentence) != decline_words(None, None), "fell through to the default"


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist"])
def test_a_suspicion_is_not_told_to_who_pays(code: str) -> None:
    assert decline_words(code, "card_declined") == decline_words("generic_decline", "card_declined")


@given(st.text().filter(lambda word: word not in {*PAYMENT_STATUSES, *REFUND_OUTCOMES, *DISPUTE_STATUSES}))
def test_an_unknown_word_changes_nothing(word: str) -> None:
    assert payment_status_of(word) is PaymentStatus.UNKNOWN
    assert refund_outcome_of(word) is Outcome.PENDING
    assert dispute_status_of(word) is DisputeStatus.UNKNOWN


def test_an_unknown_reason_is_still_a_failure() -> None:
    assert decline_words("a_new_code", None) == decline_words(None, None)
    assert refund_failure_code("a_new_reason") == refund_failure_code(None) == "refund_failed"


def test_currencies() -> None:
    for asset in CATALOGUE:
        if asset.is_fiat:
            assert asset_of_currency(currency_of(asset)) == asset
    with pytest.raises(KeyError):
        currency_of(BTC)
    assert asset_of_currency("EUR") is None
    assert asset_of_currency("btc") is None
