"""An anvil for each file of tests, with our contracts, a hot wallet that holds coins, and blocks when a test asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import respx

from app.domain.money import Asset
from app.ports.account_chain import AccountChain, CallReceipt, FeeOffer, SignedCall, Transfer
from app.ports.chain import Address, BlockId, Branch
from providers.evm.contracts import read_artefact
from providers.evm.networks import PLAY, EvmNetwork
from providers.evm.node import Node
from providers.evm.play import PlayChain
from providers.evm.rail import EvmRail
from providers.evm.wallet import EvmWallet
from providers.evm.watching import WatchedWallet
from providers.sandbox.nodes.anvil import CHAIN_ID, running_anvil
from tests.providers.evm.wire import URL

MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow"
ODD = read_artefact((Path(__file__).parent / "OddToken.json").read_bytes())
GWEI = 10**9
FEES = FeeOffer(20 * GWEI, 2 * GWEI)
ENOUGH_GAS = 150_000


@dataclass(frozen=True)
class World:
    """A chain of play money and our rail on it."""

    play: PlayChain
    client: httpx.AsyncClient
    url: str
    network: EvmNetwork
    usdc: str
    wallet: EvmWallet
    rail: EvmRail

    @property
    def chain(self) -> AccountChain:
        """The rail as the rest of the program sees it."""
        return self.rail

    def deposit_address(self, index: int) -> Address:
        """One of our deposit addresses."""
        return self.rail.new_address(Branch.RECEIVE, index)

    async def nonce(self) -> int:
        """The hot wallet's next nonce."""
        return (await self.rail.nonces(self.rail.hot.script)).pending

    async def tip(self) -> BlockId:
        """The newest block."""
        header = await self.rail.header("latest")
        assert header is not None
        return header.id

    async def balance(self, script: str, asset: Asset) -> int:
        """What an account holds now."""
        [units] = await self.rail.balances([(script, asset)], await self.tip())
        return units

    async def pay(self, *transfers: Transfer, gas_limit: int = ENOUGH_GAS) -> SignedCall:
        """Prepare and broadcast from the hot wallet, without mining."""
        signed = await self.rail.prepare(transfers, nonce=await self.nonce(), gas_limit=gas_limit, fees=FEES)
        await self.rail.broadcast(signed.raw)
        return signed

    async def mined(self, txid: str) -> CallReceipt:
        """A transaction's receipt, which must be there."""
        found = await self.rail.receipt(txid)
        assert found is not None
        return found[1]


def stranger(number: int) -> str:
    """The script of somebody whom nobody knows."""
    return f"{number + 0xBEEF0000:040x}"


async def open_world(client: httpx.AsyncClient, url: str) -> World:
    """Deploy, fund the hot wallet, and let the disperse contract move its USDC."""
    play = PlayChain(client, url)
    usdc = await play.deploy()
    network = PLAY
    wallet = EvmWallet.from_mnemonic(MNEMONIC, network)
    node = Node(client, url, provider=network.name, chain_id=CHAIN_ID)
    rail = EvmRail(wallet=WatchedWallet(wallet.account_key), signer=wallet, node=node, network=network)
    await play.give(rail.hot.script, 100 * 10**18)
    await play.pay_token(usdc, rail.hot.script, 1_000_000_000_000)
    return World(play, client, url, network, usdc, wallet, rail)


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    async with running_anvil("--slots-in-an-epoch=1") as node, httpx.AsyncClient() as client:
        yield await open_world(client, node.url)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def node(client: httpx.AsyncClient) -> Node:
    """A connection to no node at all: `wire` answers."""
    return Node(client, URL, provider="ethereum", chain_id=1)


@pytest.fixture
async def wire() -> AsyncIterator[respx.Router]:
    with respx.mock(assert_all_called=False) as router:
        yield router
