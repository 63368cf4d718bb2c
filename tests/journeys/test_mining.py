"""When a development instance asks for blocks: while coins wait for depth, whichever way they go."""

from __future__ import annotations

from app.db import chain
from tests.support.coins import deposit, mined, standing_address
from tests.support.world import CUSTOMER_ADDRESS, World


async def awaited(world: World) -> bool:
    """Whether a block is wanted now."""
    async with world.db.connection() as connection:
        return await chain.awaits_depth(connection, "bitcoin")


async def test_a_deposit_wants_blocks_until_it_counts(world: World) -> None:
    assert not await awaited(world)
    await deposit(world, await standing_address(world), "0.00500000", confirmations=1)
    assert await awaited(world)
    await mined(world, 1)
    assert not await awaited(world)
    assert await world.available("BTC", "bitcoin") == "0.00500000"


async def test_a_payout_wants_blocks_until_it_is_settled(world: World) -> None:
    await deposit(world, await standing_address(world), "0.01000000", confirmations=3)
    assert not await awaited(world)
    wallet = {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": CUSTOMER_ADDRESS}
    account = await world.account(**wallet)
    amount = {"asset": "BTC", "network": "bitcoin", "amount": "0.00500000"}
    made = await world.post("/v1/payouts", {"amount": amount, "external_account_id": account})
    assert made.status_code == 201, made.text
    await world.pay_out()
    assert await awaited(world)
    await mined(world, 1)
    assert await awaited(world)
    await mined(world, 1)
    assert not await awaited(world)
    await world.audit()
