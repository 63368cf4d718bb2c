"""Repeating requests: when to look first, and when a key is given up (faults.md F-32, F-33)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.asking import KEY_LIFETIME, SETTLE_TIME, Ask, derived_key, how_to_ask, must_look

MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("unknown", "age", "looks"),
    [
        (False, timedelta(), False),
        (False, KEY_LIFETIME, False),
        (False, KEY_LIFETIME + MOMENT, True),
        (True, timedelta(), True),
        (True, KEY_LIFETIME + MOMENT, True),
    ],
)
def test_fault_f_33_when_to_look_first(unknown: bool, age: timedelta, looks: bool) -> None:
    assert must_look(unknown=unknown, age=age) is looks


@pytest.mark.parametrize(
    ("stuck", "age", "way"),
    [
        (False, timedelta(), Ask.AGAIN),
        (False, timedelta(hours=22), Ask.AGAIN),
        (False, KEY_LIFETIME + MOMENT, Ask.ANEW),
        (True, SETTLE_TIME, Ask.AGAIN),
        (True, SETTLE_TIME + MOMENT, Ask.ANEW),
    ],
)
def test_fault_f_32_when_a_key_is_given_up(stuck: bool, age: timedelta, way: Ask) -> None:
    assert how_to_ask(stuck=stuck, age=age) is way


def test_fault_f_33_keys_are_given_up_before_stripe_forgets_them() -> None:
    assert timedelta(hours=24) > KEY_LIFETIME


def test_keys_are_derived_from_the_first() -> None:
    assert [derived_key("pay_1", attempt) for attempt in (1, 2, 3)] == ["pay_1", "pay_1:attempt2", "pay_1:attempt3"]
