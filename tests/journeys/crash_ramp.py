"""A running instance that gets killed: its customers, its far side's faults, and what both sides say afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from unittest import mock

import asyncpg
import httpx

from app.audit import audit
from app.cli.receiver import Receiver
from app.cli.stories.buy import CARD
from app.dev.home import BITCOIN_USER, Home, environment
from app.ports.chain import Branch
from app.settings import Settings
from app.wiring import assembly
from providers.bitcoin.networks import NETWORKS
from providers.bitcoin.wallet import Wallet
from tests.journeys.dev_process import Dev

Json = dict[str, object]
PATIENCE_SECONDS = 150.0
LOOK_SECONDS = 0.1  # every look at the database is a new connection: more of them are work for the instance
MINUTE = 60.0


async def until(look: Callable[[], Awaitable[object]], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look until it is true; a side that is down just now is looked at again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if await look():
                return
        except (httpx.HTTPError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            pass
        assert time.monotonic() < deadline, f"not {what} within {seconds:.0f} s"
        await asyncio.sleep(LOOK_SECONDS)


class HoldingReceiver(Receiver):
    """A subscriber that keeps the delivery of a chosen order's completion waiting, and counts what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.hold: str | None = None  # an order id
        self.holding = threading.Event()
        self.release = threading.Event()
        self.told: Counter[tuple[str, str]] = Counter()  # (order id, type) by distinct webhook-id
        self._ids: set[str] = set()

    def take(self, headers: dict[str, str], body: bytes) -> bool:
        """Verify, then wait if this is the one."""
        genuine = super().take(headers, body)
        event = json.loads(body)
        resource = event["resource"]["id"]
        if genuine and headers["webhook-id"] not in self._ids:
            self._ids.add(headers["webhook-id"])
            self.told[resource, event["type"]] += 1
        if genuine and event["type"] == "order.completed" and resource == self.hold and not self.release.is_set():
            self.holding.set()
            self.release.wait(MINUTE)
        return genuine


@dataclass(slots=True)
class Ramp:
    """The instance, seen from outside."""

    dev: Dev
    api: httpx.AsyncClient
    far: httpx.AsyncClient
    receiver: HoldingReceiver
    killed: list[str] = field(default_factory=list)

    async def kill(self, *names: str) -> None:
        """SIGKILL, all at once; the supervisor is left to notice by itself."""
        before = self.dev.instance.pids
        for name in names:
            os.kill(before[name], signal.SIGKILL)
            self.killed.append(name)

        async def back() -> bool:
            now = self.dev.instance.pids
            return all(now.get(name) not in (None, before[name]) for name in names)

        await until(back, f"{names} started again")

    async def arm(self, kind: str, seconds: float = 8.0, times: int = 1, **fits: str) -> int:
        """Have the far side spoil the next request that fits; the fault's id."""
        answer = await self.far.post("/control/faults", json={"kind": kind, "seconds": seconds, "times": times, **fits})
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["id"]
        return number

    async def disarm(self) -> None:
        """Take back what has not been used, from a far side that may just be starting again."""

        async def done() -> bool:
            return (await self.far.delete("/control/faults")).is_success

        await until(done, "faults disarmed")

    async def used(self, fault: int) -> None:
        """Wait until the request has come: it is now being held."""

        async def gone() -> bool:
            armed = (await self.far.get("/control/faults")).json()["data"]
            return all(each["id"] != fault for each in armed)

        await until(gone, f"fault {fault} used")

    async def mining(self, *, paused: bool) -> None:
        """Stop the far side's miner, or let it go on."""

        async def done() -> bool:
            return (await self.far.put("/control/bitcoin/mining", json={"paused": paused})).is_success

        await until(done, "the miner told")

    async def value(self, query: str, *arguments: object) -> object:
        """One value out of the database."""
        connection = await asyncpg.connect(self.dev.instance.database_url, timeout=5)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    async def state_is(self, order_id: str, *states: str) -> None:
        """Wait until an order is in one of these states."""

        async def looks() -> bool:
            return await self.value("SELECT state FROM orders WHERE id = $1", order_id) in states

        await until(looks, f"{order_id} in {states}")

    async def coins_at(self, address: str) -> list[int]:
        """What the chain holds at an address, in satoshi, output by output; by the node's own records."""
        password = Home(self.dev.home).secrets().sandbox_rpc_password
        call = {"method": "scantxoutset", "params": ["start", [f"addr({address})"]]}
        answer = await self.far.post("/bitcoin", json=call, auth=(BITCOIN_USER, password))
        return [round(float(coin["amount"]) * 10**8) for coin in answer.json()["result"]["unspents"]]

    async def charges_of(self, order_id: str) -> list[tuple[str, int]]:
        """What the far side's Stripe holds of an order: (status, amount received) of every payment, by its records."""
        found: list[tuple[str, int]] = []
        params = {"limit": "100"}
        key = Home(self.dev.home).secrets().stripe_secret_key
        while True:
            answer = await self.far.get("/stripe/v1/payment_intents", params=params, auth=(key, ""))
            page = answer.json()
            found += [
                (intent["status"], intent["amount_received"])
                for intent in page["data"]
                if order_id in intent["metadata"].values()
            ]
            if not page["has_more"]:
                return found
            params["starting_after"] = page["data"][-1]["id"]

    async def audit(self) -> str:
        """What the auditor finds; nothing when every count is zero."""
        home = Home(self.dev.home)
        told = environment(self.dev.instance, home.secrets()) | {"RAMPWRIGHT_HOME": str(home.path)}
        with mock.patch.dict(os.environ, told):
            settings = Settings()
        async with assembly.parts(settings) as shared:
            report = await audit(shared.db, assembly.far_side(settings, shared), wait_seconds=30.0)
        return "" if report.clean else report.text()


