"""The deposits' table, exhausted, and what each move is called outside."""

from __future__ import annotations

import pytest

from app.domain.deposit import DEPOSIT, DEPOSIT_EVENTS, DepositState, DepositTrigger, event_of
from app.domain.errors import IllegalTransition
from app.domain.event_types import EVENT_TYPES

S, T = DepositState, DepositTrigger

# Written down a second time and the other way round: by trigger.
EXPECTED = {
    T.DETECTED: {S.NEW: S.DETECTED, S.ORPHANED: S.DETECTED},
    T.CONFIRMED: {S.DETECTED: S.CONFIRMED},
    T.CREDITED: {S.CONFIRMED: S.CREDITED},
    T.HELD: {S.CONFIRMED: S.HELD},
    T.RELEASED: {S.HELD: S.CREDITED},
    T.BLOCKED: {S.CONFIRMED: S.BLOCKED},
    T.CLEARED: {S.BLOCKED: S.CONFIRMED},
    T.ORPHANED: {state: S.ORPHANED for state in (S.DETECTED, S.CONFIRMED, S.HELD, S.CREDITED, S.BLOCKED)},
}


@pytest.mark.parametrize("trigger", T)
@pytest.mark.parametrize("state", S)
def test_every_pair_moves_or_is_refused(state: DepositState, trigger: DepositTrigger) -> None:
    wanted = EXPECTED[trigger].get(state)
    assert DEPOSIT.allows(state, trigger) == (wanted is not None)
    if wanted is not None:
        assert DEPOSIT.target(state, trigger) is wanted
        return
    with pytest.raises(IllegalTransition) as refusal:
        DEPOSIT.target(state, trigger)
    assert "deposit" in refusal.value.detail


def test_nothing_is_booked_before_it_is_deep_enough() -> None:
    booked = {S.CREDITED, S.HELD, S.BLOCKED}
    entering = {source for source, _, target in DEPOSIT.edges() if target in booked and source not in booked}
    assert entering == {S.CONFIRMED}
    assert {source for source, _, target in DEPOSIT.edges() if target is S.CONFIRMED} == {S.DETECTED, S.BLOCKED}


def test_every_state_can_be_lost_and_found_again() -> None:
    for state in set(S) - {S.NEW, S.ORPHANED}:
        assert DEPOSIT.target(state, T.ORPHANED) is S.ORPHANED
    assert DEPOSIT.allowed(S.ORPHANED) == {T.DETECTED}


def test_every_move_has_its_event() -> None:
    assert {trigger: event_of(trigger) for trigger in T} == {
        T.DETECTED: "deposit.detected",
        T.CONFIRMED: "deposit.confirmed",
        T.CREDITED: "deposit.credited",
        T.HELD: "deposit.held",
        T.RELEASED: "deposit.credited",
        T.BLOCKED: "deposit.blocked",
        T.CLEARED: "deposit.confirmed",
        T.ORPHANED: "deposit.orphaned",
    }
    assert set(DEPOSIT_EVENTS) < set(EVENT_TYPES)
