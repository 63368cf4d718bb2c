"""The catalogue: which assets and networks exist, their decimals, and how deep a payment on them must be buried."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import ValidationFailed
from app.domain.money import Asset, Money

EUR = Asset("EUR", None, 2)
USD = Asset("USD", None, 2)
GBP = Asset("GBP", None, 2)
JPY = Asset("JPY", None, 0)
BTC = Asset("BTC", "bitcoin", 8)
ETH = Asset("ETH", "ethereum", 18)
USDC_ETHEREUM = Asset("USDC", "ethereum", 6)
USDC_BASE = Asset("USDC", "base", 6)

CATALOGUE: tuple[Asset, ...] = (EUR, USD, GBP, JPY, BTC, ETH, USDC_ETHEREUM, USDC_BASE)
_BY_PAIR = {(asset.code, asset.network): asset for asset in CATALOGUE}
_BY_ID = {asset.id: asset for asset in CATALOGUE}


@dataclass(frozen=True, slots=True)
class DepthStep:
    """Amounts below `below_units` of the asset count after `confirmations` blocks; None means any amount."""

    below_units: int | None
    confirmations: int


# The ladder of faults.md 5.5 ($100, $1k, $10k), written in satoshi at about $100,000 per coin so that no price
# feed is asked for a safety decision.
BITCOIN_DEPTH: tuple[DepthStep, ...] = (
    DepthStep(100_000, 1),
    DepthStep(1_000_000, 2),
    DepthStep(10_000_000, 3),
    DepthStep(None, 6),
)


_NATIVE = {"bitcoin": BTC, "ethereum": ETH}


def native_asset(network: str) -> Asset:
    """The coin that a network itself runs on; raises KeyError for an unknown network."""
    return _NATIVE[network]


def asset_of(code: str, network: str | None, *, pointer: str | None = None) -> Asset:
    """Find an asset by its public pair; raises ValidationFailed when there is none."""
    try:
        return _BY_PAIR[code, network]
    except KeyError:
        raise ValidationFailed("There is no such asset on this network.", pointer=pointer) from None


def asset_by_id(asset_id: str) -> Asset:
    """Find an asset by its ledger id (`BTC.bitcoin`); raises KeyError when there is none."""
    return _BY_ID[asset_id]


def confirmations_needed(amount: Money) -> int:
    """How many blocks must confirm a payment of this amount before it counts as final."""
    for step in BITCOIN_DEPTH:
        if step.below_units is None or amount.units < step.below_units:
            return step.confirmations
    raise AssertionError("the last step covers every amount")
