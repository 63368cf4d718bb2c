"""Coins that come in on a real anvil: sold, held, swept, and what only looks as if it had come."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.db import deposits as deposit_rows
from app.db import ledger
from app.db.chain import Paid
from app.domain import chart
from app.ports.chain import BlockId
from app.ports.errors import ProviderUnavailable
from app.services import deposits, screening_cases
from app.services.evm_follower import MISMATCH
from app.wiring.evm import CallSenders
from providers.evm.calls import Call, view
from providers.evm.contracts import artefact
from providers.evm.encoding import WORD, keccak
from tests.support.coins import balances, deposits_of, events
from tests.support.evm import ETHER, OTHER, USDC, Document, EvmWorld
from tests.support.sanctions import bring_in, cases
from tests.support.world import World

_BALANCES_SLOT = 2  # of TestUSDC's storage


async def sell_order(world: World, amount: str = "80.000000", asset: str = "USDC") -> Document:
    """A sell order for coins on Ethereum, paid out to a bank account in the United States."""
    quote = await world.quote(
        direction="sell",
        source={"asset": asset, "network": "ethereum", "amount": amount},
        destination={"asset": "USD"},
        payment_method=None,
    )
    body = {"quote_id": quote["id"], "external_account_id": await world.account(), "refund_address": OTHER}
    response = await world.post("/v1/orders", body)
    assert response.status_code == 201, response.text
    order: Document = response.json()
    return order


def address_of(order: Document) -> str:
    """Where its coins are awaited."""
    deposit = order["deposit"]
    assert isinstance(deposit, dict)
    return str(deposit["address"])


async def standing_address(world: World, asset: str = "USDC") -> str:
    """An address for the partner's balance."""
    body = {"asset": asset, "network": "ethereum", "route": "balance"}
    response = await world.post("/v1/deposit_addresses", body)
    assert response.status_code == 201, response.text
    return str(response.json()["address"])


async def ids(evm: EvmWorld) -> list[object]:
    """Every deposit that the partner has had."""
    return [deposit["id"] for deposit in await deposits_of(evm.world)]


async def test_usdc_is_sold_and_swept(evm: EvmWorld) -> None:
    order = await sell_order(evm.world)
    lying = (await balances(evm.world)).get(("wallet:deposits:ethereum", "USDC.ethereum"), 0)
    await evm.deposit(address_of(order), 80 * USDC)
    await evm.world.follow()
    [seen] = await deposits_of(evm.world, order_id=order["id"])
    assert (seen["status"], (await evm.shown(order))["stage"]) == ("detected", "deposit_detected")
    await evm.final()
    [counted] = await deposits_of(evm.world, order_id=order["id"])
    assert counted["status"] == "credited"
    assert (await balances(evm.world))["wallet:deposits:ethereum", "USDC.ethereum"] == lying + 80 * USDC
    before = await evm.usdc_of(evm.chain.hot.text)
    assert await evm.sweep() == 1
    assert await evm.sweep() == 0  # one is under way
    await evm.final()
    assert await evm.usdc_of(evm.chain.hot.text) == before + 80 * USDC
    assert (await balances(evm.world)).get(("wallet:deposits:ethereum", "USDC.ethereum"), 0) == lying
    assert await evm.sweep() == 0


async def test_ether_is_swept_by_the_address_itself(evm: EvmWorld) -> None:
    address = await standing_address(evm.world, "ETH")
    before = (await balances(evm.world)).get(("wallet:deposits:ethereum", "ETH.ethereum"), 0)
    had = Decimal(await evm.world.available("ETH", "ethereum"))
    await evm.play.send(Call(address[2:].lower(), ETHER, b""))
    await evm.final()
    assert Decimal(await evm.world.available("ETH", "ethereum")) - had == 1
    assert await evm.sweep() == 1
    await evm.final()
    left = (await balances(evm.world))["wallet:deposits:ethereum", "ETH.ethereum"]
    assert 0 < left - before < ETHER // 1000


