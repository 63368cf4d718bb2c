"""Increase's signatures, with vectors made by the library of the scheme, and what must never pass for one."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from increase import Increase
from standardwebhooks import Webhook

from app.ports.errors import NotificationInvalid, NotificationUnreadable
from app.ports.notifications import NotificationSource, SubjectKind
from providers.increase.notifications import IncreaseNotifications

SECRET = "a shared secret of our own"
NEXT = "the secret that comes after it"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EVENT = {
    "id": "event_001dzz0r20rzr4zrhrr1364hy80",
    "associated_object_id": "ach_transfer_uoxatyh3lt5evrsdvo7q",
    "associated_object_type": "ach_transfer",
    "category": "ach_transfer.updated",
    "created_at": "2026-11-22T12:00:00Z",
    "type": "event",
}
BODY = json.dumps(EVENT).encode()
SOURCE = IncreaseNotifications([SECRET])


def headers(body: bytes = BODY, secret: str = SECRET, at: datetime = NOW, message_id: str = "msg_1") -> dict[str, str]:
    """What Increase sends along, signed as the scheme's own library signs under the text of the secret."""
    signature = Webhook(secret.encode()).sign(message_id, at, body.decode("latin-1"))
    return {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": signature,
    }


def test_it_is_a_source() -> None:
    source: NotificationSource = SOURCE
    assert source.provider == "increase"


def test_a_fixed_vector() -> None:
    """Made once with `openssl dgst -sha256 -hmac`, so that no change of ours or of a library can move it."""
    body = (
        b'{"id":"event_1","type":"event","category":"wire_transfer.updated","associated_object_id":"wire_transfer_1"}'
    )
    fixed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1795348800",
        "webhook-signature": "v1,ra/g6H1SVP8nx1VlNVTgDe+axXcRRWOsgHx1m/u6jgY=",
    }
    verified = SOURCE.verify(body, fixed, NOW)
    assert (verified.notification_id, verified.kind) == ("event_1", "wire_transfer.updated")


def test_a_signed_notification_is_taken() -> None:
    verified = SOURCE.verify(BODY, headers(), NOW)
    assert (verified.notification_id, verified.kind, verified.livemode) == (EVENT["id"], EVENT["category"], True)
    assert (verified.account, verified.api_version) == (None, None)


def test_the_sdk_takes_what_we_take() -> None:
    at = datetime.now(UTC)
    with Increase(api_key="x", webhook_secret=SECRET) as client:
        event = client.events.unwrap(BODY.decode(), headers=headers(at=at))
    assert event.id == SOURCE.verify(BODY, headers(at=at), at).notification_id


def test_the_environment_is_told_by_the_object() -> None:
    body = json.dumps(EVENT | {"associated_object_id": "sandbox_ach_transfer_1"}).encode()
    assert SOURCE.verify(body, headers(body), NOW).livemode is False


def test_both_secrets_count_during_a_roll_and_only_they() -> None:
    rolling = IncreaseNotifications([NEXT, SECRET])
    for secret in (SECRET, NEXT):
        rolling.verify(BODY, headers(secret=secret), NOW)
    with pytest.raises(NotificationInvalid):
        rolling.verify(BODY, headers(secret="some other long secret"), NOW)
    with pytest.raises(NotificationInvalid):
        SOURCE.verify(BODY, headers(secret=NEXT), NOW)


def test_one_of_several_signatures_is_enough_and_other_schemes_are_passed_over() -> None:
    signed = headers()
    other = "v1," + base64.b64encode(b"x" * 32).decode()
    SOURCE.verify(BODY, signed | {"Webhook-Signature": f"v1a,zzz {other} {signed['Webhook-Signature']}"}, NOW)
    for useless in (other, "v1a,zzz", signed["Webhook-Signature"].replace("v1,", "v2,")):
        with pytest.raises(NotificationInvalid):
            SOURCE.verify(BODY, signed | {"Webhook-Signature": useless}, NOW)


@pytest.mark.parametrize(("seconds", "taken"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_age_in_both_directions(seconds: int, taken: bool) -> None:
    signed = headers(at=NOW - timedelta(seconds=seconds))
    if taken:
        SOURCE.verify(BODY, signed, NOW)
    else:
        with pytest.raises(NotificationInvalid, match="old"):
            SOURCE.verify(BODY, signed, NOW)


@pytest.mark.parametrize("place", range(0, len(BODY), 17))
def test_every_byte_of_the_body_is_signed(place: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= 1
    with pytest.raises(NotificationInvalid, match="signature"):
        SOURCE.verify(bytes(changed), headers(), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": "msg_2"},
        {"Webhook-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"Webhook-Timestamp": "0x1"},
        {"Webhook-Timestamp": "١٧٩٥٣٤٨٨٠٠"},
        {"Webhook-Timestamp": f"{int(NOW.timestamp())}.0"},
        {"Webhook-Timestamp": ""},
        {"Webhook-Id": ""},
        {"Webhook-Id": "msg 1"},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1"},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,not base64!"},
        {"Webhook-Signature": "v1,é"},
        {"Webhook-Signature": " ".join(["v1,AAAA"] * 21)},
    ],
)
def test_headers_that_are_not_right(change: dict[str, str]) -> None:
    with pytest.raises(NotificationInvalid) as caught:
        SOURCE.verify(BODY, headers() | change, NOW)
    assert not isinstance(caught.value, NotificationUnreadable)


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_each_header_is_there_once(name: str) -> None:
    signed = headers()
    with pytest.raises(NotificationInvalid):
        SOURCE.verify(BODY, {other: value for other, value in signed.items() if other != name}, NOW)
    with pytest.raises(NotificationInvalid):
        SOURCE.verify(BODY, signed | {name.lower(): signed[name]}, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"type": "event"}',
        json.dumps(EVENT | {"type": "transaction"}).encode(),
        json.dumps(EVENT | {"id": 7}).encode(),
        json.dumps(EVENT | {"category": ""}).encode(),
        json.dumps(EVENT | {"associated_object_id": None}).encode(),
    ],
)
def test_signed_nonsense_is_unreadable(body: bytes) -> None:
    with pytest.raises(NotificationUnreadable):
        SOURCE.verify(body, headers(body), NOW)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("ach_transfer", SubjectKind.PAYOUT),
        ("wire_transfer", SubjectKind.PAYOUT),
        ("real_time_payments_transfer", SubjectKind.PAYOUT),
        ("inbound_ach_transfer", SubjectKind.CREDIT),
        ("inbound_wire_transfer", SubjectKind.CREDIT),
        ("inbound_real_time_payments_transfer", SubjectKind.CREDIT),
        ("inbound_ach_transfer_return", SubjectKind.OTHER),
        ("transaction", SubjectKind.OTHER),
        ("group", SubjectKind.OTHER),
        ("something_new", SubjectKind.OTHER),
    ],
)
def test_what_an_event_is_about(kind: str, subject: SubjectKind) -> None:
    event = EVENT | {"associated_object_type": kind, "associated_object_id": f"sandbox_{kind}_1"}
    translated = SOURCE.translate(json.dumps(event).encode())
    assert (translated.kind, translated.reference) == (subject, f"sandbox_{kind}_1")


def test_the_categories_to_subscribe_to_are_those_that_we_act_on() -> None:
    assert len(SOURCE.categories) == 12
    assert "ach_transfer.updated" in SOURCE.categories
    assert "inbound_wire_transfer.created" in SOURCE.categories


@pytest.mark.parametrize("secrets", [[], [SECRET] * 3, [""], ["too short"]])
def test_secrets_that_nobody_can_have_meant(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        IncreaseNotifications(secrets)
