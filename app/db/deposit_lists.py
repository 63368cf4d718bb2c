"""Reading deposits for partners: one, or filtered pages."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select

from app.db.database import Database
from app.db.deposits import Deposit
from app.db.pages import Bounds, Page, newest_first, within


@dataclass(frozen=True, slots=True)
class DepositFilter:
    """What a deposit must be to be listed; everything that is named must hold. Bounds are (operator, moment)."""

    state: str | None = None
    order_id: str | None = None
    deposit_address_id: str | None = None
    created_at: Bounds = ()


async def get(db: Database, partner_id: str, deposit_id: str) -> Deposit | None:
    """A partner's own deposit."""
    async with db.session() as session:
        found = await session.exec(
            select(Deposit).where(col(Deposit.id) == deposit_id, col(Deposit.partner_id) == partner_id)
        )
        return found.first()


async def page(db: Database, partner_id: str, wanted: DepositFilter, page: Page) -> tuple[list[Deposit], bool]:
    """A partner's deposits, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(Deposit.partner_id) == partner_id
    query = select(Deposit).where(mine)
    if wanted.state is not None:
        query = query.where(col(Deposit.state) == wanted.state)
    if wanted.order_id is not None:
        query = query.where(col(Deposit.order_id) == wanted.order_id)
    if wanted.deposit_address_id is not None:
        query = query.where(col(Deposit.deposit_address_id) == wanted.deposit_address_id)
    query = within(query, col(Deposit.created_at), wanted.created_at)
    return await newest_first(db, query, mine, col(Deposit.id), page)


async def tips(db: Database) -> dict[str, int]:
    """The height of the newest block that we know, by network."""
    async with db.connection() as connection:
        records = await connection.fetch("SELECT network, max(height) AS height FROM blocks GROUP BY network")
    return {record["network"]: record["height"] for record in records}
