"""Settings of the hot wallets: what they may spend by themselves, and how they keep their coins."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.settings.section import Section


class SpendingLimit(BaseModel):
    """How much of one asset may leave without a person's word, in its whole units; what is left out does not bind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_send: int | None = Field(default=None, ge=0)
    per_hour: int | None = Field(default=None, ge=0)
    per_day: int | None = Field(default=None, ge=0)
    per_address: int | None = Field(default=None, ge=0)  # within a day


class WalletSettings(Section):
    """What the hot wallets may do by themselves. Limits are by asset (`BTC.bitcoin`), all else by network."""

    spending_limits: dict[str, SpendingLimit] = Field(default_factory=dict)
    low_float: dict[str, int] = Field(default_factory=dict)  # units left to promise, below which a person is told
    wallet_ceiling: dict[str, int] = Field(default_factory=dict)  # units above which coins go to cold storage
    coin_units: dict[str, int] = Field(default_factory=dict)  # a coin worth having; see docs/wallet.md
    coins_wanted: int = Field(default=16, ge=1, le=1000)
    promise_beyond_float: bool | None = None  # whether quotes may exceed what the wallets hold; live mode: no
    unconfirmed_depth: int = Field(default=4, ge=0, le=23)
    low_fee_rate: int = Field(default=10, ge=1)
    gather_fee_rate: int = Field(default=2, ge=0)
    bump_blocks: int = Field(default=3, ge=1)
    bump_minutes: int = Field(default=60, ge=1)
    head_age_minutes: int | None = Field(default=None, ge=1)  # live mode: 180 unless said otherwise
