"""Walk one side of a venue's book: for a number of coins, for a sum to spend, or for a sum to earn.

A level's price is per whole coin and its quantity in base units, so `price * quantity` is a value multiplied by the
base units in a coin. All sums stay in that scale, where they are exact whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.errors import AmountBelowMin, InsufficientLiquidity


class Step(Protocol):
    """One level of a book, as `app.ports.rates.Level` has it."""

    @property
    def price(self) -> int:
        """Units of the quote asset (cents) per whole base coin; above zero."""
        ...

    @property
    def quantity(self) -> int:
        """Base units (satoshi) on offer at this price; above zero."""
        ...


@dataclass(frozen=True, slots=True)
class Fill:
    """The levels taken, their coins, and price x quantity summed: the value C, times the base units in a coin."""

    levels: list[tuple[int, int]]
    coins: int
    value: int


def take_coins(steps: Sequence[Step], coins: int) -> Fill:
    """Take exactly `coins` from the best level on."""
    levels: list[tuple[int, int]] = []
    left, value = coins, 0
    for step in steps:
        level_price, quantity = step.price, step.quantity
        if quantity >= left:
            levels.append((level_price, left))
            return Fill(levels, coins, value + level_price * left)
        levels.append((level_price, quantity))
        value += level_price * quantity
        left -= quantity
    raise InsufficientLiquidity


def spend(asks: Sequence[Step], budget: int) -> Fill:
    """Take the most coins that `budget` pays for: whole levels, then as much of the next as still fits."""
    levels: list[tuple[int, int]] = []
    coins, left = 0, budget
    for step in asks:
        level_price, quantity = step.price, step.quantity
        cost = level_price * quantity
        if cost > left:
            quantity = left // level_price
            left -= level_price * quantity
            if quantity:
                levels.append((level_price, quantity))
            return Fill(levels, something_left(coins + quantity), budget - left)
        levels.append((level_price, quantity))
        coins += quantity
        left -= cost
    if left < asks[-1].price:  # the whole book was just enough: not one more unit could have been bought
        return Fill(levels, coins, budget - left)
    raise InsufficientLiquidity


def earn(bids: Sequence[Step], value: int) -> Fill:
    """Take the fewest coins that are worth at least `value`."""
    levels: list[tuple[int, int]] = []
    coins, left = 0, value
    for step in bids:
        level_price, quantity = step.price, step.quantity
        worth = level_price * quantity
        if worth >= left:
            quantity = round_up(left, level_price)
            levels.append((level_price, quantity))
            return Fill(levels, coins + quantity, value - left + level_price * quantity)
        levels.append((level_price, quantity))
        coins += quantity
        left -= worth
    raise InsufficientLiquidity


def something_left(units: int) -> int:
    """The same number; raises AmountBelowMin when nothing is left of it."""
    if units <= 0:
        raise AmountBelowMin("Nothing would be left of this amount after fees.")
    return units


def round_up(numerator: int, denominator: int) -> int:
    """Divide and round up."""
    return -(-numerator // denominator)
