"""The contract of `app.ports.notifications`: nothing is believed that the provider did not sign, lately, just so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from app.ports.errors import NotificationInvalid
from app.ports.notifications import NotificationSource, SubjectKind, VerifiedNotification

_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class NotificationHarness(ABC):
    """A provider's webhooks, and the provider's pen."""

    source: NotificationSource

    @abstractmethod
    def body(self, notification_id: str) -> bytes:
        """A notification about something that `translate` knows."""

    @abstractmethod
    def strange_body(self, notification_id: str) -> bytes:
        """A notification of a kind that did not exist when the adapter was written."""

    @abstractmethod
    def headers(self, body: bytes, at: datetime, *, forged: bool = False) -> Mapping[str, str]:
        """What the provider sends along; `forged`: signed with a secret that is not ours."""

    def verify(self, body: bytes, headers: Mapping[str, str]) -> VerifiedNotification:
        """Check it at the moment that all these tests take for now."""
        return self.source.verify(body, headers, _NOW)


class NotificationContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> NotificationHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    def test_what_the_provider_signed_is_believed(self, harness: NotificationHarness) -> None:
        """And is known by the provider's own id, whatever the case of the headers' names."""
        body = harness.body("n_1")
        headers = harness.headers(body, _NOW)
        verified = harness.verify(body, headers)
        assert verified == harness.verify(body, {name.lower(): value for name, value in headers.items()})
        assert verified.notification_id == "n_1"
        assert verified.kind

    @pytest.mark.parametrize("seconds", [-301, 301, 86_400, -86_400])
    def test_an_old_or_future_signature_is_not(self, harness: NotificationHarness, seconds: int) -> None:
        """Five minutes either way."""
        body = harness.body("n_1")
        with pytest.raises(NotificationInvalid):
            harness.verify(body, harness.headers(body, _NOW + timedelta(seconds=seconds)))

    def test_a_forged_or_changed_one_is_not(self, harness: NotificationHarness) -> None:
        """Another secret, another body, one more space, no signature at all, each header missing."""
        body = harness.body("n_1")
        headers = harness.headers(body, _NOW)
        bad: list[tuple[bytes, Mapping[str, str]]] = [
            (body, harness.headers(body, _NOW, forged=True)),
            (harness.body("n_2"), headers),
            (body + b" ", headers),
            (body, {}),
            *((body, {name: value for name, value in headers.items() if name != gone}) for gone in headers),
            *((body, {**headers, name: ""}) for name in headers),
            *((body, {**headers, name: "é" + value}) for name, value in headers.items()),
        ]
        for changed, given in bad:
            with pytest.raises(NotificationInvalid):
                harness.verify(changed, given)

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'{"id": 7}'])
    def test_a_signed_body_that_says_nothing_is_invalid(self, harness: NotificationHarness, body: bytes) -> None:
        """It is no crash."""
        with pytest.raises(NotificationInvalid):
            harness.verify(body, harness.headers(body, _NOW))

    def test_it_says_what_to_look_up(self, harness: NotificationHarness) -> None:
        """A known kind names its subject; a strange one is OTHER, not a failure."""
        subject = harness.source.translate(harness.body("n_1"))
        assert subject.kind is not SubjectKind.OTHER
        assert subject.reference
        assert harness.source.translate(harness.strange_body("n_2")).kind is SubjectKind.OTHER
