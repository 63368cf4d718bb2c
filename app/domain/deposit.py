"""Deposits: coins arriving at an address that we gave out. Their states, and the table that moves them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.domain.machine import Machine


class DepositState(StrEnum):
    """Where a deposit stands. Nothing is booked before it is `credited` or `held`."""

    NEW = "new"  # only inside the transaction that sees it first
    DETECTED = "detected"  # seen, in a block or waiting for one; not deep enough to count
    CONFIRMED = "confirmed"  # deep enough; what follows from it has still to be done
    CREDITED = "credited"  # booked to the order or to the partner's balance
    HELD = "held"  # ours, and waiting for a person
    BLOCKED = "blocked"  # sent from an address on a sanctions list: ours to keep, nobody's to have
    ORPHANED = "orphaned"  # replaced, or reorganised away


class DepositTrigger(StrEnum):
    """A fact that moves a deposit."""

    DETECTED = "detected"
    CONFIRMED = "confirmed"
    CREDITED = "credited"
    HELD = "held"
    RELEASED = "released"  # a person lets a held deposit be credited
    BLOCKED = "blocked"  # its sender is on a sanctions list
    CLEARED = "cleared"  # a person found that it is not who the list means: it counts as any other
    ORPHANED = "orphaned"


S = DepositState
T = DepositTrigger

DEPOSIT: Final[Machine[DepositState, DepositTrigger]] = Machine(
    "deposit",
    {
        (S.NEW, T.DETECTED): S.DETECTED,
        (S.DETECTED, T.CONFIRMED): S.CONFIRMED,
        (S.DETECTED, T.ORPHANED): S.ORPHANED,
        (S.CONFIRMED, T.CREDITED): S.CREDITED,
        (S.CONFIRMED, T.HELD): S.HELD,
        (S.CONFIRMED, T.ORPHANED): S.ORPHANED,
        (S.HELD, T.RELEASED): S.CREDITED,
        (S.CONFIRMED, T.BLOCKED): S.BLOCKED,
        (S.BLOCKED, T.CLEARED): S.CONFIRMED,
        # A reorganisation deeper than what we waited for: what was booked is taken back.
        (S.HELD, T.ORPHANED): S.ORPHANED,
        (S.CREDITED, T.ORPHANED): S.ORPHANED,
        (S.BLOCKED, T.ORPHANED): S.ORPHANED,
        # The same transaction, mined again.
        (S.ORPHANED, T.DETECTED): S.DETECTED,
    },
    noun="deposit",
)


_TOLD_AS: Final = {T.RELEASED: "deposit.credited", T.CLEARED: "deposit.confirmed"}


def event_of(trigger: DepositTrigger) -> str:
    """The event that a trigger emits."""
    return _TOLD_AS.get(trigger, f"deposit.{trigger.value}")


DEPOSIT_EVENTS: Final = tuple(sorted({event_of(trigger) for trigger in T}))
