"""Chains that change their mind: reorganisations, invalidated blocks, and the same chain after every restart."""

from __future__ import annotations

import random
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from providers.sandbox.bitcoin import faucet
from providers.sandbox.bitcoin.blocklog import BlockLog, Kind
from providers.sandbox.bitcoin.errors import RpcError
from providers.sandbox.bitcoin.node import Node
from providers.sandbox.bitcoin.serialise import stored
from tests.providers.sandbox.bitcoin.client import Client
from tests.providers.sandbox.bitcoin.purse import Purse

CUSTOMER, SHOP = Purse(0), Purse(1)


def state(node: Node) -> tuple[list[str], dict[tuple[str, int], object], set[str]]:
    """All that must survive: the active chain, its coins, and what was refused."""
    return list(node.view.active), dict(node.view.coins._by_outpoint), set(node.view.invalid)


async def test_a_reorg_returns_a_payment_to_the_mempool_and_the_next_block_takes_it(rpc: Client, node: Node) -> None:
    node.fund([(CUSTOMER.address, 2_000_000)])
    ((outpoint, coin),) = node.view.coins.of(CUSTOMER.script)
    before = dict(node.view.coins._by_outpoint)
    txid = await rpc("sendrawtransaction", CUSTOMER.pay((outpoint, coin.value), [(SHOP.address, 1_000_000)], fee=500))
    (lost,) = await rpc("generatetoaddress", 1, SHOP.address)
    node.mine(2)
    height = await rpc("getblockcount")

    fresh = node.reorg(3)

    assert len(fresh) == 4
    assert await rpc("getblockcount") == height + 1
    assert await rpc("getbestblockhash") == fresh[-1]
    assert (await rpc("getblock", lost))["confirmations"] == -1
    assert await rpc("getblockhash", height - 2) == fresh[0]
    assert await rpc("getrawmempool") == [txid]
    assert "blockhash" not in await rpc("getrawtransaction", txid, 1)
    assert (await rpc("getrawtransaction", txid, 1, lost))["in_active_chain"] is False
    assert (await rpc("gettxout", *outpoint, False))["value"] == Decimal("0.02")
    new_coins = set(node.view.coins._by_outpoint) - set(before)
    assert {node.view.block_of(made).hash for made, _ in new_coins} == set(fresh)
    (again,) = node.mine_if_busy()
    assert (await rpc("getrawtransaction", txid, 1))["blockhash"] == again


def test_a_reorg_cannot_reach_the_faucets_coins(node: Node) -> None:
    for depth in (0, -1, 101):
        with pytest.raises(RpcError) as refused:
            node.reorg(depth)
        assert refused.value.code == -8
    node.reorg(100)
    assert node.view.tip.height == 251
    assert len(node.pay([(CUSTOMER.address, 10_000)])) == 1


async def test_invalidateblock_goes_back_to_what_was_before(rpc: Client, node: Node) -> None:
    before = state(node)
    (txid,) = node.fund([(CUSTOMER.address, 2_000_000)])
    refused = node.view.tip.hash
    node.mine(2)
    await rpc("invalidateblock", refused)
    assert state(node)[:2] == before[:2]
    assert await rpc("getrawmempool") == [txid]
    await rpc("invalidateblock", refused)  # twice is once
    script = node.view.block(refused).transactions[0].outputs[0].script
    (mined,) = node.mine(1, script)  # the same height, script and perhaps second: not the block that was refused
    assert mined not in node.view.invalid
    assert (await rpc("getrawtransaction", txid, 1))["blockhash"] == mined


def test_invalidating_the_winner_of_a_reorg_brings_the_loser_back(node: Node) -> None:
    (txid,) = node.fund([(CUSTOMER.address, 2_000_000)])
    before = state(node)
    fresh = node.reorg(1)
    assert list(node.mempool.entries) == [txid]
    node.invalidate(fresh[0])
    assert state(node)[:2] == before[:2]
    assert node.mempool.entries == {}


def test_of_two_equal_branches_the_first_one_wins_now_and_after_a_replay(node: Node, home: Path) -> None:
    for _ in range(6):
        (first,) = node.mine(1)
        rival = node.reorg(1)
        node.invalidate(rival[-1])
        assert node.view.tip.hash == first
        assert node.view.block(rival[0]).height == node.view.tip.height
    before = state(node)
    node.close()
    shutil.rmtree(home / "kernel")
    node = Node.open(home)
    assert state(node) == before
    node.close()


def test_a_new_chain_is_prepared_once(home: Path) -> None:
    node = Node.open(home)
    assert node.view.tip.height == faucet.PREPARED_HEIGHT
    assert sum(coin.height <= 150 for _, coin in node.view.coins.of(faucet.SCRIPT) if coin.height) == 150
    node.invalidate(node.view.active[200])
    assert node.view.tip.height == 199
    node.close()
    node = Node.open(home)
    assert node.view.tip.height == 199
    node.close()


def test_a_preparation_that_was_cut_off_is_finished(home: Path) -> None:
    node = Node(home)
    node.mine(42)
    node.close()
    node = Node.open(home)
    assert node.view.tip.height == faucet.PREPARED_HEIGHT
    node.close()


def test_one_process_at_a_time(home: Path, node: Node) -> None:
    with pytest.raises(BlockingIOError):
        Node.open(home)
    assert len(node.mine(1)) == 1


def test_an_invalidation_counts_even_if_the_process_died_right_after_noting_it(home: Path, node: Node) -> None:
    node.mine(3)
    active = list(node.view.active)
    node.close()
    log = BlockLog(home / "blocks.log")
    log.append(Kind.INVALID, stored(active[-2]))
    log.sync()
    log.close()
    node = Node.open(home)
    assert node.view.active == active[:-2]
    assert set(node.view.invalid) == set(active[-2:])
    node.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_any_history_reads_the_same_after_a_restart(home: Path, prepared: Path, seed: int) -> None:
    """With a checkpoint, with a stale one, and with none at all."""
    chance = random.Random(seed)
    shutil.copytree(prepared, home)
    node = Node.open(home, checkpoint_every=9)
    for _ in range(30):
        match chance.choice(["pay", "pay", "mine", "mine", "reorg", "reorg", "invalidate", "restart"]):
            case "pay":
                node.pay([(CUSTOMER.address, 10_000), (SHOP.address, 20_000)])
            case "mine":
                node.mine(chance.randint(1, 3))
            case "reorg":
                node.reorg(chance.randint(1, 4))
            case "invalidate":
                node.invalidate(node.view.active[-chance.randint(1, 4)])
            case _:
                before = state(node)
                node.close()
                node = Node.open(home, checkpoint_every=9)
                assert state(node) == before
    before = state(node)
    killed, lost = home.parent / "killed", home.parent / "lost"
    shutil.copytree(home, killed)  # as a kill would leave it: the kernel has flushed nothing since its checkpoint
    shutil.copytree(home, lost, ignore=shutil.ignore_patterns("kernel"))
    node.close()
    for copy in (killed, lost):
        replayed = Node.open(copy)
        assert state(replayed) == before
        replayed.close()
