"""Wiring: settings become a database, rails, prices and workers; the only file that names vendors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from app.api.context import Context
from app.db.database import Database
from app.domain.quote import Terms
from app.ports.records import FarSide
from app.services.endpoints import HookRules
from app.services.policy import Limits, Policy
from app.services.prices import PriceBoard, PriceRules
from app.services.rails import Rails
from app.services.sealing import Sealer
from app.services.sends import Sender, open_wallet
from app.settings import Settings
from providers.bitcoin.building import FeePolicy
from providers.bitcoin.networks import NETWORKS
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.records import BitcoinRecords
from providers.bitcoin.wallet import Wallet
from providers.rates.kraken import KrakenRates
from providers.sandbox.client import SandboxClient
from providers.sandbox.records import SandboxRecords
from providers.stripe.notifications import StripeNotifications
from providers.stripe.rail import StripeRail
from providers.stripe.records import StripeRecords
from providers.stripe.vocabulary import API_VERSION
from webhooks.outbound.deliver import Deliverer
from webhooks.outbound.guard import SystemResolver

_HTTP_TIMEOUT_SECONDS = 10.0
# The client looks at every connection before every request: more of them make all requests slower.
_HTTP_LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=8)


class NotConfigured(RuntimeError):
    """A setting that this process needs is missing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every process shares."""

    db: Database
    rails: Rails
    sealer: Sealer
    http: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class Worker:
    """What the job process hands its handlers."""

    db: Database
    rails: Rails
    senders: Mapping[str, Sender]
    deliverer: Deliverer


@asynccontextmanager
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    """Open the database, the adapters and one HTTP client; close them all at the end."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                timeout=_HTTP_TIMEOUT_SECONDS, limits=_HTTP_LIMITS, trust_env=False, follow_redirects=False
            )
        )
        db = Database(_needed(settings.process.database_url, "DATABASE_URL"), pool_size=settings.process.pool_size)
        stack.push_async_callback(db.close)
        stripe = _stripe(settings)
        stack.push_async_callback(stripe.aclose)
        yield Parts(db, _rails(settings, stripe, _bitcoin(settings, http)), sealer(settings), http)


def context(settings: Settings, shared: Parts) -> Context:
    """What the API process hands its routes."""
    url = settings.process.sandbox_url
    return Context(
        db=shared.db,
        rails=shared.rails,
        board=price_board(settings, shared.http),
        policy=policy(settings),
        sealer=shared.sealer,
        simulator=None if url is None else SandboxClient(shared.http, url),
        hooks=HookRules(
            SystemResolver(),
            allow_loopback=settings.process.allow_loopback,
            own_hosts=frozenset(settings.process.public_hosts),
        ),
    )


async def worker(settings: Settings, shared: Parts) -> Worker:
    """What the job process needs; the wallet's own addresses are watched from here on."""
    senders = {network: await open_wallet(shared.db, rail) for network, rail in shared.rails.chains.items()}
    deliverer = Deliverer(
        shared.db,
        shared.sealer,
        allow_loopback=settings.process.allow_loopback,
        livemode=settings.process.livemode,
    )
    return Worker(shared.db, shared.rails, senders, deliverer)


def far_side(settings: Settings, shared: Parts) -> FarSide:
    """Whose own records an auditor holds against our books; the sandbox's request log stands in for a proxy's."""
    stripe_key, bitcoin = settings.stripe.stripe_secret_key, settings.bitcoin
    key = "" if stripe_key is None else stripe_key.get_secret_value()
    sandbox_url = settings.process.sandbox_url
    chain = BitcoinRecords(
        shared.http,
        _needed(bitcoin.bitcoin_rpc_url, "BITCOIN_RPC_URL"),
        user=bitcoin.bitcoin_rpc_user,
        password=bitcoin.bitcoin_rpc_password.get_secret_value(),
        start_height=bitcoin.bitcoin_start_height,
    )
    return FarSide(
        payins={"stripe": StripeRecords(shared.http, key, api_base=settings.stripe.stripe_api_base)},
        chains={"bitcoin": chain},
        requests={}
        if sandbox_url is None
        else {"stripe": SandboxRecords(SandboxClient(shared.http, sandbox_url), key)},
    )


