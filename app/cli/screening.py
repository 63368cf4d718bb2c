"""`rampwright screening`: the sanctions lists, and what an operator makes of the cases that they bring up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from app.cli.acting import Actor, Reason
from app.cli.instance import opened
from app.cli.output import FAILED, AsJson, Row, out, show, told
from app.db import screening as rows
from app.db import screening_cases as case_rows
from app.db.database import Transaction
from app.db.screening import ScreeningList, Standing
from app.db.screening_cases import ScreeningCase
from app.domain.screening import match_key
from app.ports.screening import ListUnreadable
from app.services import screening_cases, screening_lists
from app.wiring.screening_list import list_format

ListFile = Annotated[Path, typer.Argument(help="OFAC's sdn_advanced.xml, as you have downloaded it.")]
Address = Annotated[str, typer.Argument(help="Any address, of any network.")]
CaseId = Annotated[str, typer.Argument(help="sc_..., from `rampwright screening list`.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright screening`."""
    group = typer.Typer(help="Sanctions lists, and the cases that they bring up.", no_args_is_help=True)
    group.command("import")(import_)
    group.command("status")(status)
    group.command("check")(check)
    group.command("list")(list_)
    group.command("release")(release)
    group.command("confirm")(confirm)
    app.add_typer(group, name="screening")


def import_(file: ListFile, actor: Actor) -> None:
    """Bring a list in; it is the list from then on. The same file again says that it still stands."""
    with told(ListUnreadable):
        made = asyncio.run(_import(file, actor))
    issued = f"issued on {made.issued_at.date()}"
    out.print(f"{made.source}: {made.addresses} addresses, {issued}; {made.added} new, {made.removed} gone")


def status(as_json: AsJson = False) -> None:
    """Show every required list. Exits 1 while one of them is too old: until then nothing new is let through."""
    with told():
        standings = asyncio.run(_standings())
    show([_of_list(standing) for standing in standings], title="required lists", as_json=as_json)
    if any(standing.problem for standing in standings):
        raise typer.Exit(FAILED)


def check(address: Address, as_json: AsJson = False) -> None:
    """Look an address up as orders do. Exits 1 when a list names it."""
    with told():
        found = asyncio.run(_check(address))
    show(found, title="entries that name it", as_json=as_json)
    if found:
        raise typer.Exit(FAILED)


def list_(as_json: AsJson = False) -> None:
    """List the cases that wait for a decision, oldest first."""
    with told():
        show(asyncio.run(_list()), title="open cases", as_json=as_json)


def release(case_id: CaseId, actor: Actor, reason: Reason) -> None:
    """Let it go on: it is not who the list means, or it is allowed. For this order, payout or deposit alone."""
    _decide(case_id, lambda tx: screening_cases.release(tx, case_id, actor=actor, reason=reason))


def confirm(case_id: CaseId, actor: Actor, reason: Reason) -> None:
    """It is who the list means: the money stays blocked with us. You have to report it; this does not."""
    _decide(case_id, lambda tx: screening_cases.confirm(tx, case_id, actor=actor, reason=reason))


def _decide(case_id: str, decision: Callable[[Transaction], Awaitable[ScreeningCase]]) -> None:
    async def in_transaction() -> ScreeningCase:
        async with opened() as db, db.transaction() as tx:
            return await decision(tx)

    with told():
        case = asyncio.run(in_transaction())
    out.print(f"{case_id} about {case.subject} is {case.state}")


async def _import(file: Path, actor: str) -> ScreeningList:
    async with opened() as db:
        return await screening_lists.bring_in(db, list_format(), file, actor=actor)


async def _standings() -> list[Standing]:
    async with opened() as db, db.connection() as connection:
        return await rows.standings(connection)


async def _check(address: str) -> list[Row]:
    async with opened() as db, db.connection() as connection:
        found = await rows.listed(connection, [match_key(address)])
    return [{"source": row.source, "label": row.label, "entry": row.entry, "name": row.name} for row in found]


async def _list() -> list[Row]:
    async with opened() as db, db.connection() as connection:
        return [_of_case(case) for case in await case_rows.open_cases(connection)]


def _of_list(standing: Standing) -> Row:
    return {
        "source": standing.source,
        "addresses": standing.addresses,
        "issued_at": standing.issued_at,
        "imported_at": standing.imported_at,
        "problem": standing.problem,
    }


def _of_case(case: ScreeningCase) -> Row:
    return {
        "id": case.id,
        "subject": case.subject,
        "kind": case.kind,
        "detail": case.detail,
        "opened_at": case.opened_at,
        "partner_id": case.partner_id,
    }
