"""Increase's webhooks: Standard Webhooks, checked more strictly than the SDK does, and what an event is about."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from app.ports.errors import NotificationInvalid, NotificationUnreadable
from app.ports.notifications import Subject, SubjectKind, VerifiedNotification
from providers.increase.errors import PROVIDER
from providers.increase.vocabulary import CREDIT_STATUSES, PAYOUT_KINDS, SANDBOX_PREFIX

# Seconds that a notification's time may lie from ours, in either direction.
TOLERANCE = 300
ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"

_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)
_ID = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_MOST_SIGNATURES = 20

# What to look up for each type of object. Routed by type, never by the id, which carries its environment too. An
# `inbound_ach_transfer_return` is what we ourselves send back, and not among them.
_SUBJECTS = {
    **dict.fromkeys(PAYOUT_KINDS.values(), SubjectKind.PAYOUT),
    **dict.fromkeys(CREDIT_STATUSES, SubjectKind.CREDIT),
}


class IncreaseNotifications:
    """Implements NotificationSource."""

    provider = PROVIDER
    # What a subscription of ours needs to be told; everything else is answered and left alone.
    categories = tuple(f"{kind}.{what}" for kind in _SUBJECTS for what in ("created", "updated"))

    def __init__(self, secrets: Sequence[str]) -> None:
        """`secrets` are the shared secrets of our event subscriptions: one, or two while one replaces the other.

        Raises ValueError when there is none, or one that is too short to sign anything with.
        """
        if not 1 <= len(secrets) <= 2:
            raise ValueError("Increase webhooks need one shared secret, or two during a roll")
        if not all(len(secret) >= 16 for secret in secrets):
            raise ValueError("a shared secret of Increase webhooks has at least 16 characters")
        # The key is the text itself; it is not base64 as Standard Webhooks would have it (SDK 0.552, Events.unwrap).
        self._keys = [secret.encode() for secret in secrets]

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> VerifiedNotification:
        """Check signature and age, then read what the event says of itself.

        The environment is told by the object's id: in the sandbox, and only there, ids begin with `sandbox_`.
        https://www.standardwebhooks.com and https://increase.com/documentation/webhooks
        """
        message_id, timestamp, signatures = _header(headers, ID_HEADER), _header(headers, TIME_HEADER), _signed(headers)
        if _ID.fullmatch(message_id) is None or _TIMESTAMP.fullmatch(timestamp) is None:
            raise _invalid("its id or its time cannot be read")
        if not self._is_signed(f"{message_id}.{timestamp}.".encode() + body, signatures):
            raise _invalid("no signature fits")
        if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
            raise _invalid("too old, or from the future")
        event = _event_in(body)
        return VerifiedNotification(
            notification_id=_text(event, "id"),
            kind=_text(event, "category"),
            livemode=not _text(event, "associated_object_id").startswith(SANDBOX_PREFIX),
            account=None,
            api_version=None,
        )

    def translate(self, body: bytes) -> Subject:
        """What to fetch because of this event; raises NotificationUnreadable for a body that is no event."""
        event = _event_in(body)
        kind = _SUBJECTS.get(_text(event, "associated_object_type"), SubjectKind.OTHER)
        return Subject(kind, _text(event, "associated_object_id"))

    def _is_signed(self, signed: bytes, signatures: Sequence[bytes]) -> bool:
        """Compare every pair in constant time and in full, so that the time taken says nothing."""
        fits = False
        for key in self._keys:
            expected = hmac.new(key, signed, hashlib.sha256).digest()
            for signature in signatures:
                fits |= hmac.compare_digest(expected, signature)
        return fits


def _header(headers: Mapping[str, str], name: str) -> str:
    found = [value for header, value in headers.items() if header.lower() == name]
    if len(found) != 1:
        raise _invalid(f"not exactly one {name} header")
    return found[0]


def _signed(headers: Mapping[str, str]) -> list[bytes]:
    """Every v1 signature; other schemes are passed over."""
    items = [item.partition(",") for item in _header(headers, SIGNATURE_HEADER).split(" ")]
    if len(items) > _MOST_SIGNATURES:
        raise _invalid("more signatures than anybody needs")
    signatures = [value for scheme, _, value in items if scheme == "v1"]
    try:
        decoded = [base64.b64decode(value, validate=True) for value in signatures]
    except (binascii.Error, ValueError):
        raise _invalid("a signature that is not base64") from None
    if not decoded:
        raise _invalid("no v1 signature")
    return decoded


def _event_in(body: bytes) -> dict[str, object]:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _unreadable("not JSON") from None
    if not isinstance(event, dict) or event.get("type") != "event":
        raise _unreadable("not an event")
    return event


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise _unreadable(f"no {name}")
    return value


def _unreadable(why: str) -> NotificationUnreadable:
    return NotificationUnreadable(PROVIDER, why)


def _invalid(why: str) -> NotificationInvalid:
    return NotificationInvalid(PROVIDER, why)
