"""Coins that are gone after they counted: nothing is given twice for them, and nothing stops because of them."""

from __future__ import annotations

from app.services import deposit_credits, sweeps
from tests.services.test_deposits_orders import BTC, HOT, LOSS, reorg_seen_late
from tests.support.coins import (
    available,
    balances,
    deposit,
    deposits_of,
    mined,
    order_of,
    reorg,
    sell_order,
    standing_address,
    start_crediting,
    triggers,
)
from tests.support.world import CUSTOMER_ADDRESS, World


async def sale_reference(world: World) -> str:
    async with world.db.connection() as connection:
        return str(await connection.fetchval("SELECT provider_reference FROM payouts WHERE kind = 'sale'"))


async def refunds_of(world: World) -> list[tuple[str, int]]:
    async with world.db.connection() as connection:
        rows = await connection.fetch("SELECT state, units FROM payouts WHERE kind = 'refund' ORDER BY id")
    return [(row["state"], int(row["units"])) for row in rows]


async def test_coins_that_are_gone_are_not_given_back_when_the_bank_returns_their_fiat(world: World) -> None:
    await world.fund(4)
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    txid = await deposit(world, order, confirmations=3)
    await world.drain()
    assert (await order_of(world, order))["stage"] == "payout_submitted"
    await reorg(world, 3, drop=txid)
    assert (await balances(world))[LOSS] == 1_000_000
    await world.far.increase_return(await sale_reference(world), "R03")

    async def ended() -> bool:
        return (await order_of(world, order))["status"] == "refunded"

    await world.eventually(ended, "the sale is undone")
    assert (await triggers(world, order))[-2:] == ["loss_covered", "refund_completed"]
    assert await refunds_of(world) == []
    assert LOSS not in await balances(world)
    await world.audit()


async def test_a_surplus_is_given_back_once_though_its_order_was_canceled_after_a_reorganisation(world: World) -> None:
    await world.fund(4)
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, order, "0.01300000", confirmations=3)
    await world.pay_out()
    await mined(world, 3)
    await reorg_seen_late(world, 6)
    await start_crediting(world)
    assert (await world.post(f"/v1/orders/{order['id']}/cancel")).status_code == 200
    await world.follow()
    await mined(world, 6)
    await world.drain()
    await mined(world, 6)
    await world.drain()
    assert sorted(units for _, units in await refunds_of(world)) == [300_000, 1_000_000]
    assert (await order_of(world, order))["status"] == "refunded"
    await world.audit()


async def test_a_booked_surplus_that_goes_after_the_order_was_canceled_does_not_stop_the_follower(world: World) -> None:
    order = await sell_order(world, "0.00050000")
    second = await deposit(world, order, "0.01000000", confirmations=1)
    first = await deposit(world, order, "0.00050000", confirmations=1)
    await mined(world, 1)
    await reorg(world, 2, drop=first)
    assert (await world.post(f"/v1/orders/{order['id']}/cancel")).status_code == 200
    await reorg(world, 5, drop=second)
    await mined(world, 10)
    assert (await order_of(world, order))["status"] == "canceled"
    assert "deposit_reorged" in await triggers(world, order)
    await world.audit()


async def test_many_small_coins_complete_a_sale_no_sooner_than_one_large_coin(world: World) -> None:
    order = await sell_order(world)
    for _ in range(20):
        await deposit(world, order, "0.00050000")
    await mined(world, 2)
    await world.drain()
    assert (await order_of(world, order))["stage"] == "deposit_detected"
    await mined(world, 1)
    assert (await order_of(world, order))["stage"] in {"conversion", "payout_submitted"}


async def test_a_refunding_order_without_its_job_is_found(world: World) -> None:
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, order, confirmations=3)
    assert (await world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    async with world.db.transaction() as tx:
        await tx.execute("DELETE FROM pgqueuer")
        await tx.execute("UPDATE orders SET updated_at = now() - interval '1 day'")
    await sweeps.wake_jobs(world.db)
    await world.run_jobs()
    assert await refunds_of(world) == [("queued", 1_000_000)]


async def test_a_queued_refund_waits_while_its_coins_are_gone(world: World) -> None:
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    txid = await deposit(world, order, confirmations=3)
    assert (await world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    await world.run_jobs()  # queued: the wallet has nothing else to pay it with
    await reorg(world, 3, drop=txid)
    await world.fund(3)
    await world.drain()
    assert await refunds_of(world) == [("queued", 1_000_000)]


async def test_a_released_deposit_that_was_spent_and_lost_and_mined_again_counts_once(world: World) -> None:
    address = await standing_address(world)
    assert (await world.post(f"/v1/deposit_addresses/{address['id']}/deactivate")).status_code == 200
    await deposit(world, address, "0.00060000", confirmations=1)
    [held] = await deposits_of(world)
    async with world.db.transaction() as tx:
        await deposit_credits.release(tx, str(held["id"]), actor="ada", reason="it was theirs")
    await world.fund(3)
    wallet = await world.account(type="wallet", asset="BTC", network="bitcoin", address=CUSTOMER_ADDRESS)
    body = {"amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.00060000"}, "external_account_id": wallet}
    assert (await world.post("/v1/payouts", body)).status_code == 201
    await reorg_seen_late(world, 3)
    await start_crediting(world)
    await world.follow()
    await mined(world, 3)
    [again] = await deposits_of(world)
    assert again["status"] == "credited"
    now = await balances(world)
    assert (LOSS in now, available(world) in now) == (False, False)
    assert HOT in now
    assert ("suspense:unmatched", BTC) not in now


async def test_a_batch_without_its_job_is_found_behind_a_hundred_that_only_wait(world: World) -> None:
    async with world.db.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO payout_batches (id, partner_id, mode, state, sequence, items, next_position, created_by,
                                        livemode, updated_at)
            SELECT 'pb_' || n, $1, 'best_effort', 'processing', 1, 1, CASE WHEN n <= 100 THEN 2 ELSE 1 END, 'key',
                   false,
                   now() - CASE WHEN n <= 100 THEN interval '3 days' ELSE interval '1 day' END
            FROM generate_series(1, 101) AS n
            """,
            world.partner.id,
        )
    await sweeps.wake_jobs(world.db)
    async with world.db.connection() as connection:
        woken = await connection.fetch("SELECT convert_from(payload, 'UTF8') AS subject FROM pgqueuer")
    assert [row["subject"] for row in woken] == ["pb_101"]