async def test_fault_f_64_a_deposit_that_is_reorganised_away_and_mined_again_counts_once(evm: EvmWorld) -> None:
    address = await standing_address(evm.world)
    before = await evm.world.available("USDC", "ethereum")
    await evm.play.put(Call(evm.usdc, 0, view(b"transfer(address,uint256)", address[2:].lower(), 7 * USDC)))
    await evm.mine()
    [deposit] = [one for one in await deposits_of(evm.world) if one["status"] == "detected"]
    await evm.play.ask("anvil_reorg", 1, [])
    await evm.world.follow()
    [gone] = [one for one in await deposits_of(evm.world) if one["id"] == deposit["id"]]
    assert gone["status"] == "orphaned"
    await evm.final()
    await evm.play.pay_token(evm.usdc, address[2:].lower(), 7 * USDC)
    await evm.final()
    after = await evm.world.available("USDC", "ethereum")
    assert (float(after) - float(before)) * USDC == await evm.usdc_of(address) > 0
    assert len([one for one in await deposits_of(evm.world) if one["tx_hash"] == deposit["tx_hash"]]) == 1


async def test_fault_f_68_and_f_69_what_only_looks_like_a_deposit_is_none(evm: EvmWorld) -> None:
    script = (await standing_address(evm.world))[2:].lower()
    known = await ids(evm)
    lookalike = await evm.play.create(artefact("TestUSDC").creation_code + (10**15).to_bytes(WORD, "big"))
    await evm.play.pay_token(lookalike, script, 1_000 * USDC)
    await evm.play.pay_token(evm.usdc, script, 0)
    await evm.play.pay_token(evm.usdc, script, 10**17)  # more than there is: reverted
    await evm.final()
    assert await ids(evm) == known
    assert await evm.usdc_of(script) == 0


async def test_fault_f_70_a_balance_that_did_not_rise_as_it_was_told_is_held(evm: EvmWorld) -> None:
    script = (await standing_address(evm.world))[2:].lower()
    await evm.play.pay_token(evm.usdc, script, 5 * USDC)
    slot = _slot_of(script)
    await _store(evm, slot, 5 * USDC - 1)  # as a token that takes a fee for itself would have it
    await evm.world.follow()
    await _store(evm, slot, 5 * USDC)
    await evm.final()
    [deposit] = [one for one in await deposits_of(evm.world) if one["status"] == "held"]
    assert "balance_mismatch" in str(deposit["hold"])
    assert await events(evm.world, deposit["id"]) == ["deposit.detected", "deposit.confirmed", "deposit.held"]
    assert (await balances(evm.world))["suspense:unmatched", "USDC.ethereum"] == -5 * USDC


def _slot_of(script: str) -> bytes:
    return keccak(bytes.fromhex(script).rjust(WORD, b"\0") + _BALANCES_SLOT.to_bytes(WORD, "big"))


async def _store(evm: EvmWorld, slot: bytes, units: int) -> None:
    place, value = f"0x{slot.hex()}", f"0x{units:064x}"
    await evm.play.ask("anvil_setStorageAt", f"0x{evm.usdc}", place, value)


async def test_fault_f_70_the_order_of_a_held_deposit_waits_for_other_coins(evm: EvmWorld) -> None:
    order = await sell_order(evm.world)
    script = address_of(order)[2:].lower()
    suspense = (await balances(evm.world)).get(("suspense:unmatched", "USDC.ethereum"), 0)
    await evm.play.pay_token(evm.usdc, script, 80 * USDC)
    await _store(evm, _slot_of(script), 80 * USDC - 1)
    await evm.world.follow()
    await evm.final()
    [deposit] = await deposits_of(evm.world, order_id=order["id"])
    assert (deposit["status"], (await evm.shown(order))["stage"]) == ("held", "deposit")
    assert await evm.sweep() == 0  # a call that moves more than there is would be reverted, and paid for
    async with evm.db.connection() as connection:  # and when its block is gone, nothing was the order's
        undone = connection.transaction()
        await undone.start()
        held = await deposit_rows.lock(connection, str(deposit["id"]))
        assert held is not None
        await deposits.disconnected(connection, "ethereum", (held.height or 0) - 1)
        assert await ledger.balance(connection, chart.SUSPENSE, "USDC.ethereum") == suspense
        assert await ledger.balance(connection, chart.LOSS_REORG, "USDC.ethereum") == 0
        await undone.rollback()
    await _store(evm, _slot_of(script), 80 * USDC)
    await evm.final()


