"""A second node, asked only whether it sees the blocks that the first one told us of."""

from __future__ import annotations

from app.ports.chain import BlockId
from providers.bitcoin.node import Node


class NodeWitness:
    """Implements BlockWitness."""

    def __init__(self, node: Node) -> None:
        """The node should be somebody else's, on another line: two that fail together prove nothing."""
        self._node = node

    async def has_block(self, block: BlockId) -> bool:
        """Whether the block stands at its height in this node's chain; raises ProviderUnavailable."""
        return await self._node.block_hash(block.height) == block.hash
