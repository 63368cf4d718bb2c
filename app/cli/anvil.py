"""`rampwright anvil`: a part of `rampwright dev`, not for people."""

from __future__ import annotations

import typer

from app.cli.output import MISUSED, fail
from app.dev.anvil import become_anvil
from app.settings import ProcessSettings


def register(app: typer.Typer) -> None:
    """Add `rampwright anvil`."""
    app.command("anvil", hidden=True)(anvil)


def anvil(port: int) -> None:
    """Run the far side's Ethereum node, with a chain that is kept in RAMPWRIGHT_HOME."""
    process = ProcessSettings()
    if process.livemode:
        fail("anvil plays with money that is not there; live mode refuses it", MISUSED)
    become_anvil(port, process.home)
