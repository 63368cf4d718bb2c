"""What a node knows of our wallet, for the auditor: its set of unspent outputs, and its blocks from the beginning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import httpx

from app.ports.chain import BlockId, ChainBlock, ChainTransaction, Waiting
from app.ports.errors import ProviderUnavailable
from app.ports.records import ChainCoins, ChainMovedError
from providers.bitcoin.answers import Unusable, as_count, as_hash, as_object, as_satoshi, block_of
from providers.bitcoin.node import Node

# Bitcoin Core walks its whole set of unspent outputs for one scan: minutes on the main network.
_SCAN_SECONDS = 900.0


class _Scanner(Node):
    """A node that is also asked what some scripts hold."""

    async def unspent(self, scripts: Sequence[str]) -> ChainCoins:
        """What the scripts hold at the newest block, as `scantxoutset` sums it up."""
        return await self._read(_coins, "scantxoutset", "start", [f"raw({script})" for script in scripts])


def _coins(answer: object) -> ChainCoins:
    found = as_object(answer)
    if found.get("success") is not True:
        raise Unusable("the scan was broken off")
    at = BlockId(as_count(found.get("height")), as_hash(found.get("bestblock")))
    return ChainCoins(at, as_satoshi(found.get("total_amount")))


class BitcoinRecords:
    """Implements ChainRecords."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        *,
        user: str,
        password: str,
        provider: str = "bitcoin",
        start_height: int = 0,
    ) -> None:
        """Use the caller's client, who also closes it. History begins at `start_height`, where the wallet's does."""
        self._node = _Scanner(
            client, url, user=user, password=password, provider=provider, timeout_seconds=_SCAN_SECONDS
        )
        self._start_height = start_height

    async def coins(self, scripts: Sequence[str]) -> ChainCoins:
        """What these scripts hold at the newest block; raises ProviderUnavailable."""
        return await self._node.unspent(scripts)

    async def history(self, scripts: Sequence[str], tip: BlockId) -> tuple[ChainTransaction, ...]:
        """Every mined transaction up to `tip` that pays one of the scripts or spends from one, oldest first.

        Blocks are followed from one to the next, so that what is returned is one chain. Raises ChainMovedError when
        it does not lead to `tip`, and ProviderUnavailable.
        """
        ours, watched = set[tuple[str, int]](), frozenset(scripts)
        found: list[ChainTransaction] = []
        following = None if tip.height < self._start_height else await self._node.block_hash(self._start_height)
        parent: ChainBlock | None = None
        while following is not None and (parent is None or parent.id.height < tip.height):
            block, previous, following = await self._block(following)
            if parent is not None and previous != parent.id.hash:
                raise ChainMovedError(f"the chain changed below height {block.id.height}")
            parent = block
            found += _touching(block, watched, ours)
        if tip.height >= self._start_height and (parent is None or parent.id != tip):
            raise ChainMovedError(f"block {tip.hash} is not at height {tip.height} any more")
        return tuple(found)

    async def waiting(self, seen: AbstractSet[str], *, limit: int) -> Waiting:
        """What waits in the node's mempool, as `app.ports.chain.ChainRail` has it; raises ProviderUnavailable."""
        return await self._node.waiting(seen, limit)

    async def _block(self, block_hash: str) -> tuple[ChainBlock, str | None, str | None]:
        """A block, and the hashes of the one before and the one after it."""
        answer = await self._node.block(block_hash)
        try:
            return block_of(answer), _hash(answer, "previousblockhash"), _hash(answer, "nextblockhash")
        except Unusable as error:
            raise ProviderUnavailable(self._node.provider, f"a block cannot be read: {error}") from None


def _hash(answer: dict[str, object], name: str) -> str | None:
    value = answer.get(name)
    return None if value is None else as_hash(value)


def _touching(block: ChainBlock, scripts: frozenset[str], ours: set[tuple[str, int]]) -> Iterator[ChainTransaction]:
    """The block's transactions that concern the scripts; keeps `ours`, the coins that they hold."""
    for transaction in block.transactions:
        spent = [outpoint for outpoint in transaction.spends if outpoint in ours]
        paid = [(transaction.txid, output.vout) for output in transaction.outputs if output.script in scripts]
        ours.difference_update(spent)
        ours.update(paid)
        if spent or paid:
            yield transaction
