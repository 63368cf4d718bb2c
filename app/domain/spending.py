"""The spending policy: what may leave the wallet without a person's word. What no limit covers does not leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

HELD_FOR = "spending_limit"  # the reason of the hold


class Refusal(StrEnum):
    """Why something may not leave by itself."""

    NO_LIMIT = "no_limit"  # nobody has said how much of this asset may leave
    PER_SEND = "per_send"
    PER_HOUR = "per_hour"
    PER_DAY = "per_day"
    PER_ADDRESS = "per_address"


@dataclass(frozen=True, slots=True)
class SpendingLimits:
    """How much of an asset may leave, in its whole units; None does not bind.

    `per_address` is what one address may get within a day.
    """

    per_send: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    per_address: int | None = None

    @property
    def has_window(self) -> bool:
        """Whether what left before matters."""
        return any(limit is not None for limit in (self.per_hour, self.per_day, self.per_address))


@dataclass(frozen=True, slots=True)
class Spent:
    """What left within the last hour and the last day, and within the day to each address, in whole units."""

    hour: int = 0
    day: int = 0
    by_address: Mapping[str, int] | None = None


def judge(
    wanted: Sequence[tuple[str, int]], limits: SpendingLimits | None, spent: Spent, released: Sequence[bool]
) -> list[Refusal | None]:
    """Judge sends of one asset, each (address, units), in their order; None for those that may leave.

    What may leave counts against those behind it. One that a person has `released` leaves whatever the limits say,
    and counts.
    """
    hour, day, to_address = spent.hour, spent.day, Counter(spent.by_address or {})
    found: list[Refusal | None] = []
    for (address, units), may in zip(wanted, released, strict=True):
        refusal = None if may else _refusal(units, limits, hour, day, to_address[address])
        if refusal is None:
            hour, day = hour + units, day + units
            to_address[address] += units
        found.append(refusal)
    return found


def _refusal(units: int, limits: SpendingLimits | None, hour: int, day: int, to_address: int) -> Refusal | None:
    if limits is None:
        return Refusal.NO_LIMIT
    rules = (
        (limits.per_send, units, Refusal.PER_SEND),
        (limits.per_hour, hour + units, Refusal.PER_HOUR),
        (limits.per_day, day + units, Refusal.PER_DAY),
        (limits.per_address, to_address + units, Refusal.PER_ADDRESS),
    )
    return next((refusal for limit, total, refusal in rules if limit is not None and total > limit), None)
