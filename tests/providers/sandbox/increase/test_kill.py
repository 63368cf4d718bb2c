"""SIGKILL: what the bank acknowledged is still there, moves on, and is told."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx

from tests.providers.sandbox.increase.far_side import Bank, Sandbox
from tests.providers.sandbox.stripe.far_side import receiving, until

DETAILS = {"amount": 1, "statement_descriptor": "x", "routing_number": "110000000", "account_number": "98761111"}


async def _payer(bank: Bank, account_id: str, number: int, acknowledged: dict[str, str]) -> None:
    """Send transfers, one after the other, until nobody answers."""
    attempt = 0
    while True:
        key = f"po_{number}_{attempt}"
        try:
            answer = await bank.post("ach_transfers", {"account_id": account_id, **DETAILS}, key)
        except httpx.TransportError:
            return
        acknowledged[key] = answer.json()["id"]
        attempt += 1


async def test_a_killed_bank_keeps_its_word(tmp_path: Path) -> None:
    running = Sandbox(tmp_path, pause=0.2)
    bank = Bank(running.url)
    account_id = await bank.account_id()
    async with receiving() as receiver:
        port = receiver.port
        chosen = [{"event_category": "ach_transfer.created"}]
        body = {"url": receiver.url, "shared_secret": "x" * 16, "selected_event_categories": chosen}
        await bank.post("event_subscriptions", body)
    acknowledged: dict[str, str] = {}
    payers = [asyncio.create_task(_payer(bank, account_id, number, acknowledged)) for number in range(8)]
    await until(lambda: len(acknowledged) > 80)
    assert await asyncio.to_thread(running.end, signal.SIGKILL) == -signal.SIGKILL
    await asyncio.gather(*payers)

    async with receiving(port) as late:
        again = Sandbox(tmp_path, port=running.port, pause=0.2)
        try:
            kept = {transfer.id: transfer async for transfer in bank.sdk.ach_transfers.list()}
            assert set(acknowledged.values()) <= set(kept)
            assert len(kept) <= len(acknowledged) + 8  # at most one per payer was done and not yet answered
            for key in list(acknowledged)[::20]:
                replayed = await bank.post("ach_transfers", {"account_id": account_id, **DETAILS}, key)
                assert (replayed.json()["id"], replayed.headers["idempotent-replayed"]) == (acknowledged[key], "true")
            assert set(acknowledged) <= {line["idempotency_key"] for line in await bank.acts.requests(bank.api_key)}
            lines = [line.amount async for line in bank.sdk.transactions.list()]
            assert sum(lines) == await bank.balance() == 10_000_000_000 - len(kept)

            async def all_settled() -> bool:
                return all([each.settlement is not None async for each in bank.sdk.ach_transfers.list()])

            await until(all_settled, 20)
            await until(lambda: len({each.headers["webhook-id"] for each in late.received}) == len(kept), 20)
        finally:
            await bank.http.aclose()
            await asyncio.to_thread(again.end)
