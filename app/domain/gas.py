"""What a call offers for its gas: within the operator's limits, and enough more than before to replace one that waits.

All fees are in wei per unit of gas (EIP-1559). Nodes take a replacement of one nonce only when both of its fees are a
tenth higher (go-ethereum, `txpool.pricebump`); others want an eighth (Nethermind, Erigon: 12.5 %), so that we do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_BUMP_NUMERATOR: Final = 9  # 9/8 is 12.5 % more
_BUMP_DENOMINATOR: Final = 8
# Two full blocks in a row raise the base fee by 1/8 each; six of them double it.
_BASE_FEES: Final = 2


@dataclass(frozen=True, slots=True)
class GasPrice:
    """What is offered: at most so much altogether, and so much of it for whoever makes the block."""

    most: int
    tip: int


@dataclass(frozen=True, slots=True)
class GasLimits:
    """The operator's limits: never offer more than `cap`, and a tip of `least_tip` at least. Raises ValueError."""

    cap: int
    least_tip: int

    def __post_init__(self) -> None:
        if not 0 < self.least_tip <= self.cap:
            raise ValueError("the cap on gas prices is below the least tip")


def first_offer(base_fee: int, tip: int, limits: GasLimits) -> GasPrice | None:
    """What a new call offers; None while the network asks for more than the cap, or says what cannot be."""
    if base_fee < 0 or tip < 0:
        return None
    tip = min(max(tip, limits.least_tip), limits.cap)
    if base_fee + limits.least_tip > limits.cap:
        return None
    most = min(_BASE_FEES * base_fee + tip, limits.cap)
    return GasPrice(most, min(tip, most))


def higher_offer(before: GasPrice, base_fee: int, tip: int, limits: GasLimits) -> GasPrice | None:
    """What replaces a call that waits: an eighth more in both fees, or what the network asks now if that is more.

    None when that is above the cap: then it has to wait as it is.
    """
    least = GasPrice(_more(before.most), _more(before.tip))
    now = first_offer(base_fee, tip, limits)
    offer = least if now is None else GasPrice(max(least.most, now.most), max(least.tip, now.tip))
    offer = GasPrice(min(offer.most, limits.cap), min(offer.tip, limits.cap))
    return offer if offer.most >= least.most and offer.tip >= least.tip else None


def _more(fee: int) -> int:
    return -(-fee * _BUMP_NUMERATOR // _BUMP_DENOMINATOR)
