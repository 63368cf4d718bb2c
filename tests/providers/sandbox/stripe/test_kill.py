"""SIGKILL: what was acknowledged is still there, and what was not yet told is told."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import stripe

from tests.providers.sandbox.stripe.far_side import FarSide, Sandbox, receiving, until


async def _customer(far: FarSide, number: int, acknowledged: dict[str, str]) -> None:
    """Open payments, one after the other, until nobody answers."""
    attempt = 0
    while True:
        key = f"pay_{number}_{attempt}"
        try:
            answer = await far.post("payment_intents", {"amount": "1000", "currency": "eur"}, idempotency_key=key)
        except httpx.TransportError:
            return
        acknowledged[key] = answer.json()["id"]
        attempt += 1


async def test_a_killed_sandbox_keeps_its_word(tmp_path: Path, sdk_http: stripe.HTTPXClient) -> None:
    running = Sandbox(tmp_path)
    far = FarSide(running.url, sdk_http)
    async with receiving() as receiver:
        port = receiver.port
        await far.stripe.webhook_endpoints.create_async(
            {"url": receiver.url, "enabled_events": ["payment_intent.created"]}
        )
    # Nobody listens at the endpoint any more: every delivery is pending when the kill comes.
    await far.http.put("/control/venue/XBTEUR", json={"asks": [["100.00", "1"]], "tail": False})
    acknowledged: dict[str, str] = {}
    customers = [asyncio.create_task(_customer(far, number, acknowledged)) for number in range(8)]
    await until(lambda: len(acknowledged) > 100)
    assert await asyncio.to_thread(running.end, signal.SIGKILL) == -signal.SIGKILL
    await asyncio.gather(*customers)

    async with receiving(port) as late:
        again = Sandbox(tmp_path, port=running.port)
        try:
            page = await far.stripe.payment_intents.list_async({"limit": 100})
            kept = {intent.id async for intent in page.auto_paging_iter()}
            assert set(acknowledged.values()) <= kept
            assert len(kept) <= len(acknowledged) + 8  # at most one per customer was done and not yet answered
            for key in list(acknowledged)[::20]:
                replayed = await far.post("payment_intents", {"amount": "1000", "currency": "eur"}, idempotency_key=key)
                assert (replayed.json()["id"], replayed.headers["idempotent-replayed"]) == (acknowledged[key], "true")
            logged = {line["idempotency_key"] for line in await far.requests()}
            assert set(acknowledged) <= logged
            book = (await far.http.get("/kraken/0/public/Depth", params={"pair": "XBTEUR"})).json()
            assert [level[0] for level in book["result"]["XXBTZEUR"]["asks"]] == ["100.00000"]
            await until(lambda: len({each.id for each in late.received}) == len(kept), 20)
        finally:
            await far.http.aclose()
            await asyncio.to_thread(again.end)
