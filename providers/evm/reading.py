"""Reading the chain: its blocks one after the other, single transactions, nonces, balances and what gas costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Final

from app.domain.money import Asset
from app.ports.account_chain import AccountBlock, AccountScan, CallReceipt, FeeMarket, Nonces
from app.ports.chain import BlockId
from app.ports.errors import ProviderUnavailable
from app.ports.records import ChainMovedError
from providers.evm.answers import Unusable, as_list, as_object, as_quantity, as_word
from providers.evm.blocks import Header, block_of, header_of, receipt_of
from providers.evm.calls import view
from providers.evm.networks import EvmNetwork
from providers.evm.node import BlockGone, Node, NodeError
from providers.evm.refusals import is_block_gone

_AT_ONCE: Final = 16  # questions to the node
_FEE_BLOCKS: Final = 10
_MIDDLE: Final = 50  # per cent
# A hundred thousand gwei, in wei: no chain has asked that much. More is an answer in another unit, or a lie.
_MOST_GAS_PRICE: Final = 10**14


class Reader:
    """Implements AccountReader."""

    def __init__(self, node: Node, network: EvmNetwork, *, start_height: int) -> None:
        """Read this network's chain; `start_height` is the first block to be read when none is known."""
        self._node = node
        self._network = network
        self._start_height = start_height

    async def scan(self, known: Sequence[BlockId], *, limit: int) -> AccountScan:
        """Read on from the newest known block that is still part of the chain, `limit` blocks at most.

        Several nodes may stand behind one address, each with its own idea of the chain. What is returned hangs together
        by the blocks' hashes; a node that is behind what we know undoes nothing; and one that has finalized another
        chain than the one read is not believed (ProviderUnavailable).
        """
        await self._node.check_chain()
        # Before the head, so that they cannot be above it: on one node they never are.
        named = [await self._named(tag) for tag in ("safe", "finalized")]
        head = await self.header("latest")
        if head is None:
            raise ProviderUnavailable(self._node.provider, "the node has no blocks")
        fork = await self._newest_in_chain(known, head)
        fork_height = fork.height if fork else self._start_height - 1
        blocks = await self._read_on(fork, fork_height + 1, min(limit, head.id.height - fork_height))
        read = {block.height: block.hash for block in known if block.height <= fork_height}
        read |= {block.id.height: block.id.hash for block in blocks}
        read.setdefault(head.id.height, head.id.hash)
        safe, finalized = [self._height_of(block, head, read) for block in named]
        tip = max(head.id.height, fork_height, *(block.id.height for block in blocks))
        return AccountScan(fork_height, blocks, tip, head.at, safe, finalized)

    async def receipt(self, txid: str) -> tuple[BlockId, CallReceipt] | None:
        """A transaction as it is mined now, and where; None when it is in no block of the chain."""
        await self._node.check_chain()
        call = await self._node.read(_maybe_object, "eth_getTransactionByHash", f"0x{txid}")
        result = await self._node.read(_maybe_object, "eth_getTransactionReceipt", f"0x{txid}")
        if call is None or result is None:
            return None
        try:
            height = as_quantity(result.get("blockNumber"))
            header = await self.header(hex(height))
            if header is None:
                return None
            return header.id, receipt_of(self._network, header.id, call, result)
        except Unusable as error:
            raise self._unavailable(f"a receipt cannot be used: {error}") from None

    async def nonces(self, script: str) -> Nonces:
        """Where an account's nonces stand."""
        await self._node.check_chain()
        mined, pending = [
            await self._node.read(as_quantity, "eth_getTransactionCount", f"0x{script}", tag)
            for tag in ("latest", "pending")
        ]
        return Nonces(mined, max(mined, pending))

    async def nonce_after(self, script: str, at: BlockId) -> int:
        """The next nonce of an account after a block; ChainMovedError when that is not in the chain (any more)."""
        await self._node.check_chain()
        try:
            nonce = await self._node.read_at(as_quantity, at.hash, "eth_getTransactionCount", f"0x{script}")
        except BlockGone:
            raise _moved(at) from None
        await self._require(at)
        return nonce

    async def balances(self, holders: Sequence[tuple[str, Asset]], at: BlockId) -> list[int]:
        """What accounts (script, asset) hold after a block; ChainMovedError when it is not in the chain (any more)."""
        await self._node.check_chain()
        found: list[int] = []
        try:
            for start in range(0, len(holders), _AT_ONCE):
                some = holders[start : start + _AT_ONCE]
                found += await asyncio.gather(*(self._balance(script, asset, at) for script, asset in some))
        except BlockGone:
            raise _moved(at) from None
        await self._require(at)
        return found

    async def _require(self, at: BlockId) -> None:
        header = await self.header(hex(at.height))
        if header is None or header.id != at:
            raise _moved(at)

    async def fees(self) -> FeeMarket:
        """What the next block burns for gas, and the middle of the tips that were paid lately; 0 when nobody paid any.

        An answer that cannot be is refused with ProviderUnavailable: nobody pays a fee that is made up.
        """
        await self._node.check_chain()
        return await self._node.read(_market, "eth_feeHistory", hex(_FEE_BLOCKS), "latest", [_MIDDLE])

    async def header(self, block: str) -> Header | None:
        """The block at a height or of a name (`latest`); None when there is none."""
        return await self._node.read(header_of, "eth_getBlockByNumber", block, False)

    async def _newest_in_chain(self, known: Sequence[BlockId], head: Header) -> BlockId | None:
        """The newest known block that is in the chain.

        Blocks above the head cannot be judged: when the newest one at or below it is in the chain, the node is behind.
        """
        below = [block for block in known if block.height <= head.id.height]
        if known and not below:
            raise self._unavailable("the node is behind all blocks that we know")
        for block in reversed(below):
            found = head if block.height == head.id.height else await self.header(hex(block.height))
            if found is None:
                raise self._unavailable(f"the node has a block {head.id.height} and no block {block.height}")
            if found.id == block:
                return known[-1] if block is below[-1] else block
        return None

    async def _read_on(self, parent: BlockId | None, height: int, count: int) -> tuple[AccountBlock, ...]:
        """Up to `count` blocks from `height`, each the child of the one before."""
        blocks: list[AccountBlock] = []
        for number in range(height, height + count):
            answer = await self._node.read(_maybe_object, "eth_getBlockByNumber", hex(number), True)
            try:
                header = header_of(answer)
                if header is None or header.id.height != number or (parent and header.parent != parent.hash):
                    break
                receipts = await self._node.read(_as_is, "eth_getBlockReceipts", f"0x{header.id.hash}")
                if receipts is None:
                    break  # it left the chain between the two questions
                blocks.append(block_of(self._network, header.id, answer, receipts))
            except Unusable as error:
                raise self._unavailable(f"block {number} cannot be read: {error}") from None
            parent = header.id
        return tuple(blocks)

    async def _named(self, tag: str) -> Header | None:
        """The block to which the network gives a name; None before it does."""
        try:
            return await self._node.query(header_of, "eth_getBlockByNumber", tag, False)
        except NodeError as error:
            if not is_block_gone(error.code, error.message):
                raise self._unavailable(error.message) from None
            return None

    def _height_of(self, named: Header | None, head: Header, read: Mapping[int, str]) -> int:
        """The height of a safe or finalized block, 0 without one; raises when it is of another chain than was read."""
        if named is None:
            return 0
        if named.id.height > head.id.height or read.get(named.id.height, named.id.hash) != named.id.hash:
            raise self._unavailable(f"the final block {named.id.height} is not of the chain that was read")
        return named.id.height

    async def _balance(self, script: str, asset: Asset, at: BlockId) -> int:
        if asset == self._network.native:
            return await self._node.read_at(as_quantity, at.hash, "eth_getBalance", f"0x{script}")
        token = self._network.by_asset.get(asset)
        if token is None:
            raise ValueError(f"{asset.id} is not on this chain")
        question = {"to": f"0x{token.contract}", "data": f"0x{view(b'balanceOf(address)', script).hex()}"}
        return await self._node.read_at(as_word, at.hash, "eth_call", question)

    def _unavailable(self, message: str) -> ProviderUnavailable:
        return ProviderUnavailable(self._node.provider, message)


