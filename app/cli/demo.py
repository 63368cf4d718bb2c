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

    Exit 0 only when all of it completed and the audit is clean.
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
    if as_json:
        print_json({"completed": True, **_document(driver.stories), "audit": audited})
    if not audited.get("clean"):
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


def _audit(*, quiet: bool) -> dict[str, object]:
    """What `rampwright audit` says, in a process of its own."""
    environment = {**os.environ, **search_path()}
    with err.status("auditing ..."):
        ran = subprocess.run(  # noqa: S603
            command_line("audit", "--json"), env=environment, check=False, capture_output=True, text=True
        )
    try:
        report: dict[str, object] = json.loads(ran.stdout)
    except ValueError:
        fail(f"the audit did not run: {ran.stderr.strip()}")
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
