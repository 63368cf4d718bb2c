"""Money: whole smallest units of one asset, and the decimal strings that stand for it at the API's edge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from app.domain.errors import ValidationFailed

# No sign, no exponent, no leading zeros, ASCII digits only: what faults.md calls the one safe spelling of an amount.
AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,20})(\.[0-9]{1,18})?$"
_AMOUNT = re.compile(AMOUNT_PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset on one network. `network` is None for fiat money. The pair (code, network) is its identity."""

    code: str
    network: str | None
    decimals: int

    @property
    def id(self) -> str:
        """The asset's name in the ledger: `EUR`, `BTC.bitcoin`, `USDC.base`."""
        return self.code if self.network is None else f"{self.code}.{self.network}"

    @property
    def is_fiat(self) -> bool:
        """Whether this is government money, which lives on no chain."""
        return self.network is None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in whole smallest units (cents, satoshi, wei) of one asset. May be negative."""

    units: int
    asset: Asset

    def __add__(self, other: Money) -> Money:
        """Add; raises ValueError when the assets differ."""
        return Money(self.units + self._same(other).units, self.asset)

    def __sub__(self, other: Money) -> Money:
        """Subtract; raises ValueError when the assets differ."""
        return Money(self.units - self._same(other).units, self.asset)

    def __neg__(self) -> Money:
        return Money(-self.units, self.asset)

    def __str__(self) -> str:
        return f"{format_units(self.units, self.asset.decimals)} {self.asset.code}"

    def _same(self, other: Money) -> Money:
        if other.asset != self.asset:
            raise ValueError(f"cannot mix {self.asset.id} and {other.asset.id}")
        return other

    @property
    def decimal(self) -> str:
        """The amount as a decimal string with exactly the asset's decimals."""
        return format_units(self.units, self.asset.decimals)


def format_units(units: int, decimals: int) -> str:
    """Write whole units as a decimal string with exactly `decimals` places: 12345, 2 -> "123.45"."""
    sign, digits = ("-", -units) if units < 0 else ("", units)
    whole, fraction = divmod(digits, 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}d}" if decimals else f"{sign}{whole}"


def parse_units(text: str, decimals: int, *, pointer: str | None = None) -> int:
    """Read a decimal string as whole units.

    Raises ValidationFailed for any other spelling, and for more decimals than the asset has:
    an amount is refused, never rounded.
    """
    if not _AMOUNT.fullmatch(text):
        raise ValidationFailed("An amount is a plain decimal string such as 100.00.", pointer=pointer)
    whole, _, fraction = text.partition(".")
    if len(fraction) > decimals:
        raise ValidationFailed(f"This asset has {decimals} decimals.", pointer=pointer)
    return int(whole + fraction.ljust(decimals, "0"))


def floor_div(value: Fraction) -> int:
    """The largest whole number not above `value`."""
    return value.numerator // value.denominator


def ceil_div(value: Fraction) -> int:
    """The smallest whole number not below `value`."""
    return -(-value.numerator // value.denominator)


def bps(points: int) -> Fraction:
    """Basis points as an exact fraction: 26 -> 26/10000."""
    return Fraction(points, 10_000)
