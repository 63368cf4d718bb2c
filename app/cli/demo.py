"""`rampwright demo`: an order or payout of each kind through a running instance, and the auditor at the end."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from typing import Annotated

import typer

from app.cli.driver import Driver, StoryName
from app.cli.output import FAILED, MISUSED, AsJson, err, fail, out, print_json, told
from app.cli.stories.stage import DemoFailed, Story
from app.dev.home import Home
from app.dev.programs import command_line, search_path
from app.settings import ProcessSettings

Amount = Annotated[str, typer.Option(help="Euros to spend with a card.")]
Only = Annotated[list[StoryName] | None, typer.Option(help="Tell only this story; may be repeated.")]
Patience = Annotated[float, typer.Option(min=1, help="Seconds that each step may take.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright demo`."""
    app.command("demo")(demo)


def demo(amount: Amount = "100.00", patience: Patience = 60.0, only: Only = None, as_json: AsJson = False) -> None:
    """Buy, sell, pay out, pay a thousand and be sent one back, through a running `rampwright dev`; then audit it.

    Exit 0 only when all of it completed, the audit is clean and every unit is reconciled.
    """
    with told(DemoFailed):
        process = ProcessSettings()
        instance = None if process.livemode else Home(process.home).instance()
        if instance is None:
            fail(f"There is no `rampwright dev` in {process.home}; start one with `make run`.", MISUSED)
        with err.status("...") as status:
            driver = Driver(instance, amount=amount, patience=patience, busy=status.update, only=only or ())
            _tell(driver, quiet=as_json)
        audited = _audit(quiet=as_json)
        reconciled = _reconcile(quiet=as_json)
    if as_json:
        document = _document(driver.stories)
        print_json({"completed": True, **document, "audit": audited, "reconciliation": reconciled})
    if not audited.get("clean") or any(row["breaks"] or row["broken_units"] for row in reconciled):
        raise typer.Exit(FAILED)


def _tell(driver: Driver, *, quiet: bool) -> None:
    told_of: Story | None = None
    for story, step in driver.run():
        if quiet:
            continue
        if story is not told_of:
            out.print(f"[bold]{story.name.replace('_', ' ')}[/]")
        told_of = story
        out.print(f"[green]✓[/] {step.seconds:6.2f} s  {step.name:<18}{step.detail}", soft_wrap=True)


def _asked(command: str, doing: str) -> str:
    """What a command of ours prints as JSON, in a process of its own."""
    environment = {**os.environ, **search_path()}
    with err.status(f"{doing} ..."):
        ran = subprocess.run(  # noqa: S603 - a command of ours, without a shell
            command_line(command, "--json"), env=environment, check=False, capture_output=True, text=True
        )
    if not ran.stdout.startswith(("{", "[")):
        fail(f"`rampwright {command}` did not run: {ran.stderr.strip()}")
    return ran.stdout


def _reconcile(*, quiet: bool) -> list[dict[str, object]]:
    """What `rampwright reconcile` says, a row for each source and asset."""
    rows: list[dict[str, object]] = json.loads(_asked("reconcile", "reconciling"))
    broken = [row for row in rows if row["breaks"] or row["broken_units"]]
    if not quiet:
        colour = "red" if broken else "green"
        lines = sum(int(str(row["lines"])) for row in rows)
        out.print(f"[{colour}]reconciliation: {lines} lines, {len(broken)} sources and assets with breaks[/]")
    for row in broken:
        err.print(f"[red]{row['source']}[/] {row['breaks']} breaks, {row['broken']}")
    return rows


def _audit(*, quiet: bool) -> dict[str, object]:
    """What `rampwright audit` says."""
    report: dict[str, object] = json.loads(_asked("audit", "auditing"))
    invariants = report["invariants"] if isinstance(report["invariants"], list) else []
    violated = [found for found in invariants if found["count"]]
    if not quiet:
        colour = "red" if violated else "green"
        out.print(f"[{colour}]audit: {len(invariants)} invariants, {len(violated)} violated[/]")
    for found in violated:
        err.print(f"[red]{found['id']}[/] {found['count']}  {found['statement']}")
    return report


def _document(stories: list[Story]) -> dict[str, object]:
    """Every story, and the first by itself as well: the buy order, unless others were asked for."""
    first = stories[0]
    return {
        "steps": [dataclasses.asdict(step) for step in first.steps],
        "order": first.resource,
        "transitions": first.timeline,
        "ledger": first.ledger,
        "event": first.event,
        "stories": [dataclasses.asdict(story) for story in stories],
    }
