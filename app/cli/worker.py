"""`rampwright worker`: the job process, started again and again while its database is away."""

from __future__ import annotations

import asyncio
import random
import signal

import asyncpg
import structlog
import typer
import uvloop
from sqlalchemy.exc import DBAPIError

from app import worker as jobs
from app.cli import collector
from app.cli.account import settle_down
from app.cli.output import told
from app.cli.supervised import Supervised, read_settings
from app.db.migrate import SchemaOutdated, require_current_schema
from app.dev.home import WORKER_NAME
from app.settings import Settings
from app.wiring import assembly
from app.wiring.assembly import Parts
from app.wiring.needed import NotConfigured

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 30.0  # a run this long was no failed start: the next pause is the first one again
_CONNECT_SECONDS = 10.0
# What a database that goes away, restarts or is still recovering makes of a connection.
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError)


def register(app: typer.Typer) -> None:
    """Add `rampwright worker`."""
    app.command("worker")(worker)


def worker(supervised: Supervised = False) -> None:
    """Do the jobs: take payments, send coins, follow chains, deliver events."""
    if supervised:
        read_settings()
    with told(NotConfigured, SchemaOutdated):
        uvloop.run(run(Settings()))


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. A lost database is waited for; raises SchemaOutdated for a wrong one."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    pause = _FIRST_PAUSE_SECONDS
    async with assembly.parts(settings) as shared:
        while not stop.is_set():
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            began = loop.time()
            try:
                await _work(settings, shared)
                return
            except _LOST as error:
                log.warning("worker.database_lost", error=f"{type(error).__name__}: {error}")
            if loop.time() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await _sleep_unless(stop, pause * (1 + random.random() / 10))  # noqa: S311 - spread, not secrecy
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


async def _work(settings: Settings, shared: Parts) -> None:
    await require_current_schema(shared.db)
    name = {"application_name": WORKER_NAME}
    connection = await asyncpg.connect(shared.db.url, timeout=_CONNECT_SECONDS, server_settings=name)
    try:
        work = await assembly.worker(settings, shared)
        settle_down(settings)
        collector.calm()
        await jobs.run(work, connection)
    finally:
        connection.terminate()


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
