"""Head age: a chain whose newest block is old has stopped, or our node has lost it. Nothing is sent or counted then."""

from __future__ import annotations

from datetime import timedelta

from app.db import chain
from app.db.alerts import raise_alert, resolve_alert
from app.db.database import Database, Transaction
from app.services.spending import SendWaits

ALERT = "chain_stale"


class ChainStale(SendWaits):
    """The newest block that we know is older than a chain that lives lets it become."""


async def is_fresh(tx: Transaction, network: str, most: timedelta | None) -> bool:
    """Whether the newest block is young enough by its own time; always, without a limit."""
    if most is None:
        return True
    age = await chain.head_age(tx, network)
    return age is None or age <= most


async def require_fresh(tx: Transaction, network: str, most: timedelta | None) -> None:
    """Raise ChainStale when the newest block is too old."""
    if not await is_fresh(tx, network, most):
        raise ChainStale(f"{network}: the newest block is older than {most}")


async def watch(db: Database, network: str, most: timedelta | None) -> bool:
    """Tell a person of a chain that stands still while something waits for it; whether it moves."""
    async with db.transaction() as tx:
        fresh = await is_fresh(tx, network, most)
        if fresh:
            await resolve_alert(tx, ALERT, network)
        elif await chain.awaits_depth(tx, network):
            await raise_alert(tx, ALERT, network, f"the newest block is older than {most}: nothing is sent or counted")
    return fresh
