"""Screening: when two spellings are one address, when a list is too old to be believed, and how a case may end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.domain.machine import Machine

# The neutral word that partners and customers read; what was found is for the operator alone.
HOLD: Final = "screening_hold"

_HEX_ADDRESS: Final = re.compile(r"0[xX][0-9a-fA-F]{40}")
# BIP-173: a prefix, the digit 1, then at least the six characters of the checksum, all in one case.
_BECH32: Final = re.compile(r"[a-z]{1,12}1[02-9ac-hj-np-z]{6,}")


def match_key(text: str) -> str:
    """The one spelling under which an address is looked up, whatever network a list files it under.

    Hex addresses differ by a checksum in capitals only (EIP-55), bech32 ones may be written all in capitals
    (BIP-173), also behind a prefix such as `bitcoincash:`. Everything else is compared letter by letter.
    """
    bare = "".join(text.split())
    if _HEX_ADDRESS.fullmatch(bare):
        return bare.lower()
    one_case = bare in (bare.lower(), bare.upper())
    if one_case and _BECH32.fullmatch(bare.lower().rpartition(":")[2]):
        return bare.lower()
    return bare


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a list may be: since it was last fetched, and since its publisher issued it."""

    fetched_within: timedelta
    issued_within: timedelta

    def problem(self, *, imported_at: datetime | None, issued_at: datetime | None, now: datetime) -> str | None:
        """Why the list is not to be believed any more; None while it is."""
        if imported_at is None or issued_at is None:
            return "no list was ever imported"
        if now - imported_at > self.fetched_within:
            return f"the list was imported {_hours(now - imported_at)} hours ago"
        if now - issued_at > self.issued_within:
            return f"the list was issued {(now - issued_at).days} days ago"
        return None


def _hours(age: timedelta) -> int:
    return int(age.total_seconds()) // 3600


class CaseKind(StrEnum):
    """Why something was stopped."""

    MATCH = "match"  # an address is on a list
    UNCHECKED = "unchecked"  # no list was fresh enough to tell


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    RELEASED = "released"  # a person found that it may go on
    CONFIRMED = "confirmed"  # a person found that it is who the list means: the money stays blocked
    CLEARED = "cleared"  # a fresh list names none of its addresses; only what was unchecked ends so


class CaseTrigger(StrEnum):
    """What ends a case."""

    RELEASED = "released"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"


CASE: Final[Machine[CaseState, CaseTrigger]] = Machine(
    "screening_case",
    {
        (CaseState.OPEN, CaseTrigger.RELEASED): CaseState.RELEASED,
        (CaseState.OPEN, CaseTrigger.CONFIRMED): CaseState.CONFIRMED,
        (CaseState.OPEN, CaseTrigger.CLEARED): CaseState.CLEARED,
    },
    noun="case",
)
