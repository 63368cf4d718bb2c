"""Payouts: money going out to a bank account or a wallet. Their states, and the table that moves them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.machine import Machine


class PayoutKind(StrEnum):
    """Whose money goes out, and why."""

    PAYOUT = "payout"  # a partner's own, from its balance
    SALE = "sale"  # what a sell order brought
    REFUND = "refund"  # coins of an order that go back to the customer


class PayoutMethod(StrEnum):
    """How it travels."""

    ACH = "ach"
    RTP = "rtp"
    WIRE = "wire"
    SEPA = "sepa"
    CHAIN = "chain"


class PayoutState(StrEnum):
    """Where a payout stands. The public sees `sending` as `queued`: nothing is certain, and nothing can be undone."""

    CREATED = "created"  # only inside the creating transaction
    PENDING_APPROVAL = "pending_approval"
    QUEUED = "queued"
    SENDING = "sending"  # a request, or bytes, are fixed and may have left
    SUBMITTED = "submitted"  # the bank or the network has it
    SETTLED = "settled"
    FAILED = "failed"
    CANCELED = "canceled"
    RETURNED = "returned"


class PayoutTrigger(StrEnum):
    """A fact that moves a payout, or is recorded on it."""

    CREATED = "created"
    APPROVAL_REQUIRED = "approval_required"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELED = "canceled"
    PREPARED = "prepared"
    SUBMITTED = "submitted"
    REPLACED = "replaced"  # another transaction of ours pays it: at a higher fee, or it is the one that was mined
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"
    BLOCKED = "blocked"  # a person found its address to be on a sanctions list: its money stays with us
    HELD = "held"
    RELEASED = "released"


S = PayoutState
T = PayoutTrigger

TERMINAL: Final = frozenset({S.FAILED, S.CANCELED, S.RETURNED})
# States in which nothing more happens by our own doing; a bank may still send a settled payout back.
ENDED: Final = TERMINAL | {S.SETTLED}

_EDGES: dict[tuple[PayoutState, PayoutTrigger], PayoutState] = {
    (S.CREATED, T.CREATED): S.QUEUED,
    (S.CREATED, T.APPROVAL_REQUIRED): S.PENDING_APPROVAL,
    (S.PENDING_APPROVAL, T.APPROVED): S.QUEUED,
    (S.PENDING_APPROVAL, T.REJECTED): S.CANCELED,
    (S.PENDING_APPROVAL, T.CANCELED): S.CANCELED,
    (S.QUEUED, T.CANCELED): S.CANCELED,
    # From here on the money may be gone: only the bank or the chain can say that it is not.
    (S.QUEUED, T.PREPARED): S.SENDING,
    (S.QUEUED, T.FAILED): S.FAILED,
    (S.QUEUED, T.BLOCKED): S.FAILED,
    (S.SENDING, T.SUBMITTED): S.SUBMITTED,
    (S.SENDING, T.REPLACED): S.SENDING,
    (S.SUBMITTED, T.REPLACED): S.SUBMITTED,
    (S.SETTLED, T.REPLACED): S.SETTLED,
    # The answer, or the whole time between, can be lost on the way to us.
    (S.SENDING, T.SETTLED): S.SETTLED,
    (S.SENDING, T.FAILED): S.FAILED,
    (S.SENDING, T.RETURNED): S.RETURNED,
    (S.SUBMITTED, T.SETTLED): S.SETTLED,
    (S.SUBMITTED, T.FAILED): S.FAILED,
    (S.SUBMITTED, T.RETURNED): S.RETURNED,
    # A bank transfer can come back days after it was done.
    (S.SETTLED, T.RETURNED): S.RETURNED,
    **{
        (state, trigger): state
        for state in (S.PENDING_APPROVAL, S.QUEUED, S.SENDING, S.SUBMITTED)
        for trigger in (T.HELD, T.RELEASED)
    },
}
PAYOUT: Final[Machine[PayoutState, PayoutTrigger]] = Machine("payout", _EDGES, noun="payout")

_STATUS: Final = {S.SENDING: "queued"}


def status_of(state: PayoutState) -> str:
    """What the API calls the state."""
    return _STATUS.get(state, state.value)


def states_with(status: str) -> tuple[PayoutState, ...]:
    """Every state that the public sees as `status`."""
    return tuple(state for state in PayoutState if status_of(state) == status)


STATUSES: Final = tuple(dict.fromkeys(status_of(state) for state in PayoutState))


# Being prepared is between us and the signer: the public status does not change, and so nobody is told.
_UNTOLD: Final = frozenset({T.PREPARED})


def event_of(trigger: PayoutTrigger) -> str | None:
    """The event that a trigger emits; None for one that changes nothing the public can see."""
    if trigger is T.BLOCKED:
        return event_of(T.FAILED)
    return None if trigger in _UNTOLD else f"payout.{trigger.value}"


PAYOUT_EVENTS: Final = tuple(sorted(name for trigger in T if (name := event_of(trigger)) is not None))


def allowed_actions(state: PayoutState) -> tuple[str, ...]:
    """What the partner may ask of the payout in this state."""
    actions = {"approve": T.APPROVED, "reject": T.REJECTED, "cancel": T.CANCELED}
    return tuple(name for name, trigger in actions.items() if PAYOUT.allows(state, trigger))