async def test_fault_f_70_what_the_last_block_says_of_a_deposit_counts(evm: EvmWorld) -> None:
    address = await standing_address(evm.world)
    await evm.deposit(address, 6 * USDC)
    await evm.world.follow()
    [told] = [one for one in await deposits_of(evm.world) if one["status"] == "detected"]
    async with evm.db.connection() as connection:
        undone = connection.transaction()
        await undone.start()
        seen = await deposit_rows.lock(connection, str(told["id"]))
        assert seen is not None
        paid = Paid(seen.txid, seen.vout, seen.units, seen.deposit_address_id, seen.partner_id, None, seen.asset)
        block = BlockId(seen.height or 0, seen.block_hash or "")
        await deposits.disconnected(connection, "ethereum", block.height - 1)
        rules = evm.world.worker.rules
        await deposits.in_account_block(connection, rules, "ethereum", paid, block, MISMATCH)
        again = await deposit_rows.lock(connection, seen.id)
        assert again is not None
        assert again.suspect == MISMATCH
        await undone.rollback()


async def test_a_sweep_that_is_reverted_is_not_paid_for_again_at_once(evm: EvmWorld) -> None:
    address = await standing_address(evm.world)
    await evm.deposit(address, 70 * USDC)
    await evm.final()
    await evm.blacklist(address)
    assert await evm.sweep() == 1
    await evm.final()
    assert await evm.alerts() == ["send_reverted"]
    assert await evm.sweep() == 0


async def test_fault_f_75_a_deposit_from_a_listed_address_is_blocked_and_never_swept(
    evm: EvmWorld, tmp_path: Path
) -> None:
    await bring_in(evm.world, tmp_path, f"0x{await evm.play.issuer()}".upper().replace("0X", "0x"))
    address = await standing_address(evm.world)
    before = await evm.world.available("USDC", "ethereum")
    txid = await evm.deposit(address, 60 * USDC)
    await evm.final()
    [blocked] = [one for one in await deposits_of(evm.world) if one["status"] == "blocked"]
    assert "screening_hold" in str(blocked["hold"])
    assert await evm.sweep() == 0
    await evm.audit()
    with pytest.raises(ProviderUnavailable):  # a node that does not know the block clears nobody
        await CallSenders(evm.chain).senders(txid.removeprefix("0x"), "0" * 64)
    await bring_in(evm.world, tmp_path)
    [case] = await cases(evm.world)
    async with evm.db.transaction() as tx:
        await screening_cases.release(tx, case.id, actor="ada", reason="the list means somebody else")
    await evm.final()
    after = await evm.world.available("USDC", "ethereum")
    assert float(after) - float(before) == 60
    assert await evm.sweep() == 1


async def test_fault_f_71_another_asset_at_the_right_address_is_held_for_a_person(evm: EvmWorld) -> None:
    order = await sell_order(evm.world)
    await evm.play.send(Call(address_of(order)[2:].lower(), ETHER // 2, b""))
    await evm.final()
    [deposit] = [one for one in await deposits_of(evm.world) if "wrong_asset" in str(one["hold"])]
    assert "'asset': 'ETH'" in str(deposit["amount"])
    assert (await evm.shown(order))["status"] == "awaiting_funds"
    assert (await balances(evm.world))["suspense:unmatched", "ETH.ethereum"] == -ETHER // 2
    assert deposit["order_id"] is None


@pytest.mark.parametrize("units", [1, 9_999])
async def test_fault_f_72_dust_is_left_alone(evm: EvmWorld, units: int) -> None:
    script = (await standing_address(evm.world))[2:].lower()
    known = await ids(evm)
    await evm.play.pay_token(evm.usdc, script, units)
    await evm.final()
    assert await ids(evm) == known
