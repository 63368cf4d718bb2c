"""A real litecoind with extension blocks: they disturb no reading, and what comes out of them can be spent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from app.ports.chain import Branch, ChainOutput, CoinInput
from app.ports.errors import ProviderRejected
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.records import BitcoinRecords
from providers.bitcoin.wallet import Wallet
from providers.sandbox.nodes.core import CoreNode, running_litecoind
from tests.providers.bitcoin.samples import EVERY_KIND, SEED, pay
from tests.support.core_chain import CoreChain

ACTIVATION = 432  # of extension blocks on regtest; the block at this height must have something for them
PEGOUT_MATURITY = 6


@pytest.fixture(scope="module")
async def litecoin() -> AsyncIterator[CoreNode]:
    """A litecoind whose extension blocks have begun, with a wallet that has coins nowhere else."""
    async with running_litecoind(extension_blocks=True) as core:
        ask = core.node.ask
        await ask("createwallet", "hidden")
        hidden = [await ask("getnewaddress", "", "mweb") for _ in range(2)]
        await ask("unloadwallet", "hidden")
        await ask("createwallet", "miner")
        chain = CoreChain(core)
        await chain.mine(2, to=str(await ask("getnewaddress", "", "bech32")))
        await chain.mine(ACTIVATION - 3)
        for address in hidden:
            await ask("sendtoaddress", address, "10")
            await chain.mine()
        await ask("unloadwallet", "miner")
        await ask("loadwallet", "hidden")
        yield core


async def test_coins_that_come_out_of_an_extension_block(litecoin: CoreNode) -> None:
    chain, ask = CoreChain(litecoin), litecoin.node.ask
    wallet = Wallet(SEED, chain.network)
    ours, change = wallet.address(Branch.RECEIVE, 0), wallet.address(Branch.CHANGE, 0)
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        url, user, password = litecoin.node.url, litecoin.node.user, litecoin.node.password
        rail = BitcoinRail(wallet=wallet, signer=wallet, node=Node(http, url, user=user, password=password))
        known = [(await rail.scan([], limit=ACTIVATION)).blocks[-1].id]
        # Two waiting transactions, one wholly inside the extension block and one that comes out of it.
        inside = await ask("sendtoaddress", await ask("getnewaddress", "", "mweb"), "1")
        outside = await ask("sendtoaddress", ours.text, "2.5")
        waiting = await rail.waiting(frozenset(), limit=10)
        assert waiting.txids == {inside, outside}
        assert {transaction.txid for transaction in waiting.transactions} == {inside, outside}

        await chain.mine()
        found = [
            (transaction.txid, output)
            for block in (await rail.scan(known, limit=10)).blocks
            for transaction in block.transactions
            for output in transaction.outputs
            if output.script == ours.script
        ]
        [(txid, output)] = found
        assert output == ChainOutput(output.vout, ours.script, 250_000_000)
        held = await BitcoinRecords(http, url, user=user, password=password).coins([ours.script])
        assert held.units == 250_000_000

        coin = CoinInput(txid, output.vout, output.amount, ours.branch, ours.index)
        signed = await rail.prepare([coin], [pay(1_000_000)], change, fee_rate=2)
        await chain.mine(PEGOUT_MATURITY - 2)
        with pytest.raises(ProviderRejected, match="premature-spend-of-pegout"):
            await rail.broadcast(signed.raw)
        await chain.mine()
        await rail.broadcast(signed.raw)
        await chain.mine()
        assert await chain.confirmations(signed.txid) == 1


async def test_the_node_reads_addresses_as_we_do(litecoin: CoreNode) -> None:
    """For every kind of script the node's own spelling is read back into the script."""
    chain = CoreChain(litecoin)
    addresses = Wallet(SEED, chain.network)
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        rail = BitcoinRail(wallet=addresses, signer=addresses, node=Node(http, litecoin.node.url, user="", password=""))
    for script in EVERY_KIND:
        decoded = await litecoin.node.ask("decodescript", script)
        assert isinstance(decoded, dict)
        [text] = decoded["addresses"]
        assert rail.parse(text).script == script