@dataclass(slots=True)
class Customer:
    """One order, carried through by somebody who repeats what was not answered."""

    ramp: Ramp
    name: str = field(default_factory=lambda: f"crash-{secrets.token_hex(6)}")
    address: str = field(
        default_factory=lambda: Wallet(secrets.token_bytes(32), NETWORKS["regtest"]).address(Branch.RECEIVE, 0).text
    )
    quote_id: str = ""
    order_id: str = ""
    paid: bool = False

    async def quote(self) -> None:
        """Ask for a price."""
        answer = await self._post(
            "/v1/quotes",
            {
                "direction": "buy",
                "source": {"asset": "EUR", "amount": "100.00"},
                "destination": {"asset": "BTC", "network": "bitcoin"},
                "payment_method": "card",
            },
            key=f"{self.name}-quote",
        )
        assert answer is not None
        self.quote_id = str(answer["id"])

    async def place(self) -> None:
        """Place the order, always with the same key; one that was placed by a lost request is found by our own name."""
        body: Json = {
            "quote_id": self.quote_id,
            "destination": {"address": self.address},
            "external_id": self.name,
        }
        answer = await self._post("/v1/orders", body, key=f"{self.name}-order")
        if answer is None:
            answer = await self._get("/v1/orders", external_id=self.name)
            found = answer["data"]
            assert isinstance(found, list)
            [answer] = found
        self.order_id = str(answer["id"])

    async def pay(self) -> None:
        """Pay with the card, as soon as there is a payment to pay."""

        async def payable() -> bool:
            payment = (await self._get(f"/v1/orders/{self.order_id}"))["payment"]
            return isinstance(payment, dict) and bool(payment["reference"])

        await until(payable, f"{self.name} payable")
        await self._post("/v1/simulate/card/pay", {"order_id": self.order_id, "card": CARD}, key=f"{self.name}-pay")
        self.paid = True

    async def state(self) -> object:
        """What our books say of the order at this moment; None when there is none yet."""
        return await self.ramp.value("SELECT state FROM orders WHERE external_id = $1", self.name)

    async def finish(self) -> Json:
        """Do what is left, and wait until the order is completed; the order."""
        if not self.quote_id:
            await self.quote()
        if not self.order_id:
            await self.place()
        if not self.paid:
            await self.pay()

        async def completed() -> bool:
            return (await self._get(f"/v1/orders/{self.order_id}"))["status"] == "completed"

        await until(completed, f"{self.name} completed")
        return await self._get(f"/v1/orders/{self.order_id}")

    async def _get(self, path: str, **params: str) -> Json:
        answer = await self.ramp.api.get(path, params=params)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def _post(self, path: str, body: Json, *, key: str) -> Json | None:
        """Repeat until there is an answer; None for one that says that another request has done it, or is doing it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = await self.ramp.api.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                found: Json = answer.json()
                return found
            if answer is not None and answer.status_code == 409:
                return None
            assert answer is None or answer.status_code >= 500, answer.text
            await asyncio.sleep(0.1)
        raise AssertionError(f"{path} was never answered")
