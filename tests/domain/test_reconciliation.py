"""Matching lines and entries: what is a match, each kind of break, and that no unit is ever lost on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.reconciliation import OPENING, Booked, Break, BreakKind, Line, Outcome, Rules, reconcile

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=4)
K = BreakKind
RULES = Rules(now=NOW)


def line(
    reference: str,
    thing: str,
    units: int,
    *,
    asset: str = "USD",
    at: datetime | None = OLD,
    group: str | None = None,
    excuse: str | None = None,
) -> Line:
    return Line(reference, thing, asset, units, at, group, excuse)


def booked(entry_id: str, thing: str, units: int, *, at: datetime = OLD, loose: bool = False) -> Booked:
    return Booked(entry_id, thing, "USD", units, at, loose)


def kinds(outcome: Outcome) -> list[tuple[BreakKind, str, int]]:
    return [(one.kind, one.asset, one.units) for one in outcome.breaks]


def matched(outcome: Outcome) -> set[tuple[str, str]]:
    return {(theirs.reference, ours.entry_id) for theirs, ours in outcome.matches}


def test_lines_and_entries_of_one_thing_and_amount_match() -> None:
    lines = [line("t1", "pi_1", 100), line("t1:fee", "pi_1", -3), line("t2", "pi_2", 100)]
    entries = [booked("e3", "pi_2", 100), booked("e2", "pi_1", -3), booked("e1", "pi_1", 100)]
    outcome = reconcile(lines, entries, RULES)
    assert matched(outcome) == {("t1", "e1"), ("t1:fee", "e2"), ("t2", "e3")}
    assert not outcome.breaks
    assert not outcome.waiting


def test_what_has_one_sum_matches_together() -> None:
    outcome = reconcile([line("tx", "tx", -1_050)], [booked("e1", "tx", -1_000), booked("e2", "tx", -50)], RULES)
    assert matched(outcome) == {("tx", "e1")}
    assert not outcome.breaks


PLANTED = {
    "an extra line": ([line("x", "pi_x", 7)], [], [(K.NOT_IN_BOOKS, "USD", 7)]),
    "a missing line": ([], [booked("e", "pi_x", 7)], [(K.NOT_AT_SOURCE, "USD", -7)]),
    "another amount": ([line("x", "pi_x", 9)], [booked("e", "pi_x", 7)], [(K.OTHER_AMOUNT, "USD", 2)]),
    "another currency": (
        [line("x", "pi_x", 7, asset="EUR")],
        [booked("e", "pi_x", 7)],
        [(K.OTHER_CURRENCY, "EUR", 7), (K.OTHER_CURRENCY, "USD", -7)],
    ),
    "the same twice": (
        [line("x", "pi_x", 7), line("y", "pi_x", 7)],
        [booked("e", "pi_x", 7)],
        [(K.DUPLICATE, "USD", 7)],
    ),
    "another payment for the same order": (
        [line("x", "pi_x", 7, group="or_1"), line("y", "pi_y", 7, group="or_1")],
        [booked("e", "pi_x", 7)],
        [(K.DUPLICATE, "USD", 7)],
    ),
    "late at the source": ([line("x", "late", 7)], [], [(K.LATE, "USD", 7)]),
    "late in the books": ([], [booked("e", "late", 7)], [(K.LATE, "USD", -7)]),
}


@pytest.mark.parametrize(("lines", "entries", "expected"), PLANTED.values(), ids=PLANTED)
def test_each_kind_of_break_is_found(
    lines: list[Line], entries: list[Booked], expected: list[tuple[BreakKind, str, int]]
) -> None:
    right_lines, right_entries = [line("r", "pi_r", 50)], [booked("er", "pi_r", 50)]
    rules = replace(RULES, under_way={"late": NOW - timedelta(days=8)})
    outcome = reconcile([*right_lines, *lines], [*right_entries, *entries], rules)
    assert kinds(outcome) == expected
    assert ("r", "er") in matched(outcome)
    assert all(one.reason for one in outcome.breaks)


@pytest.mark.parametrize(
    ("lines", "entries"),
    [
        ([line("x", "pi_x", 7, at=NOW - timedelta(minutes=9))], []),
        ([], [booked("e", "pi_x", 7, at=NOW - timedelta(days=2))]),
        ([line("x", "under way", 7)], []),
        ([], [booked("e", "under way", 7)]),
        ([line("x", "tx:0", 7, at=None, excuse="dust")], []),
    ],
)
def test_what_is_young_under_way_or_excused_is_pending(lines: list[Line], entries: list[Booked]) -> None:
    rules = replace(RULES, under_way={"under way": NOW - timedelta(days=6)})
    outcome = reconcile(lines, entries, rules)
    assert not outcome.breaks
    assert outcome.waiting == 1
    assert abs(outcome.pending["USD"]) == 7


def test_what_went_and_came_back_needs_no_other_side_where_we_know_it() -> None:
    out_and_back = [line("a", "po_1", -25), line("b", "po_1", 25)]
    assert not reconcile(out_and_back, [], replace(RULES, ours=frozenset({"po_1"}))).breaks
    assert len(reconcile(out_and_back, [], RULES).breaks) == 2
    assert not reconcile([], [booked("e", "dp", 5), booked("f", "dp", -5)], RULES).breaks


def test_an_operator_s_float_takes_a_line_of_its_amount_that_is_about_nothing_else() -> None:
    lines = [line("wire", "wire", 500), line("x", "po_1", 500)]
    entries = [booked("float", "letter 7", 500, loose=True), booked("e", "po_1", 500)]
    assert matched(reconcile(lines, entries, RULES)) == {("wire", "float"), ("x", "e")}


def test_the_opening_is_what_was_brought_forward_and_the_lines_before_it() -> None:
    opening = booked("o", OPENING, 1_000, at=OLD)
    before = [
        line("brought forward", OPENING, 900, at=None),
        line("old", "old", 100, at=OLD - timedelta(days=1)),
    ]
    after = line("new", "new", 5, at=OLD + timedelta(days=1))
    outcome = reconcile([*before, after], [opening], RULES)
    assert matched(outcome) == {("brought forward", "o"), ("old", "o")}
    assert kinds(outcome) == [(K.NOT_IN_BOOKS, "USD", 5)]


def test_a_break_is_the_same_one_while_its_line_and_entry_are() -> None:
    one = Break(K.OTHER_AMOUNT, "pi", "USD", 2, "x", "e", OLD, "")
    assert one.identity == replace(one, units=3, kind=K.LATE, thing="other").identity
    assert one.identity != replace(one, line="y").identity
    assert replace(one, line=None, entry_id=None, kind=K.BALANCE).identity != ("x", "e", "USD", "")


THINGS = st.sampled_from(["a", "b", "c", OPENING])
ASSETS = st.sampled_from(["USD", "EUR"])
UNITS = st.integers(-3, 3).filter(bool)
MOMENTS = st.sampled_from([OLD, NOW - timedelta(minutes=1), NOW - timedelta(days=9)])
LINES = st.lists(
    st.builds(
        Line,
        reference=st.uuids().map(str),
        thing=THINGS,
        asset=ASSETS,
        units=UNITS,
        at=st.none() | MOMENTS,
        group=st.none() | st.just("g"),
        excuse=st.none() | st.just("dust"),
    ),
    max_size=12,
)
ENTRIES = st.lists(
    st.builds(
        Booked,
        entry_id=st.uuids().map(str),
        thing=THINGS,
        asset=ASSETS,
        units=UNITS,
        at=MOMENTS,
        loose=st.booleans(),
    ),
    max_size=12,
)


@given(LINES, ENTRIES, st.dictionaries(THINGS, MOMENTS), st.frozensets(THINGS))
def test_whatever_comes_every_unit_is_matched_pending_or_broken(
    lines: list[Line], entries: list[Booked], under_way: dict[str, datetime], ours: frozenset[str]
) -> None:
    outcome = reconcile(lines, entries, replace(RULES, under_way=under_way, ours=ours))
    apart: Counter[str] = Counter()
    for one in lines:
        apart[one.asset] += one.units
    for entry in entries:
        apart[entry.asset] -= entry.units
    broken: Counter[str] = Counter()
    for found in outcome.breaks:
        broken[found.asset] += found.units
    for asset in ("USD", "EUR"):
        assert apart[asset] == outcome.pending[asset] + outcome.broken[asset]
        assert outcome.broken[asset] == broken[asset]
    assert len({id(one) for one, _ in outcome.matches}) == len(outcome.matches)
    assert len({found.identity for found in outcome.breaks}) == len(outcome.breaks)
