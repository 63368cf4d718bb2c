"""Providers telling us something: how a raw webhook becomes a fact worth looking up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class SubjectKind(StrEnum):
    """What a notification is about."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    WARNING = "warning"  # a suspicion of fraud
    REVIEW = "review"
    SURPLUS = "surplus"  # money that goes back and was never part of a payment
    PAYOUT = "payout"
    CREDIT = "credit"  # money that came in by itself
    OTHER = "other"  # something we do not act on


@dataclass(frozen=True, slots=True)
class VerifiedNotification:
    """A notification whose signature holds. `notification_id` is the provider's own, for storing it once."""

    notification_id: str
    kind: str  # the provider's name for it: `payment_intent.succeeded`
    livemode: bool
    account: str | None
    api_version: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What to look up at the provider before anything is believed."""

    kind: SubjectKind
    reference: str | None
    payment_reference: str | None = None


class NotificationSource(Protocol):
    """A provider's webhooks."""

    @property
    def provider(self) -> str:
        """The vendor's name, as in the URL: `/hooks/stripe`."""
        ...

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> VerifiedNotification:
        """Check the signature over the raw bytes and its age against `now`.

        Raises NotificationInvalid, and NotificationUnreadable when the signature is right.
        """
        ...

    def translate(self, body: bytes) -> Subject:
        """Say what a verified notification is about; an unknown kind is SubjectKind.OTHER."""
        ...
