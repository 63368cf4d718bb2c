"""Wiring of Stripe."""

from __future__ import annotations

import httpx

from app.settings import Settings
from app.wiring.needed import NotConfigured
from providers.stripe.notifications import StripeNotifications
from providers.stripe.rail import StripeRail
from providers.stripe.records import StripeRecords


def rail(settings: Settings) -> StripeRail:
    """The adapter; raises NotConfigured without a key."""
    key = settings.stripe.stripe_secret_key
    if key is None:
        raise NotConfigured("RAMPWRIGHT_STRIPE_SECRET_KEY is not set")
    return StripeRail(
        key.get_secret_value(), livemode=settings.process.livemode, api_base=settings.stripe.stripe_api_base
    )


def notifications(settings: Settings) -> StripeNotifications | None:
    """Its webhooks; None without a secret to check them with."""
    secrets = settings.stripe.stripe_webhook_secrets
    return None if secrets is None else StripeNotifications(secrets.get_secret_value().split(","))


def records(settings: Settings, http: httpx.AsyncClient) -> StripeRecords:
    """Its own books, for the auditor."""
    key = settings.stripe.stripe_secret_key
    return StripeRecords(http, "" if key is None else key.get_secret_value(), api_base=settings.stripe.stripe_api_base)
