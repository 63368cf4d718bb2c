"""A suite in the hands of somebody else: a project that has our package installed, and nothing else of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ADAPTER = '''
"""Acme's webhooks."""
import hashlib, hmac, json
from app.ports.errors import NotificationInvalid
from app.ports.notifications import Subject, SubjectKind, VerifiedNotification


class AcmeNotifications:
    provider = "acme"

    def verify(self, body, headers, now):
        given = {name.lower(): value for name, value in headers.items()}
        at, signature = given.get("acme-time", ""), given.get("acme-signature", "").encode()
        if not (at.isascii() and at.isdigit()) or LATE:
            raise NotificationInvalid("acme", "no time, or another one")
        wanted = hmac.new(b"acme", at.encode() + body, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(wanted, signature):
            raise NotificationInvalid("acme", "no signature fits")
        try:
            document = json.loads(body)
        except ValueError:
            raise NotificationInvalid("acme", "not JSON") from None
        if not isinstance(document, dict) or not isinstance(document.get("id"), str):
            raise NotificationInvalid("acme", "no id")
        return VerifiedNotification(document["id"], document["kind"], False, None, None)

    def translate(self, body):
        document = json.loads(body)
        kind = SubjectKind.PAYMENT if document["kind"] == "paid" else SubjectKind.OTHER
        return Subject(kind, document["about"])
'''
SUITE = """
import hashlib, hmac, json
import pytest
from acme import AcmeNotifications
from providers.contracts.notifications import NotificationContract, NotificationHarness


class AcmeHarness(NotificationHarness):
    source = AcmeNotifications()

    def body(self, notification_id):
        return json.dumps({"id": notification_id, "kind": "paid", "about": "p_1"}).encode()

    def strange_body(self, notification_id):
        return json.dumps({"id": notification_id, "kind": "teapot", "about": "t_1"}).encode()

    def headers(self, body, at, *, forged=False):
        moment = str(int(at.timestamp()))
        signature = hmac.new(b"other" if forged else b"acme", moment.encode() + body, hashlib.sha256)
        return {"Acme-Time": moment, "Acme-Signature": signature.hexdigest()}


class TestAcme(NotificationContract):
    @pytest.fixture
    def harness(self):
        return AcmeHarness()
"""


@pytest.mark.parametrize(("late", "verdict"), [("abs(now.timestamp() - int(at)) > 300", 0), ("False", 1)])
def test_a_stranger_holds_an_adapter_against_a_suite(tmp_path: Path, late: str, verdict: int) -> None:
    """A sound adapter passes; one that forgets a signature's age does not."""
    (tmp_path / "acme.py").write_text(ADAPTER.replace("LATE", late))
    (tmp_path / "test_acme.py").write_text(SUITE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == verdict, done.stdout + done.stderr
    assert ("an_old_or_future_signature" in done.stdout) is bool(verdict)
