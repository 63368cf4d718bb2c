"""One side of a book, kept in order while a venue changes it level by level: pure, and fast enough for every update."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable


class Ladder:
    """Prices and quantities as whole numbers in the venue's own steps, best price first."""

    def __init__(self, *, rising: bool, deepest: int) -> None:
        """Asks are `rising`, bids are not; beyond `deepest` levels the worst are forgotten by `trim`."""
        self._sign = 1 if rising else -1
        self._deepest = deepest
        self._order: list[int] = []  # prices times the sign, so that the best one is always the least
        self._quantities: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._order)

    def put(self, price: int, quantity: int) -> None:
        """Set the whole quantity at a price; zero takes the level away, and is nothing where there is none."""
        key = self._sign * price
        if quantity == 0:
            if self._quantities.pop(key, None) is not None:
                del self._order[bisect_left(self._order, key)]
            return
        if key not in self._quantities:
            insort(self._order, key)
        self._quantities[key] = quantity

    def trim(self) -> None:
        """Forget the worst levels beyond the depth."""
        for key in self._order[self._deepest :]:
            del self._quantities[key]
        del self._order[self._deepest :]

    def fill(self, levels: Iterable[tuple[int, int]]) -> None:
        """Become these levels, in any order, and no others."""
        self._quantities = {self._sign * price: quantity for price, quantity in levels if quantity}
        self._order = sorted(self._quantities)
        self.trim()

    def best(self, count: int | None = None) -> list[tuple[int, int]]:
        """The best `count` levels, or all, as (price, quantity)."""
        sign, quantities = self._sign, self._quantities
        return [(sign * key, quantities[key]) for key in self._order[:count]]

    def best_price(self) -> int | None:
        """The best price, None when the side is empty."""
        return self._sign * self._order[0] if self._order else None
