"""`rampwright demo`: one buy order through a running instance, every step shown, and the auditor at the end."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from typing import Annotated

import typer

from app.cli.driver import DemoFailed, Driver, Story
from app.cli.output import FAILED, MISUSED, AsJson, err, fail, out, print_json, told
from app.dev.home import Home, Instance
from app.dev.programs import command_line, search_path
from app.settings import ProcessSettings

Amount = Annotated[str, typer.Option(help="Euros to spend.")]
Patience = Annotated[float, typer.Option(min=1, help="Seconds that each step may take.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright demo`."""
    app.command("demo")(demo)


def demo(amount: Amount = "100.00", patience: Patience = 60.0, as_json: AsJson = False) -> None:
    """Buy bitcoin through a running `rampwright dev`, then audit it; exit 0 only when both went well."""
    with told(DemoFailed):
        process = ProcessSettings()
        instance = None if process.livemode else Home(process.home).instance()
        if instance is None:
            fail(f"There is no `rampwright dev` in {process.home}; start one with `make run`.", MISUSED)
        story = _drive(instance, amount, patience, quiet=as_json)
        audited = _audit(quiet=as_json)
    if as_json:
        print_json({"completed": True, **_document(story), "audit": audited})
    if not audited.get("clean"):
        raise typer.Exit(FAILED)


def _drive(instance: Instance, amount: str, patience: float, *, quiet: bool) -> Story:
    driver = Driver(instance, amount=amount, patience=patience)
    with err.status("driving an order ...") as status:
        for step in driver.run():
            status.update(f"after {step.name} ...")
            if not quiet:
                out.print(f"[green]✓[/] {step.seconds:6.2f} s  [bold]{step.name:<16}[/]{step.detail}", soft_wrap=True)
    if not quiet:
        for move in driver.story.timeline:
            out.print(f"[dim]  {move['at']}  {move['source']} -> {move['target']}  ({move['trigger']})[/]")
    return driver.story


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


def _document(story: Story) -> dict[str, object]:
    return {
        "steps": [dataclasses.asdict(step) for step in story.steps],
        "order": story.order,
        "transitions": story.timeline,
        "ledger": story.ledger,
        "event": story.event,
    }
