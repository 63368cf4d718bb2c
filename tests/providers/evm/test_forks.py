"""Reading a chain that changes, and nodes behind one address that disagree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from app.ports.account_chain import AccountScan
from app.ports.chain import BlockId
from app.ports.errors import ProviderUnavailable
from providers.evm.calls import Call
from providers.evm.node import Node
from providers.evm.reading import Reader
from providers.sandbox.nodes.anvil import CHAIN_ID, running_anvil
from tests.providers.evm.conftest import World, open_world, stranger


@pytest.fixture(scope="module")
async def fork(world: World) -> AsyncIterator[World]:
    """Another chain with the same number and the same contracts, longer than any test makes the first."""
    async with running_anvil("--slots-in-an-epoch=1") as node, httpx.AsyncClient() as client:
        other = await open_world(client, node.url)
        await other.play.mine(120)
        yield other


async def blocks_of(world: World, first: int, last: int) -> list[BlockId]:
    """The blocks of a chain between two heights."""
    headers = [await world.rail.header(hex(height)) for height in range(first, last + 1)]
    return [header.id for header in headers if header is not None]


def ids(scan: AccountScan) -> list[BlockId]:
    return [block.id for block in scan.blocks]


async def test_fault_f_76_a_node_that_is_behind_undoes_nothing(world: World) -> None:
    await world.play.mine(2)
    parent, tip = await before(world), await world.tip()
    ahead = BlockId(tip.height + 1, "ab" * 32)
    scan = await world.rail.scan([parent, tip, ahead], limit=10)
    assert (scan.fork_height, scan.blocks, scan.tip_height) == (ahead.height, (), ahead.height)
    with pytest.raises(ProviderUnavailable, match="behind"):
        await world.rail.scan([ahead], limit=10)


async def test_fault_f_77_parents_are_walked_back_to_where_the_chains_part(world: World) -> None:
    await world.play.mine(2)
    await world.play.send(Call(stranger(83), 1, b""))  # without it, the new block could be the old one again
    await world.play.mine()
    height = await world.play.height()
    known = await blocks_of(world, height - 5, height)
    await world.play.ask("anvil_reorg", 2, [])
    await world.play.mine()
    again = await world.rail.scan(known[-5:], limit=1000)
    assert again.fork_height == known[-3].height
    assert [block.height for block in ids(again)] == [known[-3].height + n for n in (1, 2, 3)]
    assert set(ids(again)).isdisjoint(known)
    gone = await world.rail.scan(known[-2:], limit=1)
    assert (gone.fork_height, ids(gone)[0].height) == (-1, 0)


_JSON = {"content-type": "application/json"}


class Mixed(httpx.AsyncBaseTransport):
    """A gate that sends some questions to another node: the mishap of one address for several."""

    def __init__(self, url: str, other: str, words: Sequence[str]) -> None:
        """Questions with one of the words in them go to the other node."""
        self._urls, self._words = (url, other), words
        self._http = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        text = request.content.decode()
        elsewhere = any(word in text for word in self._words)
        return await self._http.handle_async_request(
            httpx.Request("POST", self._urls[elsewhere], content=request.content, headers=_JSON)
        )

    async def aclose(self) -> None:
        await self._http.aclose()


async def mixed_scan(world: World, other: World, known: Sequence[BlockId], *words: str) -> AccountScan:
    async with httpx.AsyncClient(transport=Mixed(world.url, other.url, words)) as client:
        node = Node(client, "http://gate.invalid", provider="ethereum", chain_id=CHAIN_ID)
        return await Reader(node, world.network, start_height=0).scan(known, limit=3)


async def test_fault_f_77_blocks_of_two_chains_are_never_joined(world: World, fork: World) -> None:
    tip = await world.tip()
    known = [BlockId(tip.height - 1, (await before(world)).hash)]
    [theirs] = await blocks_of(fork, tip.height, tip.height)
    whole = f'"{hex(tip.height)}",true'
    for words in ([whole], [whole, theirs.hash], ["eth_getBlockReceipts"]):
        scan = await mixed_scan(world, fork, known, *words)
        assert (scan.fork_height, scan.blocks) == (tip.height - 1, ())


async def test_fault_f_76_a_finalized_block_that_is_not_the_one_read_is_not_believed(world: World, fork: World) -> None:
    tip = await world.tip()
    assert tip.height < await fork.play.height() - 2
    with pytest.raises(ProviderUnavailable, match="not of the chain"):
        await mixed_scan(world, fork, [tip], '"finalized"')
    # The other way about: the final block is below the head, and another one than was read at its height.
    around = await blocks_of(fork, tip.height - 5, tip.height)
    assert (await fork.rail.scan(around, limit=1)).finalized == await fork.play.height() - 2
    with pytest.raises(ProviderUnavailable, match="not of the chain"):
        await mixed_scan(fork, world, around, '"safe"')


async def before(world: World) -> BlockId:
    """The block before the newest."""
    header = await world.rail.header(hex((await world.tip()).height - 1))
    assert header is not None
    return header.id
