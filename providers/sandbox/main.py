"""The sandbox as one program on one port: build_app() puts its parts together, serve() runs it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from providers.sandbox import control, control_chain, explorer, venue_binance, venue_kraken
from providers.sandbox.bitcoin.node import Node
from providers.sandbox.bitcoin.rpc import router as bitcoin_router
from providers.sandbox.control_chain import Miner
from providers.sandbox.faults import Faults
from providers.sandbox.gate import ABORT, Gate
from providers.sandbox.increase.bank import Bank
from providers.sandbox.requests import RequestLog
from providers.sandbox.sepa import control as sepa_control
from providers.sandbox.sepa.folders import Folders
from providers.sandbox.sepa.rows import SCHEMA as SEPA_SCHEMA
from providers.sandbox.store import Store
from providers.sandbox.stripe import api as stripe_api
from providers.sandbox.stripe.acts import Acts
from providers.sandbox.stripe.balance import Balance
from providers.sandbox.stripe.books import Books
from providers.sandbox.stripe.deliveries import Deliveries
from providers.sandbox.stripe.disputes import Disputes
from providers.sandbox.stripe.endpoints import Endpoints
from providers.sandbox.stripe.events import Events
from providers.sandbox.stripe.payments import Payments
from providers.sandbox.stripe.refunds import Refunds
from providers.sandbox.stripe.resources import Resources
from providers.sandbox.stripe.verbs import Verbs
from providers.sandbox.venue import Venue


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How the sandbox behaves. Times are seconds."""

    bitcoin_user: str = "sandbox"
    bitcoin_password: str = "sandbox"  # noqa: S105 (the sandbox holds play money and listens on loopback)
    with_bitcoin: bool = True  # tests of the other targets start faster without a chain
    mining_interval: float = 2.0
    increase_pause: float = 0.2  # how long a bank transfer rests in each state
    webhook_first_pause: float = 0.5
    webhook_timeout: float = 10.0
    sepa_folder: Path | None = None  # served from the start; others register at /control/sepa/folders
    sepa_pause: float = 1.0  # between a payment's acceptance and its booking


class AbortableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, with an ASGI extension by which the gate cuts a connection in the middle of a request."""

    def on_message_begin(self) -> None:
        """Hand the transport to the request."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"transport": self.transport}}


def build_app(home: Path, settings: SandboxSettings) -> FastAPI:
    """The whole far side over the truth below `home`; one per directory, on one event loop."""
    home.mkdir(parents=True, exist_ok=True)
    store = Store(home / "stripe.sqlite")
    sepa_store = Store(home / "sepa.sqlite", SEPA_SCHEMA)
    faults, log, market = Faults(), RequestLog(store), Venue(store)
    stripe, acts, deliveries = _stripe(store, faults, settings)
    folders = Folders(sepa_store, settings.sepa_pause)
    pauses = {"pause": settings.increase_pause, "first_pause": settings.webhook_first_pause}
    bank = Bank(store, faults, timeout=settings.webhook_timeout, **pauses)
    node, miner = Node.open(home) if settings.with_bitcoin else None, Miner()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if settings.sepa_folder is not None:
            await folders.register(settings.sepa_folder)
        work = [deliveries.run(), folders.rounds(), bank.run(), market.beat()]
        if node is not None:
            work.append(_mine(node, miner, settings.mining_interval))
        loops = [asyncio.create_task(each) for each in work]
        yield
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        if node is not None:
            node.close()
        store.close()
        sepa_store.close()

    app = FastAPI(title="Rampwright sandbox", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Gate, store=store, faults=faults, log=log, pin=stripe.pin)
    app.include_router(stripe_api.router(stripe))
    app.include_router(bank.routes())
    app.include_router(venue_kraken.router(market))
    app.include_router(venue_binance.router(market))
    app.include_router(control.router(store=store, faults=faults, log=log, venue=market, acts=acts))
    app.include_router(sepa_control.router(folders))
    if node is not None:
        app.include_router(bitcoin_router(node, settings.bitcoin_user, settings.bitcoin_password), prefix="/bitcoin")
        app.include_router(control_chain.router(node, miner))
        app.include_router(explorer.router(node))
    return app


def _stripe(store: Store, faults: Faults, settings: SandboxSettings) -> tuple[stripe_api.StripeApi, Acts, Deliveries]:
    """Stripe's parts, put together."""
    books = Books(store)
    deliveries = Deliveries(
        store, books, faults, first_pause=settings.webhook_first_pause, timeout=settings.webhook_timeout
    )
    events, balance, endpoints = Events(books, deliveries), Balance(books), Endpoints(books, deliveries)
    disputes = Disputes(books, events, balance)
    payments, refunds = Payments(books, events, balance, disputes), Refunds(books, events, balance)
    resources = Resources(books, Verbs(books, payments, refunds), balance, endpoints, deliveries)
    stripe = stripe_api.StripeApi(store, books, resources)
    return stripe, Acts(books, payments, refunds, disputes, endpoints, stripe.idempotency, balance, events), deliveries


def serve(
    home: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    settings: SandboxSettings | None = None,
    *,
    listener: socket.socket | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Run until a signal ends it. `ready` is told the port as soon as connections are accepted; 0 picks a free one.

    A `listener` that is open already, such as a supervisor's, goes before `host` and `port`.
    """
    listener = listener or socket.create_server((host, port))
    app = build_app(home, settings or SandboxSettings())
    config = uvicorn.Config(
        app,
        http=AbortableProtocol,
        ws="websockets-sansio",
        loop="uvloop",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    if ready is not None:
        ready(listener.getsockname()[1])
    server.run(sockets=[listener])


async def _mine(node: Node, miner: Miner, interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        if not miner.paused:
            node.mine_if_busy()
