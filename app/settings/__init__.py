"""The settings: typed, read once from the environment, refused when they are unsafe.

Every name is `RAMPWRIGHT_` and the field's name in capitals; a secret may also be a file in SECRETS_DIRECTORY, named
like the variable in lower case (Docker's and Kubernetes' way). `docs/configuration.md` is the list for operators. Each
module here is a group of sections; `Settings` joins them.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app.settings.banks import AccountsSettings, IncreaseSettings, PayoutSettings, SepaSettings
from app.settings.chains import BitcoinSettings, EvmChain, EvmSettings, LitecoinSettings, SecondNodeSettings
from app.settings.controls import ReconciliationSettings, ScreeningSettings
from app.settings.payins import PayinSettings, StripeSettings
from app.settings.prices import PricingSettings, RatesSettings
from app.settings.process import ProcessSettings, SignerSettings
from app.settings.section import SECRETS_DIRECTORY, Section
from app.settings.wallets import SpendingLimit, WalletSettings
from app.settings.widget import WidgetSettings

__all__ = [
    "SECRETS_DIRECTORY",
    "AccountsSettings",
    "BitcoinSettings",
    "EvmChain",
    "EvmSettings",
    "IncreaseSettings",
    "LitecoinSettings",
    "PayinSettings",
    "PayoutSettings",
    "PricingSettings",
    "ProcessSettings",
    "RatesSettings",
    "ReconciliationSettings",
    "ScreeningSettings",
    "SecondNodeSettings",
    "SepaSettings",
    "Settings",
    "SignerSettings",
    "SpendingLimit",
    "StripeSettings",
    "UnsafeSettings",
    "WalletSettings",
    "WidgetSettings",
]


class UnsafeSettings(ValueError):
    """The settings would put money at risk; the program does not start."""


class Settings(Section):
    """Everything, in its sections."""

    process: ProcessSettings = Field(default_factory=ProcessSettings)
    pricing: PricingSettings = Field(default_factory=PricingSettings)
    rates: RatesSettings = Field(default_factory=RatesSettings)
    stripe: StripeSettings = Field(default_factory=StripeSettings)
    payin: PayinSettings = Field(default_factory=PayinSettings)
    bitcoin: BitcoinSettings = Field(default_factory=BitcoinSettings)
    litecoin: LitecoinSettings = Field(default_factory=LitecoinSettings)
    evm: EvmSettings = Field(default_factory=EvmSettings)
    wallet: WalletSettings = Field(default_factory=WalletSettings)
    second_node: SecondNodeSettings = Field(default_factory=SecondNodeSettings)
    accounts: AccountsSettings = Field(default_factory=AccountsSettings)
    payouts: PayoutSettings = Field(default_factory=PayoutSettings)
    increase: IncreaseSettings = Field(default_factory=IncreaseSettings)
    sepa: SepaSettings = Field(default_factory=SepaSettings)
    screening: ScreeningSettings = Field(default_factory=ScreeningSettings)
    reconciliation: ReconciliationSettings = Field(default_factory=ReconciliationSettings)
    signer: SignerSettings = Field(default_factory=SignerSettings)
    widget: WidgetSettings = Field(default_factory=WidgetSettings)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: object, **__: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read no variable here: each section reads its own, and a section's name may be one of theirs."""
        return (init_settings,)

    @property
    def signer_home(self) -> Path:
        """The signer's folder. Only the signer looks into it."""
        return self.signer.signer_home or self.process.home / "signer"

    @property
    def signer_socket(self) -> Path:
        """Where the signer is called."""
        return self.signer.signer_socket or self.signer_home / "signer.sock"

    @property
    def required_sources(self) -> int:
        """How many venues must agree on a price: two in live mode, unless the operator says otherwise."""
        return self.rates.required_sources or (2 if self.process.livemode else 1)

    @property
    def quote_lifetime(self) -> timedelta:
        """How long a price is held."""
        return timedelta(seconds=self.pricing.quote_seconds)

    @property
    def payment_window(self) -> timedelta:
        """How long a customer has to pay."""
        return timedelta(seconds=self.pricing.payment_window_seconds)

    @property
    def deposit_grace(self) -> timedelta:
        """How long after its window a sale's price still holds for coins that were seen in time."""
        return timedelta(seconds=self.pricing.deposit_grace_seconds)

    @model_validator(mode="after")
    def _refuse_what_is_unsafe(self) -> Self:
        if problems := self._problems():
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> list[str]:
        """What must not be, in words that name the setting and never its value."""
        process, found = self.process, []
        key = self.stripe.stripe_secret_key
        word = "live" if process.livemode else "test"
        if key is not None and not key.get_secret_value().startswith((f"sk_{word}_", f"rk_{word}_")):
            found.append(f"RAMPWRIGHT_STRIPE_SECRET_KEY is not a {word} key")
        if not process.livemode:
            return found
        with_litecoin = self.litecoin.litecoin_rpc_url is not None
        forbidden = {
            "RAMPWRIGHT_ALLOW_LOOPBACK": process.allow_loopback,
            "RAMPWRIGHT_SANDBOX_URL": process.sandbox_url is not None,
            "RAMPWRIGHT_BITCOIN_NETWORK": self.bitcoin.bitcoin_network != "main",
            "RAMPWRIGHT_LITECOIN_NETWORK": with_litecoin and self.litecoin.litecoin_network != "main",
            "RAMPWRIGHT_STRIPE_API_BASE": self.stripe.stripe_api_base != "https://api.stripe.com",
            "RAMPWRIGHT_INCREASE_API_BASE": self.increase.increase_api_base != "https://api.increase.com",
            "RAMPWRIGHT_RATE_SOURCES without TLS": not all(
                url.startswith("https://") for url in self.rates.rate_sources.values()
            ),
            "RAMPWRIGHT_PUBLIC_URL without TLS": (self.widget.public_url or "https:").startswith("http:"),
            "RAMPWRIGHT_RATE_STREAMS without TLS": not all(
                url.startswith("wss://") for url in self.rates.rate_streams.values()
            ),
        }
        found += [f"{name} is for development only; live mode refuses it" for name, wrong in forbidden.items() if wrong]
        needed = {
            "RAMPWRIGHT_DATABASE_URL": process.database_url,
            "RAMPWRIGHT_SEAL_KEYS_FILE": process.seal_keys_file,
            "RAMPWRIGHT_STRIPE_SECRET_KEY": key,
            "RAMPWRIGHT_STRIPE_WEBHOOK_SECRETS": self.stripe.stripe_webhook_secrets,
            "RAMPWRIGHT_BITCOIN_RPC_URL": self.bitcoin.bitcoin_rpc_url,
            "RAMPWRIGHT_INTENT_KEYS_FILE": self.signer.intent_keys_file,
            "RAMPWRIGHT_SCREENING": self.screening.screening,
            "RAMPWRIGHT_SESSION_KEYS_FILE": self.widget.session_keys_file,
            "RAMPWRIGHT_PUBLIC_URL": self.widget.public_url,
        }
        found += [
            f"live mode needs a hold for {method} in RAMPWRIGHT_DELIVERY_HOLDS: its payments come back"
            for method in self.payin.payin_methods
            if method.endswith("_debit") and method not in self.payin.delivery_holds
        ]
        return found + [f"live mode needs {name}" for name, value in needed.items() if value is None]
