"""The BATCH table: every (state, trigger) either moves as it is written here, or refuses."""

from __future__ import annotations

import itertools

import pytest

from app.domain.errors import IllegalTransition
from app.domain.event_types import EVENT_TYPES
from app.domain.payout_batch import BATCH, BatchState, BatchTrigger, allowed_actions, event_of

S, T = BatchState, BatchTrigger
EDGES = {
    (S.CREATED, T.CREATED): S.PROCESSING,
    (S.CREATED, T.APPROVAL_REQUIRED): S.PENDING_APPROVAL,
    (S.CREATED, T.VALIDATION_STARTED): S.VALIDATING,
    (S.VALIDATING, T.REFUSED): S.INVALID,
    (S.VALIDATING, T.VALIDATED): S.PROCESSING,
    (S.VALIDATING, T.APPROVAL_REQUIRED): S.PENDING_APPROVAL,
    (S.VALIDATING, T.CANCELED): S.CANCELED,
    (S.PENDING_APPROVAL, T.APPROVED): S.PROCESSING,
    (S.PENDING_APPROVAL, T.REJECTED): S.CANCELED,
    (S.PENDING_APPROVAL, T.CANCELED): S.CANCELED,
    (S.PROCESSING, T.APPROVAL_VOID): S.CANCELED,
    (S.PROCESSING, T.COMPLETED): S.COMPLETED,
    (S.PROCESSING, T.PARTIALLY_COMPLETED): S.PARTIALLY_COMPLETED,
}


@pytest.mark.parametrize(("state", "trigger"), list(itertools.product(BatchState, BatchTrigger)))
def test_every_trigger_moves_or_refuses(state: BatchState, trigger: BatchTrigger) -> None:
    assert BATCH.allows(state, trigger) == ((state, trigger) in EDGES)
    if (state, trigger) in EDGES:
        assert BATCH.target(state, trigger) is EDGES[state, trigger]
    else:
        with pytest.raises(IllegalTransition):
            BATCH.target(state, trigger)


@pytest.mark.parametrize("trigger", list(BatchTrigger))
def test_every_move_is_told(trigger: BatchTrigger) -> None:
    assert event_of(trigger) in EVENT_TYPES


def test_what_is_being_paid_cannot_be_called_off() -> None:
    assert allowed_actions(S.PENDING_APPROVAL) == ("approve", "reject", "cancel")
    assert allowed_actions(S.VALIDATING) == ("cancel",)
    assert allowed_actions(S.PROCESSING) == ()
