"""Where a test instance runs: its settings, its address, and what the far side must know of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import httpx
import uvicorn
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
from app.settings.section import Section

SEPA_IBAN = "DE91100000000123456789"


def _rates(far_url: str) -> RatesSettings:
    """Prices live long: how busy the machine is decides about no quote."""
    return RatesSettings(rate_sources={"kraken": f"{far_url}/kraken"}, stale_seconds=600, poll_seconds=60)


def settings_for(
    home: Path, database_url: str, far_url: str, stripe_key: str, webhook_secret: str, start_height: int
) -> Settings:
    """The settings of a test instance: no environment variable has a say. Its wallet begins at `start_height`."""
    own: dict[str, Section] = {
        "process": ProcessSettings(
            mode="test", home=home, database_url=database_url, allow_loopback=True, sandbox_url=far_url
        ),
        "rates": _rates(far_url),
        "stripe": StripeSettings.model_validate(
            {
                "stripe_secret_key": stripe_key,
                "stripe_publishable_key": stripe_key.replace("sk_", "pk_"),
                "stripe_webhook_secrets": webhook_secret,
                "stripe_api_base": f"{far_url}/stripe",
            }
        ),
        "increase": IncreaseSettings.model_validate(
            {
                "increase_api_key": increase_key_of(stripe_key),
                "increase_webhook_secrets": webhook_secret,
                "increase_api_base": f"{far_url}/increase",
            }
        ),
        "signer": SignerSettings(signer_home=home / "signer"),
        "sepa": SepaSettings(
            sepa_folder=home / "sepa",
            sepa_holder_name="Rampwright Test",
            sepa_iban=SEPA_IBAN,
            sepa_gather_seconds=0,
        ),
        "bitcoin": BitcoinSettings.model_validate(
            {
                "bitcoin_network": "regtest",
                "bitcoin_rpc_url": f"{far_url}/bitcoin",
                "bitcoin_rpc_user": "sandbox",
                "bitcoin_rpc_password": "sandbox",
                "bitcoin_start_height": start_height,
            }
        ),
    }
    return Settings.model_validate(_alike() | own)


@cache
def _alike() -> dict[str, Section]:
    """The sections as every instance has them, unless it has its own: it takes long to look for all of their values."""
    return dict(
        Settings(
            payin=PayinSettings(payin_methods=("card", "ach_debit", "sepa_debit", "bank_transfer")),
            screening=ScreeningSettings(screening="ofac", screening_days=36_500),
        )
    )


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """An ASGI app on a free port of this process."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class LateApp:
    """An app whose address must be known before it can be built."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


async def register_hook(far_url: str, stripe_key: str, url: str) -> str:
    """Tell the account at the far side where to send its webhooks; the signing secret."""
    async with httpx.AsyncClient(auth=(stripe_key, ""), verify=False) as http:
        response = await http.post(f"{far_url}/stripe/v1/webhook_endpoints", data={"url": url, "enabled_events[]": "*"})
    response.raise_for_status()
    return str(response.json()["secret"])


def increase_key_of(stripe_key: str) -> str:
    """A key of an account at Increase that is as much this instance's own as its account at Stripe."""
    return stripe_key.replace("sk_test_", "sandbox_key_")


async def register_bank_hook(far_url: str, stripe_key: str, url: str, secret: str) -> None:
    """Tell the account at the far side's Increase where to send its events, and how to sign them."""
    headers = {"Authorization": f"Bearer {increase_key_of(stripe_key)}"}
    async with httpx.AsyncClient(headers=headers, verify=False) as http:
        response = await http.post(
            f"{far_url}/increase/event_subscriptions", json={"url": url, "shared_secret": secret}
        )
    response.raise_for_status()


async def chain_height(far_url: str) -> int:
    """How high the far side's chain is: a new wallet need not read what is below."""
    async with httpx.AsyncClient(auth=("sandbox", "sandbox"), verify=False) as http:
        response = await http.post(f"{far_url}/bitcoin", json={"id": 1, "method": "getblockcount", "params": []})
    return int(response.json()["result"])
