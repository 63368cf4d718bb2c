"""`rampwright reconcile`: every source held against the ledger, line by line; and what people make of breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from app.cli.acting import Actor, Reason
from app.cli.instance import opened, settings
from app.cli.output import FAILED, MISUSED, AsJson, Row, err, fail, out, show, told
from app.db.database import Transaction
from app.db.reconciliation import ReconciliationBreak, ReconciliationRun, open_breaks
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.services import breaks, reconciliation
from app.services.reconciliation import Patience
from app.wiring import assembly
from app.wiring.needed import NotConfigured

Source = Annotated[str | None, typer.Option(help="Only this one: stripe, increase, sepa, bitcoin ...")]
Grace = Annotated[float, typer.Option(help="Seconds that a source may be ahead of the books before it counts.")]
BreakId = Annotated[str, typer.Argument(help="rb_..., from `rampwright reconcile breaks`.")]
Account = Annotated[str, typer.Argument(help=f"Where the other side stands: {', '.join(breaks.ACCOUNTS)}.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright reconcile`."""
    group = typer.Typer(help="Every line of every provider, bank and chain against the ledger.")
    group.callback(invoke_without_command=True)(reconcile)
    group.command("breaks")(breaks_)
    group.command("explain")(explain)
    group.command("propose")(propose)
    group.command("approve")(approve)
    app.add_typer(group, name="reconcile")


def reconcile(context: typer.Context, source: Source = None, as_json: AsJson = False, grace: Grace = 600.0) -> None:
    """Match line by line now; exit 0 only when everything was read and nothing is broken."""
    if context.invoked_subcommand is not None:
        return
    with told(NotConfigured), err.status("reconciling ..."):
        runs = asyncio.run(_reconcile(source, Patience(grace=timedelta(seconds=grace))))
    show([row for run in runs for row in _of_run(run)], title="reconciliation", as_json=as_json)
    if not reconciliation.clean(runs):
        raise typer.Exit(FAILED)


def breaks_(as_json: AsJson = False) -> None:
    """List what is open, oldest first. Exits 1 while there is any."""
    with told():
        found = asyncio.run(_breaks())
    show([_of_break(broken) for broken in found], title="open breaks", as_json=as_json)
    if found:
        raise typer.Exit(FAILED)


def explain(break_id: BreakId, actor: Actor, reason: Reason) -> None:
    """Say what a break is. Nothing is booked; it counts as explained while its amount stays the same."""
    _act(break_id, lambda tx: breaks.explain(tx, break_id, actor=actor, reason=reason))


def propose(break_id: BreakId, account: Account, actor: Actor, reason: Reason) -> None:
    """Ask for a correcting entry. Nothing is booked before somebody else approves it."""
    _act(break_id, lambda tx: breaks.propose(tx, break_id, account, actor=actor, reason=reason))


def approve(break_id: BreakId, actor: Actor, reason: Reason) -> None:
    """Book what another person has proposed."""
    _act(break_id, lambda tx: breaks.approve(tx, break_id, actor=actor, reason=reason))


def _act(break_id: str, act: Callable[[Transaction], Awaitable[ReconciliationBreak]]) -> None:
    async def in_transaction() -> ReconciliationBreak:
        async with opened() as db, db.transaction() as tx:
            return await act(tx)

    with told():
        broken = asyncio.run(in_transaction())
    out.print(f"{break_id} is {broken.resolution or broken.state}")


async def _reconcile(source: str | None, patience: Patience) -> list[ReconciliationRun]:
    configured = settings()
    async with assembly.parts(configured) as shared:
        far_side = assembly.far_side(configured, shared)
        known = reconciliation.sources_of(far_side)
        if source is not None and source not in known:
            fail(f"There is no source {source}: {', '.join(known)}.", MISUSED)
        return await reconciliation.run_all(shared.db, far_side, only=source, patience=patience)


async def _breaks() -> list[ReconciliationBreak]:
    async with opened() as db:
        return await open_breaks(db)


def _of_run(run: ReconciliationRun) -> list[Row]:
    """One row for each asset; one without amounts when nothing could be read."""
    rows: list[Row] = []
    for asset, units in run.balances.items():
        assert isinstance(units, dict)  # noqa: S101 - as the run wrote it
        amounts = {name: _said(int(str(units[name])), asset) for name in ("theirs", "ours", "pending", "broken")}
        rows.append({**_head(run), **amounts, "broken_units": int(str(units["broken"]))})
    nothing = {"theirs": None, "ours": None, "pending": None, "broken": run.error, "broken_units": None}
    return rows or [{**_head(run), **nothing, "breaks": 1 if run.error else 0}]


def _head(run: ReconciliationRun) -> dict[str, str | int]:
    return {"source": run.source, "lines": run.lines, "matched": run.matched, "breaks": run.breaks}


def _said(units: int, asset: str) -> str:
    return str(Money(units, asset_by_id(asset)))


def _of_break(broken: ReconciliationBreak) -> Row:
    return {
        "id": broken.id,
        "source": broken.source,
        "kind": broken.kind,
        "amount": _said(broken.units, broken.asset),
        "about": broken.thing,
        "line": broken.line_reference,
        "entry": broken.entry_id,
        "reason": broken.detail,
        "days": (datetime.now(UTC) - broken.opened_at).days,
    }