def policy(settings: Settings) -> Policy:
    """The operator's rules for quoting."""
    pricing = settings.pricing
    terms = Terms(
        taker_bps=pricing.taker_bps,
        spread_bps=pricing.spread_bps,
        processing_bps=pricing.processing_bps,
        partner_bps=pricing.partner_bps,
        network_fee_units=pricing.network_fee_units,
    )
    limits = {code: Limits(pricing.least_units, pricing.most_units) for code in pricing.fiat}
    return Policy(terms, settings.quote_lifetime, settings.payment_window, limits)


def price_board(settings: Settings, http: httpx.AsyncClient) -> PriceBoard:
    """The books in memory, one source for each configured venue."""
    rates = settings.rates
    sources = [KrakenRates(http, base_url=url, name=name) for name, url in rates.rate_sources.items()]
    rules = PriceRules(
        required_sources=settings.required_sources,
        stale_after=rates.stale_seconds,
        apart_bps=rates.apart_bps,
        poll_every=rates.poll_seconds,
    )
    return PriceBoard(sources, [("BTC", code) for code in settings.pricing.fiat], rules)


def sealer(settings: Settings) -> Sealer:
    """The instance's encryption keys; outside live mode a first key is made where there is none."""
    path = settings.process.seal_keys_file or settings.process.secrets / "seal_keys"
    if not path.exists():
        write_secret(path, Fernet.generate_key().decode())
    return Sealer([line.encode() for line in path.read_text().split()])


def write_secret(path: Path, secret: str) -> None:
    """Write a secret where only this account can read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)


def _rails(settings: Settings, stripe: StripeRail, bitcoin: BitcoinRail) -> Rails:
    webhook_secrets = settings.stripe.stripe_webhook_secrets
    publishable = settings.stripe.stripe_publishable_key
    return Rails(
        livemode=settings.process.livemode,
        payin={stripe.provider: stripe},
        methods={"card": stripe.provider},
        chains={bitcoin.network: bitcoin},
        notifications={}
        if webhook_secrets is None
        else {stripe.provider: StripeNotifications(webhook_secrets.get_secret_value().split(","))},
        publishable_keys={} if publishable is None else {stripe.provider: publishable},
        api_versions={stripe.provider: API_VERSION},
    )


def _stripe(settings: Settings) -> StripeRail:
    key = settings.stripe.stripe_secret_key
    if key is None:
        raise NotConfigured("RAMPWRIGHT_STRIPE_SECRET_KEY is not set")
    return StripeRail(
        key.get_secret_value(), livemode=settings.process.livemode, api_base=settings.stripe.stripe_api_base
    )


def _bitcoin(settings: Settings, http: httpx.AsyncClient) -> BitcoinRail:
    bitcoin = settings.bitcoin
    node = Node(
        http,
        _needed(bitcoin.bitcoin_rpc_url, "BITCOIN_RPC_URL"),
        user=bitcoin.bitcoin_rpc_user,
        password=bitcoin.bitcoin_rpc_password.get_secret_value(),
    )
    fees = FeePolicy(
        floor=bitcoin.bitcoin_fee_floor, ceiling=bitcoin.bitcoin_fee_ceiling, fallback=bitcoin.bitcoin_fee_fallback
    )
    return BitcoinRail(wallet=_wallet(settings), node=node, fees=fees, start_height=bitcoin.bitcoin_start_height)


def _wallet(settings: Settings) -> Wallet:
    path = settings.bitcoin.bitcoin_seed_file or settings.process.secrets / "bitcoin_seed"
    if not path.exists():
        raise NotConfigured("RAMPWRIGHT_BITCOIN_SEED_FILE names no file")
    words, network = path.read_text().strip(), NETWORKS[settings.bitcoin.bitcoin_network]
    if " " in words:
        return Wallet.from_mnemonic(words, network)
    return Wallet(bytes.fromhex(words), network)


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise NotConfigured(f"RAMPWRIGHT_{name} is not set")
    return value
