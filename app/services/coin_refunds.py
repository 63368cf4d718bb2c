"""Refunds of sell orders: the coins go back whole, to an address that the customer has given."""

from __future__ import annotations

from app.db import orders as order_rows
from app.db.database import Transaction
from app.db.orders import Order
from app.domain.errors import ConflictState, ValidationFailed
from app.domain.order import MACHINES, Direction, OrderState, OrderTrigger
from app.ports.chain import Destination
from app.services import orders, screening
from app.services.orders import Fact

T = OrderTrigger
ADDRESS_MISSING = "refund_address_missing"


async def request(
    tx: Transaction,
    order: Order,
    units: int | None,
    destination: Destination | None,
    *,
    actor: str | None = None,
    reason: str | None = None,
) -> Order:
    """Ask for the coins of a locked sell order back, to `destination` or to the address that is known.

    A refund that waits for an address goes on with it. Raises IllegalTransition when the order is being paid out or
    holds nothing by its state, ConflictState when it holds nothing, is stopped or the coins are on their way, and
    ValidationFailed for a part of them or without any address.
    """
    MACHINES[Direction.SELL].target(order.order_state, T.REFUND_REQUESTED)
    await screening.not_stopped(tx, order.id)
    held = await orders.money_held(tx, order)
    if held == 0:
        raise ConflictState("Nothing is left to refund.")
    if units is not None and units != held:
        raise ValidationFailed("The coins of a sale go back whole.", pointer="/amount")
    if destination is None and order.refund_script is None and actor == "partner":
        raise ValidationFailed("Nobody has said where the coins go back to.", pointer="/address")
    if destination is not None:
        await order_rows.set_refund_address(tx, order, destination.text, destination.script)
    if order.order_state is not OrderState.REFUNDING:
        fact = Fact(T.REFUND_REQUESTED, f"{order.id}:{order.sequence}", actor=actor, reason=reason)
        await orders.move(tx, order, fact)
    if order.hold is not None and (order.refund_script is not None or order.hold["reason"] != ADDRESS_MISSING):
        # Giving the coins back is one of the two ways to end what stopped the sale.
        fact = Fact(T.RELEASED, f"{order.id}:{order.sequence}", actor=actor, reason=reason or "the coins go back")
        await orders.move(tx, order, fact)
    return order
