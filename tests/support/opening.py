"""Opening a whole instance for a test: its far side, its settings, its API on a port of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from app.db.database import Database
from app.dev.caretaker import SANCTIONS
from app.domain.assets import EUR, USD
from app.domain.money import Money
from app.main import build_app
from app.services import bank_floats, screening_lists
from app.settings import Settings
from app.signer.policy import Policy
from app.wiring import assembly, gateway
from app.wiring.screening_list import list_format
from app.wiring.secrets import intent_keys
from providers.sandbox.client import SandboxClient
from providers.sandbox.increase.accounts import STARTING_BALANCE
from tests.support.hosting import (
    SEPA_IBAN,
    LateApp,
    chain_height,
    register_bank_hook,
    register_hook,
    serving,
    settings_for,
)
from tests.support.partners import make_partner
from tests.support.signing import WITH_VAULT, running_signer, with_signer
from tests.support.world import World

_SEPA_BALANCE = Money(100_000_000, EUR)


@asynccontextmanager
async def open_world(
    home: Path,
    db: Database,
    far_url: str,
    change: Callable[[Settings], Settings] = lambda usual: usual,
    *,
    policy: Policy = WITH_VAULT,
) -> AsyncIterator[World]:
    """Start an instance of its own Stripe account and wallet, and stop it at the end.

    `change` makes other settings; `policy` is the signer's.
    """
    stripe_key = f"sk_test_{secrets.token_hex(16)}"
    home.mkdir(parents=True, exist_ok=True)
    late = LateApp()
    async with AsyncExitStack() as stack:
        _, api_url = await stack.enter_async_context(serving(late))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=api_url, timeout=30, verify=False))
        secret = await _register_hooks(http, far_url, stripe_key)
        settings = change(settings_for(home, db.url, far_url, stripe_key, secret, await chain_height(http, far_url)))
        signer = running_signer(settings.signer_home, intent_keys(settings), policy=_needed(policy, settings))
        settings = with_signer(settings, await stack.enter_async_context(signer))
        parts = replace(await stack.enter_async_context(assembly.parts(settings)), db=db)
        far = SandboxClient(parts.http, far_url)
        await _furnish(db, far, home / "sepa")
        context = gateway.context(settings, parts)
        await context.board.refresh()
        stack.callback(asyncio.create_task(context.board.run()).cancel)
        late.app = build_app(context)
        partner = await make_partner(db)
        http.headers.update(partner.headers)
        yield World(
            settings=settings,
            context=context,
            worker=await assembly.worker(settings, parts),
            partner=partner,
            client=http,
            far=far,
            far_url=far_url,
            stripe_key=stripe_key,
            api_url=api_url,
            records=assembly.far_side(settings, parts),
            http=parts.http,
        )


def _needed(policy: Policy, settings: Settings) -> Policy:
    """The part of a policy that the instance's networks need: keys take long to derive."""
    networks = {"bitcoin", "litecoin", *settings.evm.evm_chains}
    if settings.litecoin.litecoin_rpc_url is None:
        networks.remove("litecoin")
    return {name: limits for name, limits in policy.items() if name in networks}


async def _register_hooks(http: httpx.AsyncClient, far_url: str, stripe_key: str) -> str:
    """Tell both providers where to send their webhooks; the secret that both sign with."""
    secret = await register_hook(http, far_url, stripe_key, f"{http.base_url}/hooks/stripe")
    await register_bank_hook(http, far_url, stripe_key, f"{http.base_url}/hooks/increase", secret)
    return secret


async def _furnish(db: Database, far: SandboxClient, sepa_folder: Path) -> None:
    """Give an instance what money it has at its banks, and a sanctions list; every Increase account begins alike."""
    await far.sepa_register(sepa_folder, SEPA_IBAN, _SEPA_BALANCE.units)
    await far.sepa_run(sepa_folder)
    await bank_floats.open_with(db, "increase", Money(STARTING_BALANCE, USD))
    await bank_floats.open_with(db, "sepa", _SEPA_BALANCE)
    await screening_lists.bring_in(db, list_format(), SANCTIONS, actor="test")
