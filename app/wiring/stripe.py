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
    stripe = settings.stripe
    if stripe.stripe_secret_key is None:
        raise NotConfigured("RAMPWRIGHT_STRIPE_SECRET_KEY is not set")
    return StripeRail(
        stripe.stripe_secret_key.get_secret_value(),
        livemode=settings.process.livemode,
        api_base=stripe.stripe_api_base,
        account=stripe.stripe_account,
        transfer_country=stripe.stripe_transfer_country,
    )


def notifications(settings: Settings) -> StripeNotifications | None:
    """Its webhooks; None without a secret to check them with."""
    secrets = settings.stripe.stripe_webhook_secrets
    return None if secrets is None else StripeNotifications(secrets.get_secret_value().split(","))


def records(settings: Settings, http: httpx.AsyncClient) -> StripeRecords:
    """Its own books: the statement that the worker reads on, and the auditor's records."""
    stripe = settings.stripe
    key = "" if stripe.stripe_secret_key is None else stripe.stripe_secret_key.get_secret_value()
    return StripeRecords(http, key, api_base=stripe.stripe_api_base, account=stripe.stripe_account)
