"""Asking again: what to do with a request to a provider whose answer we do not have."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

# Stripe may forget an idempotency key after 24 hours, and a repeated request would then be a new one.
# https://docs.stripe.com/api/idempotent_requests
KEY_LIFETIME: Final = timedelta(hours=23)
# What a provider has taken on shows in its own lists after so long at the latest; its requests end sooner.
SETTLE_TIME: Final = timedelta(minutes=2)


class Ask(StrEnum):
    """How a request is repeated."""

    AGAIN = "again"  # with the key that it had
    ANEW = "anew"  # with another key, derived from the first and written down before the request leaves


def must_look(*, unknown: bool, age: timedelta) -> bool:
    """Whether the source is asked for what we wanted before the request is repeated."""
    return unknown or age > KEY_LIFETIME


def how_to_ask(*, stuck: bool, age: timedelta) -> Ask:
    """How to ask once the source has said that it has nothing of ours; `age` is that of the key.

    A request that never arrived goes under its own key, which can do nothing twice. A key is given up only when the
    provider answers it with an error that it has kept (`stuck`) or may have forgotten it, and only after the time in
    which what it did would have shown.
    """
    if age > KEY_LIFETIME or (stuck and age > SETTLE_TIME):
        return Ask.ANEW
    return Ask.AGAIN


def derived_key(first: str, attempt: int) -> str:
    """The key of a later attempt: `pay_1:attempt2`."""
    return first if attempt == 1 else f"{first}:attempt{attempt}"
