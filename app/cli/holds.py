"""`rampwright holds`: orders that a hold stops, and the two ways on: releasing them, or giving the money back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from app.cli.acting import Actor, Reason
from app.cli.instance import opened
from app.cli.output import AsJson, Row, out, show, told
from app.db.database import Transaction
from app.db.orders import Order, held
from app.services import orders, refunds

OrderId = Annotated[str, typer.Argument(help="or_...")]


def register(app: typer.Typer) -> None:
    """Add `rampwright holds`."""
    group = typer.Typer(help="Orders that a hold stops.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("release")(release)
    group.command("refund")(refund)
    app.add_typer(group, name="holds")


def list_(as_json: AsJson = False) -> None:
    """List them, oldest first."""
    with told():
        show([_row(order) for order in asyncio.run(_list())], title="held orders", as_json=as_json)


def release(order_id: OrderId, actor: Actor, reason: Reason) -> None:
    """Take the hold off: the order goes on where it stood."""
    with told():
        order = asyncio.run(_in_transaction(lambda tx: orders.release(tx, order_id, actor=actor, reason=reason)))
    out.print(f"{order_id} goes on from {order.state}")


def refund(order_id: OrderId, actor: Actor, reason: Reason) -> None:
    """Give back all that the order holds."""
    with told():
        order = asyncio.run(_in_transaction(lambda tx: refunds.request(tx, order_id, None, actor=actor, reason=reason)))
    out.print(f"{order_id} is {order.state}")


async def _in_transaction(act: Callable[[Transaction], Awaitable[Order]]) -> Order:
    async with opened() as db, db.transaction() as tx:
        return await act(tx)


async def _list() -> list[Order]:
    async with opened() as db:
        return await held(db)


def _row(order: Order) -> Row:
    hold = order.hold or {}
    return {
        "order_id": order.id,
        "state": order.state,
        "reason": str(hold.get("reason")),
        "since": str(hold.get("since")),
        "partner_id": order.partner_id,
    }
