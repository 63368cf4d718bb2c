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
from app.main import build_app
from app.services import bank_floats, screening_lists
from app.settings import Settings
from app.wiring import assembly
from app.wiring.screening_list import list_format
from app.wiring.secrets import intent_keys
from providers.sandbox.client import SandboxClient
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
from tests.support.signing import running_signer, with_signer
from tests.support.world import World


@asynccontextmanager
async def open_world(
    home: Path, db: Database, far_url: str, change: Callable[[Settings], Settings] = lambda usual: usual
) -> AsyncIterator[World]:
    """Start an instance of its own Stripe account and wallet, and stop it at the end; `change` makes other settings."""
    stripe_key = f"sk_test_{secrets.token_hex(16)}"
    home.mkdir(parents=True, exist_ok=True)
    late = LateApp()
    async with AsyncExitStack() as stack:
        _, api_url = await stack.enter_async_context(serving(late))
        secret = await register_hook(far_url, stripe_key, f"{api_url}/hooks/stripe")
        await register_bank_hook(far_url, stripe_key, f"{api_url}/hooks/increase", secret)
        settings = change(settings_for(home, db.url, far_url, stripe_key, secret, await chain_height(far_url)))
        signer = running_signer(settings.signer_home, intent_keys(settings))
        settings = with_signer(settings, await stack.enter_async_context(signer))
        parts = replace(await stack.enter_async_context(assembly.parts(settings)), db=db)
        far = SandboxClient(parts.http, far_url)
        await far.sepa_register(home / "sepa", SEPA_IBAN, 100_000_000)
        await far.sepa_run(home / "sepa")
        records = assembly.far_side(settings, parts)
        for provider, bank in records.banks.items():
            await bank_floats.open_with(db, provider, (await bank.read()).balance)
        await screening_lists.bring_in(db, list_format(), SANCTIONS, actor="test")
        context = assembly.context(settings, parts)
        await context.board.refresh()
        refreshing = asyncio.create_task(context.board.run())
        stack.callback(refreshing.cancel)
        late.app = build_app(context)
        partner = await make_partner(db)
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=api_url, headers=partner.headers, timeout=30, verify=False)
        )
        yield World(
            settings=settings,
            context=context,
            worker=await assembly.worker(settings, parts),
            partner=partner,
            client=client,
            far=far,
            far_url=far_url,
            stripe_key=stripe_key,
            api_url=api_url,
            records=records,
            http=parts.http,
        )
