"""`rampwright audit`: every invariant of the books, inside and against the far side's own records."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from app.audit import audit as run_audit
from app.audit.inside import AuditImpossibleError
from app.audit.report import Finding, Report
from app.cli.instance import settings
from app.cli.output import FAILED, AsJson, err, out, print_json, told
from app.settings import Settings
from app.wiring import assembly
from app.wiring.needed import NotConfigured

Wait = Annotated[float, typer.Option(help="Seconds to wait until our follower and the node stand at the same block.")]
Grace = Annotated[float, typer.Option(help="Seconds that the two sides may differ before it counts.")]


def register(app: typer.Typer) -> None:
    """Add `rampwright audit`."""
    app.command("audit")(audit)


def audit(as_json: AsJson = False, wait: Wait = 30.0, grace: Grace = 600.0) -> None:
    """Print each invariant with its count; exit 0 only when every count is zero."""
    with told(NotConfigured, AuditImpossibleError), err.status("auditing ..."):
        report = asyncio.run(_audit(settings(), wait, grace))
    if as_json:
        print_json(report.document())
    else:
        _show(report)
    if not report.clean:
        raise typer.Exit(FAILED)


async def _audit(configured: Settings, wait: float, grace: float) -> Report:
    async with assembly.parts(configured) as shared:
        return await run_audit(
            shared.db,
            assembly.far_side(configured, shared),
            wait_seconds=wait,
            grace=timedelta(seconds=grace),
        )


def _show(report: Report) -> None:
    for finding in report.findings:
        out.print(f"[{_colour(finding)}]{finding.id:<6}{finding.count:>5}[/]  {finding.statement}", soft_wrap=True)
    if not report.clean:
        out.print(report.text(), markup=False)
    for name, reason in sorted(report.left_out.items()):
        out.print(f"[dim]{name:<6}    -  not checked: {reason}[/]")
    violations = sum(finding.count for finding in report.findings)
    colour = "green" if report.clean else "red"
    out.print(f"[{colour}]{len(report.findings)} invariants, {violations} violations[/]")


def _colour(finding: Finding) -> str:
    return "red" if finding.count else "green"
