"""`rampwright notifications`: what providers told us and nobody could make sense of."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.acting import Actor, Reason
from app.cli.instance import opened
from app.cli.output import AsJson, Row, out, show, told
from app.db.notifications import Notification, in_state
from app.services.notifications import retry as retry_notification

WAITING = ("parked", "quarantined")
State = Annotated[list[str] | None, typer.Option(help="May be repeated; parked and quarantined if left out.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright notifications`."""
    group = typer.Typer(help="Providers' notifications that wait for a person.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("retry")(retry)
    app.add_typer(group, name="notifications")


def list_(state: State = None, as_json: AsJson = False) -> None:
    """List them, newest first, a thousand at most."""
    with told():
        rows = [_row(found) for found in asyncio.run(_list(list(state or WAITING)))]
        show(rows, title="notifications", as_json=as_json)


def retry(
    notification_id: Annotated[str, typer.Argument(help="nt_...")],
    actor: Actor,
    reason: Reason,
) -> None:
    """Have a parked or ignored notification processed again."""
    with told():
        asyncio.run(_retry(notification_id, actor, reason))
    out.print(f"{notification_id} will be processed again")


async def _list(states: list[str]) -> list[Notification]:
    async with opened() as db:
        return await in_state(db, states)


async def _retry(notification_id: str, actor: str, reason: str) -> None:
    async with opened() as db, db.transaction() as tx:
        await retry_notification(tx, notification_id, actor=actor, reason=reason)


def _row(found: Notification) -> Row:
    return {
        "id": found.id,
        "provider": found.provider,
        "notification_id": found.notification_id,
        "kind": found.kind,
        "state": found.state,
        "tries": found.tries,
        "error": found.error,
        "received_at": found.received_at,
    }
