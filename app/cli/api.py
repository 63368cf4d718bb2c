"""`rampwright api`: the public server, the operator's server, and the task that keeps prices fresh."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import structlog
import typer
import uvicorn
import uvloop

from app.cli import collector
from app.cli.account import settle_down
from app.cli.listening import open_listener, port_of
from app.cli.output import told
from app.cli.supervised import Supervised, read_settings
from app.db.migrate import SchemaOutdated, require_current_schema
from app.main import build_app, build_operator_app
from app.settings import Settings
from app.wiring import assembly, gateway
from app.wiring.needed import NotConfigured
from app.wiring.screening import require_lists

log = structlog.get_logger(__name__)

Fd = Annotated[int | None, typer.Option(hidden=True, help="An inherited listening socket.")]

_STOP_SECONDS = 10
_PRICES_PAUSE_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add `rampwright api`."""
    app.command("api")(api)


def api(listen_fd: Fd = None, operator_fd: Fd = None, supervised: Supervised = False) -> None:
    """Serve the public API, and metrics on the operator's own port."""
    if supervised:
        read_settings()
    with told(NotConfigured, SchemaOutdated):
        settings = Settings()
        public = open_listener(settings.process.host, settings.process.port, listen_fd)
        operator = open_listener(settings.process.operator_host, settings.process.operator_port, operator_fd)
        uvloop.run(serve(settings, public, operator))


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: two servers share this process, and its signals are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def serve(settings: Settings, public: socket.socket, operator: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in hand. Raises SchemaOutdated."""
    async with assembly.parts(settings) as shared:
        await require_current_schema(shared.db)
        await require_lists(settings, shared.db)
        context = gateway.context(settings, shared)
        await context.board.refresh()
        servers = {_server(build_app(context)): public, _server(build_operator_app(context)): operator}
        settle_down(settings)
        prices = asyncio.create_task(_keep_running("prices", context.board.run))

        def stop() -> None:
            for server in servers:
                server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        collector.calm()
        log.info("api.serving", port=port_of(public), operator_port=port_of(operator))
        try:
            await asyncio.gather(*(server.serve([listener]) for server, listener in servers.items()))
        finally:
            prices.cancel()


def _server(app: Callable[..., object]) -> _Server:
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    config.load()  # now, not when serving: an account that we may become cannot read our code everywhere
    return _Server(config)


async def _keep_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run background work again whenever it ends; its failures are logged and stop nothing else."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("task.failed", task=name)
        await asyncio.sleep(_PRICES_PAUSE_SECONDS)
