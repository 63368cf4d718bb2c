"""What the chain itself says of our accounts, for the auditor."""

from __future__ import annotations

import pytest

from app.domain.assets import ETH, USDC_ETHEREUM
from app.ports.account_chain import Transfer
from app.ports.chain import BlockId
from app.ports.records import ChainMovedError
from providers.evm.calls import Call
from providers.evm.node import Node
from providers.evm.records import EvmRecords
from providers.sandbox.nodes.anvil import CHAIN_ID
from tests.providers.evm.conftest import World, stranger


@pytest.fixture(scope="module")
def records(world: World) -> EvmRecords:
    node = Node(world.client, world.url, provider="ethereum", chain_id=CHAIN_ID)
    return EvmRecords(node, world.network, start_height=0)


async def test_an_account_holds_the_sum_of_its_history(world: World, records: EvmRecords) -> None:
    mine = [world.rail.hot.script, world.deposit_address(0).script]
    await world.play.give(mine[0], 0)  # so that all that follows is on the chain
    await world.play.send(Call(mine[0], 10**18, b""))
    await world.play.pay_token(world.usdc, mine[1], 700)
    await world.pay(Transfer(USDC_ETHEREUM, mine[1], 9))
    await world.pay(Transfer(USDC_ETHEREUM, stranger(1), 5), gas_limit=30_000)  # runs out of gas
    await world.play.mine()
    await world.pay(Transfer(ETH, stranger(2), 11))
    await world.play.mine()
    tip = await records.tip()
    history = [call for _, call in await records.history(mine, tip)]
    assert [call.ok for call in history][-4:] == [True, True, False, True]
    for script in mine:
        for asset, told in ((ETH, None), (USDC_ETHEREUM, USDC_ETHEREUM)):
            moved = [output for call in history for output in call.outputs if output.asset == told]
            units = sum(output.amount for output in moved if output.script == script)
            units -= sum(output.amount for output in moved if output.sender == script)
            units -= sum(call.fee for call in history if call.sender == script) if asset == ETH else 0
            assert await records.balances([(script, asset)], tip) == [units]


async def test_others_are_left_out(world: World, records: EvmRecords) -> None:
    await world.play.pay_token(world.usdc, stranger(3), 5)
    tip = await records.tip()
    assert await records.history([stranger(4)], tip) == ()
    [(block, call)] = await records.history([stranger(3)], tip)
    assert (block, call.outputs[0].amount) == (tip, 5)


async def test_a_tip_that_is_not_in_the_chain(world: World, records: EvmRecords) -> None:
    tip = await records.tip()
    for wrong in (BlockId(tip.height, "ab" * 32), BlockId(tip.height + 1, tip.hash)):
        with pytest.raises(ChainMovedError):
            await records.history([stranger(1)], wrong)
