"""`rampwright keys`: API keys, shown once and kept as hashes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import asyncpg
import typer

from app.cli.instance import opened
from app.cli.output import AsJson, Row, fail, out, print_json, show, told
from app.db.partners import ApiKey, keys_of
from app.services import keys
from app.settings import ProcessSettings

PartnerId = Annotated[str, typer.Argument(help="pt_...")]


def register(app: typer.Typer) -> None:
    """Add `rampwright keys`."""
    group = typer.Typer(help="Partners' API keys.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


def create(
    partner_id: PartnerId,
    scope: Annotated[
        list[str] | None, typer.Option(help="May be repeated; all that a partner may do if left out.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Until it expires; never if left out.")] = None,
    maker_and_checker: Annotated[
        bool, typer.Option("--maker-and-checker", help="Let it both create and approve payouts, though never its own.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a key of this instance's mode. It is shown now and never again."""
    with told():
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
        key_id, key = asyncio.run(_create(partner_id, scope, expires_at, maker_and_checker=maker_and_checker))
    if as_json:
        print_json({"id": key_id, "partner_id": partner_id, "key": key, "expires_at": expires_at})
        return
    out.print(f"{key_id}  [bold]{key}[/]\n[yellow]This is the only time that it is shown.[/]")


def list_(
    partner_id: Annotated[str | None, typer.Option("--partner", help="Only this one's.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the keys by what may be shown of them."""
    with told():
        rows = [_row(key) for key in asyncio.run(_list(partner_id))]
        show(rows, title="keys", as_json=as_json)


def revoke(key_id: Annotated[str, typer.Argument(help="key_...")]) -> None:
    """Take a key out of use at once."""
    with told():
        if not asyncio.run(_revoke(key_id)):
            fail(f"There is no key {key_id} in use.")
    out.print(f"{key_id} is revoked")


async def _create(
    partner_id: str, scopes: list[str] | None, expires_at: datetime | None, *, maker_and_checker: bool
) -> tuple[str, str]:
    mode = ProcessSettings().mode
    async with opened() as db:
        try:
            return await keys.issue(db, partner_id, mode, scopes, expires_at, maker_and_checker=maker_and_checker)
        except asyncpg.ForeignKeyViolationError:
            fail(f"There is no partner {partner_id}.")


async def _list(partner_id: str | None) -> list[ApiKey]:
    async with opened() as db:
        return await keys_of(db, partner_id)


async def _revoke(key_id: str) -> bool:
    async with opened() as db:
        return await keys.revoke(db, key_id)


def _row(key: ApiKey) -> Row:
    return {
        "id": key.id,
        "partner_id": key.partner_id,
        "hint": key.hint,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
