"""The rail as a whole: reading a chain that changes, paying fees, and what may not be prepared."""

from collections.abc import AsyncIterator, Callable

import pytest

from app.ports.chain import BlockId, Branch, ChainOutput, ChainProvider, ChainRail
from app.ports.errors import ProviderUnavailable
from providers.bitcoin.building import FeePolicy
from providers.bitcoin.networks import MAIN
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.wallet import Wallet
from tests.providers.bitcoin.fake_chain import FakeChain, block, block_hash
from tests.providers.bitcoin.samples import MNEMONIC, P2WPKH, change_of, coin, pay, regtest_wallet

RailOf = Callable[..., BitcoinRail]


def ids(*heights: int, branch: str = "a") -> list[BlockId]:
    return [BlockId(height, block_hash(height, branch)) for height in heights]


def straight(count: int) -> list[str]:
    return [block(height) for height in range(count)]


def forked(count: int, *, at: int) -> list[str]:
    """A chain that leaves branch a after height `at`."""
    first = block(at + 1, "b", parent=block_hash(at))
    return [*straight(at + 1), first, *(block(height, "b") for height in range(at + 2, count))]


@pytest.fixture
async def rail_of() -> AsyncIterator[RailOf]:
    clients = []

    def build(
        chain: FakeChain,
        *,
        wallet: Wallet | None = None,
        fees: FeePolicy | None = None,
        start_height: int = 0,
    ) -> BitcoinRail:
        client = chain.client()
        clients.append(client)
        node = Node(client, "http://node.invalid", user="user", password="password")
        keys = wallet or regtest_wallet()
        return BitcoinRail(wallet=keys, signer=keys, node=node, fees=fees or FeePolicy(), start_height=start_height)

    yield build
    for client in clients:
        await client.aclose()


async def test_it_is_the_port(rail_of: RailOf) -> None:
    rail = rail_of(FakeChain(straight(1)))
    port: ChainProvider = rail
    narrow: ChainRail = rail
    assert port.network == narrow.network == "bitcoin"


async def test_reading_from_nothing(rail_of: RailOf) -> None:
    scan = await rail_of(FakeChain(straight(4))).scan([], limit=10)
    assert [each.id for each in scan.blocks] == ids(0, 1, 2, 3)
    assert (scan.fork_height, scan.tip_height) == (-1, 3)


async def test_reading_from_the_start_height(rail_of: RailOf) -> None:
    scan = await rail_of(FakeChain(straight(6)), start_height=4).scan([], limit=10)
    assert [each.id for each in scan.blocks] == ids(4, 5)
    assert (scan.fork_height, scan.tip_height) == (3, 5)


async def test_a_start_height_above_the_tip(rail_of: RailOf) -> None:
    scan = await rail_of(FakeChain(straight(3)), start_height=9).scan([], limit=10)
    assert (scan.fork_height, scan.blocks, scan.tip_height) == (8, (), 2)


async def test_reading_on_in_portions(rail_of: RailOf) -> None:
    chain = FakeChain(straight(10))
    rail = rail_of(chain)
    known: list[BlockId] = []
    while True:
        scan = await rail.scan(known, limit=3)
        if not scan.blocks:
            break
        assert len(scan.blocks) <= 3
        assert scan.fork_height == len(known) - 1
        assert scan.tip_height == 9
        known += [each.id for each in scan.blocks]
    assert known == ids(*range(10))
    assert chain.calls.count("getblock") == 10
    assert chain.calls.count("getblockchaininfo") == 1


async def test_nothing_new_costs_two_calls(rail_of: RailOf) -> None:
    chain = FakeChain(straight(5))
    rail = rail_of(chain)
    await rail.scan(ids(3, 4), limit=5)
    chain.calls.clear()
    scan = await rail.scan(ids(3, 4), limit=5)
    assert (scan.fork_height, scan.blocks, scan.tip_height) == (4, (), 4)
    assert chain.calls == ["getblockcount", "getblockhash"]


