"""`rampwright`, the command line: one module below for each command, loaded when it is asked for."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence

import typer

from app.cli.logs import configure_logs

# In the order of `--help`. Each module has `register(app)`, which adds the command of its name.
COMMANDS = (
    "dev",
    "demo",
    "api",
    "worker",
    "signer",
    "wallet-key",
    "sandbox",
    "migrate",
    "audit",
    "partners",
    "keys",
    "holds",
    "accounts",
    "floats",
    "wallet",
    "screening",
    "reconcile",
    "notifications",
    "caretaker",
    "anvil",
)


def build(arguments: Sequence[str]) -> typer.Typer:
    """The program for these arguments. Only the named command is loaded: all of them together take seconds."""
    app = typer.Typer(
        name="rampwright",
        help="The open-source fiat/crypto ramp that a business hosts itself.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # it would print local variables, and secrets with them
    )
    app.callback()(_no_options)  # keeps the command's name on the line when only one is loaded
    named = [name for name in COMMANDS if name in arguments[:1]]
    for name in named or COMMANDS:
        importlib.import_module(f"{__name__}.{name.replace('-', '_')}").register(app)
    return app


def main() -> None:
    """The console script. What a command answers is on standard output, and nothing else is."""
    configure_logs()
    gc.disable()  # what is loaded stays: looking through it for garbage takes a sixth of the time
    app = build(sys.argv[1:])
    gc.freeze()
    gc.enable()
    app()


def _no_options() -> None:
    """The open-source fiat/crypto ramp that a business hosts itself."""
