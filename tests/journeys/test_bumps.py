"""Sends that no block takes: replaced, pushed, or left to wait; and whichever attempt the miners choose, paid once."""

from __future__ import annotations

import pytest

from app.services import bumps, sweeps
from tests.journeys.test_payouts_coins import asked, funded
from tests.support.coins import alerts, balances, events, mined, order_of, reorg, rpc, triggers
from tests.support.paying import shown, status
from tests.support.wallets import attempts, busy_miners, fees, pass_by, sender_of, waiting
from tests.support.world import World

Document = dict[str, object]


async def sent(world: World) -> Document:
    """An order whose coins are on their way."""
    order = await world.order()
    await world.pay(order)
    await world.drain()
    assert (await order_of(world, order))["stage"] == "confirmation"
    return order


async def hash_of(world: World, order: Document) -> object:
    destination = (await order_of(world, order))["destination"]
    assert isinstance(destination, dict)
    return destination["tx_hash"]


async def network_fee(world: World) -> int:
    return (await balances(world)).get(("expense:network", "BTC.bitcoin"), 0)


async def test_fault_f_86_a_send_that_no_block_takes_is_replaced(world: World) -> None:
    await world.fund(3)
    async with busy_miners(world):
        order = await sent(world)
        [first] = await attempts(world, order["id"])
        await pass_by(world, 2)
        assert len(await attempts(world, order["id"])) == 1  # not yet
        await fees(world, estimate=25_000, least=20_000)
        await pass_by(world, 1)
        _, second = await attempts(world, order["id"])
        assert second.fee >= 25 * second.vsize
        assert await waiting(world) == [second.txid]
        assert await hash_of(world, order) == second.txid
        assert await triggers(world, order) == [*_UNTIL_SENT, "send_replaced"]
        await mined(world, 2)
    assert (await order_of(world, order))["status"] == "completed"
    assert await hash_of(world, order) == second.txid
    assert (await events(world, order["id"])).count("order.send_replaced") == 1
    assert await network_fee(world) == second.fee
    assert [one.replaced for one in await attempts(world, order["id"])] == [True, False]
    assert first.txid != second.txid
    await world.audit()


_UNTIL_SENT = ["placed", "payment_authorised", "payment_captured", "send_prepared", "send_broadcast"]


async def test_fault_f_87_the_original_is_mined_while_its_replacement_is_sent(world: World) -> None:
    await world.fund(3)
    async with busy_miners(world):
        order = await sent(world)
        await mined(world, 3)
        body = {"kind": "lost_before", "target": "bitcoin", "path": "/sendrawtransaction$", "times": 1}
        await world.far.command("POST", "/control/faults", body)
        await sweeps.bump(world.db, world.worker.senders)
    first, second = await attempts(world, order["id"])
    assert await waiting(world) == [first.txid]
    assert await hash_of(world, order) == second.txid
    await mined(world, 2)
    done = await order_of(world, order)
    assert done["status"] == "completed"
    assert await hash_of(world, order) == first.txid  # corrected once
    assert [one.replaced for one in await attempts(world, order["id"])] == [False, True]
    assert await network_fee(world) == first.fee
    await world.now_due()
    await world.sweep()  # nothing is sent again
    assert await waiting(world) == []
    assert "broadcast_refused" not in await alerts(world)
    await world.audit()


async def test_every_attempt_pays_every_payout_of_its_batch(world: World) -> None:
    account = await funded(world)
    made = [await asked(world, account, 10_000 + number) for number in range(12)]
    async with busy_miners(world):
        await world.drain()
        for _ in range(3):
            await pass_by(world)
        tried = await attempts(world, made[0])
        assert len(tried) == 4
        assert [one.fee for one in tried] == sorted({one.fee for one in tried})
        assert {(await shown(world, payout_id))["tx_hash"] for payout_id in made} == {tried[-1].txid}
        await world.audit()  # every attempt spends the same coins and pays every send
    await mined(world, 3)
    assert {await status(world, payout_id) for payout_id in made} == {"settled"}
    assert await network_fee(world) == tried[-1].fee
    await world.audit()


async def test_without_change_a_replacement_adds_a_coin_that_is_free_again_when_it_is_not_needed(world: World) -> None:
    account = await funded(world, 101_000)
    await world.fund(1, 400_000)
    payout = await asked(world, account, 100_000)
    async with busy_miners(world):
        await world.drain()
        [first] = await attempts(world, payout)
        await mined(world, 3)
        body = {"kind": "lost_before", "target": "bitcoin", "path": "/sendrawtransaction$", "times": 1}
        await world.far.command("POST", "/control/faults", body)
        await sweeps.bump(world.db, world.worker.senders)
        _, second = await attempts(world, payout)
        assert second.vsize > first.vsize + 60  # one more input
        await world.audit()
    await mined(world, 2)  # the first, which the network still has
    assert (await shown(world, payout))["tx_hash"] == first.txid
    async with world.db.connection() as connection:
        free = await connection.fetchval("SELECT units FROM coins WHERE lineage_id IS NULL AND height IS NOT NULL")
    assert free == 400_000
    await world.audit()


