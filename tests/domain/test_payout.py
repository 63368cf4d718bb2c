"""The PAYOUT table, written down a second time and the other way round; what the public sees, and what it is told."""

from __future__ import annotations

import pytest

from app.domain.errors import IllegalTransition
from app.domain.event_types import EVENT_TYPES
from app.domain.payout import (
    ENDED,
    PAYOUT,
    PAYOUT_EVENTS,
    STATUSES,
    TERMINAL,
    PayoutState,
    PayoutTrigger,
    allowed_actions,
    event_of,
    states_with,
    status_of,
)

S, T = PayoutState, PayoutTrigger

# By trigger: "states > target"; `same` means that the fact is recorded and moves nothing.
EXPECTED = {
    "created": "created > queued",
    "approval_required": "created > pending_approval",
    "approved": "pending_approval > queued",
    "rejected": "pending_approval > canceled",
    "canceled": "pending_approval queued > canceled",
    "prepared": "queued > sending",
    "submitted": "sending > submitted",
    "replaced": "sending submitted settled > same",
    "settled": "sending submitted > settled",
    "failed": "queued sending submitted > failed",
    "returned": "sending submitted settled > returned",
    "blocked": "queued > failed",
    "held": "pending_approval queued sending submitted > same",
    "released": "pending_approval queued sending submitted > same",
}


def expected_target(state: PayoutState, trigger: PayoutTrigger) -> PayoutState | None:
    sources, _, target = EXPECTED[trigger].partition(" > ")
    if state not in sources.split():
        return None
    return state if target == "same" else PayoutState(target)


def test_the_expectation_names_every_trigger() -> None:
    assert set(EXPECTED) == set(PayoutTrigger)


@pytest.mark.parametrize("trigger", PayoutTrigger)
@pytest.mark.parametrize("state", PayoutState)
def test_every_pair_moves_or_refuses(state: PayoutState, trigger: PayoutTrigger) -> None:
    target = expected_target(state, trigger)
    assert PAYOUT.allows(state, trigger) is (target is not None)
    if target is not None:
        assert PAYOUT.target(state, trigger) is target
        return
    with pytest.raises(IllegalTransition, match=rf"{trigger} is not possible while the payout is {state}"):
        PAYOUT.target(state, trigger)


def test_every_state_can_be_reached_and_leads_to_an_end() -> None:
    reached, ways_on = {S.CREATED}, True
    while ways_on:
        more = {target for source, _, target in PAYOUT.edges() if source in reached} - reached
        reached, ways_on = reached | more, bool(more)
    assert reached == set(PayoutState)
    for state in PayoutState:
        on = {target for source, _, target in PAYOUT.edges() if source == state} - {state}
        assert bool(on) is (state not in TERMINAL)
    assert {S.SETTLED} == ENDED - TERMINAL
    assert PAYOUT.allowed(S.SETTLED) == {T.RETURNED, T.REPLACED}  # first-class, however late


def test_nothing_is_called_off_once_the_money_may_be_gone() -> None:
    for state in (S.SENDING, S.SUBMITTED, S.SETTLED):
        assert not PAYOUT.allowed(state) & {T.CANCELED, T.REJECTED, T.PREPARED, T.APPROVED}


def test_the_public_sees_sending_as_queued() -> None:
    assert {state: status_of(state) for state in PayoutState if status_of(state) != state} == {S.SENDING: "queued"}
    assert states_with("queued") == (S.QUEUED, S.SENDING)
    assert states_with("settled") == (S.SETTLED,)
    assert states_with("sending") == ()
    assert tuple(state.value for state in PayoutState if state is not S.SENDING) == STATUSES


def test_every_trigger_but_being_prepared_is_told() -> None:
    assert event_of(T.PREPARED) is None
    told = {event_of(trigger) for trigger in PayoutTrigger} - {None}
    # What a list forbids has failed, and why is nobody's to know.
    assert told == {f"payout.{trigger}" for trigger in PayoutTrigger if trigger not in {T.PREPARED, T.BLOCKED}}
    assert event_of(T.BLOCKED) == "payout.failed"
    assert set(PAYOUT_EVENTS) == told
    assert told <= set(EVENT_TYPES)
    # What is not told changes nothing that is seen.
    assert all(status_of(s) == status_of(t) for s, trigger, t in PAYOUT.edges() if trigger is T.PREPARED)


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        (S.PENDING_APPROVAL, ("approve", "reject", "cancel")),
        (S.QUEUED, ("cancel",)),
        *((state, ()) for state in PayoutState if state not in {S.PENDING_APPROVAL, S.QUEUED}),
    ],
)
def test_what_a_partner_may_ask_for(state: PayoutState, actions: tuple[str, ...]) -> None:
    assert allowed_actions(state) == actions
