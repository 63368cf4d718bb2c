"""A whole instance in one process: API over real HTTP, jobs run on demand, the far side beyond."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx

from app import wiring
from app.api.context import Context
from app.audit import audit
from app.db.columns import new_id
from app.db.database import Database
from app.db.jobs import Job, JobName, enqueue
from app.db.partners import insert_key, insert_partner
from app.main import build_app
from app.ports.errors import ProviderError
from app.ports.records import FarSide as FarSideRecords
from app.services import sends
from app.services.keys import new_key
from app.services.rails import Rails
from app.settings import Settings
from app.wiring import Worker
from app.worker import follow_chains, handlers, sweeps_of
from providers.sandbox.client import SandboxClient
from tests.support.hosting import LateApp, chain_height, register_hook, serving, settings_for
from webhooks.outbound.publish import publish_waiting

COIN = 10**8


@dataclass(frozen=True, slots=True)
class TestPartner:
    """A partner with a key that may do everything."""

    __test__ = False

    id: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """What authenticates a request."""
        return {"Authorization": f"Bearer {self.key}"}


async def make_partner(db: Database, *, scopes: list[str] | None = None, mode: str = "test") -> TestPartner:
    """Add a partner with one key."""
    partner_id, made = new_id("pt"), new_key(mode)
    async with db.transaction() as tx:
        await insert_partner(tx, partner_id, "Test partner")
        await insert_key(
            tx,
            key_id=new_id("key"),
            partner_id=partner_id,
            key_hash=made.hash,
            hint=made.hint,
            mode=mode,
            scopes=scopes or ["*"],
            expires_at=None,
        )
    return TestPartner(partner_id, made.key)


@dataclass(slots=True)
class World:
    """Everything a journey needs."""

    settings: Settings
    context: Context
    worker: Worker
    partner: TestPartner
    client: httpx.AsyncClient  # speaks to the API, as the partner
    far: SandboxClient
    far_url: str
    stripe_key: str
    api_url: str
    records: FarSideRecords
    http: httpx.AsyncClient
    keys: int = field(default=0)

    @property
    def db(self) -> Database:
        """The instance's database."""
        return self.context.db

    @property
    def rails(self) -> Rails:
        """The instance's adapters."""
        return self.context.rails

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """POST with an Idempotency-Key of its own."""
        self.keys += 1
        return await self.client.post(
            path,
            json={} if body is None else body,
            headers={"Idempotency-Key": key or f"k-{self.keys}-{secrets.token_hex(4)}"},
        )

    async def get(self, path: str) -> dict[str, object]:
        """GET what must be there."""
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        found: dict[str, object] = response.json()
        return found

    async def run_jobs(self, *tolerated: str) -> int:
        """Run every job that is due, one after the other, until there is none; how many ran.

        A job that fails with one of the `tolerated` errors, by class name, is due again in an hour, see `now_due`.
        """
        ran, doing = 0, handlers(self.worker)
        while True:
            await publish_waiting(self.db)
            async with self.db.connection() as connection:
                due = await connection.fetch(
                    """
                    DELETE FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()
                    RETURNING id, entrypoint, payload
                    """
                )
            if not due:
                return ran
            for job in sorted(due, key=lambda record: record["id"]):
                ran += 1
                name, subject = JobName(job["entrypoint"]), bytes(job["payload"]).decode()
                try:
                    await doing[name](subject)
                except Exception as error:
                    if type(error).__name__ not in tolerated:
                        raise
                    async with self.db.transaction() as tx:
                        await enqueue(tx, [Job(name, subject, timedelta(hours=1))])

    async def now_due(self) -> None:
        """Let the time pass that jobs, polls and sweeps are waiting for."""
        async with self.db.transaction() as tx:
            await tx.execute("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'")
            await tx.execute("UPDATE payments SET poll_at = now()")
            await tx.execute("UPDATE operations SET created_at = created_at - interval '1 minute'")
            await tx.execute(
                """
                UPDATE chain_transactions SET created_at = created_at - interval '1 minute',
                                              broadcast_at = broadcast_at - interval '1 minute'
                """
            )

    async def follow(self) -> None:
        """Read the chain to its tip."""
        while await follow_chains(self.worker):
            pass

    async def retell_notifications(self, dice: random.Random, *, times: int) -> None:
        """Process every notification again, several times, in any order."""
        async with self.db.transaction() as tx:
            stored = [record["id"] for record in await tx.fetch("SELECT id FROM notifications")] * times
            dice.shuffle(stored)
            await tx.execute("UPDATE notifications SET state = 'received'")
        process = handlers(self.worker)[JobName.PROCESS_NOTIFICATION]
        for stored_id in stored:
            async with self.db.transaction() as tx:
                await tx.execute("UPDATE notifications SET state = 'received' WHERE id = $1", stored_id)
            await process(stored_id)

    async def audit(self) -> None:
        """The books are right, inside and against the far side's own records."""
        report = await audit(self.db, self.records, wait_seconds=5.0, grace=timedelta(seconds=0))
        assert report.clean, report.text()

    async def undelivered(self) -> int:
        """How many events the far side has still to tell us."""
        found = await self.http.get(
            f"{self.far_url}/stripe/v1/events",
            params={"delivery_success": "false", "limit": "100"},
            auth=(self.stripe_key, ""),
        )
        return len(found.json()["data"])

    async def drain(self, *tolerated: str, patience: float = 60.0) -> None:
        """Until nothing is left to do here, and nothing left to be told from there."""
        deadline = asyncio.get_running_loop().time() + patience
        while asyncio.get_running_loop().time() < deadline:
            ran = await self.run_jobs(*tolerated)
            await self.follow()
            if not ran and not await self.undelivered():
                if not await self.run_jobs(*tolerated):
                    return
            elif not ran:
                await asyncio.sleep(0.02)
        raise AssertionError("the instance does not come to rest")

    async def sweep(self) -> None:
        """One round of the sweeps; a provider's failure is theirs to bear."""
        try:
            for sweep in sweeps_of(self.worker).values():
                await sweep()
        except ProviderError as error:
            raise AssertionError(f"a sweep let an error out: {error}") from error

    async def fund(self, coins: int = 20, amount: int = 5_000_000) -> None:
        """Put confirmed coins into the hot wallet through the faucet."""
        rail = self.rails.chains["bitcoin"]
        addresses = [rail.new_address(sends.Branch.RECEIVE, index % sends.POOL_SIZE).text for index in range(coins)]
        await self.far.fund([(address, amount) for address in addresses])
        await self.follow()

    async def quote(self, amount: str = "100.00", **changes: object) -> dict[str, object]:
        """A quote to spend so many euros on bitcoin."""
        body: dict[str, object] = {
            "direction": "buy",
            "source": {"asset": "EUR", "amount": amount},
            "destination": {"asset": "BTC", "network": "bitcoin"},
            "payment_method": "card",
            **changes,
        }
        response = await self.post("/v1/quotes", body)
        assert response.status_code == 201, response.text
        quote: dict[str, object] = response.json()
        return quote

    async def order(self, amount: str = "100.00", **changes: object) -> dict[str, object]:
        """An order placed on a fresh quote."""
        quote = await self.quote(amount)
        body = {"quote_id": quote["id"], "destination": {"address": CUSTOMER_ADDRESS}, **changes}
        response = await self.post("/v1/orders", body)
        assert response.status_code == 201, response.text
        order: dict[str, object] = response.json()
        return order

    async def pay(self, order: dict[str, object], card: str = "4242424242424242") -> None:
        """Do what the customer's browser does."""
        response = await self.post("/v1/simulate/card/pay", {"order_id": order["id"], "card": card})
        assert response.status_code < 300, response.text


# BIP-173's example key hash on regtest.
CUSTOMER_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@asynccontextmanager
async def open_world(home: Path, db: Database, far_url: str) -> AsyncIterator[World]:
    """Start an instance of its own Stripe account and wallet, and stop it at the end."""
    stripe_key = f"sk_test_{secrets.token_hex(16)}"
    home.mkdir(parents=True, exist_ok=True)
    wiring.write_secret(home / "secrets" / "bitcoin_seed", secrets.token_hex(32))
    late = LateApp()
    async with AsyncExitStack() as stack:
        _, api_url = await stack.enter_async_context(serving(late))
        secret = await register_hook(far_url, stripe_key, f"{api_url}/hooks/stripe")
        settings = settings_for(home, db.url, far_url, stripe_key, secret, await chain_height(far_url))
        parts = await stack.enter_async_context(wiring.parts(settings))
        parts = replace(parts, db=db)
        context = wiring.context(settings, parts)
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
            worker=await wiring.worker(settings, parts),
            partner=partner,
            client=client,
            far=SandboxClient(parts.http, far_url),
            far_url=far_url,
            stripe_key=stripe_key,
            api_url=api_url,
            records=wiring.far_side(settings, parts),
            http=parts.http,
        )
