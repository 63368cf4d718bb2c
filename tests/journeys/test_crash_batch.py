"""SIGKILL at named points of one batch of 1,000: every item is paid exactly once, by the far side's own records.

As for a buy order, each point is reached by the far side holding a request or an answer, or by a lock in the database:
no code of ours knows that it is being tested. One batch goes through all of them, one after the other.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest import mock

import asyncpg
import httpx
import pytest

from app.cli.receiver import receiving
from app.dev.home import Home, environment
from app.ports.records import FarSide
from app.settings import Settings
from app.wiring import assembly
from providers.sandbox.bitcoin.address import address_of
from tests.journeys.crash_ramp import HoldingReceiver, Ramp, until
from tests.journeys.dev_process import running

WALLETS, BANKS = 900, 100
SATOSHI, CENTS = 10_000, 100


def _items(scripts: list[bytes]) -> list[dict[str, object]]:
    """Wallets and bank accounts, mixed; each wallet is paid by one item alone."""
    coins = {"asset": "BTC", "network": "bitcoin", "amount": "0.00010000"}
    items: list[dict[str, object]] = [
        {
            "amount": coins,
            "external_account": {
                "type": "wallet",
                "asset": "BTC",
                "network": "bitcoin",
                "address": address_of(script),
            },
            "external_id": f"wallet-{number}",
        }
        for number, script in enumerate(scripts)
    ]
    bank = {"type": "bank", "scheme": "ach", "routing_number": "021000021", "holder_name": "Ada Lovelace"}
    for number in range(BANKS):
        items.insert(
            number * 10,
            {
                "amount": {"asset": "USD", "amount": "1.00"},
                "external_account": bank | {"account_number": f"98765{number:05d}9"},
                "external_id": f"bank-{number}",
            },
        )
    return items


@asynccontextmanager
async def locked(ramp: Ramp, statement: str) -> AsyncIterator[None]:
    """Hold rows, or a table, of the instance's database, so that whoever needs them waits."""
    connection = await asyncpg.connect(ramp.dev.instance.database_url)
    await connection.execute("BEGIN")
    await connection.execute(statement)
    try:
        yield
    finally:
        connection.terminate()


async def somebody_waits(ramp: Ramp) -> None:
    """Until a statement of the instance waits for our lock."""

    async def waits() -> bool:
        return bool(
            await ramp.value(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'"
            )
        )

    await until(waits, "somebody waits")


class Points:
    """The points at which something dies, by name, as they are passed."""

    def __init__(self, ramp: Ramp) -> None:
        self._ramp = ramp
        self.passed: list[str] = []

    async def kill(self, point: str, *victims: str) -> None:
        """This is the point."""
        await self._ramp.kill(*victims)
        self.passed.append(point)


async def accept(ramp: Ramp, body: dict[str, object]) -> str:
    """Post the batch with one key until it is answered; its id."""
    while True:
        try:
            answer = await ramp.api.post("/v1/payout_batches", json=body, headers={"Idempotency-Key": "the-batch"})
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.status_code == 201:
            return str(answer.json()["id"])
        assert answer.status_code >= 500 or answer.status_code == 409, answer.text
        await asyncio.sleep(0.1)


async def states(ramp: Ramp, batch_id: str) -> Counter[str]:
    """How many payouts of the batch stand where, by our own books."""
    connection = await asyncpg.connect(ramp.dev.instance.database_url, timeout=5)
    try:
        records = await connection.fetch("SELECT state FROM payouts WHERE batch_id = $1", batch_id)
    finally:
        await connection.close()
    return Counter(record["state"] for record in records)


async def has(ramp: Ramp, batch_id: str, least: int, *wanted: str) -> None:
    """Until at least so many payouts stand in one of these states."""

    async def enough() -> bool:
        now = await states(ramp, batch_id)
        return sum(now[state] for state in wanted) >= least

    await until(enough, f"{least} payouts in {wanted}")


@asynccontextmanager
async def records_of(ramp: Ramp) -> AsyncIterator[FarSide]:
    """The far side's own records."""
    home = Home(ramp.dev.home)
    told = environment(ramp.dev.instance, home.secrets()) | {"RAMPWRIGHT_HOME": str(home.path)}
    with mock.patch.dict(os.environ, told):
        settings = Settings()
    async with assembly.parts(settings) as shared:
        yield assembly.far_side(settings, shared)


async def funded(ramp: Ramp) -> None:
    """Until the development partner's balance can pay the batch."""

    async def enough() -> bool:
        rows = (await ramp.api.get("/v1/balances")).json()["data"]
        available = {(row["asset"], row["network"]): float(row["available"]) for row in rows}
        return available["BTC", "bitcoin"] >= 0.09 and available["USD", None] >= 100

    await until(enough, "the partner is funded")


