"""Coins that are bought on a real anvil, and all that can become of the transaction that delivers them."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

from typer.testing import CliRunner, Result

from app.cli import build
from app.db import orders as order_rows
from app.db import session_views
from app.domain.session import LOOK_ALIKE_ENDS
from app.services import evm_sends
from app.worker import follow_chains
from providers.evm.calls import Call, view
from tests.support.evm import BLACKLISTED, CUSTOMER, CUSTOMER_SCRIPT, ETHER, OTHER, EvmWorld


async def test_an_address_that_looks_like_an_older_one_but_for_capitals_is_found(evm: EvmWorld) -> None:
    quote = await evm.world.quote(destination={"asset": "USDC", "network": "ethereum"})
    body = {"quote_id": quote["id"], "destination": {"address": CUSTOMER}, "customer": {"reference": "ada"}}
    assert (await evm.world.post("/v1/orders", body)).status_code == 201
    poisoned = f"{CUSTOMER[:4]}{'1' * 34}{CUSTOMER[-4:].swapcase()}"  # another checksum, and so other capitals
    async with evm.db.transaction() as tx:
        for reference, found in (("ada", [CUSTOMER]), ("bob", [])):
            like = session_views.addresses_like(tx, evm.world.partner.id, reference, poisoned, LOOK_ALIKE_ENDS)
            assert await like == found


async def test_usdc_is_bought(evm: EvmWorld) -> None:
    order = await evm.order()
    await evm.world.drain()
    before = await evm.shown(order)
    assert (before["status"], before["stage"]) == ("processing", "confirmation")
    await evm.mine()
    assert (await evm.shown(order))["status"] == "processing"  # in a block, and not final
    await evm.final()
    shown = await evm.shown(order)
    delivered = shown["destination"]
    assert isinstance(delivered, dict)
    [attempt] = await evm.calls(order)
    assert shown["status"] == "completed"
    assert (attempt["state"], delivered["tx_hash"]) == ("done", f"0x{attempt['txid']}")
    assert await evm.usdc_of(CUSTOMER) == round(float(delivered["amount"]) * 10**6)
    async with evm.db.connection() as connection:
        gas = await connection.fetchrow(
            "SELECT asset, units FROM postings JOIN entries ON entry_id = entries.id "
            "WHERE subject = $1 AND account = 'expense:network'",
            attempt["call_id"],
        )
    assert gas is not None
    assert (gas["asset"], int(gas["units"])) == ("ETH.ethereum", int(attempt["fee_units"]))
    assert await evm.alerts() == []


async def test_ether_is_bought(evm: EvmWorld) -> None:
    before = int(str(await evm.play.ask("eth_getBalance", OTHER, "latest")), 16)
    order = await evm.order(OTHER, asset="ETH")
    await evm.world.drain()
    await evm.final()
    shown = await evm.shown(order)
    assert shown["status"] == "completed"
    after = int(str(await evm.play.ask("eth_getBalance", OTHER, "latest")), 16)
    delivered = shown["destination"]
    assert isinstance(delivered, dict)
    assert after - before == int(Decimal(str(delivered["amount"])) * ETHER) > 0


async def test_fault_f_79_signed_and_never_sent_goes_out_as_it_was_signed(evm: EvmWorld) -> None:
    with evm.halted():
        await follow_chains(evm.world.worker)
        order = await evm.order()
        await evm.waits(order, "ChainNotWell")
    await follow_chains(evm.world.worker)
    async with evm.db.transaction() as tx:
        row = await order_rows.lock(tx, str(order["id"]))
    assert row is not None
    await evm_sends._prepare_order(evm.db, evm.sender, row)  # and here the worker is killed
    [signed] = await evm.calls(order)
    assert (signed["state"], signed["broadcast_at"]) == ("open", None)
    await evm.mind(hours=1)
    await evm.final()
    attempts = await evm.calls(order)
    assert (await evm.shown(order))["status"] == "completed"
    assert attempts[0]["raw"] == signed["raw"]


async def test_fault_f_84_a_lost_nonce_is_filled(evm: EvmWorld) -> None:
    async with evm.db.transaction() as tx:
        await tx.execute("UPDATE senders SET next_nonce = next_nonce + 1 WHERE script = $1", evm.chain.hot.script)
    order = await evm.order()
    await evm.world.drain()
    await evm.final()
    assert (await evm.shown(order))["status"] == "processing"  # it waits behind a nonce that nobody uses
    await evm.mind()
    await evm.final()
    assert (await evm.shown(order))["status"] == "completed"
    assert await evm.alerts() == ["nonce_gap"]


def start_sender(evm: EvmWorld) -> Result:
    """What an operator types who has found out whose transaction it was."""
    process, chain = evm.world.settings.process, evm.world.settings.evm.evm_chains["ethereum"]
    node = {"chain": "anvil", "rpc_url": chain.rpc_url.get_secret_value()}
    environment = {
        "RAMPWRIGHT_DATABASE_URL": evm.db.url,
        "RAMPWRIGHT_HOME": str(process.home),
        "RAMPWRIGHT_EVM_CHAINS": json.dumps({"ethereum": node}),
    }
    said = ("--sender", evm.chain.hot.text, "--actor", "ada", "--reason", "it was the old machine")
    arguments = ("wallet", "start", "ethereum", *said)
    return CliRunner().invoke(build(arguments), arguments, env=environment)


async def test_fault_f_85_a_nonce_that_somebody_else_used_stops_the_wallet(evm: EvmWorld) -> None:
    hot = f"0x{evm.chain.hot.script}"
    snapshot = await evm.play.ask("evm_snapshot")
    await evm.play.ask("anvil_impersonateAccount", hot)
    theft = {"from": hot, "to": OTHER, "value": hex(1), "gas": hex(50_000)}
    await evm.play.ask("eth_sendTransaction", theft)
    await evm.play.ask("anvil_stopImpersonatingAccount", hot)
    await evm.mine()
    assert await evm.alerts() == ["sender_stopped"]
    assert {"X-2", "X-3"} <= set(await evm.violated())
    order = await evm.order()
    await evm.waits(order, "SenderStopped")
    assert (await evm.calls(order), (await evm.shown(order))["status"]) == ([], "processing")
    await evm.play.ask("evm_revert", snapshot)
    await evm.mine()
    started = await asyncio.to_thread(start_sender, evm)
    assert started.exit_code == 0, started.output
    assert (await asyncio.to_thread(start_sender, evm)).exit_code == 1  # it is not stopped any more
    await evm.world.now_due()
    await evm.world.drain()
    await evm.final()
    assert (await evm.shown(order))["status"] == "completed"


async def test_fault_f_86_what_waits_too_long_is_replaced_by_what_pays_an_eighth_more(evm: EvmWorld) -> None:
    order = await evm.order()
    await evm.world.drain()
    [first] = await evm.calls(order)
    await evm.mind()
    assert len(await evm.calls(order)) == 1  # it has not waited for long
    await evm.mind(hours=1)
    [_, second] = await evm.calls(order)
    for fee in ("max_fee", "priority_fee"):
        assert 8 * second[fee] >= 9 * first[fee]
    assert second["nonce"] == first["nonce"]
    assert str(second["txid"]) in str((await evm.shown(order))["destination"])
    await evm.final()
    assert (await evm.shown(order))["status"] == "completed"
    assert [attempt["height"] is not None for attempt in await evm.calls(order)] == [False, True]


async def test_fault_f_87_the_original_is_mined_although_it_was_replaced(evm: EvmWorld) -> None:
    order = await evm.order()
    await evm.world.drain()
    await evm.mind(hours=1)
    [first, second] = await evm.calls(order)
    await evm.play.ask("anvil_dropTransaction", f"0x{second['txid']}")
    await evm.play.ask("eth_sendRawTransaction", f"0x{first['raw'].hex()}")
    await evm.final()
    shown = await evm.shown(order)
    assert shown["status"] == "completed"
    assert str(first["txid"]) in str(shown["destination"])


async def test_fault_f_88_a_send_that_is_reorganised_away_is_sent_again_as_it_was(evm: EvmWorld) -> None:
    order = await evm.order()
    await evm.world.drain()
    await evm.mine()
    [mined] = await evm.calls(order)
    assert mined["height"] is not None
    await evm.play.ask("anvil_reorg", 1, [])
    await evm.world.follow()
    [unmined] = await evm.calls(order)
    assert (unmined["height"], (await evm.shown(order))["status"]) == (None, "processing")
    await evm.play.ask("anvil_dropAllTransactions")
    async with evm.db.transaction() as tx:
        await tx.execute("UPDATE call_attempts SET broadcast_at = broadcast_at - interval '30 seconds'")
    await evm.mind()
    await evm.final()
    [again] = await evm.calls(order)
    assert (again["raw"], again["state"]) == (mined["raw"], "done")
    assert (await evm.shown(order))["status"] == "completed"


async def test_fault_f_89_a_recipient_that_cannot_be_paid_is_found_before_anything_is_signed(evm: EvmWorld) -> None:
    await evm.blacklist(BLACKLISTED)
    order = await evm.order(BLACKLISTED)
    await evm.world.drain()
    shown = await evm.shown(order)
    assert (shown["status"], await evm.calls(order)) == ("refunded", [])
    assert "recipient_refused" in str(shown["failure"])


async def test_fault_f_89_a_send_that_is_reverted_is_given_up_and_its_money_goes_back(evm: EvmWorld) -> None:
    order = await evm.order()
    await evm.world.drain()
    await evm.rush(Call(evm.usdc, 0, view(b"blacklist(address)", CUSTOMER_SCRIPT)))
    await evm.final()
    [attempt] = await evm.calls(order)
    assert (attempt["ok"], attempt["state"]) == (False, "reverted")
    assert (await evm.shown(order))["status"] == "refunded"
    assert await evm.alerts() == ["send_reverted"]
    await evm.play.token(evm.usdc, b"unBlacklist(address)", CUSTOMER_SCRIPT)


async def test_fault_f_89_while_the_token_is_paused_everything_waits(evm: EvmWorld) -> None:
    await evm.play.token(evm.usdc, b"pause()")
    order = await evm.order()
    await evm.waits(order, "ChainNotWell")
    await evm.play.token(evm.usdc, b"unpause()")
    assert await evm.calls(order) == []
    assert await evm.alerts() == ["coins_cannot_leave"]
    await evm.world.now_due()
    await evm.world.drain()
    await evm.final()
    assert (await evm.shown(order))["status"] == "completed"


async def test_nothing_is_signed_for_a_payment_that_can_still_be_returned(evm: EvmWorld) -> None:
    with evm.halted():
        await evm.world.follow()
        order = await evm.order()
        await evm.waits(order, "ChainNotWell")
    await evm.world.follow()
    async with evm.db.transaction() as tx:
        await tx.execute("UPDATE orders SET deliver_after = now() + interval '1 hour' WHERE id = $1", order["id"])
    await evm_sends.send_coins(evm.db, evm.sender, str(order["id"]))
    assert await evm.calls(order) == []
    async with evm.db.transaction() as tx:
        await tx.execute("UPDATE orders SET deliver_after = NULL WHERE id = $1", order["id"])
    await evm.world.now_due()
    await evm.world.drain()
    await evm.final()
    assert (await evm.shown(order))["status"] == "completed"


async def test_fault_f_97_a_chain_that_stands_still_delivers_nothing(evm: EvmWorld) -> None:
    with evm.halted():
        await follow_chains(evm.world.worker)
        order = await evm.order()
        await evm.waits(order, "ChainNotWell")
        assert (await evm.calls(order), await evm.alerts()) == ([], ["chain_not_well", "coins_cannot_leave"])
        assert await evm.health() == "degraded"
    await follow_chains(evm.world.worker)
    await evm.world.now_due()
    await evm.world.drain()
    await evm.final()
    assert (await evm.shown(order))["status"] == "completed"
    assert await evm.health() == "operational"
