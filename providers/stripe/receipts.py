"""Reading Stripe's JSON as receipts, and trusting none of it: types, signs, currencies and sums are checked."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.money import Asset, Money
from app.ports.outcome import Decline, Outcome
from app.ports.payin import DisputeReceipt, PaymentReceipt, RefundReceipt
from providers.stripe.errors import Malformed
from providers.stripe.vocabulary import (
    asset_of_currency,
    decline_words,
    dispute_status_of,
    payment_status_of,
    refund_failure_code,
    refund_outcome_of,
)

Json = Mapping[str, object]

_REFUND_FAILED = "The refund could not be sent back to the card."


def json_object(value: object, kind: str) -> Json:
    """A JSON object of this Stripe kind; raises Malformed."""
    if not isinstance(value, Mapping) or value.get("object") != kind:
        raise Malformed(f"not a {kind}")
    return value


def payment_receipt(document: Json) -> PaymentReceipt:
    """The receipt for a PaymentIntent whose latest charge and its balance transaction are expanded."""
    asset, status, metadata = _asset(document), _text(document, "status"), _metadata(document)
    amount, received = _amount(document, "amount"), _amount(document, "amount_received")
    charge = _inner(document, "latest_charge", "charge")
    if charge is not None and (_asset(charge) != asset or _text(charge, "payment_intent") != document["id"]):
        raise Malformed("the charge belongs to another payment")
    refunded = _refunded(charge)
    if refunded > received:
        raise Malformed("more was refunded than received")
    return PaymentReceipt(
        reference=_id(document, "pi_"),
        payment_id=metadata.get("payment_id"),
        order_id=metadata.get("order_id"),
        status=payment_status_of(status),
        provider_status=status,
        amount=Money(amount, asset),
        received=Money(received, asset),
        refunded=Money(refunded, asset),
        fee=_fee(charge),
        charge_reference=_reference(document.get("latest_charge")),
        decline=_decline(document.get("last_payment_error")),
        client_secret=_optional_text(document, "client_secret"),
        livemode=_flag(document, "livemode"),
    )


def refund_receipt(document: Json) -> RefundReceipt:
    """The receipt for a Refund."""
    outcome, reason = refund_outcome_of(_text(document, "status")), _optional_text(document, "failure_reason")
    failed = Decline(refund_failure_code(reason), reason, _REFUND_FAILED) if outcome is Outcome.DECLINED else None
    return RefundReceipt(
        reference=_id(document, "re_", "pyr_"),
        refund_id=_metadata(document).get("refund_id"),
        payment_reference=_text(document, "payment_intent"),
        outcome=outcome,
        amount=Money(_amount(document, "amount"), _asset(document)),
        decline=failed,
    )


def dispute_receipt(document: Json) -> DisputeReceipt:
    """The receipt for a Dispute; what was taken is summed over its balance transactions."""
    asset, status = _asset(document), _text(document, "status")
    lines = document.get("balance_transactions")
    if not isinstance(lines, list):
        raise Malformed("balance_transactions")
    read = [json_object(line, "balance_transaction") for line in lines]
    settled = {_asset(line) for line in read} or {asset}
    if len(settled) > 1:
        raise Malformed("one dispute in several currencies")
    settled_asset = settled.pop()
    return DisputeReceipt(
        reference=_id(document, "du_", "dp_"),
        payment_reference=_text(document, "payment_intent"),
        status=dispute_status_of(status),
        provider_status=status,
        reason=_text(document, "reason"),
        amount=Money(_amount(document, "amount"), asset),
        taken=Money(-sum(_whole(line, "amount") for line in read), settled_asset),
        fee=Money(sum(_whole(line, "fee") for line in read), settled_asset),
    )


def reference_and_metadata(document: object, kind: str) -> tuple[str, Mapping[str, str]]:
    """What a look-up needs of one item of a list."""
    item = json_object(document, kind)
    return _text(item, "id"), _metadata(item)


def _refunded(charge: Json | None) -> int:
    """What went back to the card of what we had taken; held money that was released does not count."""
    return 0 if charge is None else _amount(charge, "amount_refunded")


def _fee(charge: Json | None) -> Money | None:
    """Stripe's fee, in the currency in which it settles; None until the balance transaction is known."""
    line = None if charge is None else _inner(charge, "balance_transaction", "balance_transaction")
    return None if line is None else Money(_amount(line, "fee"), _asset(line))


def _decline(error: object) -> Decline | None:
    if error is None:
        return None
    if not isinstance(error, Mapping):
        raise Malformed("last_payment_error")
    decline_code, code = _optional_text(error, "decline_code"), _optional_text(error, "code")
    ours, sentence = decline_words(decline_code, code)
    return Decline(ours, decline_code or code, sentence)


def _inner(document: Json, name: str, kind: str) -> Json | None:
    """An expanded object; None when there is none, or when only its id was sent."""
    value = document.get(name)
    return None if value is None or isinstance(value, str) else json_object(value, kind)


def _reference(value: object) -> str | None:
    if isinstance(value, Mapping):
        return _text(value, "id")
    return value if isinstance(value, str) else None


def _id(document: Json, *prefixes: str) -> str:
    reference = _text(document, "id")
    if not reference.startswith(prefixes):
        raise Malformed("an id of another kind")
    return reference


def _text(document: Json, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(name)
    return value


def _optional_text(document: Json, name: str) -> str | None:
    return None if document.get(name) is None else _text(document, name)


def _flag(document: Json, name: str) -> bool:
    value = document.get(name)
    if not isinstance(value, bool):
        raise Malformed(name)
    return value


def _whole(document: Json, name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(name)
    return value


def _amount(document: Json, name: str) -> int:
    value = _whole(document, name)
    if value < 0:
        raise Malformed(f"{name} is negative")
    return value


def _asset(document: Json) -> Asset:
    asset = asset_of_currency(_text(document, "currency"))
    if asset is None:
        raise Malformed("a currency that we do not know")
    return asset


def _metadata(document: Json) -> Mapping[str, str]:
    value = document.get("metadata")
    if not isinstance(value, Mapping):
        raise Malformed("metadata")
    return {str(key): text for key, text in value.items() if isinstance(text, str)}
