"""Nonces that somebody else with our key has used for good: what was for them ends, and nobody is paid twice."""

from __future__ import annotations

import asyncio

from app.services import orders
from app.worker import mind_calls
from providers.evm.calls import Call
from tests.journeys.evm.test_buying import start_sender
from tests.journeys.evm.test_paying_out import pay, status, wallet_account
from tests.journeys.evm.test_receiving import address_of, sell_order, standing_address
from tests.journeys.test_abandoned import let_go, refunds_of
from tests.support.coins import balances
from tests.support.evm import CUSTOMER, ETHER, GWEI, OTHER, USDC, Document, EvmWorld


async def _overtake(evm: EvmWorld, subject: Document, **said: str) -> None:
    """Use the nonce of what was signed for an order or a payout, as somebody with our key; what it costs is made good.

    Pays nobody unless something else is `said`.
    """
    hot = f"0x{evm.chain.hot.script}"
    held = await evm.play.ask("eth_getBalance", hot, "latest")
    async with evm.db.connection() as connection:
        record = await connection.fetchrow(
            """
            SELECT txid, nonce FROM sends JOIN calls ON calls.id = lineage_id JOIN call_attempts ON call_id = calls.id
            WHERE $1 IN (order_id, payout_id)
            """,
            subject["id"],
        )
    assert record is not None
    await evm.play.ask("anvil_dropTransaction", f"0x{record['txid']}")
    await evm.play.ask("anvil_impersonateAccount", hot)
    fees = {"maxFeePerGas": hex(500 * GWEI), "maxPriorityFeePerGas": hex(GWEI)}
    call = {"from": hot, "to": hot, "nonce": hex(record["nonce"]), "gas": hex(100_000), **fees, **said}
    await evm.play.ask("eth_sendTransaction", call)
    await evm.play.ask("anvil_stopImpersonatingAccount", hot)
    await evm.mine()
    await evm.play.ask("anvil_setBalance", hot, held)


async def _signs_again(evm: EvmWorld) -> None:
    """A person restarts the address, and it delivers."""
    started = await asyncio.to_thread(start_sender, evm)
    assert started.exit_code == 0, started.output
    order = await evm.order()
    await evm.world.drain()
    await evm.final()
    assert (await evm.shown(order))["status"] == "completed"


async def test_fault_f_85_an_order_whose_nonce_is_lost_for_good_goes_back(evm: EvmWorld) -> None:
    order = await evm.order()
    await evm.world.drain()
    await _overtake(evm, order)
    await mind_calls(evm.world.worker)
    assert (await evm.shown(order))["status"] == "processing"  # that block may still go
    assert (await asyncio.to_thread(start_sender, evm)).exit_code == 1
    await evm.final()
    await mind_calls(evm.world.worker)
    await evm.world.drain()
    shown = await evm.shown(order)
    assert (shown["status"], [one["state"] for one in await evm.calls(order)]) == ("refunded", ["lost"])
    assert "send_abandoned" in str(shown["failure"])
    assert await evm.alerts() == ["nonce_lost", "sender_stopped"]
    assert not any(account == "wallet:transit:ethereum" for account, _ in await balances(evm.world))
    await _signs_again(evm)


async def test_fault_f_85_a_payout_whose_nonce_is_lost_for_good_fails(evm: EvmWorld) -> None:
    await evm.deposit(await standing_address(evm.world), 100 * USDC)
    await evm.final()
    before = await evm.world.available("USDC", "ethereum")
    payout = await pay(evm, await wallet_account(evm, CUSTOMER), "1.000000")
    await evm.world.drain()
    await _overtake(evm, payout)
    await evm.final()
    await mind_calls(evm.world.worker)
    assert await status(evm, payout) == "failed"
    assert await evm.world.available("USDC", "ethereum") == before
    assert await evm.alerts() == ["nonce_lost", "sender_stopped"]
    await _signs_again(evm)


async def test_fault_f_85_coins_on_their_way_back_are_sent_anew_by_a_person(evm: EvmWorld) -> None:
    order = await sell_order(evm.world)
    await evm.deposit(address_of(order), 30 * USDC)
    await evm.final()
    assert (await evm.world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    await evm.world.drain()
    [first] = await refunds_of(evm.world, order)
    await _overtake(evm, first)
    await evm.final()
    await mind_calls(evm.world.worker)
    [first] = await refunds_of(evm.world, order)
    assert (first["status"], "nonce_lost" in str(first["hold"])) == ("submitted", True)
    before = await evm.usdc_of(OTHER)
    second = await let_go(evm.world, first)
    await _signs_again(evm)
    seen = await refunds_of(evm.world, order)
    assert [(one["id"], one["status"]) for one in seen] == [(first["id"], "failed"), (second, "settled")]
    assert (await evm.shown(order))["status"] == "refunded"
    assert await evm.usdc_of(OTHER) - before == 30 * USDC


async def test_fault_f_85_a_payout_that_seems_to_be_paid_already_fails_when_a_person_says_so(evm: EvmWorld) -> None:
    address = await standing_address(evm.world, "ETH")
    await evm.play.send(Call(address[2:].lower(), ETHER // 10, b""))
    await evm.final()
    before = await evm.world.available("ETH", "ethereum")
    account = await evm.world.account(type="wallet", asset="ETH", network="ethereum", address=CUSTOMER)
    amount = {"asset": "ETH", "network": "ethereum", "amount": "0.010000000000000000"}
    made = await evm.world.post("/v1/payouts", {"external_account_id": account, "amount": amount})
    assert made.status_code == 201, made.text
    await evm.world.drain()
    await _overtake(evm, made.json(), to=CUSTOMER, value=hex(ETHER // 100))
    await evm.final()
    await mind_calls(evm.world.worker)
    payout = await evm.world.get(f"/v1/payouts/{made.json()['id']}")
    assert (payout["status"], "paid_elsewhere" in str(payout["hold"])) == ("submitted", True)
    assert await let_go(evm.world, payout) == payout["id"]
    assert await status(evm, payout) == "failed"
    assert await evm.world.available("ETH", "ethereum") == before
    await _signs_again(evm)


async def test_fault_f_85_who_was_paid_by_a_transaction_that_we_do_not_remember_does_not_get_it_back(
    evm: EvmWorld,
) -> None:
    """As after a backup was restored: the nonce was used by an attempt of ours that is not in it."""
    order = await evm.order(asset="ETH")
    await evm.world.drain()
    async with evm.db.connection() as connection:
        units = await connection.fetchval("SELECT units FROM sends WHERE order_id = $1", order["id"])
    await _overtake(evm, order, to=CUSTOMER, value=hex(int(units)))
    await evm.final()
    await mind_calls(evm.world.worker)
    await evm.world.drain()
    shown = await evm.shown(order)
    assert (shown["status"], "paid_elsewhere" in str(shown["hold"])) == ("refunding", True)
    assert await evm.alerts() == ["nonce_lost", "paid_elsewhere", "sender_stopped"]
    async with evm.db.transaction() as tx:
        await orders.release(tx, str(order["id"]), actor="ada", reason="it was not ours")
    await evm.world.drain()
    assert (await evm.shown(order))["status"] == "refunded"
    await _signs_again(evm)
