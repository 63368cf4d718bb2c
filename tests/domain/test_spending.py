"""The spending policy, rule by rule (faults.md, S-16): what no limit covers does not leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.spending import Refusal, SpendingLimits, Spent, judge

NOTHING = Spent()


def one(units: int, limits: SpendingLimits | None, spent: Spent = NOTHING, *, released: bool = False) -> Refusal | None:
    [found] = judge([("a", units)], limits, spent, [released])
    return found


def test_fault_f_95_without_a_limit_nothing_leaves() -> None:
    assert one(1, None) is Refusal.NO_LIMIT
    assert one(1, None, released=True) is None
    assert one(10**30, SpendingLimits()) is None


@pytest.mark.parametrize(
    ("limits", "spent", "refusal"),
    [
        (SpendingLimits(per_send=99), Spent(), Refusal.PER_SEND),
        (SpendingLimits(per_hour=149), Spent(hour=50, day=50), Refusal.PER_HOUR),
        (SpendingLimits(per_day=149), Spent(hour=0, day=50), Refusal.PER_DAY),
        (SpendingLimits(per_address=149), Spent(day=50, by_address={"a": 50}), Refusal.PER_ADDRESS),
        (SpendingLimits(per_send=100, per_hour=150, per_day=150, per_address=150), Spent(50, 50, {"a": 50}), None),
        (SpendingLimits(per_address=100), Spent(hour=10**9, day=10**9, by_address={"b": 10**9}), None),
    ],
)
def test_fault_f_95_each_limit_to_the_unit(limits: SpendingLimits, spent: Spent, refusal: Refusal | None) -> None:
    assert one(100, limits, spent) is refusal
    assert one(100, limits, spent, released=True) is None


def test_what_may_leave_counts_against_those_behind_it() -> None:
    wanted = [("a", 60), ("b", 60), ("c", 40)]
    assert judge(wanted, SpendingLimits(per_hour=100), Spent(), [False] * 3) == [None, Refusal.PER_HOUR, None]
    assert judge(wanted, SpendingLimits(per_hour=100), Spent(), [True, True, False]) == [None, None, Refusal.PER_HOUR]
    twice = [("a", 60), ("a", 60), ("b", 60)]
    assert judge(twice, SpendingLimits(per_address=100), Spent(), [False] * 3) == [None, Refusal.PER_ADDRESS, None]


@given(
    wanted=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 1_000)), max_size=20),
    cap=st.integers(0, 3_000),
    before=st.integers(0, 3_000),
)
def test_no_window_ever_holds_more_than_its_limit(wanted: list[tuple[str, int]], cap: int, before: int) -> None:
    found = judge(wanted, SpendingLimits(per_hour=cap), Spent(hour=before, day=before), [False] * len(wanted))
    left = sum(units for (_, units), refusal in zip(wanted, found, strict=True) if refusal is None)
    assert left == 0 or before + left <= cap
