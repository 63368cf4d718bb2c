"""Machine: what is in the table moves, what is not is refused."""

from __future__ import annotations

from enum import StrEnum

import pytest

from app.domain.errors import Conflict, DomainError, IllegalTransition
from app.domain.machine import Machine


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    WALLED_UP = "walled_up"


class Act(StrEnum):
    PUSH = "push"
    PULL = "pull"
    KNOCK = "knock"


TABLE = {
    (Door.OPEN, Act.PUSH): Door.SHUT,
    (Door.SHUT, Act.PULL): Door.OPEN,
    (Door.SHUT, Act.KNOCK): Door.SHUT,
}


@pytest.fixture
def door() -> Machine[Door, Act]:
    return Machine("door", TABLE)


@pytest.mark.parametrize(("edge", "target"), TABLE.items())
def test_an_edge_leads_to_its_target(door: Machine[Door, Act], edge: tuple[Door, Act], target: Door) -> None:
    assert door.allows(*edge)
    assert door.target(*edge) is target


@pytest.mark.parametrize("edge", [(s, t) for s in Door for t in Act if (s, t) not in TABLE])
def test_what_the_table_does_not_name_is_refused(door: Machine[Door, Act], edge: tuple[Door, Act]) -> None:
    assert not door.allows(*edge)
    with pytest.raises(IllegalTransition) as refusal:
        door.target(*edge)
    assert refusal.value.code == "conflict_state"
    assert edge[1].value in refusal.value.detail
    assert edge[0].value in refusal.value.detail


def test_a_refusal_says_what_would_be_possible(door: Machine[Door, Act]) -> None:
    with pytest.raises(IllegalTransition) as refusal:
        door.target(Door.SHUT, Act.PUSH)
    assert refusal.value.state == {"current": "shut", "allowed": ["knock", "pull"]}


def test_allowed_names_the_triggers_of_one_state(door: Machine[Door, Act]) -> None:
    assert door.allowed(Door.SHUT) == {Act.PULL, Act.KNOCK}
    assert door.allowed(Door.WALLED_UP) == frozenset()


def test_edges_come_in_the_order_of_the_table(door: Machine[Door, Act]) -> None:
    assert list(door.edges()) == [(source, trigger, target) for (source, trigger), target in TABLE.items()]


def test_the_table_cannot_be_changed_afterwards() -> None:
    table = dict(TABLE)
    machine = Machine("door", table)
    table.clear()
    assert machine.allows(Door.OPEN, Act.PUSH)


def test_an_illegal_transition_is_a_conflict_and_no_accident() -> None:
    assert issubclass(IllegalTransition, Conflict)
    assert issubclass(IllegalTransition, DomainError)
