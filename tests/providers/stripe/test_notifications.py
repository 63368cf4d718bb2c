"""Stripe's webhook signatures: stripe-python's own thirteen cases (T-ST) and ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from app.ports.errors import NotificationInvalid, NotificationUnreadable
from app.ports.notifications import NotificationSource, Subject, SubjectKind
from providers.stripe.notifications import StripeNotifications
from tests.providers.sandbox.stripe.far_side import FarSide, receiving, until

SECRET, OLD_SECRET = "whsec_test_secret", "whsec_old_secret"
TIME = 1_760_000_000
NOW = datetime.fromtimestamp(TIME, UTC)
# The published vectors ST-1 and ST-2 of our fault catalogue. This body has no livemode, which real events have.
BODY = (
    b'{"id":"evt_test_webhook","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_123",'
    b'"object":"payment_intent","amount":10000,"currency":"usd"}}}'
)
NEW_SIGNATURE = "50ddd22fdac2be2b61fcd5cea66d464b1ac3856293bfbde3e8b2c78a05bec524"
OLD_SIGNATURE = "96cf67d24df1de5e9fd0359dcd6561b11e6d275930c74d16cebdc16576744412"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "livemode": False,
    "api_version": "2026-10-28.endive",
    "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
}

hooks = StripeNotifications([SECRET])


def sign(body: bytes, secret: str = SECRET, at: int = TIME) -> str:
    return hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()


def event(**changes: object) -> bytes:
    return json.dumps(EVENT | changes).encode()


def verify(header: str, body: bytes, source: StripeNotifications = hooks, now: datetime = NOW) -> str:
    return source.verify(body, {"Stripe-Signature": header}, now).notification_id


def refused(header: str, body: bytes, match: str, now: datetime = NOW) -> None:
    with pytest.raises(NotificationInvalid, match=match):
        verify(header, body, now=now)


def test_it_is_a_source() -> None:
    source: NotificationSource = hooks
    assert source.provider == "stripe"
    assert hooks.api_version == "2026-10-28.endive"


def test_the_vectors_hold() -> None:
    assert hashlib.sha256(BODY).hexdigest() == "42ffc26ad18628d6a06da3759d2fdc17c549ff4f077bd6948e35c195898ba8f3"
    # The signature fits, so that only the missing livemode is left to complain about.
    refused(f"t={TIME},v1={NEW_SIGNATURE}", BODY, "livemode")
    refused(f"t={TIME},v1={NEW_SIGNATURE},v1={OLD_SIGNATURE}", BODY, "livemode")
    refused(f"t={TIME},v1={OLD_SIGNATURE}", BODY, "no signature fits")
    with pytest.raises(NotificationInvalid, match="livemode"):
        verify(f"t={TIME},v1={OLD_SIGNATURE}", BODY, StripeNotifications([SECRET, OLD_SECRET]))


def test_a_valid_notification() -> None:
    body = event(account="acct_9")
    verified = hooks.verify(body, {"stripe-signature": f"t={TIME},v1={sign(body)}"}, NOW)
    assert (verified.notification_id, verified.kind, verified.livemode, verified.account, verified.api_version) == (
        "evt_1",
        "payment_intent.succeeded",
        False,
        "acct_9",
        "2026-10-28.endive",
    )


def test_one_valid_signature_among_several_is_enough() -> None:
    body = event()
    assert verify(f"t={TIME},v1={'0' * 64},v0={'1' * 64},v1={sign(body)}", body) == "evt_1"


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_during_a_roll_either_secret_will_do(secret: str) -> None:
    body = event()
    assert verify(f"t={TIME},v1={sign(body, secret)}", body, StripeNotifications([SECRET, OLD_SECRET])) == "evt_1"


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("", "cannot be read"),
        ("nonsense", "cannot be read"),
        ("t=,v1=", "cannot be read"),
        ("t={t}, v1={s}", "cannot be read"),
        ("t={t};v1={s}", "cannot be read"),
        (" t={t},v1={s}", "cannot be read"),
        ("t={t},v1={s},", "cannot be read"),
        ("t={t},v1={s}\n", "cannot be read"),
        ("T={t},v1={s}", "cannot be read"),
        ("t={t},v1=={s}", "cannot be read"),
        ("v1={s}", "one time"),
        ("t={t},t={t},v1={s}", "one time"),
        ("t=0{t},v1={s}", "one time"),
        ("t=1e9,v1={s}", "one time"),
        ("t={t},v0={s}", "no v1"),
        ("t={t},v2={s}", "no v1"),
        ("t={t},v1=00", "no signature fits"),
        ("t={t},v1={S}", "no signature fits"),
        ("t=1760000001,v1={s}", "no signature fits"),
    ],
)
def test_a_malformed_or_wrong_header_is_refused(header: str, why: str) -> None:
    body = event()
    refused(header.format(t=TIME, s=sign(body), S=sign(body).upper()), body, why)


@pytest.mark.parametrize("digits", ["١٧٦٠٠٠٠٠٠٠", "1_760_000_000", "1.76e9", "-1760000000"])
def test_a_time_in_other_digits_is_refused(digits: str) -> None:
    refused(f"t={digits},v1={sign(event())}", event(), "cannot be read|one time")


def test_no_header_and_two_headers_are_refused() -> None:
    body = event()
    good = f"t={TIME},v1={sign(body)}"
    for headers in ({}, {"X-Signature": good}, {"Stripe-Signature": good, "stripe-signature": good}):
        with pytest.raises(NotificationInvalid, match="exactly one"):
            hooks.verify(body, headers, NOW)


@pytest.mark.parametrize(("seconds", "accepted"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_either_way(seconds: int, accepted: bool) -> None:
    body = event()
    header, now = f"t={TIME},v1={sign(body)}", NOW + timedelta(seconds=seconds)
    if accepted:
        assert verify(header, body, now=now) == "evt_1"
    else:
        refused(header, body, "too old, or from the future", now)


@pytest.mark.parametrize("years", [10, -10])
def test_no_setting_lets_any_age_pass(years: int) -> None:
    refused(f"t={TIME},v1={sign(event())}", event(), "too old", NOW + timedelta(days=365 * years))


def test_a_body_written_anew_is_another_body() -> None:
    body = event()
    refused(f"t={TIME},v1={sign(body)}", json.dumps(json.loads(body), indent=2).encode(), "no signature fits")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        event(object="v2.core.event"),
        event(id=None),
        event(id=""),
        event(type=7),
        event(livemode="false"),
        event(account=7),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(NotificationUnreadable):
        verify(f"t={TIME},v1={sign(body)}", body)
    with pytest.raises(NotificationInvalid) as caught:
        verify(f"t={TIME},v1={sign(body, OLD_SECRET)}", body)
    assert not isinstance(caught.value, NotificationUnreadable)


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_"], ["secret"], [SECRET, OLD_SECRET, "whsec_third"]])
def test_secrets_that_cannot_be_stripes_are_refused_at_start(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="Stripe"):
        StripeNotifications(secrets)


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1"}, Subject(SubjectKind.PAYMENT, "pi_1")),
        (
            "charge.refunded",
            {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"},
            Subject(SubjectKind.PAYMENT, "pi_1"),
        ),
        (
            "charge.succeeded",
            {"object": "charge", "id": "ch_1", "payment_intent": {"id": "pi_1", "object": "payment_intent"}},
            Subject(SubjectKind.PAYMENT, "pi_1"),
        ),
        (
            "charge.succeeded",
            {"object": "charge", "id": "ch_1", "payment_intent": None},
            Subject(SubjectKind.OTHER, "ch_1"),
        ),
        (
            "refund.failed",
            {"object": "refund", "id": "re_1", "payment_intent": "pi_1"},
            Subject(SubjectKind.REFUND, "re_1", "pi_1"),
        ),
        (
            "charge.dispute.created",
            {"object": "dispute", "id": "du_1", "payment_intent": "pi_1"},
            Subject(SubjectKind.DISPUTE, "du_1", "pi_1"),
        ),
        (
            "radar.early_fraud_warning.created",
            {"object": "radar.early_fraud_warning", "id": "issfr_1", "payment_intent": "pi_1"},
            Subject(SubjectKind.WARNING, "issfr_1", "pi_1"),
        ),
        (
            "review.opened",
            {"object": "review", "id": "prv_1", "payment_intent": "pi_1"},
            Subject(SubjectKind.REVIEW, "prv_1", "pi_1"),
        ),
        (
            "cash_balance.funds_available",
            {"object": "cash_balance", "customer": "cus_1"},
            Subject(SubjectKind.PAYMENT, "cus_1"),
        ),
        (
            "refund.created",
            {"object": "refund", "id": "re_2", "payment_intent": None},
            Subject(SubjectKind.SURPLUS, "re_2"),
        ),
        ("balance.available", {"object": "balance"}, Subject(SubjectKind.OTHER, None)),
        ("something.new", {"id": "x_1", "object": "something"}, Subject(SubjectKind.OTHER, "x_1")),
    ],
)
def test_what_a_notification_is_about(kind: str, subject: dict[str, object], expected: Subject) -> None:
    assert hooks.translate(event(type=kind, data={"object": subject})) == expected


@pytest.mark.parametrize("data", [None, [], {}, {"object": None}, {"object": "pi_1"}])
def test_an_event_about_nothing_is_refused(data: object) -> None:
    with pytest.raises(NotificationUnreadable):
        hooks.translate(event(data=data))


async def test_what_the_far_side_sends_is_accepted_also_while_its_secret_is_rolled(far: FarSide) -> None:
    async with receiving() as receiver:
        endpoint = await far.stripe.webhook_endpoints.create_async({"url": receiver.url, "enabled_events": ["*"]})
        assert endpoint.secret is not None
        intent = await far.open()
        await until(lambda: len(receiver.received) == 1)
        rolled = str((await far.act("roll_secret", webhook_endpoint=endpoint.id))["secret"])
        await far.act("pay", payment_intent=intent.id, card="4242424242424242")
        await until(lambda: len(receiver.received) == 3)
    old, new = StripeNotifications([endpoint.secret]), StripeNotifications([rolled])
    for number, each in enumerate(receiver.received):
        accepting = (old,) if number == 0 else (old, new)
        for source in accepting:
            verified = source.verify(each.body, each.headers, datetime.now(UTC))
            assert verified.notification_id == each.id
        assert old.translate(each.body) == Subject(SubjectKind.PAYMENT, intent.id)
    with pytest.raises(NotificationInvalid):
        new.verify(receiver.received[0].body, receiver.received[0].headers, datetime.now(UTC))
