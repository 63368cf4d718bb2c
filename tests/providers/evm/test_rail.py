"""Money out on a real node: paid alone and together, replaced, cancelled, collected, and taken back by a reorg."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.assets import ETH, USDC_BASE, USDC_ETHEREUM
from app.domain.gas import GasLimits, GasPrice, higher_offer
from app.domain.money import Asset
from app.ports.account_chain import AccountChain, FeeOffer, NonceUsed, SignedCall, Transfer, Underpriced
from app.ports.chain import Branch, FeeTooHigh
from app.ports.errors import ProviderRejected, ProviderUnavailable
from providers.evm.calls import Call, view
from providers.evm.networks import EvmNetwork
from providers.evm.node import Node
from providers.evm.rail import PLAIN_GAS, EvmRail
from providers.sandbox.nodes.anvil import CHAIN_ID
from tests.providers.evm.conftest import ENOUGH_GAS, FEES, GWEI, World, stranger


def usdc(recipient: int, units: int) -> Transfer:
    return Transfer(USDC_ETHEREUM, stranger(recipient), units)


async def replacement(world: World, signed: SignedCall, transfer: Transfer, fees: FeeOffer) -> SignedCall:
    """The same nonce with other fees."""
    return await world.rail.prepare([transfer], nonce=signed.nonce, gas_limit=ENOUGH_GAS, fees=fees)


@pytest.mark.parametrize("asset", [USDC_ETHEREUM, ETH])
async def test_somebody_is_paid(world: World, asset: Asset) -> None:
    rail: AccountChain = world.chain
    before = await world.balance(rail.hot.script, ETH)
    signed = await world.pay(Transfer(asset, stranger(1), 12_345_678))
    assert await rail.receipt(signed.txid) is None
    assert await world.balance(stranger(1), asset) == 0
    await world.play.mine()
    receipt = await world.mined(signed.txid)
    [output] = receipt.outputs
    assert receipt.ok
    assert (receipt.sender, receipt.nonce) == (rail.hot.script, signed.nonce)
    assert (output.script, output.amount, output.sender) == (stranger(1), 12_345_678, rail.hot.script)
    assert (output.asset, output.vout) == ((None, 0) if asset == ETH else (USDC_ETHEREUM, 1))
    assert await world.balance(stranger(1), asset) == 12_345_678
    paid = 12_345_678 if asset == ETH else 0
    assert await world.balance(rail.hot.script, ETH) == before - receipt.fee - paid
    assert receipt.fee < signed.most_fee


@pytest.mark.parametrize("asset", [USDC_ETHEREUM, ETH])
async def test_two_hundred_are_paid_together(world: World, asset: Asset) -> None:
    """Through the disperse contract, once it may move the token; every one of them shows in the receipt."""
    rail = world.rail
    transfers = [Transfer(asset, stranger(1000 + number), 10 + number) for number in range(200)]
    if asset != ETH:
        assert (await rail.simulate(transfers[:2])).unapproved
        await rail.broadcast((await rail.approve(asset, nonce=await world.nonce(), fees=FEES)).raw)
        await world.play.mine()
    trial = await rail.simulate(transfers)
    assert (trial.refused, trial.halted, trial.unapproved) == ({}, None, False)
    signed = await world.pay(*transfers, gas_limit=trial.gas_limit)
    await world.play.mine()
    receipt = await world.mined(signed.txid)
    assert receipt.ok
    assert receipt.gas_used < trial.gas_limit < 1 << 24
    shown = [(output.script, output.amount, output.asset) for output in receipt.outputs]
    assert shown == [(each.recipient, each.units, None if asset == ETH else asset) for each in transfers]
    assert len({output.vout for output in receipt.outputs}) == 200
    assert await world.balance(stranger(1199), asset) == 209


async def test_a_token_is_collected_and_the_hot_wallet_pays_the_gas(world: World) -> None:
    rail, source = world.rail, world.deposit_address(3)
    assert rail.collector(source, USDC_ETHEREUM) == rail.hot
    await world.play.pay_token(world.usdc, source.script, 5_000_000)
    before = await world.balance(rail.hot.script, USDC_ETHEREUM)
    gas = rail.collect_gas(USDC_ETHEREUM)
    nonce = await world.nonce()
    signed = await rail.collect(source, USDC_ETHEREUM, 5_000_000, nonce=nonce, gas_limit=gas, fees=FEES)
    higher = FeeOffer(FEES.max_fee * 2, FEES.max_priority_fee * 2)
    again = await rail.collect(source, USDC_ETHEREUM, 5_000_000, nonce=nonce, gas_limit=gas, fees=higher)
    await rail.broadcast(signed.raw)
    await rail.broadcast(again.raw)
    await world.play.mine()
    assert await rail.receipt(signed.txid) is None
    receipt = await world.mined(again.txid)
    assert receipt.ok
    assert receipt.sender == rail.hot.script
    assert [(out.script, out.amount, out.sender) for out in receipt.outputs] == [
        (rail.hot.script, 5_000_000, source.script)
    ]
    assert await world.balance(source.script, ETH) == 0
    assert await world.balance(rail.hot.script, USDC_ETHEREUM) == before + 5_000_000


async def test_the_coin_itself_is_collected_to_the_last_wei_but_the_gas(world: World) -> None:
    rail, source = world.rail, world.deposit_address(4)
    assert rail.collector(source, ETH) == source
    await world.play.give(source.script, 10**18)
    gas = rail.collect_gas(ETH)
    units = 10**18 - gas * FEES.max_fee
    signed = await rail.collect(source, ETH, units, nonce=0, gas_limit=gas, fees=FEES)
    await rail.broadcast(signed.raw)
    await world.play.mine()
    receipt = await world.mined(signed.txid)
    assert receipt.ok
    assert receipt.sender == source.script
    assert await world.balance(source.script, ETH) == 10**18 - units - receipt.fee


async def test_fault_f_84_a_gap_keeps_later_nonces_waiting_until_it_is_filled(world: World) -> None:
    rail, nonce = world.rail, await world.nonce()
    later = await rail.prepare([usdc(2, 5)], nonce=nonce + 1, gas_limit=ENOUGH_GAS, fees=FEES)
    await rail.broadcast(later.raw)
    await world.play.mine()
    assert await rail.receipt(later.txid) is None
    assert (await rail.nonces(rail.hot.script)).pending == nonce
    filler = await rail.cancel(rail.hot, nonce=nonce, fees=FEES)
    await rail.broadcast(filler.raw)
    await world.play.mine()
    filled = await world.mined(filler.txid)
    assert (filled.ok, filled.outputs, filled.gas_used) == (True, (), PLAIN_GAS)
    assert (await world.mined(later.txid)).ok
    assert (await rail.nonces(rail.hot.script)).mined == nonce + 2


async def test_fault_f_85_a_nonce_that_somebody_else_has_used_is_told_apart(world: World) -> None:
    """The same key in another program: it is a kind of refusal of its own."""
    rail, nonce = world.rail, await world.nonce()
    ours = await rail.prepare([usdc(3, 5)], nonce=nonce, gas_limit=ENOUGH_GAS, fees=FEES)
    await world.pay(usdc(4, 6))
    await world.play.mine()
    with pytest.raises(NonceUsed):
        await rail.broadcast(ours.raw)
    assert await rail.receipt(ours.txid) is None


async def test_fault_f_86_a_call_that_waits_is_replaced_by_one_that_offers_an_eighth_more(world: World) -> None:
    rail = world.rail
    old = await world.pay(usdc(5, 5))
    with pytest.raises(Underpriced):
        await rail.broadcast((await replacement(world, old, usdc(5, 6), FEES)).raw)
    price = higher_offer(GasPrice(FEES.max_fee, FEES.max_priority_fee), GWEI, GWEI, GasLimits(100 * GWEI, GWEI))
    assert price is not None
    new = await replacement(world, old, usdc(5, 5), FeeOffer(price.most, price.tip))
    await rail.broadcast(new.raw)
    await world.play.mine()
    assert (await world.mined(new.txid)).ok
    assert await rail.receipt(old.txid) is None
    assert await world.balance(stranger(5), USDC_ETHEREUM) == 5


async def test_fault_f_86_a_spike_of_the_base_fee_makes_an_offer_too_low_for_now(world: World) -> None:
    rail, nonce = world.rail, await world.nonce()
    await world.play.ask("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
    await world.play.mine()
    assert (await rail.fees()).base_fee > FEES.max_fee
    low = await rail.prepare([usdc(6, 5)], nonce=nonce, gas_limit=ENOUGH_GAS, fees=FEES)
    with pytest.raises(Underpriced):
        await rail.broadcast(low.raw)
    await world.play.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    await world.play.mine()
    await rail.broadcast(low.raw)
    await world.play.mine()
    assert (await world.mined(low.txid)).ok


async def test_fault_f_87_the_original_is_mined_while_its_replacement_is_sent(world: World) -> None:
    rail = world.rail
    old = await world.pay(usdc(7, 5))
    new = await replacement(world, old, usdc(7, 5), FeeOffer(FEES.max_fee * 2, FEES.max_priority_fee * 2))
    await world.play.mine()
    with pytest.raises(NonceUsed):
        await rail.broadcast(new.raw)
    assert (await world.mined(old.txid)).ok
    assert await world.balance(stranger(7), USDC_ETHEREUM) == 5


async def test_fault_f_88_what_a_reorg_takes_out_is_sent_again_as_it_is(world: World) -> None:
    rail = world.rail
    signed = await world.pay(usdc(8, 5))
    await world.play.mine()
    found = await rail.receipt(signed.txid)
    await world.play.ask("anvil_reorg", 1, [])
    assert found is not None
    assert await rail.receipt(signed.txid) is None
    await rail.broadcast(signed.raw)
    await world.play.mine()
    again = await rail.receipt(signed.txid)
    assert again is not None
    assert again[0] != found[0]
    assert again[1].outputs == found[1].outputs
    await rail.broadcast(signed.raw)  # mined is as good as taken
    assert await world.balance(stranger(8), USDC_ETHEREUM) == 5


async def test_fault_f_89_a_call_that_is_mined_and_reverted_pays_its_fee_and_nobody(world: World) -> None:
    rail = world.rail
    signed = await world.pay(usdc(9, 5))
    await world.play.put(Call(world.usdc, 0, view(b"pause()")), tip=100 * GWEI)  # comes first in the block
    await world.play.mine()
    receipt = await world.mined(signed.txid)
    await world.play.token(world.usdc, b"unpause()")
    assert (receipt.ok, receipt.outputs) == (False, ())
    assert receipt.fee > 0
    assert await world.balance(stranger(9), USDC_ETHEREUM) == 0
    short = await world.pay(usdc(9, 5), gas_limit=40_000)
    await world.play.mine()
    receipt = await world.mined(short.txid)
    assert (receipt.ok, receipt.outputs, receipt.gas_used) == (False, (), 40_000)
    assert (await rail.nonces(rail.hot.script)).mined == short.nonce + 1


async def test_fault_f_89_what_would_run_out_of_gas_at_once_is_refused_by_the_node(world: World) -> None:
    with pytest.raises(ProviderRejected):
        await world.pay(usdc(9, 5), gas_limit=20_000)


async def test_a_wallet_without_gas_is_asked_again_later(world: World) -> None:
    """The bytes are in order: they can be sent once the wallet has coins."""
    source = world.deposit_address(5)
    signed = await world.rail.cancel(source, nonce=0, fees=FEES)
    with pytest.raises(ProviderUnavailable) as caught:
        await world.rail.broadcast(signed.raw)
    assert caught.value.code == "insufficient_funds"


async def test_fault_f_99_nothing_is_done_on_another_chain(world: World) -> None:
    """A node that has been set up anew, or a URL that points elsewhere."""
    node = Node(world.client, world.url, provider="ethereum", chain_id=1)
    elsewhere = EvmRail(wallet=world.wallet, signer=world.wallet, node=node, network=mainnet_like(world))
    signed = await world.rail.prepare([usdc(1, 1)], nonce=0, gas_limit=ENOUGH_GAS, fees=FEES)
    with pytest.raises(ValueError, match="another chain"):
        await elsewhere.broadcast(signed.raw)
    for refused in (
        elsewhere.scan([], limit=1),
        elsewhere.nonces(world.rail.hot.script),
        elsewhere.receipt(signed.txid),
        elsewhere.fees(),
        elsewhere.simulate([usdc(1, 1)]),
        elsewhere.balances([], await world.tip()),
        elsewhere.check(),
    ):
        with pytest.raises(ProviderRejected, match=f"chain {CHAIN_ID} instead of 1"):
            await refused
    with pytest.raises(ValueError, match="another chain"):
        await elsewhere.prepare([usdc(1, 1)], nonce=0, gas_limit=ENOUGH_GAS, fees=FEES)
    with pytest.raises(ValueError, match="another chain"):
        EvmRail(wallet=world.wallet, signer=world.wallet, node=node, network=world.network)


async def test_what_is_no_call_is_not_signed(world: World) -> None:
    rail, one = world.rail, usdc(1, 1)
    for wrong in ([], [one] * 201, [one, Transfer(ETH, stranger(1), 1)], [usdc(1, 0)], [usdc(1, -1)]):
        with pytest.raises(ValueError, match="transfer"):
            await rail.prepare(wrong, nonce=0, gas_limit=ENOUGH_GAS, fees=FEES)
    with pytest.raises(ValueError, match="not on this chain"):
        await rail.prepare([Transfer(USDC_BASE, stranger(1), 1)], nonce=0, gas_limit=ENOUGH_GAS, fees=FEES)
    for fees, gas in ((FeeOffer(5, 6), 1), (FeeOffer(0, 0), 1), (FeeOffer(5, -1), 1), (FeeOffer(5, 1), 0)):
        with pytest.raises(ValueError, match="not in order"):
            await rail.prepare([one], nonce=0, gas_limit=gas, fees=fees)
    for fees, gas in ((FeeOffer(501 * GWEI, 1), 21_000), (FeeOffer(500 * GWEI, 1), 2_000_001)):
        with pytest.raises(FeeTooHigh):
            await rail.prepare([one], nonce=0, gas_limit=gas, fees=fees)
    with pytest.raises(ValueError, match="deposit address"):
        await rail.collect(rail.hot, ETH, 1, nonce=0, gas_limit=PLAIN_GAS, fees=FEES)
    foreign = rail.new_address(Branch.RECEIVE, 1)
    with pytest.raises(ValueError, match="not one of ours"):
        await rail.cancel(type(foreign)(foreign.text, stranger(1), Branch.RECEIVE, 1), nonce=0, fees=FEES)


def mainnet_like(world: World) -> EvmNetwork:
    """A network with the world's token that says it is Ethereum's."""
    return replace(world.network, chain_id=1)
