"""What a node knows of our accounts, for the auditor: what they hold after a block, and how it came to that."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from app.ports.account_chain import CallReceipt
from app.ports.chain import BlockId
from app.ports.errors import ProviderUnavailable
from app.ports.records import ChainMovedError
from providers.evm.reading import Reader

_BLOCKS: Final = 100  # read at a time


class EvmRecords(Reader):
    """A chain's own books of some accounts. `balances` says what they hold after a block, each asset for itself."""

    async def tip(self) -> BlockId:
        """The newest block; raises ProviderUnavailable, and ProviderRejected for another chain."""
        await self._node.check_chain()
        head = await self.header("latest")
        if head is None:
            raise ProviderUnavailable(self._node.provider, "the node has no blocks")
        return head.id

    async def history(self, scripts: Sequence[str], tip: BlockId) -> tuple[tuple[BlockId, CallReceipt], ...]:
        """Every mined transaction up to `tip` that an account sent, or that moved something to or from one.

        Oldest first, from the start height on, each with its block. Raises ChainMovedError when the blocks do not lead
        to `tip`, and ProviderUnavailable. Coins that another contract passes on within a transaction are not seen.
        """
        ours, parent = frozenset(scripts), None
        found: list[tuple[BlockId, CallReceipt]] = []
        height = self._start_height
        while height <= tip.height:
            blocks = await self._read_on(parent, height, min(_BLOCKS, tip.height - height + 1))
            if not blocks:
                raise ChainMovedError(f"the chain changed below height {height}")
            found += [(block.id, call) for block in blocks for call in block.transactions if _concerns(call, ours)]
            parent = blocks[-1].id
            height = parent.height + 1
        if parent is not None and parent != tip:
            raise ChainMovedError(f"block {tip.hash} is not at height {tip.height} any more")
        return tuple(found)


def _concerns(call: CallReceipt, ours: AbstractSet[str]) -> bool:
    moved = {script for output in call.outputs for script in (output.script, output.sender)}
    return call.sender in ours or not ours.isdisjoint(script for script in moved if script is not None)
