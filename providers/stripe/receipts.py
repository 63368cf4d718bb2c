"""Reading Stripe's JSON as receipts, and trusting none of it: types, signs, currencies and sums are checked."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.money import Asset, Money
from app.ports.outcome import Decline, Outcome
from app.ports.payin import (
    DisputeReceipt,
    FraudWarning,
    NextAction,
    PaymentReceipt,
    PaymentStatus,
    RefundReceipt,
    ReviewReceipt,
)
from providers.stripe.declines import decline_words, is_known
from providers.stripe.errors import Malformed
from providers.stripe.fields import (
    Json,
    amount,
    asset_in,
    flag,
    identifier,
    inner,
    json_object,
    metadata_in,
    optional_text,
    reference_in,
    text,
    whole,
)
from providers.stripe.next_action import next_action_in
from providers.stripe.vocabulary import (
    CHARGE_STATUSES,
    REFUND_OUTCOMES,
    dispute_status_of,
    payment_status_of,
    refund_failure_code,
    refund_outcome_of,
    review_status_of,
)

_REFUND_FAILED = "The refund could not be sent back to the card."


def payment_receipt(document: Json) -> PaymentReceipt:
    """The receipt for a PaymentIntent whose latest charge and its balance transaction are expanded."""
    asset, metadata = asset_in(document), metadata_in(document)
    asked, received = amount(document, "amount"), amount(document, "amount_received")
    charge = inner(document, "latest_charge", "charge")
    if charge is not None and (asset_in(charge) != asset or text(charge, "payment_intent") != document["id"]):
        raise Malformed("the charge belongs to another payment")
    refunded = _refunded(charge)
    if refunded > received:
        raise Malformed("more was refunded than received")
    action = next_action_in(document, asset)
    status, word = _status(document, charge, action)
    return PaymentReceipt(
        reference=identifier(document, "pi_"),
        payment_id=metadata.get("payment_id"),
        order_id=metadata.get("order_id"),
        status=status,
        provider_status=word,
        amount=Money(asked, asset),
        received=Money(received, asset),
        refunded=Money(refunded, asset),
        fee=_fee(charge),
        charge_reference=reference_in(document.get("latest_charge")),
        decline=_decline(document.get("last_payment_error")),
        client_secret=optional_text(document, "client_secret"),
        livemode=flag(document, "livemode"),
        next_action=action,
        in_review=_in_review(document.get("review")),
    )


def surplus_in(document: Json, asset: Asset) -> Money:
    """What stands on a customer's cash balance in one currency."""
    available = document.get("available")
    if available is None:
        return Money(0, asset)
    if not isinstance(available, Mapping):
        raise Malformed("available")
    code = asset.code.lower()
    return Money(amount(available, code) if code in available else 0, asset)


def _status(document: Json, charge: Json | None, action: NextAction | None) -> tuple[PaymentStatus, str]:
    """Where the payment stands, and the word that says so; a charge in a state without a name makes it unknown."""
    word, status = text(document, "status"), payment_status_of(text(document, "status"))
    of_charge = None if charge is None else optional_text(charge, "status")
    if of_charge is not None and of_charge not in CHARGE_STATUSES:
        return PaymentStatus.UNKNOWN, f"charge {of_charge}"
    if status is PaymentStatus.AUTHENTICATING and action is not None and action.type == "bank_transfer":
        return PaymentStatus.AWAITING_CUSTOMER, word  # there is nothing to confirm: the money has to be sent
    return status, word


def _in_review(review: object) -> bool:
    """Whether Stripe wants a person to look; a review that was not expanded counts as open."""
    return isinstance(review, str) or (isinstance(review, Mapping) and flag(review, "open"))


def warning_receipt(document: Json) -> FraudWarning:
    """What an early fraud warning says."""
    reference = text(document, "id")
    return FraudWarning(reference, _payment_of(document), text(document, "fraud_type"))


def review_receipt(document: Json) -> ReviewReceipt:
    """Where a review stands."""
    closed = None if flag(document, "open") else text(document, "closed_reason")
    return ReviewReceipt(
        identifier(document, "prv_"), _payment_of(document), review_status_of(closed), closed or "open"
    )


def _payment_of(document: Json) -> str:
    reference = reference_in(document.get("payment_intent"))
    if reference is None:
        raise Malformed("payment_intent")
    return reference


def refund_receipt(document: Json) -> RefundReceipt:
    """The receipt for a Refund."""
    word, reason = text(document, "status"), optional_text(document, "failure_reason")
    outcome = refund_outcome_of(word)
    failed = Decline(refund_failure_code(reason), reason, _REFUND_FAILED) if outcome is Outcome.DECLINED else None
    return RefundReceipt(
        reference=identifier(document, "re_", "pyr_"),
        refund_id=metadata_in(document).get("refund_id"),
        payment_reference=text(document, "payment_intent"),
        outcome=outcome,
        amount=Money(amount(document, "amount"), asset_in(document)),
        decline=failed,
        unknown_status=None if word in REFUND_OUTCOMES else word,
    )


def dispute_receipt(document: Json) -> DisputeReceipt:
    """The receipt for a Dispute; what was taken is summed over its balance transactions."""
    asset, status = asset_in(document), text(document, "status")
    lines = document.get("balance_transactions")
    if not isinstance(lines, list):
        raise Malformed("balance_transactions")
    read = [json_object(line, "balance_transaction") for line in lines]
    settled = {asset_in(line) for line in read} or {asset}
    if len(settled) > 1:
        raise Malformed("one dispute in several currencies")
    settled_asset = settled.pop()
    return DisputeReceipt(
        reference=identifier(document, "du_", "dp_"),
        payment_reference=text(document, "payment_intent"),
        status=dispute_status_of(status),
        provider_status=status,
        reason=text(document, "reason"),
        amount=Money(amount(document, "amount"), asset),
        taken=Money(-sum(whole(line, "amount") for line in read), settled_asset),
        fee=Money(sum(whole(line, "fee") for line in read), settled_asset),
    )


def reference_and_metadata(document: object, kind: str) -> tuple[str, Mapping[str, str]]:
    """What a look-up needs of one item of a list."""
    item = json_object(document, kind)
    return text(item, "id"), metadata_in(item)


def _refunded(charge: Json | None) -> int:
    """What went back to the card of what we had taken; held money that was released does not count."""
    return 0 if charge is None else amount(charge, "amount_refunded")


def _fee(charge: Json | None) -> Money | None:
    """Stripe's fee, in the currency in which it settles; None until it is known and the money is ours.

    A debit has its line, and its fee, while it is still under way: both go again when it is returned.
    """
    if charge is not None and charge.get("status") in {"pending", "failed"}:
        return None
    line = None if charge is None else inner(charge, "balance_transaction", "balance_transaction")
    return None if line is None else Money(amount(line, "fee"), asset_in(line))


def _decline(error: object) -> Decline | None:
    if error is None:
        return None
    if not isinstance(error, Mapping):
        raise Malformed("last_payment_error")
    decline_code, code = optional_text(error, "decline_code"), optional_text(error, "code")
    ours, sentence = decline_words(decline_code, code)
    return Decline(ours, decline_code or code, sentence, known=is_known(decline_code, code))
