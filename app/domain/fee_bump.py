"""What a transaction that waits has to pay to be mined sooner: BIP-125's rules, and a step that makes a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INCREMENT: Final = 1  # units per virtual byte that a replacement pays more, for being relayed (Core's incremental fee)
_STEP_PERCENT: Final = 25


@dataclass(frozen=True, slots=True)
class Bump:
    """What is wanted: a rate for the whole family, given what the waiting one and those below it pay already.

    Fees in units, sizes in virtual bytes, the rate in units per virtual byte.
    """

    rate: int
    fee: int
    vsize: int
    ancestors_fee: int = 0
    ancestors_vsize: int = 0


def bumped_rate(fee: int, vsize: int, estimate: int) -> int:
    """What to pay per virtual byte next: what the network asks for, and a quarter more than before at least."""
    return max(estimate, -(-fee * (100 + _STEP_PERCENT) // (100 * vsize)), fee // vsize + 1)


def least_replacement_fee(bump: Bump, vsize: int) -> int:
    """What a replacement of `vsize` pays at least, so that nodes take it and it lifts its ancestors to the rate."""
    relayed = bump.fee + INCREMENT * vsize
    higher_rate = bump.fee * vsize // bump.vsize + 1
    return max(relayed, higher_rate, bump.rate * (vsize + bump.ancestors_vsize) - bump.ancestors_fee)


def least_child_fee(bump: Bump, vsize: int) -> int:
    """What a child of `vsize` pays, so that it, the waiting one and those below reach the rate together."""
    family = bump.rate * (vsize + bump.vsize + bump.ancestors_vsize)
    return max(INCREMENT * vsize, family - bump.fee - bump.ancestors_fee)
