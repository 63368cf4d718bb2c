"""Machine: a transition table and the one function that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from app.domain.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


class Machine(Generic[S, T]):
    """A published table of edges: (state, trigger) -> next state. What the table does not name is refused."""

    def __init__(self, name: str, table: Mapping[tuple[S, T], S], *, noun: str = "order") -> None:
        """`name` is how the machine is called in the API and in the docs: `buy`, `sell`; `noun` is what it moves."""
        self.name = name
        self._noun = noun
        self._table = dict(table)

    def target(self, state: S, trigger: T) -> S:
        """The state that the trigger leads to; raises IllegalTransition when there is no such edge."""
        try:
            return self._table[state, trigger]
        except KeyError:
            raise IllegalTransition(
                f"{trigger} is not possible while the {self._noun} is {state}.",
                state={"current": state.value, "allowed": sorted(t.value for t in self.allowed(state))},
            ) from None

    def allows(self, state: S, trigger: T) -> bool:
        """Whether the table has an edge for the trigger from this state."""
        return (state, trigger) in self._table

    def allowed(self, state: S) -> frozenset[T]:
        """Every trigger that moves, or is recorded, in this state."""
        return frozenset(trigger for source, trigger in self._table if source == state)

    def edges(self) -> Iterator[tuple[S, T, S]]:
        """Every edge as (source, trigger, target), in the table's own order."""
        for (source, trigger), target in self._table.items():
            yield source, trigger, target
