"""Reading the chain: which transfers are believed, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.domain.assets import ETH, USDC_ETHEREUM
from app.ports.account_chain import AccountScan, CallReceipt, Transfer
from app.ports.chain import BlockId, ChainOutput
from app.ports.records import ChainMovedError
from providers.evm.answers import as_list, as_object
from providers.evm.blocks import block_of, receipt_of
from providers.evm.calls import Call, view
from providers.evm.contracts import artefact, disperse_script
from providers.evm.networks import private_network
from providers.evm.node import Node
from providers.evm.reading import Reader
from providers.sandbox.nodes.anvil import CHAIN_ID
from tests.providers.evm.conftest import GWEI, ODD, World, stranger

TWIN = artefact("TestUSDC").creation_code + (10**15).to_bytes(32, "big")


async def odd_token(world: World) -> tuple[str, Reader]:
    """A token that is not to be trusted, and a reader that trusts it: as if USDC had been upgraded to it."""
    contract = await world.play.create(ODD.creation_code)
    node = Node(world.client, world.url, provider="ethereum", chain_id=CHAIN_ID)
    return contract, Reader(node, private_network(CHAIN_ID, contract), start_height=0)


async def calls_in(reader: Reader, tip: BlockId) -> list[CallReceipt]:
    """The transactions of the block after `tip`."""
    scan = await reader.scan([tip], limit=10)
    return [call for block in scan.blocks for call in block.transactions]


def told(calls: Sequence[CallReceipt]) -> list[ChainOutput]:
    return [output for call in calls for output in call.outputs]


def ids(scan: AccountScan) -> list[BlockId]:
    return [block.id for block in scan.blocks]


async def test_blocks_follow_one_another_from_the_start_height(world: World) -> None:
    node = Node(world.client, world.url, provider="ethereum", chain_id=CHAIN_ID)
    reader = Reader(node, world.network, start_height=2)
    await world.play.mine(3)
    tip = await world.tip()
    first = await reader.scan([], limit=2)
    assert (first.fork_height, [block.height for block in ids(first)]) == (1, [2, 3])
    rest = await reader.scan(ids(first), limit=1000)
    assert rest.fork_height == 3
    assert ids(rest)[-1] == tip
    assert [block.height for block in ids(rest)] == list(range(4, tip.height + 1))
    assert (await reader.scan([tip], limit=5)).blocks == ()


async def test_finality_is_what_the_network_says(world: World) -> None:
    """This anvil calls a block safe when one is upon it, and finalized when two are."""
    await world.play.mine(3)
    tip = await world.tip()
    scan = await world.rail.scan([tip], limit=5)
    assert (scan.tip_height, scan.safe, scan.finalized) == (tip.height, tip.height - 1, tip.height - 2)
    head = await world.rail.header("latest")
    assert head is not None
    assert scan.tip_at == head.at


async def test_deposits_of_a_token_and_of_the_coin_itself(world: World) -> None:
    address, tip = world.deposit_address(1).script, await world.tip()
    await world.play.pay_token(world.usdc, address, 5_000_000)
    await world.play.send(Call(address, 7, b""))
    issuer = await world.play.issuer()
    assert told(await calls_in(world.rail, tip)) == [
        ChainOutput(1, address, 5_000_000, USDC_ETHEREUM, issuer),
        ChainOutput(0, address, 7, None, issuer),
    ]


async def test_fault_f_68_a_reverted_transfer_and_a_removed_log_are_no_deposits(world: World) -> None:
    address, tip = world.deposit_address(1).script, await world.tip()
    await world.play.token(world.usdc, b"blacklist(address)", address)
    await world.play.pay_token(world.usdc, address, 5_000_000)
    await world.play.token(world.usdc, b"unBlacklist(address)", address)
    await world.play.send(Call(world.usdc, 9, b""))  # coins for a contract that takes none
    calls = await calls_in(world.rail, tip)
    assert [call.ok for call in calls] == [True, False, True, False]
    assert told(calls) == []
    txid = await world.play.pay_token(world.usdc, address, 5_000_000)
    call, receipt = [
        as_object(await world.play.ask(method, f"0x{txid}"))
        for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt")
    ]
    for log in as_list(receipt["logs"]):
        as_object(log)["removed"] = True
    assert receipt_of(world.network, await world.tip(), call, receipt).outputs == ()


@pytest.mark.parametrize("trick", [b"refuse(address,uint256)", b"unique(address,uint256)", b"lie(address,uint256)"])
async def test_fault_f_69_a_look_alike_token_is_nothing_at_all(world: World, trick: bytes) -> None:
    """Whatever it says: it is not on the list."""
    address, tip = world.deposit_address(1).script, await world.tip()
    contract, _ = await odd_token(world)
    await world.play.token(contract, trick, address, 5_000_000)
    twin = await world.play.create(TWIN)
    await world.play.pay_token(twin, address, 5_000_000)
    calls = await calls_in(world.rail, tip)
    assert all(call.ok for call in calls)
    assert told(calls) == []


async def test_fault_f_69_what_a_trusted_contract_does_not_log_is_no_transfer(world: World) -> None:
    address = world.deposit_address(1).script
    contract, reader = await odd_token(world)
    tip = await world.tip()
    await world.play.token(contract, b"refuse(address,uint256)", address, 5_000_000)
    await world.play.token(contract, b"unique(address,uint256)", address, 5_000_000)
    await world.play.token(contract, b"lie(address,uint256)", address, 0)
    calls = await calls_in(reader, tip)
    assert [call.ok for call in calls] == [True, True, True]
    assert told(calls) == []


async def test_fault_f_69_a_log_that_lies_shows_in_the_balance(world: World) -> None:
    address = world.deposit_address(1).script
    contract, reader = await odd_token(world)
    await world.play.token(contract, b"lie(address,uint256)", address, 5_000_000)
    [output] = told(await calls_in(reader, await before(world)))
    assert output.amount == 5_000_000
    assert await reader.balances([(address, USDC_ETHEREUM)], await world.tip()) == [0]


async def test_fault_f_69_coins_from_within_another_contract_and_payments_of_nothing_are_ignored(world: World) -> None:
    address, tip = world.deposit_address(2).script, await world.tip()
    contract, _ = await odd_token(world)
    await world.play.send(Call(contract, 9, view(b"pass(address)", address)))
    await world.play.send(Call(address, 0, b""))
    calls = await calls_in(world.rail, tip)
    assert [call.ok for call in calls] == [True, True, True]
    assert [output for output in told(calls) if output.script == address] == []
    assert await world.balance(address, ETH) == 9


async def test_coins_from_the_disperse_contract_are_believed(world: World) -> None:
    """Another instance's batch: our own contract says whom it has paid, and it stands there only as we wrote it."""
    mine, other = world.deposit_address(6).script, stranger(60)
    signed = await world.pay(Transfer(ETH, mine, 11), Transfer(ETH, other, 12))
    await world.play.mine()
    hot = world.rail.hot.script
    assert (await world.mined(signed.txid)).outputs == (
        ChainOutput(1, mine, 11, None, hot),
        ChainOutput(2, other, 12, None, hot),
    )
    assert await world.balance(mine, ETH) == 11
    assert await world.balance(disperse_script(), ETH) == 0


