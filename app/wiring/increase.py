"""Wiring of Increase: dollars paid out and taken in."""

from __future__ import annotations

import httpx

from app.settings import Settings
from providers.increase.notifications import IncreaseNotifications
from providers.increase.rail import IncreaseRail
from providers.increase.records import IncreaseRecords


def rail(settings: Settings) -> IncreaseRail | None:
    """The adapter; None without a key."""
    increase = settings.increase
    if increase.increase_api_key is None:
        return None
    return IncreaseRail(
        increase.increase_api_key.get_secret_value(),
        account_id=increase.increase_account_id,
        livemode=settings.process.livemode,
        api_base=increase.increase_api_base,
    )


def notifications(settings: Settings) -> IncreaseNotifications | None:
    """Its webhooks; None without a key, or a secret to check them with."""
    secrets = settings.increase.increase_webhook_secrets
    if secrets is None or settings.increase.increase_api_key is None:
        return None
    return IncreaseNotifications(secrets.get_secret_value().split(","))


def records(settings: Settings, http: httpx.AsyncClient) -> IncreaseRecords | None:
    """Its own books, for the auditor; None without a key."""
    increase = settings.increase
    if increase.increase_api_key is None:
        return None
    return IncreaseRecords(
        http,
        increase.increase_api_key.get_secret_value(),
        account_id=increase.increase_account_id,
        livemode=settings.process.livemode,
        api_base=increase.increase_api_base,
    )
