"""The caretaker: sets up what an instance lacks, says when all of it works, and has blocks mined while any is awaited.

A program of its own, so that the supervisor loads little and lives long. It is told where things are by one line on
its standard input (an Instance), and answers with one line (Found) as soon as the API and the worker can start, and
another (Ready) when everything answers. It may be killed and started again at any time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from app.db.database import Database
from app.db.migrate import migrate
from app.dev import evm, far_side, partner
from app.dev.home import WORKER_NAME, DevError, Found, Home, Instance, Ready
from app.dev.top_ups import FirstBalance
from app.services import screening_lists
from app.wiring.screening_list import list_format
from providers.sandbox.client import SandboxClient

SANCTIONS = Path(__file__).with_name("sanctions.xml")
_START_SECONDS = 90.0  # a first start makes a database cluster and a chain
_LOOK_SECONDS = 0.05
_HTTP_SECONDS = 30.0


async def take_care(home: Home, instance: Instance) -> None:
    """Set up, then mine for ever. Raises DevError when something does not come up."""
    kept = home.secrets()
    async with _opened(instance.database_url) as db, _http() as http:
        await migrate(db)
        await screening_lists.bring_in(db, list_format(), SANCTIONS, actor="rampwright dev")
        earlier = home.instance()
        ours = await partner.ensure(db, None if earlier is None else earlier.api_key)
        await _answers(http, f"{instance.sandbox_url}/control/health")
        if instance.evm_rpc_url:
            await evm.set_up(http, instance.evm_rpc_url)
        secret = await far_side.webhook_secret(http, home, instance, kept)
        await far_side.subscribe_to_bank(http, instance, kept)
        await far_side.open_banks(db, http, instance, kept)
        _tell(Found(api_key=ours.key, webhook_secret=secret))
        funded = await far_side.fund_wallet(db, http, instance, kept)
        if instance.evm_rpc_url:
            await evm.fund(db, http, instance.evm_rpc_url)
        await _answers(http, f"{instance.api_url}/healthz/ready")
        await _worker_is_there(db)
        topped_up = await FirstBalance(db, http, instance, kept, ours).ensure()
        _tell(Ready(funded=funded, topped_up=topped_up))
        async with asyncio.TaskGroup() as mining:
            mining.create_task(far_side.mine_while_awaited(db, SandboxClient(http, instance.sandbox_url)))
            if instance.evm_rpc_url:
                mining.create_task(evm.mine_while_awaited(db, http, instance.evm_rpc_url))


def _tell(said: Found | Ready) -> None:
    print(said.model_dump_json(), flush=True)  # noqa: T201 - the supervisor reads it


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    db = Database(url, pool_size=2)
    try:
        yield db
    finally:
        await db.close()


def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_HTTP_SECONDS, trust_env=False)


async def _answers(http: httpx.AsyncClient, url: str) -> None:
    """Wait until `url` answers 200. Our children's ports are open from the start, so there is little to repeat."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if (await http.get(url)).is_success:
                return
        await asyncio.sleep(_LOOK_SECONDS)
    raise DevError(f"{url} did not answer within {_START_SECONDS:.0f} seconds.")


async def _worker_is_there(db: Database) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        async with db.connection() as connection:
            if await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = $1)", WORKER_NAME
            ):
                return
        await asyncio.sleep(_LOOK_SECONDS)
    raise DevError(f"The worker did not start within {_START_SECONDS:.0f} seconds; see its log.")
