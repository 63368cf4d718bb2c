"""Reorganisations under standing deposits (faults.md, section E): below the depth that counts, and deeper."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.worker import follow_chains
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
    rpc,
    standing_address,
    start_crediting,
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


async def test_fault_f_64_a_reorganisation_below_the_depth_books_nothing(world: World) -> None:
    address = await standing_address(world)
    txid = await deposit(world, address, "0.05000000", confirmations=2)
    await reorg(world, 2, drop=txid)
    [gone] = await deposits_of(world)
    assert (gone["status"], gone["confirmations"]) == ("orphaned", 0)
    assert await balances(world) == {}
    assert await alerts(world) == []


async def test_fault_f_64_coins_that_go_back_to_the_mempool_wait_again(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, "0.05000000", confirmations=2)
    await reorg(world, 2)
    [waiting] = await deposits_of(world)
    assert (waiting["status"], waiting["confirmations"]) == ("detected", 0)
    await mined(world, 2)
    assert await balances(world) == {}
    await mined(world, 1)
    [done] = await deposits_of(world)
    assert done["status"] == "credited"
    assert await events(world, done["id"]) == ["deposit.detected", "deposit.confirmed", "deposit.credited"]


async def test_fault_f_66_a_deep_reorganisation_takes_the_credit_back(world: World) -> None:
    address = await standing_address(world)
    txid = await deposit(world, address, "0.00500000", confirmations=2)
    assert await may_spend(world) == [True]
    await reorg(world, 2, drop=txid)
    [gone] = await deposits_of(world)
    assert gone["status"] == "orphaned"
    assert await balances(world) == {}
    assert await may_spend(world) == [False]
    assert await alerts(world) == ["deposit_reorged"]


async def test_fault_f_66_what_the_partner_has_spent_is_our_loss_until_the_coins_are_mined_again(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, "0.00500000", confirmations=2)
    await spend(world, "0.00200000")
    await world.far.command("POST", "/control/bitcoin/reorg", {"depth": 2})
    await follow_chains(world.worker)  # the blocks alone: the mempool is looked at later
    assert [one["status"] for one in await deposits_of(world)] == ["orphaned"]
    books = await balances(world)
    assert (books["loss:reorg", BTC], books.get(available(world), 0), books.get(HOT, 0)) == (200_000, 0, 0)
    await start_crediting(world)
    await mined(world, 2)
    [again] = await deposits_of(world)
    assert again["status"] == "credited"
    books = await balances(world)
    assert (books.get(("loss:reorg", BTC), 0), books[available(world)], books[HOT]) == (0, -300_000, 500_000)
    assert await may_spend(world) == [True]


async def spend(world: World, amount: str) -> None:
    """Let a part of the partner's balance be set aside for a payout, which nobody sends yet."""
    wallet = await world.account(type="wallet", asset="BTC", network="bitcoin", address=CUSTOMER_ADDRESS)
    body = {"amount": {"asset": "BTC", "network": "bitcoin", "amount": amount}, "external_account_id": wallet}
    response = await world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text


async def test_fault_f_67_the_same_transaction_in_another_block_is_the_same_deposit(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, "0.00500000", confirmations=2)
    [first] = await deposits_of(world)
    await reorg(world, 2)
    await mined(world, 2)
    [again] = await deposits_of(world)
    assert (again["id"], again["status"]) == (first["id"], "credited")
    assert await balances(world) == {HOT: 500_000, available(world): -500_000}
    assert await events(world, first["id"]) == [
        "deposit.detected", "deposit.confirmed", "deposit.credited",
        "deposit.orphaned", "deposit.detected", "deposit.confirmed", "deposit.credited",
    ]  # fmt: skip


async def test_fault_f_77_a_node_that_knows_another_block_at_the_same_height_credits_nothing_twice(
    world: World,
) -> None:
    address = await standing_address(world)
    await deposit(world, address, "0.00050000", confirmations=1)
    old_tip = await rpc(world, "getbestblockhash")
    await rpc(world, "invalidateblock", old_tip)
    await world.far.mine("bitcoin", 1)
    assert await rpc(world, "getbestblockhash") != old_tip
    await world.follow()
    [once] = await deposits_of(world)
    assert (once["status"], once["confirmations"]) == ("credited", 1)
    assert await balances(world) == {HOT: 50_000, available(world): -50_000}


async def test_a_held_deposit_that_is_reorganised_away_leaves_nothing(world: World) -> None:
    address = await standing_address(world)
    await world.post(f"/v1/deposit_addresses/{address['id']}/deactivate")
    txid = await deposit(world, address, "0.00060000", confirmations=1)
    await reorg(world, 1, drop=txid)
    [gone] = await deposits_of(world)
    assert (gone["status"], gone["hold"]) == ("orphaned", None)
    assert await balances(world) == {}
