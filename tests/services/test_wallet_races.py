"""Two workers, or a worker and a block, at the same coins at once: nothing is done twice, and nothing stands still."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from app.db import chain, wallet
from app.db import coins as coin_rows
from app.db import spending as spending_rows
from app.db.database import Database
from app.domain.errors import ConflictState
from app.services import bumps, sweeps, treasury
from tests.support.coins import mined, order_of
from tests.support.signing import COLD_ADDRESS
from tests.support.wallets import NETWORK, attempts, busy_miners, pass_by, sender_of, waiting
from tests.support.world import World

Document = dict[str, object]


async def _sign(db: Database, seconds: float) -> None:
    """What a send does, over and over: it reads the switch, and the signer takes a while."""
    while True:
        async with db.transaction() as tx:
            await spending_rows.may_send(tx, NETWORK)
            await asyncio.sleep(seconds)


async def test_a_chain_is_stopped_although_sends_follow_each_other_without_a_gap(db: Database) -> None:
    async with db.transaction() as tx:
        await spending_rows.add_switches(tx, [NETWORK])
    busy = [asyncio.create_task(_sign(db, 0.05 + 0.017 * number)) for number in range(6)]
    try:
        await asyncio.sleep(0.5)
        began = time.monotonic()
        async with asyncio.timeout(10), db.transaction() as tx:
            await treasury.turn(tx, NETWORK, sending=False, actor="ada", reason="it looks wrong")
        assert time.monotonic() - began < 1
    finally:
        for task in busy:
            task.cancel()
        for task in busy:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _sent(world: World, *tolerated: str) -> Document:
    """An order whose coins are signed for."""
    order = await world.order()
    await world.pay(order)
    await world.drain(*tolerated)
    return order


async def _lineage(world: World, order: Document) -> str:
    async with world.db.connection() as connection:
        return str(await connection.fetchval("SELECT lineage_id FROM sends WHERE order_id = $1", order["id"]))


async def _someone_waits(world: World) -> None:
    """Until a transaction waits for another one's lock."""
    async with asyncio.timeout(10), world.db.connection() as connection:
        while not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.02)


async def test_a_send_that_is_being_mined_is_not_replaced(world: World) -> None:
    await world.fund(3)
    async with busy_miners(world):
        order = await _sent(world)
        await mined(world, 3)
    lineage = await _lineage(world, order)
    await world.far.mine(NETWORK, 1)
    async with world.db.connection() as connection:
        known = await wallet.known_blocks(connection, NETWORK, 10)
    [block] = (await sender_of(world).rail.scan(known, limit=1)).blocks
    scripts = {output.script for each in block.transactions for output in each.outputs}
    async with world.db.transaction() as tx:
        await chain.take_turn(tx, NETWORK)
        await chain.connect(tx, NETWORK, block, scripts)
        bump = asyncio.create_task(bumps.bump(world.db, sender_of(world), lineage, 25))
        await _someone_waits(world)
    assert await bump is None
    assert len(await attempts(world, order["id"])) == 1


async def test_two_workers_replace_a_send_once(world: World) -> None:
    await world.fund(3)
    async with busy_miners(world):
        order = await _sent(world)
        await mined(world, 3)
        sender = sender_of(world)
        await asyncio.gather(bumps.bump_stuck(world.db, sender), bumps.bump_stuck(world.db, sender))
        assert len(await attempts(world, order["id"])) == 2
        await pass_by(world)
        assert len(await attempts(world, order["id"])) == 3
    await mined(world, 3)
    await world.audit()


async def _connected(world: World) -> None:
    """Have a connection ready, so that those who follow run at the same time."""
    async with world.db.connection() as connection:
        await connection.execute("SELECT pg_sleep(0.1)")


async def test_two_workers_ask_once_for_what_is_above_the_ceiling(world: World) -> None:
    await world.fund(4)
    cold = world.rails.chains[NETWORK].parse(COLD_ADDRESS)
    async with world.db.transaction() as tx:
        await treasury.allow(tx, NETWORK, cold, actor="ada", reason="vault")
        await treasury.allow(tx, NETWORK, cold, actor="bob", reason="vault")
        await tx.execute("UPDATE cold_addresses SET added_at = added_at - interval '25 hours'")
        with pytest.raises(ConflictState, match="less than that"):  # it would stand before every other move for ever
            await treasury.ask_sweep(tx, NETWORK, cold.script, 21_000_000, actor="ada", reason="one digit too many")
    sender_of(world, ceiling=14_000_000)
    await asyncio.gather(*(_connected(world) for _ in range(6)))
    await asyncio.gather(*(sweeps.mind_wallets(world.db, world.worker.senders) for _ in range(6)))
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM cold_sweeps") == 1
    await mined(world, 3)
    await world.audit()


async def test_a_send_that_no_node_ever_took_is_replaced(world: World) -> None:
    """Its fee was too low for the node from the beginning: it would wait as long as that lasts."""
    await world.fund(3)
    async with busy_miners(world):
        body = {"kind": "lost_before", "target": NETWORK, "path": "/sendrawtransaction$", "times": 1}
        await world.far.command("POST", "/control/faults", body)
        order = await _sent(world, "OutcomeUnknown")
        await pass_by(world)
        _, second = await attempts(world, order["id"])
        assert await waiting(world) == [second.txid]
        await world.audit()
    await mined(world, 3)
    assert (await order_of(world, order))["status"] == "completed"
    await world.audit()


async def _spendable(world: World) -> set[str]:
    """The transactions whose outputs the wallet would spend."""
    async with world.db.transaction() as tx:
        return {coin.txid for coin in await coin_rows.candidates(tx, NETWORK, 1, 60, own_change=True)}


async def test_nothing_is_built_upon_a_replacement_before_it_is_final(world: World) -> None:
    """The blocks after the next reorganisation may have the attempt before it, and what was built would be nothing."""
    await world.fund(2)
    async with busy_miners(world):
        order = await _sent(world)
        await pass_by(world)
    _, second = await attempts(world, order["id"])
    await mined(world, 1)
    assert (await attempts(world, order["id"]))[1].height is not None
    assert second.txid not in await _spendable(world)
    await mined(world, 2)
    assert (await order_of(world, order))["status"] == "completed"
    assert second.txid in await _spendable(world)


async def test_a_coin_that_is_reorganised_away_while_it_is_chosen_is_not_taken(world: World) -> None:
    await world.fund(1)
    async with world.db.transaction() as tx:
        offered = await coin_rows.candidates(tx, NETWORK, 1, 60)
        assert len(await coin_rows.take(tx, NETWORK, offered)) == 1
        await tx.execute("UPDATE coins SET height = NULL")
        assert await coin_rows.take(tx, NETWORK, offered) == set()
        await tx.execute("UPDATE coins SET height = 1, settled = false")
        assert await coin_rows.take(tx, NETWORK, offered) == set()
