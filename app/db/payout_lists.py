"""Pages of payouts: every filter that is named must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from app.db.database import Database
from app.db.pages import Bounds, Page, newest_first, within
from app.db.payouts import Payout
from app.domain.payout import PayoutState


@dataclass(frozen=True, slots=True)
class PayoutFilter:
    """What a payout must be to be listed. Bounds are (operator, moment)."""

    states: Sequence[PayoutState] | None = None
    external_id: str | None = None
    batch_id: str | None = None
    order_id: str | None = None
    created_at: Bounds = ()
    metadata: Mapping[str, str] | None = None


async def page(db: Database, partner_id: str, wanted: PayoutFilter, page: Page) -> tuple[list[Payout], bool]:
    """A partner's payouts, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(Payout.partner_id) == partner_id
    query = select(Payout).where(mine)
    if wanted.states is not None:
        query = query.where(col(Payout.state).in_([state.value for state in wanted.states]))
    for column, value in (
        (col(Payout.external_id), wanted.external_id),
        (col(Payout.batch_id), wanted.batch_id),
        (col(Payout.order_id), wanted.order_id),
    ):
        if value is not None:
            query = query.where(column == value)
    query = within(query, col(Payout.created_at), wanted.created_at)
    if wanted.metadata:
        query = query.where(col(Payout.payout_metadata).contains(dict(wanted.metadata)))
    return await newest_first(db, query, mine, col(Payout.id), page)
