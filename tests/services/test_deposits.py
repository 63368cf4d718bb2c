"""Deposits at standing addresses: seen, counted once, taken back and counted again, on a real chain."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.coins import balances, deposit, deposits_of, events, mined, standing_address
from tests.support.world import World

BTC = "BTC.bitcoin"


@pytest.fixture(autouse=True)
async def audited(world: World) -> AsyncIterator[None]:
    """After every test our books agree with themselves, and with what the far side knows."""
    yield
    await world.follow()
    await world.audit()


async def test_coins_come_to_the_balance_when_they_are_deep_enough(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, "0.05000000")
    [seen] = await deposits_of(world)
    assert (seen["status"], seen["confirmations"], seen["confirmations_needed"]) == ("detected", 0, 3)
    await mined(world, 2)
    [still] = await deposits_of(world)
    assert (still["status"], still["confirmations"]) == ("detected", 2)
    assert await balances(world) == {}
    await mined(world, 1)
    [done] = await deposits_of(world)
    assert (done["status"], done["confirmations"]) == ("credited", 3)
    available = f"partner:{world.partner.id}:available"
    assert await balances(world) == {("wallet:hot:bitcoin", BTC): 5_000_000, (available, BTC): -5_000_000}
    assert await events(world, done["id"]) == ["deposit.detected", "deposit.confirmed", "deposit.credited"]
    assert await events(world, address["id"]) == ["deposit_address.created"]
