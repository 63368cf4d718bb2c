"""Looking at deposits: one at a time or in pages."""

from __future__ import annotations

from app.db import deposit_lists
from app.db.database import Database
from app.db.deposit_lists import DepositFilter
from app.db.deposits import Deposit
from app.db.pages import Page
from app.domain.errors import NotFound
from app.schemas.deposits import DepositList, DepositOut
from app.services.deposit_view import deposit_out


async def _own(db: Database, partner_id: str, deposit_id: str) -> Deposit:
    deposit = await deposit_lists.get(db, partner_id, deposit_id)
    if deposit is None:
        raise NotFound
    return deposit


async def get(db: Database, partner_id: str, deposit_id: str) -> DepositOut:
    """A partner's own deposit; raises NotFound."""
    deposit = await _own(db, partner_id, deposit_id)
    tips = await deposit_lists.tips(db)
    return deposit_out(deposit, tips.get(deposit.network))


async def list_deposits(db: Database, partner_id: str, wanted: DepositFilter, page: Page) -> DepositList:
    """A page of deposits, newest first; raises NotFound when the cursor is not a deposit of this partner."""
    shown, more = await deposit_lists.page(db, partner_id, wanted, page)
    tips = await deposit_lists.tips(db)
    return DepositList(data=[deposit_out(deposit, tips.get(deposit.network)) for deposit in shown], has_more=more)
