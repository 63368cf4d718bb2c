"""Looking at payouts: one, a page of them, and how one has moved."""

from __future__ import annotations

from app.db import approvals as approval_rows
from app.db import moves, payout_lists
from app.db import payouts as payout_rows
from app.db.database import Database
from app.db.pages import Page
from app.db.payout_lists import PayoutFilter
from app.db.payouts import Payout
from app.domain.errors import NotFound
from app.domain.payout import PayoutState, status_of
from app.schemas.payouts import MoveList, MoveOut, PayoutList, PayoutOut
from app.services.payout_view import payout_out


async def get(db: Database, partner_id: str, payout_id: str) -> PayoutOut:
    """A partner's own payout; raises NotFound."""
    payout = await payout_rows.get(db, partner_id, payout_id)
    if payout is None:
        raise NotFound
    return (await _all_shown(db, [payout]))[0]


async def _all_shown(db: Database, found: list[Payout]) -> list[PayoutOut]:
    bound = [payout.id for payout in found if payout.approval_hash is not None]
    async with db.connection() as connection:
        given = await approval_rows.approved(connection, bound) if bound else {}
    by = {resource_id: approval.key_id for resource_id, approval in given.items()}
    return [payout_out(payout, approved_by=by.get(payout.id)) for payout in found]


async def list_page(db: Database, partner_id: str, wanted: PayoutFilter, page: Page) -> PayoutList:
    """A page of payouts, newest first; raises NotFound when the cursor is not a payout of this partner."""
    shown, more = await payout_lists.page(db, partner_id, wanted, page)
    return PayoutList(data=await _all_shown(db, shown), has_more=more)


async def timeline(db: Database, partner_id: str, payout_id: str) -> MoveList:
    """Every transition of a payout, in order; raises NotFound."""
    await get(db, partner_id, payout_id)
    return MoveList(
        data=[
            MoveOut(
                sequence=move.sequence,
                source=move.source,
                trigger=move.trigger,
                target=move.target,
                status=status_of(PayoutState(move.target)),
                actor=move.actor,
                reason=move.reason,
                at=move.at,
            )
            for move in await moves.of_resource(db, payout_id)
        ]
    )
