"""The Bitcoin rail: `app.ports.chain.ChainProvider` on a wallet of our own and somebody's node."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from app.ports.chain import (
    Address,
    BlockId,
    Branch,
    ChainBlock,
    CoinInput,
    Destination,
    Recipient,
    Scan,
    SignedTransaction,
    Waiting,
)
from app.ports.errors import ProviderUnavailable
from providers.bitcoin.addresses import BitcoinAddresses
from providers.bitcoin.answers import Unusable, as_hash, block_of
from providers.bitcoin.building import FeePolicy, check_signed, plan_transaction
from providers.bitcoin.layout import read_transaction
from providers.bitcoin.node import Node
from providers.bitcoin.signer import Account, Signer

_DEFAULT_FEES: Final = FeePolicy()
_KILO: Final = 1000


class BitcoinRail:
    """Bitcoin or Litecoin, or one of their test networks: whichever the wallet is of."""

    def __init__(
        self,
        *,
        wallet: Account,
        signer: Signer,
        node: Node,
        fees: FeePolicy = _DEFAULT_FEES,
        start_height: int = 0,
    ) -> None:
        """Watch the wallet's addresses, and have its transactions signed by whoever holds its keys.

        Reading begins at `start_height` when no block is known.
        """
        self._wallet = wallet
        self._node = node
        self._fees = fees
        self._start_height = start_height
        self._signer = signer
        self._addresses = BitcoinAddresses(wallet.network)
        self._chain_checked = False

    @property
    def network(self) -> str:
        """The network's name in the catalogue, the same for test networks."""
        return self._wallet.network.catalogue

    def new_address(self, branch: Branch, index: int) -> Address:
        """Derive one of our own addresses."""
        return self._wallet.address(branch, index)

    def parse(self, text: str) -> Destination:
        """Check an address; raises AddressInvalid or NetworkMismatch."""
        return self._addresses.parse(text)

    def estimate_vsize(self, inputs: int, scripts: Sequence[str]) -> int:
        """The virtual size in bytes of a transaction with so many of our inputs and these output scripts."""
        return self._addresses.estimate_vsize(inputs, scripts)

    async def prepare(
        self,
        coins: Sequence[CoinInput],
        recipients: Sequence[Recipient],
        change: Address,
        *,
        fee_rate: int,
        least_fee: int = 0,
        spread: Sequence[Address] = (),
    ) -> SignedTransaction:
        """Build and sign, paying `fee_rate` satoshi per virtual byte; the same arguments give the same bytes.

        See `building.plan_transaction` for the arguments and what is raised, and for change that would not come back
        to this wallet ValueError is. Takes milliseconds per coin and gives way to nobody meanwhile.
        """
        for address in (change, *spread):
            if self._wallet.address(address.branch, address.index) != address:
                raise ValueError("the change address is not one of ours")
        plan = plan_transaction(
            coins,
            recipients,
            change,
            fee_rate=fee_rate,
            fees=self._fees,
            least_fee=least_fee,
            spread=spread,
            dust_rate=self._wallet.network.dust_rate,
        )
        return check_signed(plan, await self._signer.sign(plan.draft))

    async def broadcast(self, raw: bytes) -> None:
        """Hand the bytes to the network; "already known" is success. Errors as in `node.Node.send`."""
        await self._check_chain()
        await self._node.send(raw, read_transaction(raw).txid)

    async def fee_rate(self) -> int:
        """What to pay in satoshi per virtual byte now, within floor and ceiling."""
        estimate = await self._node.estimated_fee(self._fees.target_blocks)
        return self._fees.clamp(self._fees.fallback if estimate is None else -(-estimate // _KILO))

    async def scan(self, known: Sequence[BlockId], *, limit: int) -> Scan:
        """Read on from the newest known block that is still part of the chain, `limit` blocks at most.

        The chain may change while it is read: what is returned always hangs together, and the next scan sees the rest.
        """
        await self._check_chain()
        tip = await self._node.block_count()
        fork = await self._newest_in_chain(known)
        fork_height = fork.height if fork else self._start_height - 1
        blocks = await self._read_on(fork, fork_height + 1, min(limit, tip - fork_height))
        newest = blocks[-1].id.height if blocks else tip
        return Scan(fork_height, blocks, max(tip, newest))

    async def waiting(self, seen: AbstractSet[str], *, limit: int) -> Waiting:
        """What waits in the node's mempool. One that leaves it while we read is left out of the transactions."""
        await self._check_chain()
        return await self._node.waiting(seen, limit)

    async def _newest_in_chain(self, known: Sequence[BlockId]) -> BlockId | None:
        for block in reversed(known):
            if await self._node.block_hash(block.height) == block.hash:
                return block
        return None

    async def _read_on(self, parent: BlockId | None, height: int, count: int) -> tuple[ChainBlock, ...]:
        """Up to `count` blocks from `height`, each the child of the one before."""
        blocks: list[ChainBlock] = []
        next_hash = await self._node.block_hash(height) if count > 0 else None
        while next_hash is not None and len(blocks) < count:
            answer = await self._node.block(next_hash)
            try:
                block = block_of(answer)
                follows = parent is None or as_hash(answer.get("previousblockhash")) == parent.hash
                following = answer.get("nextblockhash")  # saves asking for it; absent at the tip
                next_hash = None if following is None else as_hash(following)
            except Unusable as error:
                raise ProviderUnavailable(self._node.provider, f"a block cannot be read: {error}") from None
            if not follows or block.id.height != height + len(blocks):
                break
            blocks.append(block)
            parent = block.id
        return tuple(blocks)

    async def _check_chain(self) -> None:
        """Refuse, once per process, a node of another network: its coins would be worthless."""
        if self._chain_checked:
            return
        chain = await self._node.chain()
        if chain not in self._wallet.network.chains:
            name = self._wallet.network.name
            raise ProviderUnavailable(self._node.provider, f"the node follows {chain!r}, the wallet is of {name!r}")
        self._chain_checked = True