def _moved(at: BlockId) -> ChainMovedError:
    return ChainMovedError(f"block {at.hash} is not in the chain at height {at.height}")


def _market(answer: object) -> FeeMarket:
    history = as_object(answer)
    base_fees = [as_quantity(fee) for fee in as_list(history.get("baseFeePerGas"))]
    ratios = as_list(history.get("gasUsedRatio"))
    rewards = [[as_quantity(tip) for tip in as_list(tips)] for tips in as_list(history.get("reward"))]
    if not ratios or len(base_fees) != len(ratios) + 1 or len(rewards) != len(ratios):
        raise Unusable("a fee history without an end")
    if any(len(tips) != 1 for tips in rewards):
        raise Unusable("a fee history with other tips than asked for")
    # A block in which nobody paid anything says nothing about tips.
    tips = [tips[0] for tips, ratio in zip(rewards, ratios, strict=True) if ratio]
    market = FeeMarket(base_fees[-1], median_low(tips) if tips else 0)
    if market.base_fee == 0 or max(market.base_fee, market.priority_fee) > _MOST_GAS_PRICE:
        raise Unusable("fees that cannot be")
    return market


def _as_is(answer: object) -> object:
    return answer


def _maybe_object(answer: object) -> dict[str, object] | None:
    return None if answer is None else as_object(answer)
