"""`rampwright sandbox`: the far side on its own, for development and tests."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.listening import LOOPBACK, open_listener, port_of
from app.cli.output import MISUSED, fail, out, told
from app.settings import BitcoinSettings, ProcessSettings
from providers.sandbox.main import SandboxSettings, serve


def register(app: typer.Typer) -> None:
    """Add `rampwright sandbox`."""
    app.command("sandbox")(sandbox)


def sandbox(
    port: Annotated[int, typer.Option(help="0 picks a free one.")] = 0,
    listen_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the far side: Stripe, Increase, a bank that takes SEPA files, a regtest chain, and a venue."""
    with told(BlockingIOError):
        process, bitcoin = ProcessSettings(), BitcoinSettings()
        if process.livemode:
            fail("the sandbox plays with money that is not there; live mode refuses it", MISUSED)
        password = bitcoin.bitcoin_rpc_password.get_secret_value()
        settings = SandboxSettings(bitcoin.bitcoin_rpc_user, password) if password else SandboxSettings()
        listener = open_listener(LOOPBACK, port, listen_fd)
        if listen_fd is None:
            out.print(f"sandbox on http://{LOOPBACK}:{port_of(listener)}")
        serve(process.home / "sandbox", settings=settings, listener=listener)
