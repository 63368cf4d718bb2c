"""Settings become a database, rails, prices and workers: what each process is made of."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import httpx

from app.db.database import Database
from app.domain.assets import FINAL_BY_WORD, read_ladder
from app.domain.payin_methods import read_hold
from app.domain.quote import Terms
from app.ports.records import FarSide
from app.services.deposit_rules import DepositRules
from app.services.evm_calls import AccountSender, open_sender
from app.services.mempool import MempoolWatch
from app.services.policy import Limits, Policy
from app.services.preparing import Sender, open_wallet
from app.services.rails import Rails
from app.services.reconciliation import Reconciler
from app.services.sealing import Sealer
from app.settings import Settings
from app.wiring import evm, screening, wallets
from app.wiring import rails as wiring_rails
from app.wiring.needed import needed
from app.wiring.prices import price_board
from app.wiring.secrets import sealer
from app.wiring.signing import open_signing
from webhooks.outbound.deliver import Deliverer

_HTTP_TIMEOUT_SECONDS = 10.0
# The client looks at every connection before every request: more of them make all requests slower.
_HTTP_LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=8)


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
    account_senders: Mapping[str, AccountSender]
    sealer: Sealer
    deliverer: Deliverer
    rules: DepositRules
    mempools: Sequence[MempoolWatch]
    reconciler: Reconciler


@cache
def _tls() -> ssl.SSLContext:
    """One for the process: reading the authorities takes longer than all else that is opened here."""
    return httpx.create_ssl_context(trust_env=False)


@asynccontextmanager
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    """Open the database, the adapters and one HTTP client; close them all at the end."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                verify=_tls(),
                timeout=_HTTP_TIMEOUT_SECONDS,
                limits=_HTTP_LIMITS,
                trust_env=False,
                follow_redirects=False,
            )
        )
        db = Database(needed(settings.process.database_url, "DATABASE_URL"), pool_size=settings.process.pool_size)
        stack.push_async_callback(db.close)
        signing = await open_signing(settings, stack)
        yield Parts(db, wiring_rails.build(settings, http, stack, signing), sealer(settings), http)


async def worker(settings: Settings, shared: Parts) -> Worker:
    """What the job process needs; the wallet's own addresses are watched from here on."""
    ladder = policy(settings).ladder
    senders = {
        network: await open_wallet(shared.db, rail, ladder(network), wallets.rules(settings, network))
        for network, rail in shared.rails.chains.items()
    }
    account_senders = {
        network: await open_sender(shared.db, chain, evm.rules(settings, network))
        for network, chain in shared.rails.account_chains.items()
    }
    await wallets.configure_spending(settings, shared.db)
    deliverer = Deliverer(
        shared.db,
        shared.sealer,
        allow_loopback=settings.process.allow_loopback,
        livemode=settings.process.livemode,
    )
    await screening.require_lists(settings, shared.db)
    rules = DepositRules(
        policy(settings),
        price_board(settings, shared.http, shared.rails.networks),
        settings.process.livemode,
        intents=shared.rails.intents,
        lookups=screening.lookups(settings, shared.http),
    )
    reconciler = Reconciler(far_side(settings, shared), settings.reconciliation.reconcile_hour)
    mempools = [MempoolWatch(rail) for rail in shared.rails.chains.values()]
    return Worker(
        shared.db, shared.rails, senders, account_senders, shared.sealer, deliverer, rules, mempools, reconciler
    )


def far_side(settings: Settings, shared: Parts) -> FarSide:
    """Whose own records an auditor holds against our books."""
    return wiring_rails.far_side(settings, shared.http)


def policy(settings: Settings) -> Policy:
    """The operator's rules."""
    pricing = settings.pricing
    terms = Terms(
        taker_bps=pricing.taker_bps,
        spread_bps=pricing.spread_bps,
        processing_bps=pricing.processing_bps,
        partner_bps=pricing.partner_bps,
        network_fee_units=pricing.network_fee_units,
    )
    limits = {code: Limits(pricing.least_units, pricing.most_units) for code in pricing.fiat}
    return Policy(
        terms,
        settings.quote_lifetime,
        settings.payment_window,
        limits,
        approval_above=settings.payouts.approval_above,
        accounts_verified_by_checks=settings.accounts.external_accounts == "checks",
        floats=wallets.floats(settings),
        deposit_grace=settings.deposit_grace,
        windows={name: timedelta(seconds=wait) for name, wait in settings.payin.payin_windows.items()},
        holds={name: read_hold(text) for name, text in settings.payin.delivery_holds.items()},
        most=settings.payin.payin_most,
        ladders={
            "bitcoin": read_ladder(settings.bitcoin.bitcoin_confirmations),
            "litecoin": read_ladder(settings.litecoin.litecoin_confirmations),
            **dict.fromkeys(settings.evm.evm_chains, FINAL_BY_WORD),
        },
    )
