"""The adapter of Ethereum and its like keeps the contract, on a real anvil."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from app.domain.assets import USDC_ETHEREUM
from providers.contracts.account_chain import AccountContract, AccountHarness
from providers.sandbox.nodes.anvil import running_anvil
from tests.providers.evm.conftest import World, open_world

SOMEBODY = "0x52908400098527886E0F7030069857D2E4169EE7"  # an example of EIP-55


class EvmHarness(AccountHarness):
    """The adapter, and a chain of play money."""

    token = USDC_ETHEREUM
    stranger = SOMEBODY

    def __init__(self, world: World) -> None:
        self.rail, self._play = world.chain, world.play

    async def mine(self, blocks: int = 1) -> None:
        await self._play.mine(blocks)

    async def reorganise(self, depth: int) -> None:
        await self._play.ask("anvil_reorg", depth, [])


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    """A chain with our contracts, and a hot wallet that holds coins and dollars."""
    async with running_anvil("--slots-in-an-epoch=1") as node, httpx.AsyncClient(verify=False) as client:
        yield await open_world(client, node.url)


class TestEvm(AccountContract):
    @pytest.fixture
    def harness(self, world: World) -> EvmHarness:
        return EvmHarness(world)
