"""Settings of the chains: their nodes, fees and depths."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app.domain.assets import read_ladder
from app.settings.section import Section


class BitcoinSettings(Section):
    """The Bitcoin node."""

    bitcoin_network: Literal["main", "test", "regtest"] = "regtest"
    bitcoin_rpc_url: str | None = None
    bitcoin_rpc_user: str = "rampwright"
    bitcoin_rpc_password: SecretStr = SecretStr("")
    bitcoin_seed_file: Path | None = None  # of earlier versions: keys are the signer's alone now
    bitcoin_start_height: int = Field(default=0, ge=0)
    bitcoin_fee_floor: int = Field(default=1, ge=1)
    bitcoin_fee_ceiling: int = Field(default=500, ge=1)
    bitcoin_fee_fallback: int = Field(default=5, ge=1)
    bitcoin_fee_cap: int = Field(default=5_000_000, ge=1)  # satoshi: no transaction pays more
    # How deep a payment must be buried to count: amounts below so many satoshi, so many blocks.
    bitcoin_confirmations: str = "100000:1,1000000:2,10000000:3,*:6"

    @field_validator("bitcoin_confirmations")
    @classmethod
    def _check_ladder(cls, value: str) -> str:
        read_ladder(value)
        return value


class SecondNodeSettings(Section):
    """A second Bitcoin node, of somebody else's, that large deposits are checked against."""

    bitcoin_second_rpc_url: str | None = None
    bitcoin_second_rpc_user: str = "rampwright"
    bitcoin_second_rpc_password: SecretStr = SecretStr("")
    bitcoin_second_above: int = Field(default=10_000_000, ge=0)  # satoshi


class LitecoinSettings(Section):
    """The Litecoin node; without one there is no Litecoin."""

    litecoin_network: Literal["main", "test", "regtest"] = "regtest"
    litecoin_rpc_url: str | None = None
    litecoin_rpc_user: str = "rampwright"
    litecoin_rpc_password: SecretStr = SecretStr("")
    litecoin_start_height: int = Field(default=0, ge=0)
    litecoin_fee_floor: int = Field(default=1, ge=1)
    litecoin_fee_ceiling: int = Field(default=2_000, ge=1)
    litecoin_fee_fallback: int = Field(default=10, ge=1)
    litecoin_confirmations: str = "1000000000:6,10000000000:12,*:24"

    @field_validator("litecoin_confirmations")
    @classmethod
    def _check_ladder(cls, value: str) -> str:
        read_ladder(value)
        return value


class EvmChain(BaseModel):
    """One EVM network: which chain it is, the node, and what the hot wallet may pay for gas, in wei."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    chain: Literal["mainnet", "sepolia", "base", "base-sepolia", "anvil"]
    rpc_url: SecretStr  # it may hold a key
    start_height: int = Field(default=0, ge=0)
    gas_cap: int = Field(default=200 * 10**9, ge=1)
    least_tip: int = Field(default=10**6, ge=1)
    bump_seconds: int = Field(default=60, ge=1)
    sends_final: Literal["safe", "finalized"] = "finalized"
    sweep_from: dict[str, int] = Field(default_factory=dict)  # by asset: units from which a deposit address is swept
    sweep_gas_cap: int = Field(default=20 * 10**9, ge=0)
    stale_seconds: int | None = Field(default=None, ge=1)  # live mode: 300 unless said otherwise


class EvmSettings(Section):
    """Chains with accounts, by their network in the catalogue; without any there is no Ethereum and no USDC."""

    evm_chains: dict[str, EvmChain] = Field(default_factory=dict)
