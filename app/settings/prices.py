"""Settings of what an exchange costs, and where prices come from."""

from __future__ import annotations

from pydantic import Field, SecretStr

from app.settings.section import Section


class PricingSettings(Section):
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


class RatesSettings(Section):
    """Which venues are asked for prices, name to address: `binance...` speaks Binance's protocol, others Kraken's."""

    rate_sources: dict[str, str] = Field(
        default_factory=lambda: {"kraken": "https://api.kraken.com", "binance": "https://api.binance.com"}
    )
    rate_streams: dict[str, str] = Field(default_factory=dict)
    required_sources: int | None = Field(default=None, ge=1)
    stale_seconds: float = Field(default=2.0, gt=0)
    poll_seconds: float = Field(default=1.0, gt=0)
    apart_bps: int = Field(default=200, ge=1)
    jump_bps: int = Field(default=1000, ge=1)
    kraken_api_key: SecretStr | None = None
    kraken_api_secret: SecretStr | None = None
    binance_api_key: SecretStr | None = None
    binance_api_secret: SecretStr | None = None
