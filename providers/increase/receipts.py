"""Reading Increase's JSON as receipts, and trusting none of it: types, signs, currencies and ids are checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.domain.assets import USD
from app.domain.money import Asset, Money
from app.domain.payout import PayoutMethod
from app.ports.outcome import Decline
from app.ports.payout import CreditReceipt, CreditStatus, PayoutReceipt, PayoutReturn, PayoutStatus
from providers.increase.errors import Malformed
from providers.increase.returns import ach_return_words, wire_reversal_words
from providers.increase.vocabulary import (
    PAYOUT_KINDS,
    SANDBOX_PREFIX,
    asset_of_currency,
    correction_of,
    credit_status_of,
    kind_of,
    payout_status_of,
    rejection_words,
)

Json = Mapping[str, object]


def json_object(value: object, kind: str, *, livemode: bool) -> Json:
    """A JSON object of this kind, from the environment that we speak to; raises Malformed."""
    if not isinstance(value, Mapping) or value.get("type") != kind:
        raise Malformed(f"not a {kind}")
    reference = text_in(value, "id")
    if kind_of(reference) != kind:
        raise Malformed("an id of another kind")
    if reference.startswith(SANDBOX_PREFIX) is livemode:
        raise Malformed("an object of the other environment")
    return value


def payout_receipt(document: Json, method: PayoutMethod) -> PayoutReceipt:
    """The receipt for an ACH, RTP or wire transfer of ours."""
    word = text_in(document, "status")
    amount = Money(_amount(document), _asset(document))
    status = payout_status_of(method, word, settled=_inner(document, "settlement") is not None)
    returned = _returned(document, method) if status is PayoutStatus.RETURNED else None
    if method is PayoutMethod.WIRE and returned is not None and _returned_amount(document) != amount.units:
        # A bank may keep its fee when it sends a wire back. Nobody but a person decides who bears it.
        status, returned = PayoutStatus.UNKNOWN, None
    return PayoutReceipt(
        reference=text_in(document, "id"),
        payout_id=optional_text_in(document, "idempotency_key"),
        method=method,
        status=status,
        provider_status=word,
        amount=amount,
        decline=_decline(document) if status is PayoutStatus.FAILED else None,
        returned=returned,
        corrections=_corrections(document) if method is PayoutMethod.ACH else (),
    )


def credit_receipt(document: Json) -> CreditReceipt:
    """The receipt for an inbound transfer.

    One that takes money from us instead (an ACH debit) has a negative amount and the status UNKNOWN: it is no credit.
    """
    kind, word = text_in(document, "type"), text_in(document, "status")
    status, units = credit_status_of(kind, word), _amount(document)
    if kind == "inbound_ach_transfer" and text_in(document, "direction") != "credit":
        status, word, units = CreditStatus.UNKNOWN, f"debit_{word}", -units
    sender = "originator_company_name" if kind == "inbound_ach_transfer" else "debtor_name"
    return CreditReceipt(
        reference=text_in(document, "id"),
        status=status,
        provider_status=word,
        # Only RTP says its currency; the other two schemes know no other than the dollar.
        amount=Money(units, _asset(document) if "currency" in document else USD),
        account_reference=text_in(document, "account_number_id"),
        sender_name=optional_text_in(document, sender) or "",
        message=_message(document, kind),
        at=moment_in(document, "created_at"),
    )


def same_destination(document: Json, routing_number: str, account_number: str) -> bool:
    """Whether a transfer goes to this account."""
    return document.get("routing_number") == routing_number and document.get("account_number") == account_number


def method_of(kind: str) -> PayoutMethod | None:
    """How a kind of transfer travels; None when it is none of ours."""
    return next((method for method, known in PAYOUT_KINDS.items() if known == kind), None)


def text_in(document: Json, name: str) -> str:
    """A text that must be there; raises Malformed."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(name)
    return value


def optional_text_in(document: Json, name: str) -> str | None:
    """A text, or None when it is null or not there; raises Malformed for anything else."""
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(name)
    return value or None


def moment_in(document: Json, name: str) -> datetime:
    """An ISO 8601 time with its zone; raises Malformed."""
    try:
        moment = datetime.fromisoformat(text_in(document, name))
    except ValueError:
        raise Malformed(name) from None
    if moment.tzinfo is None:
        raise Malformed(f"{name} has no zone")
    return moment


def whole_in(document: Json, name: str) -> int:
    """A whole number; raises Malformed."""
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(name)
    return value


def _returned(document: Json, method: PayoutMethod) -> PayoutReturn:
    """What is known of money that came back; Increase gives the details with the status."""
    name = "return" if method is PayoutMethod.ACH else "reversal"
    details = _inner(document, name)
    if details is None:
        raise Malformed(f"it came back without its {name}")
    if method is PayoutMethod.ACH:
        raw, reason = optional_text_in(details, "raw_return_reason_code"), text_in(details, "return_reason_code")
        ours, scheme_code, sentence = ach_return_words(raw, reason)
    else:
        ours, scheme_code, sentence = wire_reversal_words(optional_text_in(details, "return_reason_code"))
    return PayoutReturn(ours, scheme_code, sentence, moment_in(details, "created_at"))


def _returned_amount(document: Json) -> int:
    details = _inner(document, "reversal")
    return 0 if details is None else whole_in(details, "amount")


def _decline(document: Json) -> Decline:
    rejection = _inner(document, "rejection")
    reason = None if rejection is None else text_in(rejection, "reject_reason_code")
    code, sentence = rejection_words(reason)
    return Decline(code, reason, sentence)


def _corrections(document: Json) -> tuple[str, ...]:
    changes = document.get("notifications_of_change")
    if not isinstance(changes, list):
        raise Malformed("notifications_of_change")
    return tuple(
        correction_of(text_in(_mapping(change, "a notification of change"), "change_code")) for change in changes
    )


def _message(document: Json, kind: str) -> str:
    """What the sender wrote; on ACH the addenda hold more than the batch's description does."""
    if kind != "inbound_ach_transfer":
        return optional_text_in(document, "unstructured_remittance_information") or ""
    freeform = _inner(_inner(document, "addenda") or {}, "freeform") or {}
    entries = freeform.get("entries", [])
    if not isinstance(entries, list):
        raise Malformed("addenda")
    lines = [text_in(_mapping(entry, "addenda"), "payment_related_information") for entry in entries]
    return "\n".join(lines) or optional_text_in(document, "originator_company_entry_description") or ""


def _inner(document: Json, name: str) -> Json | None:
    value = document.get(name)
    return None if value is None else _mapping(value, name)


def _mapping(value: object, name: str) -> Json:
    if not isinstance(value, Mapping):
        raise Malformed(name)
    return value


def _amount(document: Json) -> int:
    """Cents; a negative ACH transfer would be one that pulls."""
    value = whole_in(document, "amount")
    if value < 0:
        raise Malformed("amount is negative")
    return value


def _asset(document: Json) -> Asset:
    asset = asset_of_currency(text_in(document, "currency"))
    if asset is None:
        raise Malformed("a currency that we do not know")
    return asset
