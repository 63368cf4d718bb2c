"""What chains do to deposits (faults.md, section E): doubles, replacements, dust, young coins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.domain.errors import ConflictState
from app.ports.chain import BlockId
from app.services import deposit_credits, deposits
from app.services.mempool import MempoolWatch
from app.wiring import assembly
from app.wiring.assembly import Worker
from app.worker import follow_chains, look_at_mempools
from providers.sandbox.bitcoin.address import script_of
from tests.support.coins import (
    alerts,
    available,
    balances,
    deposit,
    deposits_of,
    events,
    may_spend,
    mined,
    reorg,
    replace,
    rpc,
    standing_address,
)
from tests.support.world import CUSTOMER_ADDRESS, World

BTC = "BTC.bitcoin"
HOT = ("wallet:hot:bitcoin", BTC)


@pytest.fixture(autouse=True)
async def audited(world: World) -> AsyncIterator[None]:
    """After every test our books agree with themselves, and with what the far side knows."""
    yield
    await world.follow()
    await world.audit()


async def another_worker(world: World) -> Worker:
    """A second process's worker: it remembers nothing of what the first has seen."""
    parts = assembly.Parts(world.db, world.rails, world.context.sealer, world.http)
    return await assembly.worker(world.settings, parts)


async def test_fault_f_60_two_watchers_a_rescan_and_a_restart_make_one_deposit(world: World) -> None:
    address = await standing_address(world)
    body = {"outputs": [{"address": address["address"], "amount": 1_000_000}], "mine": False}
    await world.far.command("POST", "/control/bitcoin/fund", body)
    second = await another_worker(world)
    await asyncio.gather(look_at_mempools(world.worker), look_at_mempools(second))
    await look_at_mempools(await another_worker(world))
    await world.far.mine("bitcoin", 3)
    await asyncio.gather(follow_chains(world.worker), follow_chains(second))
    await world.follow()
    while await follow_chains(second):
        pass
    [once] = await deposits_of(world)
    assert once["status"] == "credited"
    assert await balances(world) == {HOT: 1_000_000, available(world): -1_000_000}
    assert await events(world, once["id"]) == ["deposit.detected", "deposit.confirmed", "deposit.credited"]


async def test_fault_f_60_a_block_told_twice_changes_nothing(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, confirmations=3)
    before, [once] = await balances(world), await deposits_of(world)
    rail = world.rails.chains["bitcoin"]
    async with world.db.connection() as connection:
        height = await connection.fetchval("SELECT height FROM deposits")
        hash_before = await connection.fetchval("SELECT hash FROM blocks WHERE height = $1", height - 1)
    scan = await rail.scan([BlockId(height - 1, hash_before)], limit=1)
    async with world.db.transaction() as tx:
        await deposits.in_block(tx, world.worker.rules, "bitcoin", scan.blocks[0])
    await world.follow()
    assert await balances(world) == before
    assert await deposits_of(world) == [{**once, "updated_at": (await deposits_of(world))[0]["updated_at"]}]


async def test_fault_f_61_one_transaction_with_three_outputs_for_us_is_three_deposits(world: World) -> None:
    first, second = await standing_address(world), await standing_address(world)
    outputs = [
        {"address": address["address"], "amount": amount}
        for address, amount in ((first, 50_000), (second, 60_000), (first, 70_000))
    ]
    paid = await world.far.command("POST", "/control/bitcoin/fund", {"outputs": outputs, "mine": False})
    assert len(paid["txids"]) == 1
    await mined(world, 1)
    # Each alone would count after one block; together they are a sum that waits for two.
    assert [one["status"] for one in await deposits_of(world)] == ["detected"] * 3
    await mined(world, 1)
    found = await deposits_of(world)
    assert {(one["tx_hash"], one["output_index"]) for one in found} == {(paid["txids"][0], vout) for vout in range(3)}
    assert [one["status"] for one in found] == ["credited"] * 3
    assert (await balances(world))[available(world)] == -180_000
    at_first = await world.get(f"/v1/deposit_addresses/{first['id']}/deposits")
    assert sorted(one["amount"]["amount"] for one in at_first["data"]) == ["0.00050000", "0.00070000"]


async def test_fault_f_62_a_payment_replaced_by_one_to_somebody_else_never_counts(world: World) -> None:
    address = await standing_address(world)
    txid = await deposit(world, address, "0.00050000")
    await replace(world, txid, script=script_of(CUSTOMER_ADDRESS))
    await world.follow()
    [gone] = await deposits_of(world)
    assert gone["status"] == "orphaned"
    await mined(world, 6)
    assert [one["status"] for one in await deposits_of(world)] == ["orphaned"]
    assert await balances(world) == {}
    assert await events(world, gone["id"]) == ["deposit.detected", "deposit.orphaned"]


