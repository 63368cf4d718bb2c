"""The settings: typed, read once from the environment, refused when they are unsafe.

Every name is `RAMPWRIGHT_` and the field's name in capitals; a secret may also be a file in SECRETS_DIRECTORY, named
like the variable in lower case (Docker's and Kubernetes' way). `docs/configuration.md` is the list for operators.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.assets import read_ladder

SECRETS_DIRECTORY = Path("/run/secrets")

_CONFIG = SettingsConfigDict(
    env_prefix="RAMPWRIGHT_",
    extra="ignore",
    frozen=True,
    hide_input_in_errors=True,  # what was given may be a secret
    secrets_dir=SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None,
)


class _Section(BaseSettings):
    model_config = _CONFIG


class ProcessSettings(_Section):
    """Where this process runs and what it keeps."""

    mode: Literal["test", "live"] = "test"
    home: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    operator_host: str = "127.0.0.1"
    operator_port: int = Field(default=0, ge=0, le=65535)
    database_url: str | None = None
    pool_size: int = Field(default=8, ge=1, le=100)
    allow_loopback: bool = False
    public_hosts: tuple[str, ...] = ()  # the names under which we are reached: no subscriber can be there
    sandbox_url: str | None = None
    seal_keys_file: Path | None = None  # one Fernet key a line, newest first

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return self.mode == "live"

    @property
    def secrets(self) -> Path:
        """The folder of the keys that this instance made for itself."""
        return self.home / "secrets"


class PricingSettings(_Section):
    """What an exchange costs the customer, in basis points and in units of the fiat side."""

    taker_bps: int = 26
    spread_bps: int = 50
    processing_bps: int = 100
    partner_bps: int = 0
    network_fee_units: int = 0
    quote_seconds: int = Field(default=60, ge=1, le=3600)
    payment_window_seconds: int = Field(default=900, ge=1, le=86_400)
    deposit_grace_seconds: int = Field(default=3600, ge=0, le=604_800)
    least_units: int = Field(default=100, ge=1)
    most_units: int = Field(default=100_000_000, ge=1)
    fiat: tuple[str, ...] = ("EUR", "USD", "GBP", "JPY")


class RatesSettings(_Section):
    """Which venues are asked for prices: name to address. Every one speaks Kraken's public REST form."""

    rate_sources: dict[str, str] = Field(default_factory=lambda: {"kraken": "https://api.kraken.com"})
    required_sources: int | None = Field(default=None, ge=1)
    stale_seconds: float = Field(default=2.0, gt=0)
    poll_seconds: float = Field(default=1.0, gt=0)
    apart_bps: int = Field(default=200, ge=1)


class StripeSettings(_Section):
    """The Stripe account."""

    stripe_secret_key: SecretStr | None = None
    stripe_publishable_key: str | None = None
    stripe_webhook_secrets: SecretStr | None = None  # one, or two with a comma while one replaces the other
    stripe_api_base: str = "https://api.stripe.com"


class BitcoinSettings(_Section):
    """The Bitcoin node and the wallet's seed."""

    bitcoin_network: Literal["main", "test", "regtest"] = "regtest"
    bitcoin_rpc_url: str | None = None
    bitcoin_rpc_user: str = "rampwright"
    bitcoin_rpc_password: SecretStr = SecretStr("")
    bitcoin_seed_file: Path | None = None  # the seed in hex, or a BIP-39 mnemonic
    bitcoin_start_height: int = Field(default=0, ge=0)
    bitcoin_fee_floor: int = Field(default=1, ge=1)
    bitcoin_fee_ceiling: int = Field(default=500, ge=1)
    bitcoin_fee_fallback: int = Field(default=5, ge=1)
    # How deep a payment must be buried to count: amounts below so many satoshi, so many blocks.
    bitcoin_confirmations: str = "100000:1,1000000:2,10000000:3,*:6"

    @field_validator("bitcoin_confirmations")
    @classmethod
    def _check_ladder(cls, value: str) -> str:
        read_ladder(value)
        return value


class AccountsSettings(_Section):
    """When an external account may be paid to: once its checks pass, or once a person has looked at it too."""

    external_accounts: Literal["checks", "manual"] = "checks"


class PayoutSettings(_Section):
    """Which payouts another key has to approve: above so many units, by asset (`{"USD": 1000000}`)."""

    approval_above: dict[str, int] = Field(default_factory=dict)


class IncreaseSettings(_Section):
    """The account at Increase, which pays out in dollars and takes them in."""

    increase_api_key: SecretStr | None = None
    increase_account_id: str | None = None
    increase_webhook_secrets: SecretStr | None = None  # one, or two with a comma while one replaces the other
    increase_api_base: str = "https://api.increase.com"


class SepaSettings(_Section):
    """The euro account at a bank that takes files, and the folder in which they are exchanged."""

    sepa_folder: Path | None = None
    sepa_holder_name: str = ""
    sepa_iban: str | None = None
    sepa_bic: str | None = None
    sepa_bank_name: str = ""
    sepa_gather_seconds: int = Field(default=1, ge=0, le=86_400)


class UnsafeSettings(ValueError):
    """The settings would put money at risk; the program does not start."""


class Settings(_Section):
    """Everything, in its sections."""

    process: ProcessSettings = Field(default_factory=ProcessSettings)
    pricing: PricingSettings = Field(default_factory=PricingSettings)
    rates: RatesSettings = Field(default_factory=RatesSettings)
    stripe: StripeSettings = Field(default_factory=StripeSettings)
    bitcoin: BitcoinSettings = Field(default_factory=BitcoinSettings)
    accounts: AccountsSettings = Field(default_factory=AccountsSettings)
    payouts: PayoutSettings = Field(default_factory=PayoutSettings)
    increase: IncreaseSettings = Field(default_factory=IncreaseSettings)
    sepa: SepaSettings = Field(default_factory=SepaSettings)

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
        forbidden = {
            "RAMPWRIGHT_ALLOW_LOOPBACK": process.allow_loopback,
            "RAMPWRIGHT_SANDBOX_URL": process.sandbox_url is not None,
            "RAMPWRIGHT_BITCOIN_NETWORK": self.bitcoin.bitcoin_network != "main",
            "RAMPWRIGHT_STRIPE_API_BASE": self.stripe.stripe_api_base != "https://api.stripe.com",
            "RAMPWRIGHT_INCREASE_API_BASE": self.increase.increase_api_base != "https://api.increase.com",
        }
        found += [f"{name} is for development only; live mode refuses it" for name, wrong in forbidden.items() if wrong]
        needed = {
            "RAMPWRIGHT_DATABASE_URL": process.database_url,
            "RAMPWRIGHT_SEAL_KEYS_FILE": process.seal_keys_file,
            "RAMPWRIGHT_STRIPE_SECRET_KEY": key,
            "RAMPWRIGHT_STRIPE_WEBHOOK_SECRETS": self.stripe.stripe_webhook_secrets,
            "RAMPWRIGHT_BITCOIN_RPC_URL": self.bitcoin.bitcoin_rpc_url,
            "RAMPWRIGHT_BITCOIN_SEED_FILE": self.bitcoin.bitcoin_seed_file,
        }
        return found + [f"live mode needs {name}" for name, value in needed.items() if value is None]