async def test_a_wallet_that_cannot_pay_more_waits(world: World) -> None:
    account = await funded(world, 101_000)
    payout = await asked(world, account, 100_000)
    async with busy_miners(world):
        await world.drain()
        await pass_by(world)
        assert len(await attempts(world, payout)) == 1
        assert "bump_waits" in await alerts(world)
    await mined(world, 2)
    assert await status(world, payout) == "settled"
    await world.audit()


async def test_fault_f_91_above_the_limit_nothing_is_signed(world: World) -> None:
    await world.fund(2)
    async with busy_miners(world, 10_000_000):
        order = await sent(world)
        for _ in range(40):
            await pass_by(world)
            if "bump_waits" in await alerts(world):
                break
        tried = await attempts(world, order["id"])
        limit = world.settings.bitcoin.bitcoin_fee_ceiling
        assert max(one.fee / one.vsize for one in tried) <= limit + 1
        await pass_by(world)
        assert len(await attempts(world, order["id"])) == len(tried)
    await world.audit()


async def test_a_child_pays_where_a_later_send_stands_on_its_change(world: World) -> None:
    """Change came back in several coins; one of them is spent already, so that a replacement would undo that send."""
    account = await funded(world)
    async with busy_miners(world):
        first = await asked(world, account, 1_000_000)
        await world.drain()
        second = await asked(world, account, 1_000_000)
        await world.drain()
        [parent], [child] = await attempts(world, first), await attempts(world, second)
        assert await waiting(world) == [parent.txid, child.txid]
        lineage = await _lineage(world, first)
        await mined(world, 3)
        assert await bumps.bump(world.db, sender_of(world), lineage, 25) not in (None, lineage)
        assert len(await attempts(world, first)) == 1
        assert len(await waiting(world)) == 3
        await sweeps.bump(world.db, world.worker.senders)
        assert len(await waiting(world)) == 3  # pushed once
        await world.audit()
        await mined(world, 1)  # the pushed one is mined with what pushed it, the other waits
        *_, newest = await attempts(world, second)  # it had waited as long, and offers more by itself
        assert newest.fee > child.fee
        assert await waiting(world) == [newest.txid]
        await pass_by(world)
        await mined(world, 3)
    await mined(world, 3)
    assert {await status(world, payout_id) for payout_id in (first, second)} == {"settled"}
    await world.audit()


async def _lineage(world: World, payout_id: str) -> str:
    async with world.db.connection() as connection:
        return str(await connection.fetchval("SELECT lineage_id FROM sends WHERE payout_id = $1", payout_id))


async def test_what_stands_upon_a_waiting_one_pays_for_both(world: World) -> None:
    sender_of(world, coins_wanted=1)  # change comes back in one coin
    account = await funded(world)
    async with busy_miners(world):
        first = await asked(world, account, 1_000_000)
        await world.drain()
        second = await asked(world, account, 1_000_000)
        await world.drain()
        await pass_by(world)
        [parent] = await attempts(world, first)
        before, after = await attempts(world, second)
        assert parent.fee + after.fee >= 1.25 * (parent.fee + before.fee)
        await fees(world, estimate=30_000, least=20_000)
        await pass_by(world)
        await mined(world, 3)
    assert {await status(world, payout_id) for payout_id in (first, second)} == {"settled"}
    await world.audit()


async def test_a_deep_reorganisation_lets_another_attempt_win(world: World) -> None:
    """The order is delivered and told so; then the blocks go, and a miner takes the attempt that had been replaced."""
    await world.fund(3)
    async with busy_miners(world):
        order = await sent(world)
        await fees(world, estimate=25_000, least=20_000)
        await pass_by(world)
        await mined(world, 2)
        first, second = await attempts(world, order["id"])
        assert (await order_of(world, order))["status"] == "completed"
    await reorg(world, 3, drop=second.txid)
    await rpc(world, "sendrawtransaction", first.raw.hex())
    await mined(world, 2)
    assert await hash_of(world, order) == first.txid
    assert await network_fee(world) == first.fee
    assert (await events(world, order["id"]))[-1] == "order.send_replaced"
    assert [one.replaced for one in await attempts(world, order["id"])] == [False, True]
    await world.audit()


@pytest.mark.parametrize("kind", ["lost_before", "lost", "error_after"])
async def test_fault_f_81_a_lost_answer_to_a_replacement_signs_nothing_more(world: World, kind: str) -> None:
    await world.fund(3)
    async with busy_miners(world):
        order = await sent(world)
        await mined(world, 3)
        body = {"kind": kind, "target": "bitcoin", "path": "/sendrawtransaction$", "times": 1}
        await world.far.command("POST", "/control/faults", body)
        await sweeps.bump(world.db, world.worker.senders)
        await sweeps.bump(world.db, world.worker.senders)
        _, second = await attempts(world, order["id"])
        await world.now_due()
        await sweeps.rebroadcast(world.db, world.worker.senders)
        assert await waiting(world) == [second.txid]
    await mined(world, 2)
    assert await hash_of(world, order) == second.txid
    await world.audit()
