"""What partners ask of an order that is under way, each in one transaction with its idempotency key."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.domain.assets import asset_by_id
from app.domain.errors import NotFound, PreconditionFailed, ValidationFailed
from app.domain.money import parse_units
from app.domain.order import Direction
from app.ports.chain import Destination
from app.schemas.orders import RefundIn
from app.services import coin_refunds, idempotent, orders, refunds, screening, selling
from app.services.idempotent import Answer, IdempotentRequest
from app.services.order_view import order_out
from app.services.rails import Rails


async def cancel(
    db: Database,
    rails: Rails,
    partner_id: str,
    order_id: str,
    request: IdempotentRequest,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """Call an order off. `expected` are the sequences at which the caller wants this, None for any."""

    async def act(tx: Transaction) -> tuple[int, bytes]:
        await _own(tx, partner_id, order_id, expected)
        return 200, await _shown(tx, rails, await orders.cancel(tx, partner_id, order_id))

    return await idempotent.run(db, request, act)


async def refund(
    db: Database,
    rails: Rails,
    partner_id: str,
    order_id: str,
    body: RefundIn,
    request: IdempotentRequest,
    *,
    expected: AbstractSet[int] | None,
) -> Answer:
    """Give money back. Raises ValidationFailed for an amount that is not one of the order's currency.

    The coins of a sale go to the body's address; raises AddressInvalid or NetworkMismatch when that is none,
    and AddressBlocked.
    """

    if body.address is not None:
        await screening.admit(db, body.address, caller=request, pointer="/address")

    async def act(tx: Transaction) -> tuple[int, bytes]:
        order = await _own(tx, partner_id, order_id, expected)
        units = None
        if body.amount is not None:
            units = parse_units(body.amount, asset_by_id(order.source_asset).decimals, pointer="/amount")
            if units == 0:
                raise ValidationFailed("A refund is of more than nothing.", pointer="/amount")
        if order.order_direction is Direction.SELL:
            destination = await _refund_to(tx, rails, order, body)
            moved = await coin_refunds.request(tx, order, units, destination, actor="partner")
        elif body.address is not None:
            raise ValidationFailed("Money goes back the way it came.", pointer="/address")
        else:
            moved = await refunds.request(tx, order_id, units, partner_id=partner_id, actor="partner")
        return 200, await _shown(tx, rails, moved)

    return await idempotent.run(db, request, act)


async def _refund_to(tx: Transaction, rails: Rails, order: Order, body: RefundIn) -> Destination | None:
    if body.address is None:
        return None
    rail = rails.chain(asset_by_id(order.source_asset).network)
    destination = selling.parsed(rail, body.address, pointer="/address")
    await selling.not_ours(tx, rail.network, destination, pointer="/address")
    return destination


async def _own(tx: Transaction, partner_id: str, order_id: str, expected: AbstractSet[int] | None) -> Order:
    """The partner's order, locked; raises NotFound, and PreconditionFailed when it stands elsewhere than expected."""
    order = await order_rows.lock(tx, order_id)
    if order is None or order.partner_id != partner_id:
        raise NotFound
    if expected is not None and order.sequence not in expected:
        raise PreconditionFailed
    return order


async def _shown(tx: Transaction, rails: Rails, order: Order) -> bytes:
    payment = await payment_rows.of_order(tx, order.id)
    key = None if payment is None else rails.publishable_keys.get(payment.provider)
    return order_out(order, payment, publishable_key=key, with_secret=True).model_dump_json().encode()