async def test_a_reorganisation(rail_of: RailOf) -> None:
    scan = await rail_of(FakeChain(forked(7, at=2))).scan(ids(1, 2, 3, 4, 5), limit=10)
    assert scan.fork_height == 2
    assert [each.id for each in scan.blocks] == ids(3, 4, 5, 6, branch="b")
    assert scan.tip_height == 6


async def test_a_reorganisation_to_a_shorter_chain(rail_of: RailOf) -> None:
    """For a moment a node may stand lower than we do: after `invalidateblock`, or when another node answers."""
    scan = await rail_of(FakeChain(straight(3))).scan(ids(1, 2, 3, 4, 5), limit=10)
    assert (scan.fork_height, scan.blocks, scan.tip_height) == (2, (), 2)


async def test_nothing_known_is_left(rail_of: RailOf) -> None:
    scan = await rail_of(FakeChain(forked(6, at=0)), start_height=1).scan(ids(2, 3, 4), limit=10)
    assert scan.fork_height == 0
    assert [each.id for each in scan.blocks] == ids(1, 2, 3, 4, 5, branch="b")


async def test_the_chain_changes_before_the_first_block_is_read(rail_of: RailOf) -> None:
    """The known tip was still there when it was looked up; the block above it has another parent."""
    chain = FakeChain(straight(5))

    def reorganise(method: str) -> None:
        if chain.calls.count("getblockhash") == 2:
            chain.blocks = forked(8, at=1)

    chain.on_call = reorganise
    rail = rail_of(chain)
    scan = await rail.scan(ids(1, 2, 3), limit=10)
    assert (scan.fork_height, scan.blocks) == (3, ())
    again = await rail.scan(ids(1, 2, 3), limit=10)
    assert again.fork_height == 1
    assert [each.id for each in again.blocks] == ids(2, 3, 4, 5, 6, 7, branch="b")


async def test_the_chain_changes_while_blocks_are_read(rail_of: RailOf) -> None:
    """What was read hangs together, though part of it is already history; the next scan undoes that part."""
    chain = FakeChain(straight(6), orphans=straight(6))

    def reorganise(method: str) -> None:
        if chain.calls.count("getblock") == 3:
            chain.blocks = forked(9, at=1)

    chain.on_call = reorganise
    rail = rail_of(chain)
    scan = await rail.scan([], limit=10)
    assert [each.id for each in scan.blocks] == ids(0, 1, 2)
    again = await rail.scan([each.id for each in scan.blocks], limit=10)
    assert again.fork_height == 1
    assert [each.id.hash[0] for each in again.blocks] == ["b"] * 7


async def test_a_block_vanishes_while_it_is_read(rail_of: RailOf) -> None:
    chain = FakeChain(straight(6))

    def forget(method: str) -> None:
        if chain.calls.count("getblock") == 2:
            chain.blocks = forked(9, at=0)

    chain.on_call = forget
    with pytest.raises(ProviderUnavailable):
        await rail_of(chain).scan([], limit=10)


async def test_amounts_are_exact(rail_of: RailOf) -> None:
    """As floats, several of these would lose a satoshi."""
    spelt = ["0.00000001", "20999999.97690000", "1.1E-7", "0", "8.10000000", "0.29", "1.15000000"]
    outputs = ",".join(
        f'{{"value": {each}, "n": {n}, "scriptPubKey": {{"hex": "51"}}}}' for n, each in enumerate(spelt)
    )
    scan = await rail_of(FakeChain([block(0, outputs=outputs)])).scan([], limit=1)
    amounts = [1, 2_099_999_997_690_000, 11, 0, 810_000_000, 29_000_000, 115_000_000]
    assert scan.blocks[0].transactions[0].outputs == tuple(ChainOutput(n, "51", each) for n, each in enumerate(amounts))


