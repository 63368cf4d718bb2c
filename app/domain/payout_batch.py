"""Payout batches: many payouts in one call. Their states, and the table that moves them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.machine import Machine


class BatchMode(StrEnum):
    """What one bad item means for the others."""

    ALL_OR_NOTHING = "all_or_nothing"
    BEST_EFFORT = "best_effort"


class BatchState(StrEnum):
    """Where a batch stands."""

    CREATED = "created"  # only inside the creating transaction
    VALIDATING = "validating"  # its file is being read
    INVALID = "invalid"
    PENDING_APPROVAL = "pending_approval"
    PROCESSING = "processing"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"
    CANCELED = "canceled"


class BatchTrigger(StrEnum):
    """A fact that moves a batch."""

    CREATED = "created"
    VALIDATION_STARTED = "validation_started"
    REFUSED = "refused"  # its items, or the balance, do not allow it
    VALIDATED = "validated"
    APPROVAL_REQUIRED = "approval_required"
    APPROVED = "approved"
    REJECTED = "rejected"
    APPROVAL_VOID = "approval_void"  # what was approved is not what is there: nothing of it was paid
    CANCELED = "canceled"
    COMPLETED = "completed"  # every item was paid
    PARTIALLY_COMPLETED = "partially_completed"  # every item has ended, not all of them well


S = BatchState
T = BatchTrigger

BATCH: Final[Machine[BatchState, BatchTrigger]] = Machine(
    "batch",
    {
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
    },
    noun="batch",
)


def event_of(trigger: BatchTrigger) -> str:
    """The event that a trigger emits."""
    return f"payout_batch.{trigger.value}"


BATCH_EVENTS: Final = tuple(sorted(event_of(trigger) for trigger in T))


def allowed_actions(state: BatchState) -> tuple[str, ...]:
    """What the partner may ask of the batch in this state."""
    actions = {"approve": T.APPROVED, "reject": T.REJECTED, "cancel": T.CANCELED}
    return tuple(name for name, trigger in actions.items() if BATCH.allows(state, trigger))
