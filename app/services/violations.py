"""Contract violations: a provider that answers a look-up with what it does not document stops the order it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from app.db import orders as order_rows
from app.db.alerts import raise_alert
from app.db.database import Database
from app.domain.order import MACHINES, OrderTrigger
from app.ports.errors import CONTRACT_VIOLATION, OutcomeUnknown
from app.services import orders

REASON: Final = "provider_contract_violation"


@asynccontextmanager
async def watched(db: Database, order_id: str) -> AsyncIterator[None]:
    """Ask a provider how things stand. An answer that cannot be used holds the order, and is raised all the same.

    An answer to a request that moves money is only unknown: the look-up that follows decides. Where that cannot be
    read either, asking again will not help, and a person has to.
    """
    try:
        yield
    except OutcomeUnknown as unusable:
        if unusable.code == CONTRACT_VIOLATION:
            await _hold(db, order_id, str(unusable))
        raise


async def _hold(db: Database, order_id: str, what: str) -> None:
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        await raise_alert(tx, REASON, order_id, what)
        if order is None or order.hold is not None:
            return
        if MACHINES[order.order_direction].allows(order.order_state, OrderTrigger.HELD):
            await orders.hold(tx, order_id, REASON, cause=f"{order_id}:{order.sequence}")