async def test_a_coinbase_spends_nothing_and_others_name_what_they_spend(rail_of: RailOf) -> None:
    coinbase, spend = '{"coinbase": "51", "sequence": 4294967295}', f'{{"txid": "{"cd" * 32}", "vout": 7}}'
    spending = block(1).replace(coinbase, spend)
    scan = await rail_of(FakeChain([block(0), spending])).scan([], limit=2)
    assert [each.transactions[0].spends for each in scan.blocks] == [(), (("cd" * 32, 7),)]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("50.00000000", "50.000000001"),
        ("50.00000000", "-1"),
        ("50.00000000", '"50"'),
        ("50.00000000", "true"),
        ('"n": 0', '"n": -1'),
        ('{"hex": "51", "type": "nonstandard"}', "null"),
        ('"height": 0', '"height": "0"'),
        ('"tx"', '"txs"'),
        ('"coinbase"', '"coinbas"'),
        (f'"txid": "{0:064x}"', '"txid": "00"'),
    ],
)
async def test_a_block_that_is_not_one(rail_of: RailOf, good: str, bad: str) -> None:
    assert good in block(0)
    with pytest.raises(ProviderUnavailable):
        await rail_of(FakeChain([block(0).replace(good, bad, 1)])).scan([], limit=1)


async def test_a_node_of_another_network_is_refused(rail_of: RailOf) -> None:
    """Coins of a test network must never be taken for money."""
    chain = FakeChain(straight(3))
    rail = rail_of(chain, wallet=Wallet.from_mnemonic(MNEMONIC, MAIN))
    for _ in range(2):
        with pytest.raises(ProviderUnavailable, match="'regtest'"):
            await rail.scan([], limit=1)
        with pytest.raises(ProviderUnavailable, match="'regtest'"):
            await rail.broadcast(b"")
    chain.name = "main"
    assert (await rail.scan([], limit=1)).tip_height == 2


@pytest.mark.parametrize(
    ("answer", "rate"),
    [
        ('{"feerate": 0.00020000}', 20),
        ('{"feerate": 0.00020001}', 21),  # rounded up: a little too much is mined, a little too little is not
        ('{"feerate": 0.00001000}', 2),  # the floor
        ('{"feerate": 1.00000000}', 50),  # the ceiling
        ('{"errors": ["Insufficient data or no feerate found"], "blocks": 0}', 7),
    ],
)
async def test_fault_f_91_fee_rates(rail_of: RailOf, answer: str, rate: int) -> None:
    chain = FakeChain(straight(1), fee_answer=answer)
    policy = FeePolicy(floor=2, ceiling=50, fallback=7, target_blocks=4)
    assert await rail_of(chain, fees=policy).fee_rate() == rate
    assert chain.fee_targets == [4]


async def test_preparing_is_repeatable(rail_of: RailOf) -> None:
    wallet = regtest_wallet()
    rail = rail_of(FakeChain([]), wallet=wallet)
    coins = [coin(n, 60_000) for n in range(2)]
    one = await rail.prepare(coins, [pay(90_000)], change_of(wallet), fee_rate=3)
    two = await rail.prepare(coins[::-1], [pay(90_000)], change_of(wallet), fee_rate=3)
    assert one == two
    assert one.fee == 3 * rail.estimate_vsize(2, [P2WPKH, change_of(wallet).script])
    assert 90_000 + one.fee + one.change == 120_000


async def test_fault_f_93_change_must_come_back_to_us(rail_of: RailOf) -> None:
    wallet = regtest_wallet()
    rail = rail_of(FakeChain([]), wallet=wallet)
    ours = change_of(wallet)
    stranger = Wallet(bytes(32), wallet.network)
    wrong = [stranger.address(Branch.CHANGE, 0), type(ours)(ours.text, P2WPKH, ours.branch, ours.index)]
    for change in wrong:
        with pytest.raises(ValueError, match="not one of ours"):
            await rail.prepare([coin(0, 60_000)], [pay(20_000)], change, fee_rate=3)


async def test_coins_that_do_not_suffice(rail_of: RailOf) -> None:
    wallet = regtest_wallet()
    with pytest.raises(ValueError, match="do not suffice"):
        await rail_of(FakeChain([]), wallet=wallet).prepare(
            [coin(0, 60_000)], [pay(60_000)], change_of(wallet), fee_rate=1
        )


async def test_addresses(rail_of: RailOf) -> None:
    rail = rail_of(FakeChain([]))
    address = rail.new_address(Branch.RECEIVE, 4)
    assert rail.parse(address.text.upper()).script == address.script
    assert rail.parse(address.text.upper()).text == address.text
