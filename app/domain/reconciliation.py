"""Reconciliation: every line that a provider, a bank or a chain has of us, held against the entries of our ledger.

Both sides say what each of theirs is about, in one word that both can know: a payment, a payout, a credit, an output
of a transaction. Within that, and within one asset, a line and an entry of the same units are a match; so are all of
them together when their sums agree. What is left is explained by our own rows that say it is under way, or it is too
young to be wrong, or it is a break.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar

# What makes a break the same one in another run: a line, an entry, an asset; balances are breaks of their own.
Identity: TypeAlias = tuple[str | None, str | None, str, str]
OPENING: Final = "opening"  # what stood at a bank before the books began


@dataclass(frozen=True, slots=True)
class Line:
    """One line of theirs. `units` are signed as our claim on them changes.

    `at` is None where the source does not say. `group` is what several things may be about together, an order say;
    `excuse` says why no entry is expected.
    """

    reference: str
    thing: str
    asset: str
    units: int
    at: datetime | None
    group: str | None = None
    excuse: str | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """What one entry of ours does to the accounts of a source, in one asset. A loose one may be about any line."""

    entry_id: str
    thing: str
    asset: str
    units: int
    at: datetime
    loose: bool = False


class BreakKind(StrEnum):
    """What is wrong."""

    NOT_IN_BOOKS = "not_in_books"  # they have a line, we have no entry
    NOT_AT_SOURCE = "not_at_source"  # we have an entry, they have no line
    OTHER_AMOUNT = "other_amount"
    OTHER_CURRENCY = "other_currency"
    DUPLICATE = "duplicate"  # they have it twice
    LATE = "late"  # it is under way by our own rows, and for longer than it should be
    BALANCE = "balance"  # all lines together are not the balance that they state


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that is not explained. `units` is what they have and we do not; below zero, the reverse."""

    kind: BreakKind
    thing: str
    asset: str
    units: int
    line: str | None
    entry_id: str | None
    at: datetime | None
    reason: str

    @property
    def identity(self) -> Identity:
        """What makes it the same break in another run."""
        return self.line, self.entry_id, self.asset, self.kind if self.kind is BreakKind.BALANCE else ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What our own rows and the source's habits excuse.

    `under_way` says of things that we know they are not done, since when; `ours` are all things that we know. A side
    that lacks something has so much time: for lines of theirs `grace`, for entries of ours `patience`.
    """

    now: datetime
    under_way: Mapping[str, datetime] = field(default_factory=dict)
    ours: AbstractSet[str] = field(default_factory=frozenset)
    grace: timedelta = timedelta(minutes=10)
    patience: timedelta = timedelta(days=3)
    longest: timedelta = timedelta(days=7)


@dataclass(slots=True)
class Outcome:
    """What came out: matches of (line, entry), breaks, and units by asset of what is pending or broken."""

    matches: list[tuple[Line, Booked]] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    pending: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    broken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    waiting: int = 0  # how many lines and entries are pending


def reconcile(lines: Sequence[Line], entries: Sequence[Booked], rules: Rules) -> Outcome:
    """Match line by line. Whatever the input, theirs less ours is what is pending and what is broken, to the unit."""
    outcome = Outcome()
    left = _Left(lines, entries)
    _within_things(left, outcome)
    _loose(left, outcome)
    _opening(left, outcome)
    _pairs_of_ours(left, rules)
    _judge(left, rules, outcome)
    return outcome


@dataclass(slots=True)
class _Left:
    """What has not been matched yet: all of both sides, less what is gone."""

    all_lines: Sequence[Line]
    all_entries: Sequence[Booked]
    gone: set[int] = field(default_factory=set)  # by identity: two lines may be alike

    @property
    def lines(self) -> list[Line]:
        return [line for line in self.all_lines if id(line) not in self.gone]

    @property
    def entries(self) -> list[Booked]:
        return [entry for entry in self.all_entries if id(entry) not in self.gone]

    def drop(self, *items: Line | Booked) -> None:
        self.gone.update(id(item) for item in items)


T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def _by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found


def _within_things(left: _Left, outcome: Outcome) -> None:
    """One to one by units first; then all of a thing together, when what is left of it has one sum."""
    lines = _by(left.lines, lambda line: (line.thing, line.asset))
    entries = _by(left.entries, lambda entry: (entry.thing, entry.asset))
    for key in lines.keys() & entries.keys():
        free = _by(entries[key], lambda entry: entry.units)
        for line in lines[key]:
            if free.get(line.units):
                _match(left, outcome, line, free[line.units].pop(0))
        theirs = [line for line in lines[key] if id(line) not in left.gone]
        ours = [entry for entry in entries[key] if id(entry) not in left.gone]
        if theirs and ours and _sum(theirs) == _sum(ours):
            outcome.matches += [(line, ours[0]) for line in theirs]
            left.drop(*theirs, *ours)


def _match(left: _Left, outcome: Outcome, line: Line, entry: Booked) -> None:
    outcome.matches.append((line, entry))
    left.drop(line, entry)


def _sum(items: Iterable[Line | Booked]) -> int:
    return sum(item.units for item in items)


def _loose(left: _Left, outcome: Outcome) -> None:
    """Entries that name no line of theirs take one of the same units that is about nothing else."""
    free = _by((entry for entry in left.entries if entry.loose), lambda entry: (entry.asset, entry.units))
    booked = {entry.thing for entry in left.entries}
    for line in left.lines:
        key = (line.asset, line.units)
        if line.thing not in booked and free.get(key):
            _match(left, outcome, line, free[key].pop(0))


def _opening(left: _Left, outcome: Outcome) -> None:
    """What the books began with is what stood there before, and every line up to then."""
    for entry in [entry for entry in left.entries if entry.thing == OPENING]:
        theirs = [
            line
            for line in left.lines
            if line.asset == entry.asset and (line.thing == OPENING or line.at is None or line.at <= entry.at)
        ]
        if theirs and _sum(theirs) == entry.units:
            outcome.matches += [(line, entry) for line in theirs]
            left.drop(*theirs, entry)


def _pairs_of_ours(left: _Left, rules: Rules) -> None:
    """What went and came back without a word of the other side: an entry and its reversal, a payout that bounced."""
    for _, entries in _by(left.entries, lambda entry: (entry.thing, entry.asset)).items():
        if _sum(entries) == 0:
            left.drop(*entries)
    for (thing, _), lines in _by(left.lines, lambda line: (line.thing, line.asset)).items():
        if _sum(lines) == 0 and thing in rules.ours:
            left.drop(*lines)


def _judge(left: _Left, rules: Rules, outcome: Outcome) -> None:
    matched = {(line.thing, line.asset, line.units) for line, _ in outcome.matches}
    groups = {(line.group, line.asset, line.units) for line, _ in outcome.matches if line.group is not None}
    entries = _by(left.entries, lambda entry: entry.thing)
    for line in left.lines:
        if line.excuse is not None:
            _wait(outcome, line.asset, line.units)
        elif (entry := _partner(line, entries.get(line.thing, []))) is not None:
            entries[line.thing].remove(entry)
            left.drop(entry)
            _differ(line, entry, outcome)
        else:
            twice = (line.thing, line.asset, line.units) in matched or (line.group, line.asset, line.units) in groups
            _judge_line(line, rules, outcome, twice=twice)
    for entry in left.entries:
        _judge_entry(entry, rules, outcome)


def _partner(line: Line, entries: Sequence[Booked]) -> Booked | None:
    """The entry that a line was meant to be: of the same asset if there is one, else of the same units."""
    same_asset = [entry for entry in entries if entry.asset == line.asset]
    return next(iter([*same_asset, *(entry for entry in entries if entry.units == line.units)]), None)


def _differ(line: Line, entry: Booked, outcome: Outcome) -> None:
    if line.asset == entry.asset:
        reason = f"they have {line.units}, the books have {entry.units}"
        _break(outcome, BreakKind.OTHER_AMOUNT, line, line.units - entry.units, reason, entry.entry_id)
        return
    reason = f"they have it in {line.asset}, the books in {entry.asset}"
    _break(outcome, BreakKind.OTHER_CURRENCY, line, line.units, reason, entry.entry_id)
    mirrored = replace(line, asset=entry.asset)  # what is too much there is a break of its own
    _break(outcome, BreakKind.OTHER_CURRENCY, mirrored, -entry.units, reason, entry.entry_id)


def _judge_line(line: Line, rules: Rules, outcome: Outcome, *, twice: bool) -> None:
    since = rules.under_way.get(line.thing)
    if since is not None and rules.now - since <= rules.longest:
        _wait(outcome, line.asset, line.units)
    elif since is not None:
        _break(outcome, BreakKind.LATE, line, line.units, f"under way since {since.date()}")
    elif twice:
        _break(outcome, BreakKind.DUPLICATE, line, line.units, "the same is there once more, and booked")
    elif line.at is not None and rules.now - line.at < rules.grace:
        _wait(outcome, line.asset, line.units)
    else:
        _break(outcome, BreakKind.NOT_IN_BOOKS, line, line.units, "no entry of ours is about it")


def _judge_entry(entry: Booked, rules: Rules, outcome: Outcome) -> None:
    since = rules.under_way.get(entry.thing)
    late = since is not None and rules.now - since > rules.longest
    if not late and (since is not None or rules.now - entry.at < rules.patience):
        _wait(outcome, entry.asset, -entry.units)
        return
    kind = BreakKind.LATE if late else BreakKind.NOT_AT_SOURCE
    reason = f"under way since {since.date()}" if since is not None else "no line of theirs is about it"
    outcome.breaks.append(Break(kind, entry.thing, entry.asset, -entry.units, None, entry.entry_id, entry.at, reason))
    outcome.broken[entry.asset] -= entry.units


def _wait(outcome: Outcome, asset: str, units: int) -> None:
    outcome.pending[asset] += units
    outcome.waiting += 1


def _break(outcome: Outcome, kind: BreakKind, line: Line, units: int, reason: str, entry_id: str | None = None) -> None:
    found = Break(kind, line.thing, line.asset, units, line.reference, entry_id, line.at, reason)
    outcome.breaks.append(found)
    outcome.broken[line.asset] += units