@pytest.mark.parametrize("an_empty_block_between", [False, True])
async def test_fault_f_63_a_bumped_payment_counts_once(world: World, an_empty_block_between: bool) -> None:
    address = await standing_address(world)
    await mined(world, 1)
    txid = await deposit(world, address, "0.00050000")
    if an_empty_block_between:
        await reorg(world, 1)
    bumped = await replace(world, txid)
    await world.follow()
    assert [(one["tx_hash"], one["status"]) for one in await deposits_of(world)] == [
        (txid, "orphaned"), (bumped, "detected"),
    ]  # fmt: skip
    await mined(world, 1)
    assert [one["status"] for one in await deposits_of(world)] == ["orphaned", "credited"]
    assert (await balances(world))[available(world)] == -50_000


async def test_fault_f_72_dust_is_left_alone(world: World) -> None:
    address = await standing_address(world)
    dust = [{"address": address["address"], "amount": 999} for _ in range(300)]
    least = [{"address": address["address"], "amount": 1_000}]
    await world.far.command("POST", "/control/bitcoin/fund", {"outputs": dust + least, "mine": False})
    await world.follow()
    await mined(world, 1)
    [counted] = await deposits_of(world)
    assert counted["amount"]["amount"] == "0.00001000"
    assert await balances(world) == {HOT: 1_000, available(world): -1_000}
    assert await alerts(world) == []
    assert sum(await may_spend(world)) == 1


async def test_fault_f_76_a_node_that_is_away_or_stands_still_delays_and_credits_nothing(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, "0.00500000", confirmations=1)
    for _ in range(3):
        await world.follow()  # the node has no news: time alone makes nothing deeper
    [waiting] = await deposits_of(world)
    assert (waiting["status"], waiting["confirmations"]) == ("detected", 1)
    assert await balances(world) == {}


async def test_fault_f_78_a_coinbase_counts_when_it_can_be_spent(world: World) -> None:
    address = await standing_address(world)
    await rpc(world, "generatetoaddress", 1, address["address"])
    await world.follow()
    [young] = await deposits_of(world)
    assert (young["status"], young["confirmations_needed"]) == ("detected", 100)
    await mined(world, 98)
    assert await balances(world) == {}
    assert await may_spend(world) == [False]
    await mined(world, 1)
    [ripe] = await deposits_of(world)
    assert (ripe["status"], ripe["confirmations"]) == ("credited", 100)


async def test_coins_that_do_not_count_yet_are_never_spent(world: World) -> None:
    """The wallet holds nothing else: an order that is paid for waits until the deposit counts."""
    address = await standing_address(world)
    await deposit(world, address, "0.05000000", confirmations=1)
    bought = await world.order("100.00")
    await world.pay(bought)
    await world.drain("WalletShort")
    assert (await world.get(f"/v1/orders/{bought['id']}"))["stage"] == "conversion"
    await mined(world, 2)
    await world.now_due()
    await world.drain()
    assert (await world.get(f"/v1/orders/{bought['id']}"))["stage"] == "confirmation"


async def test_a_watch_forgets_what_has_left_the_mempool(world: World) -> None:
    address = await standing_address(world)
    txid = await deposit(world, address)
    [watch] = world.worker.mempools
    assert isinstance(watch, MempoolWatch)
    assert txid in watch.seen
    await mined(world, 1)
    assert txid not in watch.seen


async def test_what_arrives_after_the_end_of_an_address_is_held_and_can_be_released(world: World) -> None:
    address = await standing_address(world)
    before = await deposit(world, address, "0.00050000")
    ended = await world.post(f"/v1/deposit_addresses/{address['id']}/deactivate")
    assert (ended.status_code, ended.json()["status"]) == (200, "deactivated")
    assert await events(world, address["id"]) == ["deposit_address.created", "deposit_address.deactivated"]
    after = await deposit(world, address, "0.00060000", confirmations=2)
    found = {one["tx_hash"]: one for one in await deposits_of(world)}
    assert found[before]["status"] == "credited"
    assert (found[after]["status"], found[after]["hold"]["reason"]) == ("held", "address_deactivated")
    assert (await balances(world))["suspense:unmatched", BTC] == -60_000
    async with world.db.transaction() as tx:
        await deposit_credits.release(tx, str(found[after]["id"]), actor="ada", reason="it was theirs")
    assert await balances(world) == {HOT: 110_000, available(world): -110_000}
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):
            await deposit_credits.release(tx, str(found[after]["id"]), actor="ada", reason="once more")


async def test_what_left_the_mempool_for_a_block_that_we_have_not_read_is_not_gone(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, "0.00050000")
    await world.far.mine("bitcoin", 1)
    await look_at_mempools(world.worker)  # the follower has not been there yet
    [still] = await deposits_of(world)
    assert still["status"] == "detected"
    await world.follow()
    [done] = await deposits_of(world)
    assert await events(world, done["id"]) == ["deposit.detected", "deposit.confirmed", "deposit.credited"]