async def through_every_point(ramp: Ramp, body: dict[str, object], points: Points) -> str:
    """Accept the batch and let things die on its whole way; its id."""
    async with locked(ramp, "SELECT 1 FROM balances FOR UPDATE"):
        accepting = asyncio.create_task(accept(ramp, body))
        await somebody_waits(ramp)
        await points.kill("accepting: items checked, nothing written", "api")
    # The coins are held back and the bank's first request too, so that the batch stands still where it is wanted.
    await ramp.mining(paused=True)
    async with locked(ramp, "SELECT 1 FROM coins FOR UPDATE"):
        async with locked(ramp, "LOCK TABLE payouts IN SHARE MODE"):
            batch_id = await accepting
            await somebody_waits(ramp)
            await points.kill("expanding: the first chunk is not written", "worker")
        asking = await ramp.arm("delay_before", target="increase", method="POST", path="/ach_transfers$")
        await ramp.used(asking)
        asked = await ramp.arm("delay", target="increase", method="POST", path="/ach_transfers$")
        await points.kill("asking the bank: the request has not been done", "worker")
        await ramp.used(asked)
        there = await ramp.arm("delay", target="increase", method="POST", path="/ach_transfers$")
        await points.kill("asking the bank: done, the answer is on its way", "worker")
        await ramp.used(there)
        await ramp.arm("webhook_delay", seconds=4.0, target="increase", times=20)
        await points.kill("asking the bank: the bank itself dies", "sandbox")
        await has(ramp, batch_id, WALLETS, "queued")
        await points.kill("expanded: the coins wait", "postgres")
    signed = await ramp.arm("delay_before", target="bitcoin", path="/sendrawtransaction$")
    await ramp.used(signed)
    broadcast = await ramp.arm("delay", target="bitcoin", path="/sendrawtransaction$")
    await points.kill("signed: the bytes are stored, the node has not had them", "worker")
    await ramp.used(broadcast)
    again = await ramp.arm("delay", target="bitcoin", path="/sendrawtransaction$")
    await points.kill("broadcast: the node's answer is on its way", "worker")
    await ramp.used(again)
    await points.kill("broadcast: the node itself dies", "sandbox")
    await has(ramp, batch_id, WALLETS, "submitted", "settled")
    await points.kill("submitted: nothing is mined", "api", "worker", "sandbox", "postgres")
    async with locked(ramp, "LOCK TABLE moves IN SHARE MODE"):
        await ramp.mining(paused=False)
        await somebody_waits(ramp)
        await points.kill("settling: mined deep enough, not recorded", "worker")
    await has(ramp, batch_id, WALLETS // 2, "settled")
    await points.kill("settled in part: the rest and the events wait", "worker", "postgres")
    return batch_id


async def test_a_batch_of_a_thousand_is_paid_once_whatever_dies(tmp_path_factory: pytest.TempPathFactory) -> None:
    scripts = [bytes([0, 20]) + secrets.token_bytes(20) for _ in range(WALLETS)]
    body: dict[str, object] = {"mode": "best_effort", "items": _items(scripts), "external_id": "crash"}
    with running(tmp_path_factory.mktemp("crash-batch") / "home") as dev, receiving(HoldingReceiver()) as receiver:
        assert isinstance(receiver, HoldingReceiver)
        headers = {"Authorization": f"Bearer {dev.instance.api_key}"}
        async with (
            httpx.AsyncClient(base_url=dev.instance.api_url, headers=headers, timeout=60) as api,
            httpx.AsyncClient(base_url=dev.instance.sandbox_url, timeout=60) as far,
        ):
            ramp = Ramp(dev, api, far, receiver)
            await funded(ramp)
            points = Points(ramp)
            batch_id = await through_every_point(ramp, body, points)
            assert len(set(points.passed)) >= 10
            await ramp.disarm()
            await has(ramp, batch_id, WALLETS + BANKS, "settled")

            async def completed() -> bool:
                return (await api.get(f"/v1/payout_batches/{batch_id}")).json()["status"] == "completed"

            await until(completed, "the batch completed")
            await paid_once(ramp, batch_id, scripts)
            assert await ramp.audit() == ""


async def paid_once(ramp: Ramp, batch_id: str, scripts: list[bytes]) -> None:
    """By the chain and by the bank: each wallet has one output of its amount, each bank item one transfer."""
    connection = await asyncpg.connect(ramp.dev.instance.database_url)
    try:
        records = await connection.fetch("SELECT id FROM payouts WHERE batch_id = $1 AND method = 'ach'", batch_id)
    finally:
        await connection.close()
    wanted = {record["id"] for record in records}
    async with records_of(ramp) as far_side:
        bank = await far_side.banks["increase"].read()
        chain = far_side.chains["bitcoin"]
        hexes = [script.hex() for script in scripts]
        history = await chain.history(hexes, (await chain.coins(hexes)).at)
    transfers = Counter(
        (transfer.payout_id, transfer.amount.units, transfer.stands)
        for transfer in bank.transfers
        if transfer.payout_id in wanted
    )
    assert transfers == Counter((payout_id, CENTS, True) for payout_id in wanted)
    assert len(wanted) == BANKS
    ours = set(hexes)
    outputs = Counter(
        (output.script, output.amount)
        for transaction in history
        for output in transaction.outputs
        if output.script in ours
    )
    assert outputs == Counter((script, SATOSHI) for script in hexes)
