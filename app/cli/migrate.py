"""`rampwright migrate`: bring the database to this program's schema."""

from __future__ import annotations

import asyncio

import typer

from app.cli.instance import opened
from app.cli.output import out, told
from app.db.migrate import migrate as apply


def register(app: typer.Typer) -> None:
    """Add `rampwright migrate`."""
    app.command("migrate")(migrate)


def migrate() -> None:
    """Apply every migration that is missing. Safe to repeat, and to run twice at once."""
    with told():
        asyncio.run(_migrate())
    out.print("[green]the database is at the newest schema[/]")


async def _migrate() -> None:
    async with opened() as db:
        await apply(db)
