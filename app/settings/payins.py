"""Settings of how money comes in from customers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from app.domain.payin_methods import PAYIN_METHODS, read_hold
from app.settings.section import Section


class StripeSettings(Section):
    """The Stripe account."""

    stripe_secret_key: SecretStr | None = None
    stripe_publishable_key: str | None = None
    stripe_webhook_secrets: SecretStr | None = None  # one, or two with a comma while one replaces the other
    stripe_api_base: str = "https://api.stripe.com"
    stripe_account: str | None = None  # a connected account that every call is made for
    stripe_transfer_country: Literal["DE", "FR", "IE", "NL"] = "DE"  # of the accounts that euros are sent to


class PayinSettings(Section):
    """How customers may pay, and how long we wait before we believe it. Amounts are in the currency's units."""

    payin_methods: tuple[Literal["card", "ach_debit", "sepa_debit", "bank_transfer"], ...] = ("card",)
    # `below units:time`, and `*` for any other amount; see `app.domain.payin_methods.read_hold`.
    delivery_holds: dict[str, str] = Field(
        default_factory=lambda: {"ach_debit": "20000:4d,*:10d", "sepa_debit": "20000:6d,*:14d"}
    )
    payin_windows: dict[str, int] = Field(default_factory=lambda: {"bank_transfer": 259_200})  # seconds
    payin_most: dict[str, dict[str, int]] = Field(default_factory=dict)  # {"ach_debit": {"USD": 100000}}

    @field_validator("delivery_holds")
    @classmethod
    def _check_holds(cls, value: dict[str, str]) -> dict[str, str]:
        for method, text in value.items():
            if method not in PAYIN_METHODS:
                raise ValueError("a hold is for one of the payment methods")
            read_hold(text)
        return value
