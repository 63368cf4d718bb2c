"""Money: whole units, and the one spelling of an amount at the API's edge."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.assets import BTC, CATALOGUE, ETH, EUR, JPY, USD
from app.domain.errors import ValidationFailed
from app.domain.money import Asset, Money, bps, ceil_div, floor_div, format_units, parse_units

UNITS = st.integers(-(10**30), 10**30)


@given(UNITS, UNITS)
def test_adding_and_subtracting_is_exact(one: int, other: int) -> None:
    assert Money(one, ETH) + Money(other, ETH) == Money(one + other, ETH)
    assert Money(one, ETH) - Money(other, ETH) == Money(one - other, ETH)
    assert -Money(one, ETH) == Money(-one, ETH)


@pytest.mark.parametrize("asset", [USD, BTC])
def test_assets_do_not_mix(asset: Asset) -> None:
    with pytest.raises(ValueError, match=f"EUR and {asset.id}"):
        Money(1, EUR) + Money(1, asset)
    with pytest.raises(ValueError, match=f"EUR and {asset.id}"):
        Money(1, EUR) - Money(1, asset)


def test_the_same_code_on_another_network_is_another_asset() -> None:
    with pytest.raises(ValueError, match="cannot mix"):
        Money(1, Asset("USDC", "ethereum", 6)) + Money(1, Asset("USDC", "base", 6))
    assert Asset("USDC", "base", 6).id == "USDC.base"
    assert (EUR.id, EUR.is_fiat, BTC.is_fiat) == ("EUR", True, False)


def test_money_is_a_value() -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(Money(1, EUR), "units", 2)  # noqa: B010 - said so, a type checker would refuse it
    assert len({Money(1, EUR), Money(1, EUR), Money(1, USD)}) == 2


@pytest.mark.parametrize(
    ("units", "asset", "text"),
    [
        (31_045_68, EUR, "31045.68"),
        (5, EUR, "0.05"),
        (-5, EUR, "-0.05"),
        (0, EUR, "0.00"),
        (1_500, JPY, "1500"),
        (16_106_886, BTC, "0.16106886"),
        (1, ETH, "0.000000000000000001"),
        (-(10**18), ETH, "-1.000000000000000000"),
    ],
)
def test_an_amount_is_written_with_exactly_the_decimals_of_its_asset(units: int, asset: Asset, text: str) -> None:
    assert Money(units, asset).decimal == text
    assert str(Money(units, asset)) == f"{text} {asset.code}"


@pytest.mark.parametrize("asset", CATALOGUE, ids=lambda asset: asset.id)
@given(units=st.integers(0, 10**20))
def test_what_is_written_is_read_back(asset: Asset, units: int) -> None:
    assert parse_units(format_units(units, asset.decimals), asset.decimals) == units


@pytest.mark.parametrize(("text", "units"), [("0", 0), ("0.1", 10), ("100", 10_000), ("100.00", 10_000)])
def test_fewer_decimals_are_filled_up(text: str, units: int) -> None:
    assert parse_units(text, 2) == units


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 ", " 1", "1\n", "+1", "-1", "-0", "01", "00.1", ".5", "5.", "1.0.0", "1,00", "1_000", "1e3", "0x10",
        "NaN", "Infinity", "inf", "١٢", "1.٢", "½", "1234567890123456789012", "0." + "1" * 19, "1\u00a0", "1\x00",
    ],
    ids=ascii,
)  # fmt: skip
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        parse_units(text, 18, pointer="/amount")
    assert refusal.value.pointer == "/amount"


@pytest.mark.parametrize(("text", "decimals"), [("0.001", 2), ("1.0", 0), ("0.123456789", 8), ("1.000", 2)])
def test_more_decimals_than_the_asset_has_are_refused_and_never_rounded(text: str, decimals: int) -> None:
    with pytest.raises(ValidationFailed, match=f"{decimals} decimals"):
        parse_units(text, decimals)


@given(st.fractions())
def test_rounding_to_whole_numbers(value: Fraction) -> None:
    assert floor_div(value) <= value < floor_div(value) + 1
    assert ceil_div(value) - 1 < value <= ceil_div(value)


def test_basis_points_are_exact() -> None:
    assert bps(26) == Fraction(26, 10_000)
    assert bps(10_000) == 1
