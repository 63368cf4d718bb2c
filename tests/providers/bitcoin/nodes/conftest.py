"""A real node for the tests of this folder: litecoind, or the bitcoind that BITCOIND names, and a wallet with coins."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from app.ports.chain import Address, Branch, CoinInput
from providers.bitcoin.answers import as_list, as_object, decode, transaction_of
from providers.bitcoin.building import FeePolicy
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.records import BitcoinRecords
from providers.bitcoin.wallet import Wallet
from providers.sandbox.nodes.core import running_core
from tests.providers.bitcoin.samples import SEED
from tests.support.core_chain import CoreChain

ADDRESSES = 8
COINS = 40


class Purse:
    """The wallet whose transactions the node judges. It hands out its coins, each once."""

    def __init__(self, chain: CoreChain, wallet: Wallet, rail: BitcoinRail, records: BitcoinRecords) -> None:
        self.chain = chain
        self.wallet = wallet
        self.rail = rail
        self.records = records
        self.coins: list[CoinInput] = []

    @property
    def change(self) -> Address:
        """Where the rest comes back to."""
        return self.wallet.address(Branch.CHANGE, 0)

    async def fill(self) -> None:
        """Have blocks mined to the wallet's addresses."""
        addresses = [self.wallet.address(Branch.RECEIVE, index) for index in range(ADDRESSES)]
        await self.chain.fund([address.text for address in addresses] * (COINS // ADDRESSES))
        by_script = {address.script: address for address in addresses}
        for height in range(1, COINS + 1):
            block_hash = await self.chain.node.ask("getblockhash", height)
            told = json.dumps(await self.chain.node.ask("getblock", block_hash, 2), default=float)
            block = as_object(decode(told.encode()))  # as our own client reads it
            [mined] = [transaction_of(as_object(one)) for one in as_list(block["tx"])]
            [output] = [output for output in mined.outputs if output.script in by_script]
            address = by_script[output.script]
            self.coins.append(CoinInput(mined.txid, output.vout, output.amount, address.branch, address.index))

    def take(self, count: int) -> list[CoinInput]:
        """Coins that no other test spends."""
        assert len(self.coins) >= count
        taken, self.coins = self.coins[:count], self.coins[count:]
        return taken


@pytest.fixture(scope="module")
async def purse() -> AsyncIterator[Purse]:
    """A wallet with coins on a node of its own."""
    async with running_core() as core, httpx.AsyncClient(trust_env=False, verify=False) as http:
        chain = CoreChain(core)
        wallet, user, password = Wallet(SEED, chain.network), core.node.user, core.node.password
        node = Node(http, core.node.url, user=user, password=password, provider=chain.network.catalogue)
        rail = BitcoinRail(wallet=wallet, signer=wallet, node=node, fees=FeePolicy(max_fee=100_000_000))
        records = BitcoinRecords(http, core.node.url, user=user, password=password, provider=chain.network.catalogue)
        made = Purse(chain, wallet, rail, records)
        await made.fill()
        yield made
