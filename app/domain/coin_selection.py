"""Which coins a transaction spends: none whose own spending costs more than it brings, and change only where needed.

Every amount is in whole units of the chain's coin. A coin's *effective value* is what it adds once the fee of its own
input is paid. The order of the ways is that of Murch's work on branch and bound, which Bitcoin Core follows too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_TRIES: Final = 2_000
_MOST_SEARCHED: Final = 40  # coins among which an exact sum is looked for


@dataclass(frozen=True, slots=True)
class Candidate:
    """A coin that could be spent. `key` names it for the caller; what it brings is `units`, before its input's fee."""

    key: int
    units: int


@dataclass(frozen=True, slots=True)
class Goal:
    """What the coins must bring together.

    `target` is what the recipients get and what the transaction costs without its inputs and without change;
    `input_fee` is what each input costs. Up to `slack` more is rather given to the miners than made into change: it
    is the cost of a change output and of dust. Change of `room` more could pay for raising the fee later.
    """

    target: int
    input_fee: int
    slack: int
    room: int = 0
    most_inputs: int = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """The coins chosen, and what they bring above the goal's target once their own inputs are paid."""

    keys: tuple[int, ...]
    excess: int


def select(candidates: Sequence[Candidate], goal: Goal, *, tries: int = MOST_TRIES) -> Selection | None:
    """Choose coins: an exact sum if one is found in so many tries, else one coin that is enough, else the largest.

    Among exact sums the one that wastes least; among single coins the smallest, if there is one with `room` among
    those with it. None when all that may be spent together do not suffice.
    """
    useful = sorted(
        ((coin.units - goal.input_fee, coin.key) for coin in candidates if coin.units > goal.input_fee), reverse=True
    )
    return _exact(useful, goal, tries) or _single(useful, goal) or _largest(useful, goal)


def _exact(useful: Sequence[tuple[int, int]], goal: Goal, tries: int) -> Selection | None:
    """Depth-first over `useful`, largest first: take the next coin or leave it, and turn back when it cannot fit."""
    coins = (
        useful if len(useful) <= _MOST_SEARCHED else [coin for coin in useful if coin[0] <= goal.target + goal.slack]
    )
    coins = coins[:_MOST_SEARCHED]
    rest = [0] * (len(coins) + 1)
    for place in range(len(coins) - 1, -1, -1):
        rest[place] = rest[place + 1] + coins[place][0]
    best: Selection | None = None
    open_ends: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]  # where to go on, the sum so far, the keys
    while open_ends and tries > 0:
        tries -= 1
        place, total, keys = open_ends.pop()
        excess = total - goal.target
        if excess >= 0:
            if excess <= goal.slack and keys and (best is None or excess < best.excess):
                best = Selection(keys, excess)
                if excess == 0:
                    break
            continue  # another coin would only add to it
        if total + rest[place] < goal.target or len(keys) == goal.most_inputs:
            continue
        value, key = coins[place]
        open_ends.append((place + 1, total, keys))
        if total + value <= goal.target + goal.slack:
            open_ends.append((place + 1, total + value, (*keys, key)))
    return best


def _single(useful: Sequence[tuple[int, int]], goal: Goal) -> Selection | None:
    for least in (goal.target + goal.room, goal.target):
        enough = [coin for coin in useful if coin[0] >= least]
        if enough:
            value, key = enough[-1]
            return Selection((key,), value - goal.target)
    return None


def _largest(useful: Sequence[tuple[int, int]], goal: Goal) -> Selection | None:
    keys: list[int] = []
    total = 0
    for value, key in useful[: goal.most_inputs]:
        keys.append(key)
        total += value
        if total >= goal.target:
            return Selection(tuple(keys), total - goal.target)
    return None
