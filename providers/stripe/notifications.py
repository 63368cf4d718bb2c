"""Stripe's webhooks: the signature, checked more strictly than the SDK does, and what an event is about."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from app.ports.errors import NotificationInvalid, NotificationUnreadable
from app.ports.notifications import Subject, SubjectKind, VerifiedNotification
from providers.stripe.errors import PROVIDER
from providers.stripe.vocabulary import API_VERSION

# Seconds that a notification's time may lie from ours, in either direction. Fixed: the SDK takes 0 for "any age".
TOLERANCE = 300
HEADER = "stripe-signature"

_KINDS = {
    "refund": SubjectKind.REFUND,
    "dispute": SubjectKind.DISPUTE,
    "radar.early_fraud_warning": SubjectKind.WARNING,
    "review": SubjectKind.REVIEW,
}
# Money has come to the account that a customer sends to.
_OF_A_CUSTOMER = frozenset({"cash_balance", "customer_cash_balance_transaction"})

_HEADER = re.compile(r"[a-z][a-z0-9]*=[A-Za-z0-9]+(,[a-z][a-z0-9]*=[A-Za-z0-9]+)*", re.ASCII)
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)


class StripeNotifications:
    """Implements NotificationSource."""

    provider = PROVIDER
    api_version = API_VERSION  # the only form of events that is read here; the endpoint must be registered with it

    def __init__(self, secrets: Sequence[str]) -> None:
        """`secrets` are the endpoint's signing secrets as Stripe shows them: one, or two while one replaces the other.

        Raises ValueError when there is none, or one that Stripe cannot have made.
        """
        if not 1 <= len(secrets) <= 2:
            raise ValueError("Stripe webhooks need one signing secret, or two during a roll")
        if not all(secret.startswith("whsec_") and len(secret) > len("whsec_") for secret in secrets):
            raise ValueError("a Stripe signing secret begins with whsec_")
        # The key is the whole string, prefix included; it is not base64 as in Standard Webhooks.
        self._keys = [secret.encode() for secret in secrets]

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> VerifiedNotification:
        """Check signature and age, then read what the event says of itself.

        Mode, account and version are reported as they are: refusing would make Stripe send for days what belongs
        into quarantine. https://docs.stripe.com/webhooks#verify-manually
        """
        timestamp, signatures = _parsed(_header_in(headers))
        if not self._is_signed(timestamp, body, signatures):
            raise _invalid("no signature fits")
        if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
            raise _invalid("too old, or from the future")
        event = _event_in(body)
        return VerifiedNotification(
            notification_id=_text(event, "id"),
            kind=_text(event, "type"),
            livemode=_flag(event, "livemode"),
            account=_optional_text(event, "account"),
            api_version=_optional_text(event, "api_version"),
        )

    def translate(self, body: bytes) -> Subject:
        """What to fetch because of this event; raises NotificationUnreadable for a body that is no event."""
        event = _event_in(body)
        data = event.get("data")
        subject = data.get("object") if isinstance(data, dict) else None
        if not isinstance(subject, dict):
            raise _unreadable("an event about nothing")
        reference, payment = _optional_text(subject, "id"), _optional_text(subject, "payment_intent")
        kind = subject.get("object")
        if kind == "payment_intent":
            return Subject(SubjectKind.PAYMENT, reference)
        if kind == "charge" and payment is not None:
            return Subject(SubjectKind.PAYMENT, payment)
        if kind in _OF_A_CUSTOMER:  # who has one payment, by which it is known as well
            return Subject(SubjectKind.PAYMENT, _optional_text(subject, "customer"))
        if kind == "refund" and payment is None:
            return Subject(SubjectKind.SURPLUS, reference)
        return Subject(_KINDS.get(str(kind), SubjectKind.OTHER), reference, payment)

    def _is_signed(self, timestamp: str, body: bytes, signatures: Sequence[bytes]) -> bool:
        """Compare every pair in constant time and in full, so that the time taken says nothing."""
        fits = False
        for key in self._keys:
            expected = hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest().encode()
            for signature in signatures:
                fits |= hmac.compare_digest(expected, signature)
        return fits


def _header_in(headers: Mapping[str, str]) -> str:
    found = [value for name, value in headers.items() if name.lower() == HEADER]
    if len(found) != 1:
        raise _invalid("not exactly one Stripe-Signature header")
    return found[0]


def _parsed(header: str) -> tuple[str, list[bytes]]:
    """The time as it was written, and every v1 signature; other schemes are passed over."""
    if _HEADER.fullmatch(header) is None:
        raise _invalid("the Stripe-Signature header cannot be read")
    pairs = [item.split("=") for item in header.split(",")]
    times = [value for name, value in pairs if name == "t"]
    signatures = [value.encode() for name, value in pairs if name == "v1"]
    if len(times) != 1 or _TIMESTAMP.fullmatch(times[0]) is None:
        raise _invalid("not exactly one time")
    if not signatures:
        raise _invalid("no v1 signature")
    return times[0], signatures


def _event_in(body: bytes) -> dict[str, object]:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _unreadable("not JSON") from None
    if not isinstance(event, dict) or event.get("object") != "event":
        raise _unreadable("not an event with its object")  # a thin event is another thing
    return event


def _text(document: Mapping[str, object], name: str) -> str:
    value = _optional_text(document, name)
    if not value:
        raise _unreadable(f"no {name}")
    return value


def _optional_text(document: Mapping[str, object], name: str) -> str | None:
    value = document.get(name)
    if isinstance(value, Mapping):  # an expanded object stands for its id
        value = value.get("id")
    if value is not None and not isinstance(value, str):
        raise _unreadable(f"{name} is not text")
    return value


def _flag(document: Mapping[str, object], name: str) -> bool:
    value = document.get(name)
    if not isinstance(value, bool):
        raise _unreadable(f"{name} is not true or false")
    return value


def _unreadable(why: str) -> NotificationUnreadable:
    return NotificationUnreadable(PROVIDER, why)


def _invalid(why: str) -> NotificationInvalid:
    return NotificationInvalid(PROVIDER, why)
