"""Reading orders for partners: filtered pages, and how deep their coins are buried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from app.db.database import Database
from app.db.orders import Order
from app.db.pages import Bounds, Page, newest_first, within


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What an order must be to be listed; everything that is named must hold. Bounds are (operator, moment)."""

    states: Sequence[str] | None = None
    external_id: str | None = None
    created_at: Bounds = ()
    metadata: Mapping[str, str] | None = None


async def page(db: Database, partner_id: str, wanted: OrderFilter, page: Page) -> tuple[list[Order], bool]:
    """A partner's orders, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(Order.partner_id) == partner_id
    query = select(Order).where(mine)
    if wanted.states is not None:
        query = query.where(col(Order.state).in_(wanted.states))
    if wanted.external_id is not None:
        query = query.where(col(Order.external_id) == wanted.external_id)
    query = within(query, col(Order.created_at), wanted.created_at)
    if wanted.metadata:
        query = query.where(col(Order.order_metadata).contains(dict(wanted.metadata)))
    return await newest_first(db, query, mine, col(Order.id), page)


async def confirmations(db: Database, order_ids: Sequence[str]) -> dict[str, int]:
    """How many blocks confirm each order's delivery; an order whose coins are in no block is not in the answer."""
    async with db.connection() as connection:
        records = await connection.fetch(
            """
            SELECT sends.order_id, tip.height - mined.height + 1 AS depth
            FROM sends
            JOIN (
                SELECT network, lineage_id, height FROM chain_transactions
                UNION ALL SELECT network, call_id, height FROM call_attempts
            ) AS mined USING (network, lineage_id)
            CROSS JOIN LATERAL (SELECT max(height) AS height FROM blocks WHERE network = sends.network) AS tip
            WHERE sends.order_id = ANY($1) AND sends.purpose = 'deliver' AND mined.height <= tip.height
            """,
            list(order_ids),
        )
    return {record["order_id"]: record["depth"] for record in records}
