"""`rampwright holds`: what a hold stops, of any kind, and the ways on: releasing it, or giving the money back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import asyncpg
import typer

from app.cli.acting import Actor, Reason
from app.cli.instance import opened, settings
from app.cli.output import MISUSED, AsJson, Row, fail, out, show, told
from app.db import deposits, payouts, top_ups
from app.db import orders as order_rows
from app.db.columns import Document
from app.db.database import Transaction
from app.db.top_ups import TopUp
from app.schemas.base import format_moment
from app.services import bank_payouts, deposit_credits, payout_releases, refunds, risk
from app.services import top_ups as top_up_moves
from app.wiring import assembly
from app.wiring.needed import NotConfigured
from app.wiring.secrets import intent_keys

Subject = Annotated[str, typer.Argument(help="An order or_..., a payout po_..., a deposit dp_..., a top-up tu_...")]
ForPartner = Annotated[str | None, typer.Option("--partner", help="Whose a held top-up is: pt_...")]

_NOT_SENT_BACK = {
    "dp": "A held deposit can only be released: where its coins came from is no address that anybody asked for.",
    "tu": "Have the bank send it back; the books follow what the bank says.",
}


def register(app: typer.Typer) -> None:
    """Add `rampwright holds`."""
    group = typer.Typer(help="Orders, payouts, deposits and top-ups that wait for a person.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("release")(release)
    group.command("refund")(refund)
    app.add_typer(group, name="holds")


def list_(as_json: AsJson = False) -> None:
    """List them: orders, payouts, deposits, top-ups, each oldest first."""
    with told():
        show(asyncio.run(_list()), title="held", as_json=as_json)


def release(subject: Subject, actor: Actor, reason: Reason, partner: ForPartner = None) -> None:
    """Let it go on where it stood; a top-up becomes its partner's balance, and what can never be mined ends."""
    with told():
        state = asyncio.run(_release(subject, actor, reason, partner))
    out.print(f"{subject} is released: {state}")


def refund(subject: Subject, actor: Actor, reason: Reason) -> None:
    """Give back all that an order holds, or end a payout that has not left: its money is free again."""
    with told(NotConfigured):
        state = asyncio.run(_refund(subject, actor, reason))
    out.print(f"{subject} is {state}")


async def _release(subject: str, actor: str, reason: str, partner: str | None) -> str:
    async def order(tx: Transaction) -> str:
        return (await risk.release(tx, subject, actor=actor, reason=reason)).state

    async def payout(tx: Transaction) -> str:
        keys = intent_keys(settings())
        released = await payout_releases.release(tx, keys, subject, actor=actor, reason=reason)
        return released.state if released.id == subject else f"{released.state}, as {released.id}"

    async def deposit(tx: Transaction) -> str:
        return (await deposit_credits.release(tx, subject, actor=actor, reason=reason)).state

    async def top_up(tx: Transaction) -> str:
        if partner is None:
            fail("Whose is it? --partner says so.", MISUSED)
        try:
            return (await top_up_moves.assign(tx, subject, partner, actor=actor, reason=reason)).status
        except asyncpg.ForeignKeyViolationError:
            fail(f"There is no partner {partner}.")

    act = _by_kind(subject, {"or": order, "po": payout, "dp": deposit, "tu": top_up})
    async with opened() as db, db.transaction() as tx:
        return await act(tx)


async def _refund(subject: str, actor: str, reason: str) -> str:
    async def order() -> str:
        async with opened() as db, db.transaction() as tx:
            return (await refunds.request(tx, subject, None, actor=actor, reason=reason)).state

    async def payout() -> str:
        async with assembly.parts(settings()) as shared:
            return (await bank_payouts.give_up(shared.db, shared.rails, subject, actor=actor, reason=reason)).state

    async def refuse() -> str:
        fail(_NOT_SENT_BACK[subject[:2]])

    return await _by_kind(subject, {"or": order, "po": payout, "dp": refuse, "tu": refuse})()


def _by_kind(subject: str, ways: Mapping[str, Callable[..., Awaitable[str]]]) -> Callable[..., Awaitable[str]]:
    way = ways.get(subject.partition("_")[0])
    if way is None:
        fail(f"{subject} is neither an order, a payout, a deposit nor a top-up.", MISUSED)
    return way


async def _list() -> list[Row]:
    async with opened() as db:
        return [
            *[_row("order", row.id, row.state, row.hold, row.partner_id) for row in await order_rows.held(db)],
            *[_row("payout", row.id, row.state, row.hold, row.partner_id) for row in await payouts.held(db)],
            *[_row("deposit", row.id, row.state, row.hold, row.partner_id) for row in await deposits.held(db)],
            *[_row("top_up", row.id, row.status, _of_top_up(row), row.partner_id) for row in await top_ups.held(db)],
        ]


def _of_top_up(row: TopUp) -> Document:
    return {"reason": row.reason, "since": format_moment(row.created_at)}


def _row(kind: str, subject: str, state: str, hold: Document | None, partner_id: str | None) -> Row:
    about = hold or {}
    return {
        "id": subject,
        "kind": kind,
        "state": state,
        "reason": str(about.get("reason")),
        "since": str(about.get("since")),
        "partner_id": partner_id,
    }
