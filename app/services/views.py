"""Looking: orders with all that partners see of them, one at a time or in pages, and what a partner owns."""

from __future__ import annotations

from datetime import datetime

from app.db import ledger, order_lists, payments
from app.db import orders as order_rows
from app.db.database import Database
from app.db.order_lists import OrderFilter
from app.db.orders import Order
from app.db.pages import Page
from app.domain.assets import CATALOGUE, asset_by_id
from app.domain.errors import NotFound
from app.domain.order import OrderState
from app.domain.order_public import stage_of, status_of
from app.schemas.balances import BalanceList, BalanceOut
from app.schemas.base import decimal_of
from app.schemas.orders import OrderList, OrderOut, PostingList, PostingOut, TransitionList, TransitionOut
from app.services.order_view import order_out
from app.services.rails import Rails


async def own_order(db: Database, partner_id: str, order_id: str) -> Order:
    """A partner's own order; raises NotFound, also for somebody else's."""
    order = await order_rows.get(db, partner_id, order_id)
    if order is None:
        raise NotFound
    return order


async def get_order(db: Database, rails: Rails, partner_id: str, order_id: str) -> OrderOut:
    """An order as it stands; raises NotFound."""
    [shown] = await _shown(db, rails, [await own_order(db, partner_id, order_id)])
    return shown


async def list_orders(db: Database, rails: Rails, partner_id: str, wanted: OrderFilter, page: Page) -> OrderList:
    """A page of orders, newest first; raises NotFound when the cursor is not an order of this partner."""
    shown, more = await order_lists.page(db, partner_id, wanted, page)
    return OrderList(data=await _shown(db, rails, shown), has_more=more)


async def _shown(db: Database, rails: Rails, orders: list[Order]) -> list[OrderOut]:
    if not orders:
        return []
    ids = [order.id for order in orders]
    paid_by = await payments.of_orders(db, ids)
    depths = await order_lists.confirmations(db, [order.id for order in orders if order.tx_hash])
    return [
        order_out(
            order,
            payment := paid_by.get(order.id),
            confirmations=depths.get(order.id, 0),
            publishable_key=None if payment is None else rails.publishable_keys.get(payment.provider),
            with_secret=True,
        )
        for order in orders
    ]


async def timeline(db: Database, partner_id: str, order_id: str) -> TransitionList:
    """Every transition of an order, in order; raises NotFound."""
    await own_order(db, partner_id, order_id)
    return TransitionList(
        data=[
            TransitionOut(
                sequence=move.sequence,
                source=move.source,
                trigger=move.trigger,
                target=move.target,
                status=status_of(OrderState(move.target)).value,
                stage=stage_of(OrderState(move.target)),
                actor=move.actor,
                reason=move.reason,
                at=move.at,
            )
            for move in await order_rows.transitions_of(db, order_id)
        ]
    )


async def order_ledger(db: Database, partner_id: str, order_id: str) -> PostingList:
    """Every posting of an order, in the order of booking; raises NotFound."""
    await own_order(db, partner_id, order_id)
    lines = []
    for entry, posting in await ledger.of_order(db, order_id):
        asset = asset_by_id(posting.asset)
        lines.append(
            PostingOut(
                entry_id=entry.id,
                kind=entry.kind,
                reference=entry.reference,
                account=posting.account,
                asset=asset.code,
                network=asset.network,
                amount=decimal_of(posting.units, asset),
                created_at=entry.created_at,
            )
        )
    return PostingList(data=lines)


async def balances(db: Database, partner_id: str, now: datetime) -> BalanceList:
    """What a partner has of every asset, as of the database's clock at the start of the request."""
    owed = await ledger.partner_balances(db, partner_id)
    return BalanceList(
        data=[
            BalanceOut(
                asset=asset.code,
                network=asset.network,
                available=decimal_of(owed.get((asset.id, "available"), 0), asset),
                pending=decimal_of(owed.get((asset.id, "pending"), 0), asset),
            )
            for asset in CATALOGUE
        ],
        as_of=now,
    )
