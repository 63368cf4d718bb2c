"""The catalogue: which assets and networks exist, their decimals, and how deep a payment on them must be buried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import ValidationFailed
from app.domain.money import Asset, Money

EUR = Asset("EUR", None, 2)
USD = Asset("USD", None, 2)
GBP = Asset("GBP", None, 2)
JPY = Asset("JPY", None, 0)
BTC = Asset("BTC", "bitcoin", 8)
LTC = Asset("LTC", "litecoin", 8)
ETH = Asset("ETH", "ethereum", 18)
ETH_BASE = Asset("ETH", "base", 18)
USDC_ETHEREUM = Asset("USDC", "ethereum", 6)
USDC_BASE = Asset("USDC", "base", 6)

CATALOGUE: tuple[Asset, ...] = (EUR, USD, GBP, JPY, BTC, LTC, ETH, ETH_BASE, USDC_ETHEREUM, USDC_BASE)
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
# The same amounts in litoshi at about $100 per coin. Six blocks at least: coins that come out of an extension block
# (MWEB) cannot be spent before (Litecoin Core, `PEGOUT_MATURITY`).
LITECOIN_DEPTH: tuple[DepthStep, ...] = (
    DepthStep(1_000_000_000, 6),
    DepthStep(10_000_000_000, 12),
    DepthStep(None, 24),
)
_MOST_CONFIRMATIONS = 1_000
_LONGEST_COUNT = 16  # digits: all the satoshi there are
# A coinbase output can be spent when a hundred blocks lie upon it (Bitcoin Core, `COINBASE_MATURITY`).
COINBASE_DEPTH = 100


_NATIVE = {"bitcoin": BTC, "litecoin": LTC, "ethereum": ETH, "base": ETH_BASE}
# Chains of accounts with nonces, whose own word says what is final; tokens live there beside the network's coin.
ACCOUNT_NETWORKS = frozenset({"ethereum", "base"})
# No depth: what the network calls finalized is in a block, and that is all that is asked.
FINAL_BY_WORD: tuple[DepthStep, ...] = (DepthStep(None, 1),)


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


def read_ladder(text: str) -> tuple[DepthStep, ...]:
    """A ladder as the operator writes it, `100000:1,1000000:2,*:6`: amounts below so many units, so many blocks.

    Raises ValueError unless amounts and blocks ascend, every amount is covered, and each takes a block at least: a
    payment that is in no block can always be taken back.
    """
    steps = [_step(part) for part in text.split(",")]
    amounts = [step.below_units for step in steps[:-1]]
    blocks = [step.confirmations for step in steps]
    whole = [amount for amount in amounts if amount is not None]
    if steps[-1].below_units is not None or len(whole) != len(amounts) or whole != sorted(set(whole)):
        raise ValueError("the amounts of a ladder ascend, and the last step is for `*`")
    if blocks != sorted(blocks) or blocks[0] < 1 or blocks[-1] > _MOST_CONFIRMATIONS:
        raise ValueError(f"confirmations lie between 1 and {_MOST_CONFIRMATIONS} and do not go down")
    return tuple(steps)


def _step(part: str) -> DepthStep:
    below, colon, confirmations = part.strip().partition(":")
    if not colon or not _is_count(confirmations) or not (below == "*" or _is_count(below)):
        raise ValueError("a step of a ladder is written `units:confirmations`")
    return DepthStep(None if below == "*" else int(below), int(confirmations))


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT


def confirmations_needed(amount: Money, ladder: Sequence[DepthStep] = BITCOIN_DEPTH) -> int:
    """How many blocks must confirm a payment of this amount before it counts as final."""
    for step in ladder:
        if step.below_units is None or amount.units < step.below_units:
            return step.confirmations
    raise AssertionError("the last step covers every amount")


# Below this an output costs about as much to spend as it is worth: never paid out, and never credited.
_DUST_UNITS = {"bitcoin": 1_000, "litecoin": 10_000}


def dust_units(network: str) -> int:
    """The least amount that moves on a network, in units of its own coin; smaller ones are left alone."""
    return _DUST_UNITS.get(network, 1)


# A transfer on an account chain costs its sender far more than this.
_DUST_OF = {"ETH": 10**13, "USDC": 10_000}


def dust_of(asset: Asset) -> int:
    """The same for any asset, in its own units: 1 for money."""
    if asset.network is None:
        return 1
    return _DUST_OF[asset.code] if asset.network in ACCOUNT_NETWORKS else dust_units(asset.network)
