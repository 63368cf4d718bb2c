"""What the sandbox was told to do wrong, and to whom. Armed faults live in memory; what they did to the books stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from providers.sandbox.requests import Call


class FaultKind(StrEnum):
    """A way to misbehave. The first seven spoil requests, the last four webhooks."""

    ERROR_BEFORE = "error_before"  # an error, and nothing was done
    ERROR_AFTER = "error_after"  # an error, though it was done
    LOST_BEFORE = "lost_before"  # the connection closes, and nothing was done
    LOST = "lost"  # the connection closes, though it was done
    DELAY_BEFORE = "delay_before"  # done only after `seconds`, whether anybody still waits or not
    DELAY = "delay"  # done, but answered only after `seconds`
    GARBAGE = "garbage"  # done, and answered 200 with something that is no answer
    WEBHOOK_DUPLICATE = "webhook_duplicate"  # `copies` deliveries in place of one
    WEBHOOK_REORDER = "webhook_reorder"  # the next `times` events arrive in reverse within `seconds`
    WEBHOOK_DELAY = "webhook_delay"  # delivered `seconds` late
    WEBHOOK_DROP = "webhook_drop"  # never delivered, never retried

    @property
    def is_webhook(self) -> bool:
        """Whether this spoils what the sandbox sends rather than what it answers."""
        return self.value.startswith("webhook_")


@dataclass(slots=True)
class Fault:
    """One order to misbehave, `times` times, towards the requests or events that match every given field."""

    kind: FaultKind
    times: int = 1
    target: str | None = None
    method: str | None = None
    path: str | None = None  # a regular expression, searched in the path
    account: str | None = None
    event: str | None = None  # a regular expression, searched in the event's type
    status: int = 500
    retry_after: str | None = None  # sent as it stands: seconds, a date, nonsense
    sticky: bool = False  # the error is also what the idempotency key will answer from now on
    seconds: float = 1.0
    copies: int = 3
    body: str | None = None
    id: int = 0
    armed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Remember how often it was armed for; raises re.error for a pattern that is none."""
        self.armed = self.times
        for pattern in (self.path, self.event):
            re.compile(pattern or "")

    def fits_call(self, call: Call) -> bool:
        """Whether this request is meant."""
        return (
            not self.kind.is_webhook
            and self.target in (None, call.target)
            and self.method in (None, call.method)
            and self.account in (None, call.account)
            and (self.path is None or re.search(self.path, call.path) is not None)
        )

    def fits_event(self, account: str, event_type: str, target: str) -> bool:
        """Whether the webhooks of this event are meant."""
        return (
            self.kind.is_webhook
            and self.target in (None, target)
            and self.account in (None, account)
            and (self.event is None or re.search(self.event, event_type) is not None)
        )


class Faults:
    """Every armed fault, oldest first; one request or event meets at most one."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.armed: list[Fault] = []

    def arm(self, fault: Fault) -> Fault:
        """Add a fault; it disarms itself after `times` uses."""
        fault.id = next(self._numbers)
        self.armed.append(fault)
        return fault

    def clear(self, account: str | None = None) -> int:
        """Disarm all, or those bound to one account; returns how many."""
        kept = [fault for fault in self.armed if account is not None and fault.account != account]
        cleared = len(self.armed) - len(kept)
        self.armed = kept
        return cleared

    def for_call(self, call: Call) -> Fault | None:
        """Use up one fault that fits this request."""
        return self._take(lambda fault: fault.fits_call(call))

    def for_event(self, account: str, event_type: str, target: str = "stripe") -> Fault | None:
        """Use up one fault that fits this event."""
        return self._take(lambda fault: fault.fits_event(account, event_type, target))

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        if not self.armed:
            return None
        for fault in self.armed:
            if fits(fault):
                fault.times -= 1
                if fault.times <= 0:
                    self.armed.remove(fault)
                return fault
        return None
