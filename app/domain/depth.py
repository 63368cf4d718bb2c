"""Order books: walk one side for a number of coins, a sum to spend or a sum to earn; and merge several into one.

A level's price is per whole coin and its quantity in base units, so `price * quantity` is a value multiplied by the
base units in a coin. What the venue takes for itself is in millionths of that value. All sums stay in those scales,
where they are exact whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.assets import CATALOGUE
from app.domain.errors import AmountBelowMin, InsufficientLiquidity

MILLION: Final = 1_000_000
# A coin that costs about a unit of money is priced in finer steps than cents, else rounding would cost a percent.
_FINER: Final = {"USDC": 4}


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a book: `price` per whole base coin, `quantity` in base units; both above zero.

    The price is in the quote asset's units (cents), or in 10^-`finer_places` of one. `taker_ppm` is the venue's fee
    in millionths of the value, None where the operator's own figure holds; `source` is the venue, once merged.
    """

    price: int
    quantity: int
    taker_ppm: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """The levels taken, their coins, and price x quantity summed: the value C, times the base units in a coin.

    `charged` is that sum with every level's fee in it (added on asks, taken off bids), times a million.
    """

    levels: list[tuple[int, int]]
    coins: int
    value: int
    charged: int


def finer_places(code: str) -> int:
    """How many decimals the prices of a coin have beyond those of the money it is priced in."""
    return _FINER.get(code, 0)


def coin_decimals(code: str) -> int:
    """The decimals of a coin, on whatever network; raises KeyError for one that we do not know."""
    for asset in CATALOGUE:
        if asset.code == code and not asset.is_fiat:
            return asset.decimals
    raise KeyError(code)


# The loops below run over hundreds of levels for every quote: they spell out what `_factor` says.


def take_coins(levels: Sequence[Level], coins: int, taker_ppm: int, *, buying: bool) -> Fill:
    """Take exactly `coins` from the best level on; `taker_ppm` is the fee of levels that have none of their own."""
    taken: list[tuple[int, int]] = []
    left, value, charged, sign = coins, 0, 0, 1 if buying else -1
    for level in levels:
        price, quantity, fee = level.price, level.quantity, level.taker_ppm
        if quantity > left:
            quantity = left
        worth = price * quantity
        taken.append((price, quantity))
        value += worth
        charged += worth * (taker_ppm if fee is None else fee)
        left -= quantity
        if not left:
            return Fill(taken, coins, value, value * MILLION + sign * charged)
    raise InsufficientLiquidity


def spend(asks: Sequence[Level], budget: int, taker_ppm: int) -> Fill:
    """Take the most coins that `budget` pays for, fees included: whole levels, then as much of the next as fits."""
    taken: list[tuple[int, int]] = []
    coins, value, left = 0, 0, budget
    for level in asks:
        price, quantity, fee = level.price, level.quantity, level.taker_ppm
        unit = price * (MILLION + (taker_ppm if fee is None else fee))
        cost = unit * quantity
        if cost > left:
            quantity = left // unit
            if quantity:
                taken.append((price, quantity))
            left -= unit * quantity
            return Fill(taken, something_left(coins + quantity), value + price * quantity, budget - left)
        taken.append((price, quantity))
        coins += quantity
        value += price * quantity
        left -= cost
    if left < after_fee(asks[-1], taker_ppm, buying=True):
        return Fill(taken, coins, value, budget - left)  # the whole book was just enough: not a unit more would fit
    raise InsufficientLiquidity


def earn(bids: Sequence[Level], wanted: int, taker_ppm: int) -> Fill:
    """Take the fewest coins that bring in at least `wanted` after fees."""
    taken: list[tuple[int, int]] = []
    coins, value, left = 0, 0, wanted
    for level in bids:
        price, quantity, fee = level.price, level.quantity, level.taker_ppm
        unit = price * (MILLION - (taker_ppm if fee is None else fee))
        if unit * quantity >= left:
            quantity = round_up(left, unit)
        taken.append((price, quantity))
        coins += quantity
        value += price * quantity
        left -= unit * quantity
        if left <= 0:
            return Fill(taken, coins, value, wanted - left)
    raise InsufficientLiquidity


@dataclass(frozen=True, slots=True)
class Side:
    """One side of one venue's book, best first, with what the venue takes."""

    source: str
    levels: Sequence[Level]
    taker_ppm: int | None


def merge(sides: Iterable[Side], taker_ppm: int, *, buying: bool) -> tuple[Level, ...]:
    """The same side of several books as one, best first by what it comes to after each venue's fee.

    `taker_ppm` ranks the venues that name no fee. Equal levels keep the order in which the venues are given.
    """
    levels = [
        Level(level.price, level.quantity, side.taker_ppm, side.source) for side in sides for level in side.levels
    ]
    levels.sort(key=lambda level: level.price * _factor(level, taker_ppm, buying=buying), reverse=not buying)
    return tuple(levels)


def after_fee(level: Level, taker_ppm: int, *, buying: bool) -> int:
    """What a whole coin costs or brings at a level, the venue's fee included, in millionths of the price's unit."""
    return level.price * _factor(level, taker_ppm, buying=buying)


def _factor(level: Level, taker_ppm: int, *, buying: bool) -> int:
    """What a value becomes with the fee, in millionths."""
    fee = taker_ppm if level.taker_ppm is None else level.taker_ppm
    return MILLION + fee if buying else MILLION - fee


def something_left(units: int) -> int:
    """The same number; raises AmountBelowMin when nothing is left of it."""
    if units <= 0:
        raise AmountBelowMin("Nothing would be left of this amount after fees.")
    return units


def round_up(numerator: int, denominator: int) -> int:
    """Divide and round up."""
    return -(-numerator // denominator)
