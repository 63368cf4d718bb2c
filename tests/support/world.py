"""A whole instance in one process: API over real HTTP, jobs run on demand, the far side beyond."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from app.api.context import Context
from app.audit import audit
from app.db.database import Database
from app.db.jobs import Job, JobName, enqueue
from app.ports.chain import Branch
from app.ports.errors import ProviderError
from app.ports.records import FarSide as FarSideRecords
from app.services import preparing
from app.services.rails import Rails
from app.settings import Settings
from app.wiring.assembly import Worker
from app.worker import follow_chains, handlers, look_at_mempools, send_files, send_payouts, sweeps_of
from providers.sandbox.client import SandboxClient
from tests.support.partners import TestPartner
from webhooks.outbound.publish import publish_waiting

COIN = 10**8


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
            await tx.execute("UPDATE payouts SET poll_at = now() WHERE poll_at <> 'infinity'")
            await tx.execute("UPDATE operations SET created_at = created_at - interval '1 minute'")
            await tx.execute(
                """
                UPDATE chain_transactions SET created_at = created_at - interval '1 minute',
                                              broadcast_at = broadcast_at - interval '1 minute'
                """
            )

    async def follow(self) -> None:
        """Read the chain to its tip, and look at what waits for a block."""
        while await follow_chains(self.worker):
            pass
        while await look_at_mempools(self.worker):
            pass

    async def pay_out(self) -> None:
        """Pay what waits in coins and in files."""
        while await send_payouts(self.worker) or await send_files(self.worker):
            pass

    @property
    def sepa_folder(self) -> Path:
        """Where files are exchanged with the SEPA bank."""
        return self.settings.process.home / "sepa"

    async def sepa(self) -> None:
        """Let the SEPA bank do all that it has to, and read what it says."""
        await self.far.sepa_run(self.sepa_folder)
        await sweeps_of(self.worker)["bank_reports"]()
        await self.drain()

    async def eventually(self, happened: Callable[[], Awaitable[bool]], what: str, patience: float = 20.0) -> None:
        """Work on until something has happened, such as a notification that is on its way."""
        deadline = asyncio.get_running_loop().time() + patience
        while not await happened():
            assert asyncio.get_running_loop().time() < deadline, f"not within {patience} s: {what}"
            await self.drain()
            await asyncio.sleep(0.02)

    async def available(self, asset: str, network: str | None = None) -> str:
        """What the partner has available, as the API says it."""
        rows = (await self.get("/v1/balances"))["data"]
        assert isinstance(rows, list)
        [row] = [one for one in rows if (one["asset"], one["network"]) == (asset, network)]
        return str(row["available"])

    async def top_up(self, units: int, asset: str = "USD") -> None:
        """Send money to the partner's own number, and wait until its balance has it."""
        response = await self.post("/v1/virtual_accounts", {"asset": asset})
        assert response.status_code == 201, response.text
        account, before = response.json(), await self.available(asset)
        if asset == "EUR":
            await self.far.sepa_credit(self.sepa_folder, units, "Test partner", account["reference"])
            await self.sepa()
        else:
            await self.far.increase_credit(account["account_number"], units, "Test partner", "float")

        async def has_it() -> bool:
            return await self.available(asset) != before

        await self.eventually(has_it, "a top-up")

    async def account(self, **details: object) -> str:
        """An external account; a bank account in the United States unless said otherwise."""
        body = {
            "type": "bank",
            "scheme": "ach",
            "routing_number": "021000021",
            "account_number": "9876543210",
            "holder_name": "Ada Lovelace",
        }
        response = await self.post("/v1/external_accounts", details or body)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

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
            await self.pay_out()
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
        addresses = [rail.new_address(Branch.RECEIVE, index % preparing.POOL_SIZE).text for index in range(coins)]
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
