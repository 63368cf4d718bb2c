"""The catalogue of event types, and the patterns that endpoints subscribe with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.domain.deposit import DEPOSIT_EVENTS
from app.domain.order_public import ORDER_EVENTS
from app.domain.payout import PAYOUT_EVENTS
from app.domain.payout_batch import BATCH_EVENTS
from app.domain.session import SESSION_EVENTS

ENDPOINT_DISABLED: Final = "webhook_endpoint.disabled"
ENDPOINT_TESTED: Final = "webhook_endpoint.tested"  # sent on request, to that endpoint alone

ACCOUNT_EVENTS: Final = tuple(
    f"external_account.{past}" for past in ("closed", "created", "locked", "rejected", "verified")
)
DEPOSIT_ADDRESS_EVENTS: Final = ("deposit_address.created", "deposit_address.deactivated")
TOP_UP_EVENTS: Final = ("top_up.credited", "top_up.held", "top_up.reversed")

EVENT_TYPES: Final = tuple(
    sorted(
        {
            *ORDER_EVENTS,
            *PAYOUT_EVENTS,
            *BATCH_EVENTS,
            *DEPOSIT_EVENTS,
            *DEPOSIT_ADDRESS_EVENTS,
            *ACCOUNT_EVENTS,
            *TOP_UP_EVENTS,
            *SESSION_EVENTS,
            ENDPOINT_DISABLED,
            ENDPOINT_TESTED,
        }
    )
)
_RESOURCES: Final = frozenset(kind.partition(".")[0] for kind in EVENT_TYPES)


def is_known_pattern(pattern: str) -> bool:
    """Whether a subscription can ever match: `*`, `order.*`, or the name of one type."""
    resource, _, rest = pattern.partition(".")
    return pattern == "*" or pattern in EVENT_TYPES or (rest == "*" and resource in _RESOURCES)


def subscribes(patterns: Iterable[str], kind: str) -> bool:
    """Whether any of the patterns covers this type of event."""
    return not {"*", kind, f"{kind.partition('.')[0]}.*"}.isdisjoint(patterns)
