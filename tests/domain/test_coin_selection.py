"""Choosing coins: never less than needed, never a coin that costs more than it brings, never worse than it says."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.coin_selection import MOST_TRIES, Candidate, Goal, Selection, select

INPUT = 68 * 5  # satoshi: a P2WPKH input at five satoshi per byte
GOAL = Goal(target=100_000, input_fee=INPUT, slack=740, room=2_000)

amounts = st.lists(st.integers(1, 200_000), max_size=9)
goals = st.builds(
    Goal,
    target=st.integers(1, 250_000),
    input_fee=st.integers(0, 2_000),
    slack=st.integers(0, 3_000),
    room=st.integers(0, 50_000),
    most_inputs=st.integers(1, 9),
)


def coins(units: list[int]) -> list[Candidate]:
    return [Candidate(key, amount) for key, amount in enumerate(units)]


def chosen(units: list[int], goal: Goal = GOAL) -> tuple[list[int], int] | None:
    """The amounts of the coins chosen, ascending, and what they bring too much."""
    found = select(coins(units), goal)
    return None if found is None else (sorted(units[key] for key in found.keys), found.excess)


def worth(units: list[int], goal: Goal) -> list[int]:
    return [amount - goal.input_fee for amount in units if amount > goal.input_fee]


def sums(units: list[int], goal: Goal) -> list[int]:
    """What every set of coins that may be spent together brings."""
    useful = worth(units, goal)
    return [sum(some) for size in range(1, goal.most_inputs + 1) for some in combinations(useful, size)]


def test_an_exact_sum_needs_no_change() -> None:
    exact = 100_000 + 2 * INPUT
    assert chosen([150_000, 60_000, exact - 60_000, 99_000]) == ([exact - 60_000, 60_000], 0)


def test_the_least_wasteful_of_several_exact_sums() -> None:
    assert chosen([100_700 + INPUT, 100_200 + INPUT, 100_400 + INPUT]) == ([100_200 + INPUT], 200)


def test_else_the_smallest_coin_that_is_enough_and_can_pay_for_bumps() -> None:
    assert chosen([500_000, 101_500, 103_000]) == ([103_000], 3_000 - INPUT)
    assert chosen([101_500, 101_600]) == ([101_500], 1_500 - INPUT)  # none has the room: the smallest all the same


def test_else_the_largest_until_they_are_enough() -> None:
    assert chosen([40_000, 30_000, 50_000, 60_000]) == ([50_000, 60_000], 10_000 - 2 * INPUT)


def test_not_enough_is_nothing() -> None:
    assert chosen([50_000, 50_000]) is None  # their own inputs cost too
    assert chosen([]) is None


def test_no_more_inputs_than_allowed() -> None:
    few = Goal(target=100_000, input_fee=INPUT, slack=0, most_inputs=3)
    assert chosen([30_000] * 10, few) is None
    assert chosen([40_000] * 10, few) == ([40_000] * 3, 20_000 - 3 * INPUT)


def test_fault_f_72_dust_is_never_spent() -> None:
    """Ten thousand coins that cost more than they bring, and one that pays."""
    dust = [Candidate(key, INPUT) for key in range(10_000)]
    assert select([*dust, Candidate(10_000, 100_000 + INPUT)], GOAL) == Selection((10_000,), 0)
    assert select(dust, GOAL) is None


@given(units=amounts, goal=goals)
def test_what_is_chosen_always_suffices_and_is_what_it_says(units: list[int], goal: Goal) -> None:
    found = select(coins(units), goal)
    if found is None:
        assert not any(total >= goal.target for total in sums(units, goal))
        return
    assert len(set(found.keys)) == len(found.keys) <= goal.most_inputs
    picked = [units[key] for key in found.keys]
    assert all(amount > goal.input_fee for amount in picked)
    assert sum(picked) - goal.input_fee * len(picked) - goal.target == found.excess >= 0


@given(units=st.lists(st.integers(1, 200_000), min_size=1, max_size=9), goal=goals, data=st.data())
def test_a_changeless_sum_is_found_whenever_there_is_one(units: list[int], goal: Goal, data: st.DataObject) -> None:
    some = data.draw(st.sampled_from(sums(units, goal) or [1]))
    goal = replace(goal, target=max(1, some - data.draw(st.integers(0, goal.slack))))
    fitting = [total - goal.target for total in sums(units, goal) if 0 <= total - goal.target <= goal.slack]
    if not fitting:
        return
    found = select(coins(units), goal)
    assert found is not None
    assert found.excess == min(fitting)


@given(units=amounts, goal=goals)
def test_never_two_coins_where_one_would_do(units: list[int], goal: Goal) -> None:
    found = select(coins(units), goal)
    singles = [value for value in worth(units, goal) if value >= goal.target]
    if found is None or not singles or found.excess <= goal.slack:
        return
    with_room = [value for value in singles if value >= goal.target + goal.room]
    assert len(found.keys) == 1
    assert found.excess == min(with_room or singles) - goal.target


@given(units=amounts, goal=goals)
def test_the_order_of_the_coins_does_not_matter(units: list[int], goal: Goal) -> None:
    one, other = select(coins(units), goal), select(coins(units)[::-1], goal)
    assert (one and one.excess) == (other and other.excess)


@pytest.mark.parametrize("tries", [1, 10, MOST_TRIES])
def test_the_search_gives_up_and_still_pays(tries: int) -> None:
    """Powers of two: two to the thirtieth sums, and the one that fits is far away."""
    many = [Candidate(key, (1 << (key + 4)) + INPUT) for key in range(30)]
    found = select(many, Goal(target=(1 << 20) + 7, input_fee=INPUT, slack=0), tries=tries)
    assert found is not None
    assert found.excess >= 0
