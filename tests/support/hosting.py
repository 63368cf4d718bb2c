"""Where a test instance runs: its settings, its address, and what the far side must know of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import httpx
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import (
    BitcoinSettings,
    IncreaseSettings,
    PayinSettings,
    ProcessSettings,
    RatesSettings,
    ScreeningSettings,
    SepaSettings,
    Settings,
    SignerSettings,
    StripeSettings,
)

SEPA_IBAN = "DE91100000000123456789"
_PATIENCE = 60.0  # seconds; far above what any answer takes


def settings_for(
    home: Path, database_url: str, far_url: str, stripe_key: str, webhook_secret: str, start_height: int
) -> Settings:
    """The settings of a test instance: no environment variable has a say. Its wallet begins at `start_height`."""
    alike = _alike(far_url)
    own: dict[str, dict[str, object]] = {
        "process": {"home": home, "database_url": database_url},
        "stripe": {
            "stripe_secret_key": SecretStr(stripe_key),
            "stripe_publishable_key": stripe_key.replace("sk_", "pk_"),
            "stripe_webhook_secrets": SecretStr(webhook_secret),
        },
        "increase": {
            "increase_api_key": SecretStr(increase_key_of(stripe_key)),
            "increase_webhook_secrets": SecretStr(webhook_secret),
        },
        "signer": {"signer_home": home / "signer"},
        "sepa": {"sepa_folder": home / "sepa"},
        "bitcoin": {"bitcoin_start_height": start_height},
    }
    return alike.model_copy(
        update={name: getattr(alike, name).model_copy(update=changes) for name, changes in own.items()}
    )


@cache
def _alike(far_url: str) -> Settings:
    """What every instance has in common: it takes long to look for all values."""
    return Settings(
        process=ProcessSettings(mode="test", allow_loopback=True, sandbox_url=far_url),
        # Prices live long: how busy the machine is decides about no quote.
        rates=RatesSettings(rate_sources={"kraken": f"{far_url}/kraken"}, stale_seconds=600, poll_seconds=60),
        payin=PayinSettings(payin_methods=("card", "ach_debit", "sepa_debit", "bank_transfer")),
        screening=ScreeningSettings(screening="ofac", screening_days=36_500),
        stripe=StripeSettings(stripe_api_base=f"{far_url}/stripe"),
        increase=IncreaseSettings(increase_api_base=f"{far_url}/increase"),
        signer=SignerSettings(),
        sepa=SepaSettings(sepa_holder_name="Rampwright Test", sepa_iban=SEPA_IBAN, sepa_gather_seconds=0),
        bitcoin=BitcoinSettings(
            bitcoin_network="regtest",
            bitcoin_rpc_url=f"{far_url}/bitcoin",
            bitcoin_rpc_user="sandbox",
            bitcoin_rpc_password=SecretStr("sandbox"),
        ),
    )


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """An ASGI app on a free port of this process."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.002)
    try:
        yield server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        await _stop(server, task)


async def _stop(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    """What the server does itself, which sleeps a tenth of a second at each step: hundreds of tests wait for it."""
    task.cancel()
    await asyncio.wait([task])
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    async with asyncio.timeout(_PATIENCE):
        while server.server_state.connections or server.server_state.tasks:
            await asyncio.sleep(0.002)


class LateApp:
    """An app whose address must be known before it can be built."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


async def register_hook(http: httpx.AsyncClient, far_url: str, stripe_key: str, url: str) -> str:
    """Tell the account at the far side where to send its webhooks; the signing secret."""
    response = await http.post(
        f"{far_url}/stripe/v1/webhook_endpoints", data={"url": url, "enabled_events[]": "*"}, auth=(stripe_key, "")
    )
    response.raise_for_status()
    return str(response.json()["secret"])


def increase_key_of(stripe_key: str) -> str:
    """A key of an account at Increase that is as much this instance's own as its account at Stripe."""
    return stripe_key.replace("sk_test_", "sandbox_key_")


async def register_bank_hook(http: httpx.AsyncClient, far_url: str, stripe_key: str, url: str, secret: str) -> None:
    """Tell the account at the far side's Increase where to send its events, and how to sign them."""
    response = await http.post(
        f"{far_url}/increase/event_subscriptions",
        json={"url": url, "shared_secret": secret},
        headers={"Authorization": f"Bearer {increase_key_of(stripe_key)}"},
    )
    response.raise_for_status()


async def chain_height(http: httpx.AsyncClient, far_url: str) -> int:
    """How high the far side's chain is: a new wallet need not read what is below."""
    question = {"id": 1, "method": "getblockcount", "params": []}
    response = await http.post(f"{far_url}/bitcoin", json=question, auth=("sandbox", "sandbox"))
    return int(response.json()["result"])
