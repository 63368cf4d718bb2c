"""Wiring of the rails: what every vendor's module gives, put together; and their own records for the auditor."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx

from app.ports.notifications import NotificationSource
from app.ports.payout import BankRail
from app.ports.records import BankRecords, FarSide, RequestRecords
from app.services.rails import Rails
from app.settings import Settings
from app.wiring import bitcoin, evm, increase, sepa, stripe
from app.wiring.signing import Signing
from providers.sandbox.client import SandboxClient
from providers.sandbox.records import SandboxRecords
from providers.stripe.vocabulary import API_VERSION


def build(settings: Settings, http: httpx.AsyncClient, stack: AsyncExitStack, signing: Signing) -> Rails:
    """Every rail that is configured; what they open is closed by the stack."""
    card = stripe.rail(settings)
    stack.push_async_callback(card.aclose)
    banks: dict[str, BankRail] = {}
    dollars = increase.rail(settings)
    if dollars is not None:
        stack.push_async_callback(dollars.aclose)
        banks[dollars.provider] = dollars
    euros = sepa.rail(settings)
    publishable = settings.stripe.stripe_publishable_key
    return Rails(
        livemode=settings.process.livemode,
        payin={card.provider: card},
        methods=dict.fromkeys(settings.payin.payin_methods, card.provider),
        chains={chain.name: bitcoin.rail(chain, http, signing) for chain in bitcoin.chains(settings)},
        notifications=_notifications(settings),
        publishable_keys={} if publishable is None else {card.provider: publishable},
        api_versions={card.provider: API_VERSION},
        accounts={} if settings.stripe.stripe_account is None else {card.provider: settings.stripe.stripe_account},
        statements={card.provider: stripe.records(settings, http)},
        account_chains=evm.chains(settings, http, signing),
        intents=signing.intents,
        banks=banks,
        bank_files={} if euros is None else {euros.form.provider: euros},
        credits={} if dollars is None else {"USD": dollars},
        shared_accounts={} if euros is None else {"EUR": (euros.form.provider, sepa.own_account(settings))},
    )


def far_side(settings: Settings, http: httpx.AsyncClient) -> FarSide:
    """Whose own records an auditor holds against our books; the sandbox's request log stands in for a proxy's."""
    sandbox_url = settings.process.sandbox_url
    return FarSide(
        payins={"stripe": stripe.records(settings, http)},
        chains={chain.name: bitcoin.records(chain, http) for chain in bitcoin.chains(settings)},
        accounts=evm.records(settings, http),
        banks=_bank_records(settings, http),
        requests={} if sandbox_url is None else _requests(settings, SandboxClient(http, sandbox_url)),
    )


def _notifications(settings: Settings) -> dict[str, NotificationSource]:
    sources: list[NotificationSource | None] = [stripe.notifications(settings), increase.notifications(settings)]
    return {source.provider: source for source in sources if source is not None}


def _requests(settings: Settings, sandbox: SandboxClient) -> dict[str, RequestRecords]:
    """What the sandbox has logged of our requests, for each provider that it plays over HTTP."""
    keys = {"stripe": settings.stripe.stripe_secret_key, "increase": settings.increase.increase_api_key}
    return {name: SandboxRecords(sandbox, key.get_secret_value()) for name, key in keys.items() if key is not None}


def _bank_records(settings: Settings, http: httpx.AsyncClient) -> dict[str, BankRecords]:
    found: dict[str, BankRecords | None] = {
        "increase": increase.records(settings, http),
        "sepa": sepa.records(settings),
    }
    return {name: records for name, records in found.items() if records is not None}
