"""`rampwright partners`: the businesses that call our API."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.instance import opened
from app.cli.output import AsJson, Row, print_json, show, told
from app.db.columns import new_id
from app.db.partners import all_partners, insert_partner

Name = Annotated[str, typer.Argument(help="What you call them.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright partners`."""
    group = typer.Typer(help="The businesses that call the API.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_)
    app.add_typer(group, name="partners")


def create(name: Name, as_json: AsJson = False) -> None:
    """Add a partner."""
    with told():
        row = asyncio.run(_create(name))
    print_json(row) if as_json else show([row], title="partner", as_json=False)


def list_(as_json: AsJson = False) -> None:
    """List the partners, oldest first."""
    with told():
        show(asyncio.run(_list()), title="partners", as_json=as_json)


async def _create(name: str) -> Row:
    partner_id = new_id("pt")
    async with opened() as db, db.transaction() as tx:
        await insert_partner(tx, partner_id, name)
    return {"id": partner_id, "name": name}


async def _list() -> list[Row]:
    async with opened() as db:
        return [{"id": p.id, "name": p.name, "created_at": p.created_at} for p in await all_partners(db)]
