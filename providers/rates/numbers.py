"""Decimal texts of venues as exact whole numbers, and levels in our own units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from app.domain.assets import asset_of
from app.domain.depth import Level, coin_decimals, finer_places

# No sign, no exponent, ASCII digits only; longer or finer than any price or quantity is refused.
_NUMBER: Final = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,18}))?", re.ASCII)
FINEST: Final = 18


class Unusable(Exception):
    """What the venue sent cannot be priced from."""


def exact(text: object, places: int) -> int:
    """A decimal text as a whole number of 10^-`places`; raises Unusable for anything else, and for a finer one."""
    found = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Unusable("a price or volume is not a plain decimal string")
    fraction = (found[2] or "").rstrip("0")
    if len(fraction) > places:
        raise Unusable(f"a price or volume has more than {places} decimals")
    return int(found[1] + fraction.ljust(places, "0"))


class Scale:
    """How one pair's numbers become our units: prices with `price_places` decimals, volumes with `volume_places`."""

    def __init__(self, base: str, quote: str, *, price_places: int = FINEST, volume_places: int = FINEST) -> None:
        """Of the pair (BTC, EUR); raises KeyError or ValidationFailed for assets that we do not know."""
        ours = asset_of(quote, None).decimals + finer_places(base)
        self._up, self._price_step = _ratio(ours, price_places)
        self._more, self._volume_step = _ratio(coin_decimals(base), volume_places)

    def levels(self, entries: Iterable[tuple[int, int]], *, upwards: bool) -> tuple[Level, ...]:
        """Levels of (price, volume): prices rounded `upwards` or down, volumes down, what rounds to nothing left out.

        Rounding is against the customer, so that we never promise more than the venue offers.
        """
        up, step, more, volume_step = self._up, self._price_step, self._more, self._volume_step
        found = []
        for price, volume in entries:
            units = -(-price * up // step) if upwards else price * up // step
            quantity = volume * more // volume_step
            if units and quantity:
                found.append(Level(units, quantity))
        return tuple(found)


def _ratio(ours: int, theirs: int) -> tuple[int, int]:
    """By what to multiply, and by what to divide, to come from their decimals to ours."""
    return 10 ** max(0, ours - theirs), 10 ** max(0, theirs - ours)
