"""Signatures: the published and computed vectors of faults.md 6.1, and the official library as receiver."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from unittest.mock import patch

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks.outbound.signing import signed_headers

NEW = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OLD = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
PUBLISHED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_01JRAMPTESTVECTOR0000000001"
AT = datetime.fromtimestamp(1_760_000_000, UTC)
B1 = (
    b'{"type":"order.completed","timestamp":"2025-10-09T08:53:20.000000Z","data":{"order_id":"ord_01TEST",'
    b'"state":"completed","sequence":7,"amount_in":{"currency":"USD","minor":"10000"},'
    b'"amount_out":{"currency":"BTC","minor":"150000"}}}'
)
B3 = bytes.fromhex(
    "7b2274797065223a226f726465722e6661696c6564222c2264617461223a7b22726561736f6e223a225ac3bc7269636820e2809320"
    "d0bed188d0b8d0b1d0bad0b020f09f92a5227d7d"
)
V1 = "v1,AX8Euu6x4woZ4go0zMNOvzGYM9pH34+GTfaT8HwseDQ="
V1_OLD = "v1,fmqTkJUHWNZdHumUjAGWTNF/FIe4XySxSDSkTXKDHmA="


def test_the_vector_body_is_the_one_that_was_published() -> None:
    assert len(B1) == 230
    assert hashlib.sha256(B1).hexdigest() == "d933b9b82e1d76d8be170cc0e64168f8054c6384cf483b7dd88776dbd4ac2e4e"


@pytest.mark.parametrize(
    ("secrets", "message_id", "timestamp", "body", "signature"),
    [
        pytest.param(
            [PUBLISHED],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            id="SW-0",
        ),
        pytest.param([NEW], MESSAGE, 1_760_000_000, B1, V1, id="SW-1"),
        pytest.param([NEW, OLD], MESSAGE, 1_760_000_000, B1, f"{V1} {V1_OLD}", id="SW-2"),
        pytest.param([NEW], MESSAGE, 1_760_000_000, B3, "v1,T+bMe/YbXSWxM6Lb/YjROqsCy9j2VJdKiyBPIpc4byc=", id="SW-3"),
        pytest.param([NEW], MESSAGE, 1_760_000_000, b"", "v1,eZP2TsMjN7XYzafGi39fkHrbgGMUEcd52lhX+LXI7Qw=", id="SW-4"),
    ],
)
def test_vectors(secrets: list[str], message_id: str, timestamp: int, body: bytes, signature: str) -> None:
    headers = signed_headers(secrets, message_id=message_id, at=datetime.fromtimestamp(timestamp, UTC), body=body)
    assert headers == {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


def test_microseconds_and_zones_change_nothing() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30))) + timedelta(microseconds=999_999)
    headers = signed_headers([NEW], message_id=MESSAGE, at=elsewhere, body=B1)
    assert headers["webhook-timestamp"] == "1760000000"
    assert headers["webhook-signature"] == V1


class _Clock(datetime):
    @classmethod
    def now(cls, tz: object = None) -> datetime:
        return AT


@pytest.fixture
def _at_that_time() -> Iterator[None]:
    """The official library asks the clock; it is not our code that is replaced here."""
    with patch("standardwebhooks.webhooks.datetime", _Clock):
        yield


@pytest.mark.usefixtures("_at_that_time")
@pytest.mark.parametrize("secret", [NEW, OLD])
def test_the_official_library_accepts_either_secret_during_rotation(secret: str) -> None:
    headers = signed_headers([NEW, OLD], message_id=MESSAGE, at=AT, body=B1)
    assert Webhook(secret).verify(B1, headers)["type"] == "order.completed"


@pytest.mark.usefixtures("_at_that_time")
@pytest.mark.parametrize("changed", ["body", "id", "time", "secret"])
def test_the_official_library_refuses_what_was_changed(changed: str) -> None:
    headers = signed_headers([NEW], message_id=MESSAGE, at=AT, body=B1)
    body, secret = B1, NEW
    if changed == "body":
        body = B1 + b" "
    elif changed == "id":
        headers["webhook-id"] += "x"
    elif changed == "time":
        headers["webhook-timestamp"] = "1760000001"
    else:
        secret = OLD
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_nothing_goes_out_unsigned_or_ambiguous() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        signed_headers([], message_id=MESSAGE, at=AT, body=B1)
    with pytest.raises(ValueError, match="full stop"):
        signed_headers([NEW], message_id="a.b", at=AT, body=B1)