async def test_fault_f_70_a_token_that_keeps_a_part_shows_in_the_balance(world: World) -> None:
    address = stranger(70)
    contract, reader = await odd_token(world)
    await world.play.token(contract, b"keep(address,uint256)", address, 1_000_000)
    [output] = told(await calls_in(reader, await before(world)))
    parent, tip = await before(world), await world.tip()
    held = [await reader.balances([(address, USDC_ETHEREUM)], block) for block in (parent, tip)]
    assert (output.amount, held) == (1_000_000, [[0], [990_000]])


async def test_fault_f_71_the_right_address_and_another_asset(world: World) -> None:
    """The coin itself where USDC was expected: told as what it is, for the caller to hold."""
    address, tip = world.deposit_address(7).script, await world.tip()
    await world.play.send(Call(address, 5_000_000, b""))
    [output] = told(await calls_in(world.rail, tip))
    assert (output.script, output.asset, output.amount) == (address, None, 5_000_000)


async def test_receipts_that_do_not_belong_to_their_block_are_not_believed(world: World) -> None:
    await world.play.send(Call(stranger(9), 1, b""))
    tip = await world.tip()
    block = await world.play.ask("eth_getBlockByNumber", hex(tip.height), True)
    receipts = as_list(await world.play.ask("eth_getBlockReceipts", f"0x{tip.hash}"))
    assert len(block_of(world.network, tip, block, receipts).transactions) == 1
    for wrong, found in ((BlockId(tip.height, "ab" * 32), receipts), (tip, []), (tip, receipts * 2)):
        with pytest.raises(ValueError, match="receipt"):
            block_of(world.network, wrong, block, found)
    call = as_object(as_list(as_object(block)["transactions"])[0])
    with pytest.raises(ValueError, match="another"):
        receipt_of(world.network, tip, call | {"hash": f"0x{'ab' * 32}"}, as_object(receipts[0]))


async def test_balances_of_a_block_that_is_gone(world: World) -> None:
    address, asset = stranger(81), ETH
    await world.play.send(Call(stranger(82), 1, b""))
    tip = await world.tip()
    assert await world.rail.balances([(address, asset), (address, USDC_ETHEREUM)], tip) == [0, 0]
    for wrong in (BlockId(tip.height, "ab" * 32), BlockId(tip.height - 1, tip.hash)):
        with pytest.raises(ChainMovedError):
            await world.rail.balances([(address, asset)], wrong)
    await world.play.ask("anvil_reorg", 1, [])
    with pytest.raises(ChainMovedError):
        await world.rail.balances([(address, asset)], tip)


async def test_what_a_rollup_charges_is_part_of_the_fee(world: World) -> None:
    txid = await world.play.send(Call(stranger(9), 1, b""))
    call, receipt = [
        as_object(await world.play.ask(method, f"0x{txid}"))
        for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt")
    ]
    tip = await world.tip()
    plain = receipt_of(world.network, tip, call, receipt)
    assert receipt_of(world.network, tip, call, receipt | {"l1Fee": hex(GWEI)}).fee == plain.fee + GWEI


async def before(world: World) -> BlockId:
    """The block before the newest."""
    header = await world.rail.header(hex((await world.tip()).height - 1))
    assert header is not None
    return header.id
