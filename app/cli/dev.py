"""`rampwright dev`: everything on this machine, the far side included."""

from __future__ import annotations

import time

import typer

from app.cli.output import MISUSED, fail, out, told
from app.dev.home import Home
from app.dev.run import run
from app.settings import ProcessSettings

_LOADED_AT = time.monotonic()


def register(app: typer.Typer) -> None:
    """Add `rampwright dev`."""
    app.command("dev")(dev)


def dev() -> None:
    """Run the whole ramp with its far side; prints the URLs and a test key, and writes them to dev.json."""
    with told():
        process = ProcessSettings()
        if process.livemode:
            fail("`rampwright dev` is for test mode", MISUSED)
        run(
            Home(process.home),
            host=process.host,
            port=process.port,
            database_url=process.database_url,
            say=out.print,
            began=_LOADED_AT,
        )
