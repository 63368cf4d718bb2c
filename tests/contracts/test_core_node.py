"""Bitcoin's adapter keeps the contract on a real node too: litecoind, or the bitcoind that BITCOIND names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest

from providers.bitcoin.encoding import encode_segwit
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.wallet import Wallet
from providers.contracts.chain import ChainContract, ChainHarness
from providers.sandbox.nodes.core import running_core
from tests.providers.bitcoin.samples import SEED
from tests.support.core_chain import CoreChain


class CoreHarness(ChainHarness):
    """The adapter, and a node whose own wallet pays for what the tests ask for."""

    def __init__(self, rail: BitcoinRail, chain: CoreChain) -> None:
        self.rail, self._chain = rail, chain

    @property
    def stranger(self) -> str:
        return encode_segwit(self._chain.network.hrp, 0, b"\x03" * 20)

    async def fund(self, script: str, units: int) -> None:
        decoded = await self._chain.node.ask("decodescript", script)
        assert isinstance(decoded, dict)
        address = decoded.get("address") or decoded["addresses"][0]
        await self._chain.node.ask("sendtoaddress", address, str(Decimal(units).scaleb(-8)))
        await self._chain.mine()

    async def mine(self, blocks: int = 1) -> None:
        await self._chain.mine(blocks)

    async def reorganise(self, depth: int) -> None:
        await self._chain.take_back(depth)
        for _ in range(depth + 1):
            await self._chain.node.ask("generateblock", self._chain.somebody(), [])


@pytest.fixture(scope="module")
async def chain() -> AsyncIterator[CoreChain]:
    """A node with a wallet that has coins."""
    async with running_core() as core:
        await core.node.ask("createwallet", "miner")
        made = CoreChain(core)
        await made.fund([str(await core.node.ask("getnewaddress", "", "bech32"))] * 2)
        yield made


class TestCoreNode(ChainContract):
    @pytest.fixture
    async def harness(self, chain: CoreChain) -> AsyncIterator[CoreHarness]:
        height = await chain.node.ask("getblockcount")
        assert isinstance(height, int)
        wallet = Wallet(SEED, chain.network)
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            node = Node(client, chain.node.url, user=chain.node.user, password=chain.node.password)
            yield CoreHarness(BitcoinRail(wallet=wallet, signer=wallet, node=node, start_height=height + 1), chain)
