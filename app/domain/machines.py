"""Every state machine described in one form: what the API shows of them, and the docs' pictures are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Final, Literal

from app.domain import deposit, external_account, order, order_public, payout, payout_batch
from app.domain.machine import Machine, S, T
from app.domain.order import Direction, OrderState, OrderTrigger
from app.domain.order_jobs import job_after


@dataclass(frozen=True, slots=True)
class State:
    """One state, and what the public sees of it. In a terminal one nothing more happens by our own doing."""

    name: str
    status: str
    stage: str | None
    terminal: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge, the event that it emits, and the job that it starts."""

    source: str
    trigger: str
    target: str
    event: str | None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A machine: its states in the order of the code, its edges in the order of the table."""

    resource: str
    direction: Literal["buy", "sell"] | None
    states: tuple[State, ...]
    edges: tuple[Edge, ...]


def _describe(
    resource: str,
    machine: Machine[S, T],
    *,
    terminal: Set[S],
    event: Callable[[T], str | None],
    status: Callable[[S], str] | None = None,
) -> Description:
    edges = list(machine.edges())
    reached = dict.fromkeys(state for source, _, target in edges for state in (source, target))
    return Description(
        resource,
        None,
        tuple(
            State(state, state.value if status is None else status(state), None, state in terminal) for state in reached
        ),
        tuple(Edge(source, trigger, target, event(trigger)) for source, trigger, target in edges),
    )


def _order(direction: Direction, name: Literal["buy", "sell"]) -> Description:
    edges = list(order.MACHINES[direction].edges())
    reached = {state for source, _, target in edges for state in (source, target)}
    return Description(
        "order",
        name,
        tuple(
            State(state, order_public.status_of(state), order_public.stage_of(state), state in order.TERMINAL)
            for state in OrderState
            if state in reached
        ),
        tuple(_order_edge(direction, *edge) for edge in edges),
    )


def _order_edge(direction: Direction, source: OrderState, trigger: OrderTrigger, target: OrderState) -> Edge:
    event = order_public.event_of(source, trigger, target)
    return Edge(source, trigger, target, event, job_after(direction, source, trigger, target))


_BATCH_ENDED = frozenset(
    {
        payout_batch.BatchState.INVALID,
        payout_batch.BatchState.COMPLETED,
        payout_batch.BatchState.PARTIALLY_COMPLETED,
        payout_batch.BatchState.CANCELED,
    }
)

DESCRIPTIONS: Final = (
    _order(Direction.BUY, "buy"),
    _order(Direction.SELL, "sell"),
    _describe("payout", payout.PAYOUT, terminal=payout.ENDED, event=payout.event_of, status=payout.status_of),
    _describe("batch", payout_batch.BATCH, terminal=_BATCH_ENDED, event=payout_batch.event_of),
    _describe(
        "deposit",
        deposit.DEPOSIT,
        terminal=frozenset({deposit.DepositState.CREDITED, deposit.DepositState.ORPHANED}),
        event=deposit.event_of,
    ),
    _describe(
        "external_account",
        external_account.EXTERNAL_ACCOUNT,
        terminal=frozenset({external_account.AccountState.CLOSED}),
        event=external_account.event_of,
    ),
)
RESOURCES: Final = tuple(dict.fromkeys(description.resource for description in DESCRIPTIONS))
