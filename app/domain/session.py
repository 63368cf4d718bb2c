"""Widget sessions: their life, their credential's form, and what a page may never say because it is bound."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Final

from app.domain.order import OrderState
from app.domain.order_public import OrderStatus


class SessionStatus(StrEnum):
    """What the public sees. `completed` is a session whose order is; the rest is stored."""

    CREATED = "created"
    OPENED = "opened"
    ORDERED = "ordered"
    COMPLETED = "completed"
    EXPIRED = "expired"
    REVOKED = "revoked"


SESSION_EVENTS: Final = ("session.created", "session.expired", "session.opened", "session.revoked")
LIFETIME: Final = timedelta(minutes=15)
READABLE: Final = timedelta(days=7)  # how long after its end a session that has an order can be looked at
LOCALES: Final = ("en", "de", "es", "fr", "ar")

# An order that ended with no money in it: another may take its place.
ENDED_EMPTY: Final = frozenset({OrderState.FAILED, OrderState.CANCELED, OrderState.EXPIRED})
# Where the customer can still pay.
PAYABLE: Final = frozenset({OrderStatus.AWAITING_FUNDS, OrderStatus.AWAITING_ACTION})

CREDENTIAL: Final = re.compile(r"rmp_ws_(test|live)_[A-Za-z0-9_-]{43}", re.ASCII)

# Names that a page's requests never have: the partner's server has said all of it. Sending one voids the session.
BOUND: Final = frozenset(
    {
        "allowed_origins",
        "asset",
        "country",
        "customer",
        "destination",
        "direction",
        "external_account_id",
        "external_id",
        "fee",
        "fees",
        "livemode",
        "memo",
        "metadata",
        "network",
        "partner",
        "partner_fee_bps",
        "partner_id",
        "return_url",
        "session_id",
        "source",
    }
)
# Who poisons a history of addresses makes one that begins and ends with as many of the same characters.
LOOK_ALIKE_ENDS: Final = 4


def status_of(stored: str, *, over: bool, order: OrderState | None) -> SessionStatus:
    """What the public sees of a stored status; `over` says that the session's time has passed."""
    status = SessionStatus(stored)
    if status is not SessionStatus.ORDERED or order is None:
        waits = status in {SessionStatus.CREATED, SessionStatus.OPENED}
        return SessionStatus.EXPIRED if over and waits else status
    if order in ENDED_EMPTY:
        return SessionStatus.EXPIRED if over else SessionStatus.OPENED
    return SessionStatus.COMPLETED if order is OrderState.COMPLETED else SessionStatus.ORDERED
