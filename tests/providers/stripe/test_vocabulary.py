"""Every documented word of Stripe has a meaning of ours, and an undocumented one is never guessed at."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Iterator

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from app.domain.assets import BTC, CATALOGUE
from app.ports.outcome import Outcome
from app.ports.payin import DisputeStatus, PaymentStatus, ReviewStatus
from app.ports.records import LineKind
from providers.stripe.declines import DECLINES, decline_words, is_known
from providers.stripe.vocabulary import (
    CHARGE_STATUSES,
    DISPUTE_STATUSES,
    LINE_KINDS,
    PAYMENT_STATUSES,
    PAYOUT_STATUSES,
    REFUND_OUTCOMES,
    REVIEW_ENDS,
    asset_of_currency,
    currency_of,
    dispute_status_of,
    line_kind_of,
    payment_status_of,
    refund_failure_code,
    refund_outcome_of,
    review_status_of,
)
from tests.providers.stripe.sdk_codes import NOT_OF_A_PAYMENT

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
# https://docs.stripe.com/declines/network-codes and https://docs.stripe.com/payments/sepa-debit

DEBIT_CODES = [
    "account_closed", "authorization_revoked", "bank_account_closed", "bank_account_invalid_details",
    "bank_account_restricted", "bank_ownership_changed", "branch_does_not_exist", "could_not_process",
    "debit_authorization_not_match", "debit_disputed", "debit_not_authorized", "generic_could_not_process",
    "incorrect_account_holder_name", "insufficient_funds", "invalid_account_number", "invalid_currency", "no_account",
    "recipient_deceased", "refer_to_customer",
]
# fmt: on


def words_of(kind: type, name: str) -> set[str]:
    """The words that the SDK's own types list for a field, however deep they stand in it."""
    return set(literals(kind.__annotations__[name]))


def literals(hint: object) -> Iterator[str]:
    for part in typing.get_args(hint):
        if isinstance(part, str):
            yield part
        else:
            yield from literals(part)


def listed_in(text: str | None, after: str) -> set[str]:
    """The words that a sentence of the SDK's documentation lists, where its types do not."""
    source = text or ""
    sentence = source[source.index(after) :].split("\n")[0]
    return set(re.findall(r"`([a-z_]+)`", sentence))


def source_of(kind: type) -> str:
    return inspect.getsource(sys.modules[kind.__module__])


def test_the_sdk_knows_no_status_that_we_do_not() -> None:
    assert words_of(stripe.PaymentIntent, "status") == set(PAYMENT_STATUSES)
    assert words_of(stripe.Charge, "status") == CHARGE_STATUSES
    assert words_of(stripe.Dispute, "status") == set(DISPUTE_STATUSES)
    assert words_of(stripe.Review, "closed_reason") == set(REVIEW_ENDS)
    assert listed_in(source_of(stripe.Refund), "Status of the refund.") - {"status"} == set(REFUND_OUTCOMES)
    assert listed_in(source_of(stripe.Payout), "Current status of the payout:") == PAYOUT_STATUSES


def test_the_sdk_knows_no_way_of_changing_our_balance_that_we_do_not() -> None:
    assert words_of(stripe.BalanceTransaction, "type") == set(LINE_KINDS)
    assert line_kind_of("adjustment", "dispute") is LineKind.DISPUTE
    assert line_kind_of("adjustment", "something") is line_kind_of("a_new_type", "dispute") is LineKind.OTHER


def test_the_sdk_knows_no_reason_for_a_failed_refund_that_we_do_not() -> None:
    reasons = listed_in(source_of(stripe.Refund), "Provides the reason for the refund failure.")
    assert {refund_failure_code(reason) for reason in reasons - {"unknown"}}.isdisjoint({"refund_failed"})


def test_every_code_of_the_sdks_ends_a_payment_or_is_known_not_to() -> None:
    codes = words_of(stripe.PaymentIntent.LastPaymentError, "code")
    assert len(codes) > 200
    assert codes - set(DECLINES) == NOT_OF_A_PAYMENT


def test_a_new_code_is_shown_as_a_decline_and_known_to_be_new() -> None:
    assert is_known("do_not_honor", "card_declined")
    assert is_known(None, None)
    assert not is_known("a_new_code", "card_declined")
    assert not is_known(None, "resource_missing")


@pytest.mark.parametrize("code", DECLINE_CODES + DEBIT_CODES)
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
    assert review_status_of(word) in {ReviewStatus.UNKNOWN, ReviewStatus.CLOSED, ReviewStatus.APPROVED}
    assert word in REVIEW_ENDS or review_status_of(word) is ReviewStatus.UNKNOWN


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
