"""`rampwright caretaker`: a part of `rampwright dev`, not for people."""

from __future__ import annotations

import asyncio
import sys

import typer

from app.cli.output import told
from app.dev.caretaker import take_care
from app.dev.home import Home, Instance
from app.settings import ProcessSettings


def register(app: typer.Typer) -> None:
    """Add `rampwright caretaker`."""
    app.command("caretaker", hidden=True)(caretaker)


def caretaker() -> None:
    """Set up a development instance and look after it; the supervisor tells it where."""
    with told():
        instance = Instance.model_validate_json(sys.stdin.readline())
        asyncio.run(take_care(Home(ProcessSettings().home), instance))
