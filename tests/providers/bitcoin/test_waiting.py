"""The rail's look at what waits for a block: each transaction read once, and the tip read last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from app.ports.chain import ChainOutput
from app.ports.errors import ProviderUnavailable
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from tests.providers.bitcoin.fake_chain import FakeChain, block, block_hash, txid, waiting
from tests.providers.bitcoin.samples import regtest_wallet
from tests.providers.bitcoin.test_rail import straight

RailOf = Callable[[FakeChain], BitcoinRail]


@pytest.fixture
async def rails() -> AsyncIterator[RailOf]:
    clients = []

    def build(chain: FakeChain) -> BitcoinRail:
        clients.append(chain.client())
        node = Node(clients[-1], "http://node.invalid", user="user", password="password")
        return BitcoinRail(wallet=(wallet := regtest_wallet()), signer=wallet, node=node)

    yield build
    for client in clients:
        await client.aclose()


async def test_what_waits_is_read_whole_once(rails: RailOf) -> None:
    chain = FakeChain(straight(3), waiting=[waiting("a", pays=700), waiting("b"), waiting("c")])
    rail = rails(chain)
    first = await rail.waiting(frozenset(), limit=2)
    assert first.txids == {txid("a"), txid("b"), txid("c")}
    assert [each.txid for each in first.transactions] == [txid("a"), txid("b")]
    assert first.transactions[0].outputs == (ChainOutput(0, "0014751e76e8199196d454941c45d1b3a323f1433bd6", 700),)
    assert (first.tip, first.more) == (block_hash(2), True)
    chain.calls.clear()
    second = await rail.waiting(first.txids - {txid("c")}, limit=2)
    assert ([each.txid for each in second.transactions], second.more) == ([txid("c")], False)
    assert chain.calls == ["getrawmempool", "getrawtransaction", "getbestblockhash"]


async def test_the_tip_is_read_last_and_what_leaves_meanwhile_is_left_out(rails: RailOf) -> None:
    """What is missing from the ids and from the blocks up to the tip is gone: the tip must not be the older of both."""
    chain = FakeChain(straight(3), waiting=[waiting("a"), waiting("b")])

    def mine_a(method: str) -> None:
        if method == "getrawtransaction" and len(chain.blocks) == 3:
            chain.waiting.pop(0)
            chain.blocks.append(block(3))

    chain.on_call = mine_a
    found = await rails(chain).waiting(frozenset(), limit=9)
    assert found.txids == {txid("a"), txid("b")}
    assert [each.txid for each in found.transactions] == [txid("b")]
    assert found.tip == block_hash(3)


async def test_a_mempool_of_another_network_is_not_looked_at(rails: RailOf) -> None:
    with pytest.raises(ProviderUnavailable, match="follows 'main'"):
        await rails(FakeChain(straight(1), name="main")).waiting(frozenset(), limit=1)
