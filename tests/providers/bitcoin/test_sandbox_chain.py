"""The rail against a real regtest chain: the sandbox's node, whose verdicts are those of Bitcoin Core's code."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.ports.chain import BlockId, Branch, ChainTransaction, CoinInput, Scan, SignedTransaction
from app.ports.errors import ProviderRejected
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.sandbox.bitcoin.node import Node as SandboxNode
from providers.sandbox.bitcoin.rpc import router
from tests.providers.bitcoin.samples import EVERY_KIND, change_of, pay, regtest_wallet

USER, PASSWORD = "user", "password"


@pytest.fixture
def far_side(tmp_path: Path) -> Iterator[SandboxNode]:
    node = SandboxNode.open(tmp_path / "chain")
    yield node
    node.close()


@pytest.fixture
async def rail(far_side: SandboxNode) -> AsyncIterator[BitcoinRail]:
    app = FastAPI()
    app.include_router(router(far_side, USER, PASSWORD), prefix="/bitcoin")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), trust_env=False) as client:
        node = Node(client, "http://sandbox/bitcoin", user=USER, password=PASSWORD)
        yield BitcoinRail(wallet=(wallet := regtest_wallet()), signer=wallet, node=node)


async def follow(rail: BitcoinRail, known: list[BlockId]) -> Scan:
    """Scan to the tip, as the follower does."""
    scan = await rail.scan(known, limit=1_000)
    known[:] = [block for block in known if block.height <= scan.fork_height]
    known += [block.id for block in scan.blocks]
    assert [block.height for block in known] == list(range(scan.tip_height + 1))
    return scan


async def fund(rail: BitcoinRail, far_side: SandboxNode, known: list[BlockId], amounts: list[int]) -> list[CoinInput]:
    """Coins of these amounts, found by scanning."""
    ours = {rail.new_address(Branch.RECEIVE, index).script: index for index in range(len(amounts))}
    far_side.fund([(bytes.fromhex(script), amounts[index]) for script, index in ours.items()])
    scan = await follow(rail, known)
    return [
        CoinInput(transaction.txid, output.vout, output.amount, Branch.RECEIVE, ours[output.script])
        for transaction in transactions(scan)
        for output in transaction.outputs
        if output.script in ours
    ]


def transactions(scan: Scan) -> list[ChainTransaction]:
    return [transaction for block in scan.blocks for transaction in block.transactions]


def mined(scan: Scan, signed: SignedTransaction) -> list[ChainTransaction]:
    return [transaction for transaction in transactions(scan) if transaction.txid == signed.txid]


async def test_a_send_from_coin_to_confirmation_and_back(rail: BitcoinRail, far_side: SandboxNode) -> None:
    known: list[BlockId] = []
    coins = await fund(rail, far_side, known, [70_000, 60_000])
    recipients = [pay(20_000 + n, script) for n, script in enumerate(EVERY_KIND)]
    signed = await rail.prepare(coins, recipients, change_of(regtest_wallet()), fee_rate=await rail.fee_rate())
    for _ in range(2):  # the second time it waits already
        await rail.broadcast(signed.raw)
    entry = far_side.mempool.entries[signed.txid]
    assert (entry.fee, entry.transaction.vsize) == (signed.fee, signed.vsize)

    far_side.mine(1)
    scan = await follow(rail, known)
    (seen,) = mined(scan, signed)
    assert set(seen.spends) == {(coin.txid, coin.vout) for coin in coins}
    assert {(output.script, output.amount) for output in seen.outputs} == {
        *((recipient.script, recipient.amount) for recipient in recipients),
        (change_of(regtest_wallet()).script, signed.change),
    }
    await rail.broadcast(signed.raw)  # mined already

    height = scan.tip_height
    far_side.reorg(1)
    scan = await follow(rail, known)
    assert (scan.fork_height, mined(scan, signed)) == (height - 1, [])
    far_side.drop_from_mempool(signed.txid)
    await rail.broadcast(signed.raw)  # forgotten, and welcome again
    far_side.mine(1)
    assert len(mined(await follow(rail, known), signed)) == 1


async def test_a_coin_is_spent_once(rail: BitcoinRail, far_side: SandboxNode) -> None:
    coins = await fund(rail, far_side, [], [70_000])
    change = change_of(regtest_wallet())
    first = await rail.prepare(coins, [pay(20_000)], change, fee_rate=2)
    second = await rail.prepare(coins, [pay(30_000)], change, fee_rate=2)
    await rail.broadcast(first.raw)
    with pytest.raises(ProviderRejected):  # the same fee buys no replacement
        await rail.broadcast(second.raw)
    far_side.mine(1)
    with pytest.raises(ProviderRejected) as caught:
        await rail.broadcast(second.raw)
    assert caught.value.code == "-25"


async def test_a_replacement_pays_more_and_wins(rail: BitcoinRail, far_side: SandboxNode) -> None:
    known: list[BlockId] = []
    coins = await fund(rail, far_side, known, [70_000])
    change = change_of(regtest_wallet())
    first = await rail.prepare(coins, [pay(20_000)], change, fee_rate=2)
    second = await rail.prepare(coins, [pay(20_000)], change, fee_rate=9)
    await rail.broadcast(first.raw)
    await rail.broadcast(second.raw)
    assert list(far_side.mempool.entries) == [second.txid]
    far_side.mine(1)
    scan = await follow(rail, known)
    assert (len(mined(scan, first)), len(mined(scan, second))) == (0, 1)


async def test_a_spoilt_signature_is_refused(rail: BitcoinRail, far_side: SandboxNode) -> None:
    coins = await fund(rail, far_side, [], [70_000])
    lied = [CoinInput(coin.txid, coin.vout, coin.amount + 1, coin.branch, coin.index) for coin in coins]
    signed = await rail.prepare(lied, [pay(20_000)], change_of(regtest_wallet()), fee_rate=2)
    with pytest.raises(ProviderRejected) as caught:
        await rail.broadcast(signed.raw)
    assert caught.value.code == "-26"


async def test_bytes_that_are_no_transaction_for_the_node(rail: BitcoinRail, far_side: SandboxNode) -> None:
    empty = bytes.fromhex("02000000000000000000")
    with pytest.raises(ProviderRejected):
        await rail.broadcast(empty)


async def test_the_largest_send_is_accepted_at_its_size(rail: BitcoinRail, far_side: SandboxNode) -> None:
    coins = await fund(rail, far_side, [], [50_000 + n for n in range(200)])
    assert len(coins) == 200
    recipients = [pay(1_000 + n, EVERY_KIND[n % 5]) for n in range(500)]
    signed = await rail.prepare(coins, recipients, change_of(regtest_wallet()), fee_rate=2)
    await rail.broadcast(signed.raw)
    entry = far_side.mempool.entries[signed.txid]
    assert (entry.fee, entry.transaction.vsize) == (signed.fee, signed.vsize)


async def test_without_an_estimate_there_is_still_a_fee_rate(rail: BitcoinRail, far_side: SandboxNode) -> None:
    far_side.fee_rate = 12_001
    assert await rail.fee_rate() == 13
    far_side.fee_rate = None
    assert await rail.fee_rate() == 5
