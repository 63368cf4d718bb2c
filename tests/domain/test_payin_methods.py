"""How long orders wait for their payments, in the operator's words and by amount (faults.md F-54)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.assets import CATALOGUE
from app.domain.payin_methods import PAYIN_METHODS, hold_for, read_hold

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("units", "hold"),
    [(1, 4 * DAY), (19_999, 4 * DAY), (20_000, 10 * DAY), (10**15, 10 * DAY)],
)
def test_fault_f_54_larger_amounts_wait_longer(units: int, hold: timedelta) -> None:
    assert hold_for(units, read_hold("20000:4d, *:10d")) == hold


def test_without_steps_nothing_waits() -> None:
    assert hold_for(10**9, ()) == timedelta()
    assert hold_for(1, read_hold("*:0s")) == timedelta()


@pytest.mark.parametrize(
    ("text", "hold"), [("*:90s", 90), ("*:15m", 900), ("*:12h", 43_200), ("*:2d", 172_800), ("5:1s,*:2s", 2)]
)
def test_units_of_time(text: str, hold: int) -> None:
    assert hold_for(10, read_hold(text)) == timedelta(seconds=hold)


@pytest.mark.parametrize(
    "text",
    ["", "*", "4d", "100:4d", "*:4", "*:d", "*:-1d", "*:4w", "*:4d,*:5d", "*:4d,100:5d", "200:1d,100:2d,*:3d",
     "100:1d,100:2d,*:3d", "100:5d,*:4d", "x:1d,*:2d", "*:401d", "*:1.5d", "*:٣d", "-5:1d,*:2d", "*:9999999999999s"],
)  # fmt: skip
def test_what_is_no_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hold|step|amounts|times"):
        read_hold(text)


def test_every_method_takes_currencies_that_there_are() -> None:
    known = {asset.code for asset in CATALOGUE if asset.is_fiat}
    for name, method in PAYIN_METHODS.items():
        assert name == method.name
        assert method.currencies
        assert method.currencies <= known


def test_what_can_be_taken_back_takes_longer_than_it_settles() -> None:
    for method in PAYIN_METHODS.values():
        assert method.pushed or method.reversal > method.settlement
