"""A real node like Bitcoin Core and its regtest chain, as tests use them: mining, funding, taking blocks back."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from bitcoinlib.encoding import pubkeyhash_to_addr_bech32

from app.ports.chain import CoinInput
from providers.bitcoin.networks import LITECOIN_REGTEST, REGTEST, BitcoinNetwork
from providers.sandbox.nodes.core import CoreNode

COINBASE_BLOCKS = 100  # until mined coins can be spent
_NETWORKS = {network.hrp: network for network in (REGTEST, LITECOIN_REGTEST)}


class CoreChain:
    """One node's chain. Every block that nobody asked for goes to a new address: no two branches are alike."""

    def __init__(self, core: CoreNode) -> None:
        self.node = core.node
        self.network: BitcoinNetwork = _NETWORKS[core.hrp]

    def somebody(self) -> str:
        """An address that was never used before; nobody has its key."""
        return str(pubkeyhash_to_addr_bech32(secrets.token_bytes(20), prefix=self.network.hrp))

    async def mine(self, blocks: int = 1, *, to: str | None = None) -> list[str]:
        """Mine blocks; their hashes."""
        hashes = await self.node.ask("generatetoaddress", blocks, to or self.somebody())
        assert isinstance(hashes, list)
        assert len(hashes) == blocks
        return hashes

    async def fund(self, addresses: Sequence[str]) -> None:
        """Mine a block to each address, and bury them until they can be spent."""
        for address in addresses:
            await self.mine(to=address)
        await self.mine(COINBASE_BLOCKS)

    async def take_back(self, blocks: int) -> None:
        """Take the newest blocks out of the chain; what they held waits again."""
        height = await self.node.ask("getblockcount")
        assert isinstance(height, int)
        await self.node.ask("invalidateblock", await self.node.ask("getblockhash", height - blocks + 1))

    async def mempool(self) -> set[str]:
        """The ids of what waits for a block."""
        waiting = await self.node.ask("getrawmempool")
        assert isinstance(waiting, list)
        return set(waiting)

    async def confirmations(self, txid: str) -> int:
        """How many blocks confirm a transaction; 0 while it waits."""
        found = await self.node.ask("getrawtransaction", txid, True)
        assert isinstance(found, dict)
        return int(found.get("confirmations", 0))

    async def has(self, coin: CoinInput) -> bool:
        """Whether a coin is unspent, also by what waits."""
        return await self.node.ask("gettxout", coin.txid, coin.vout) is not None
