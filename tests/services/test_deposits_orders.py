"""Reorganisations under sell orders: before delivery, after it, during a refund, and coins that come back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.db.jobs import JobName
from app.domain.errors import ConflictState
from app.services import orders
from app.worker import follow_chains, handlers
from tests.support.coins import (
    balances,
    deposit,
    deposits_of,
    events,
    mined,
    order_of,
    reorg,
    replace,
    sell_order,
    start_crediting,
    triggers,
)
from tests.support.world import CUSTOMER_ADDRESS, World

BTC = "BTC.bitcoin"
HOT = ("wallet:hot:bitcoin", BTC)
LOSS = ("loss:reorg", BTC)
Document = dict[str, object]


@pytest.fixture(autouse=True)
async def audited(world: World) -> AsyncIterator[None]:
    """After every test our books agree with themselves, and with what the far side knows."""
    yield
    await world.follow()
    await world.audit()


async def paid_out(world: World) -> Document:
    """A sale that is completed."""
    order = await sell_order(world)
    await deposit(world, order, confirmations=3)
    await world.drain()
    async with world.db.connection() as connection:
        reference = await connection.fetchval("SELECT provider_reference FROM payouts WHERE kind = 'sale'")
    await world.far.increase_settle(reference)

    async def is_completed() -> bool:
        return (await order_of(world, order))["status"] == "completed"

    await world.eventually(is_completed, "the sale is completed")
    return order


async def reorg_seen_late(world: World, depth: int) -> None:
    """A reorganisation of which the blocks are read at once and the mempool later."""
    await world.far.command("POST", "/control/bitcoin/reorg", {"depth": depth})
    while await follow_chains(world.worker):
        pass
    await start_crediting(world)


async def test_fault_f_62_an_order_waits_again_when_its_payment_was_replaced(world: World) -> None:
    order = await sell_order(world)
    txid = await deposit(world, order)
    await replace(world, txid, script=bytes.fromhex("0014") + bytes(range(20)))
    await world.follow()
    again = await order_of(world, order)
    assert (again["status"], again["stage"]) == ("awaiting_funds", "deposit")
    assert await triggers(world, order) == ["placed", "deposit_detected", "deposit_vanished"]


async def test_fault_f_63_a_bumped_payment_pays_an_order_once(world: World) -> None:
    order = await sell_order(world)
    txid = await deposit(world, order)
    await replace(world, txid)
    await world.follow()
    assert (await order_of(world, order))["stage"] == "deposit_detected"
    await mined(world, 3)
    done = await order_of(world, order)
    assert (done["stage"], done["source"]["received"]) == ("conversion", "0.01000000")
    assert await balances(world) == {HOT: 1_000_000, (f"order:{order['id']}", BTC): -1_000_000}


async def test_fault_f_64_an_order_that_is_seen_again_moves_twice_and_books_once(world: World) -> None:
    order = await sell_order(world)
    txid = await deposit(world, order, confirmations=2)
    await reorg(world, 2, drop=txid)
    assert (await order_of(world, order))["stage"] == "deposit"
    assert await balances(world) == {}
    await deposit(world, order, confirmations=3)
    assert (await order_of(world, order))["stage"] == "conversion"
    assert await triggers(world, order) == [
        "placed", "deposit_detected", "deposit_vanished", "deposit_detected", "deposit_confirmed",
    ]  # fmt: skip


async def test_fault_f_65_a_deep_reorganisation_before_delivery_holds_the_order(world: World) -> None:
    order = await sell_order(world)
    txid = await deposit(world, order, confirmations=3)
    await reorg(world, 3, drop=txid)
    held = await order_of(world, order)
    assert (held["stage"], held["hold"]["reason"]) == ("deposit", "reorged")
    assert held["source"]["received"] == "0.00000000"
    assert await balances(world) == {}
    assert (await triggers(world, order))[-3:] == ["deposit_reorged", "held", "deposit_vanished"]
    assert "order.held" in await events(world, order["id"])
    await world.drain()
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM payouts") == 0


async def test_fault_f_65_the_hold_comes_off_when_the_coins_count_again(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, confirmations=3)
    await reorg(world, 3)
    waiting = await order_of(world, order)
    assert (waiting["stage"], waiting["hold"]["reason"]) == ("deposit_detected", "reorged")
    await mined(world, 3)
    again = await order_of(world, order)
    assert (again["stage"], again["hold"]) == ("conversion", None)
    assert await balances(world) == {HOT: 1_000_000, (f"order:{order['id']}", BTC): -1_000_000}
    await world.drain()
    assert (await order_of(world, order))["stage"] == "payout_submitted"


async def test_fault_f_65_a_payout_that_only_waits_is_called_off(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, confirmations=3)
    async with world.db.transaction() as tx:
        await tx.execute("DELETE FROM pgqueuer")
    await handlers(world.worker)[JobName.PAY_OUT_ORDER](str(order["id"]))
    await reorg(world, 3)
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT state FROM payouts") == "canceled"
    await mined(world, 3)
    await world.drain()
    async with world.db.connection() as connection:
        states = [row["state"] for row in await connection.fetch("SELECT state FROM payouts ORDER BY id")]
    assert states == ["canceled", "submitted"]


async def test_fault_f_65_a_bumped_payment_after_a_deep_reorganisation_pays_the_order(world: World) -> None:
    order = await sell_order(world)
    txid = await deposit(world, order, confirmations=3)
    await reorg(world, 3)
    await replace(world, txid)
    await world.follow()
    await mined(world, 3)
    again = await order_of(world, order)
    assert (again["stage"], again["hold"]) == ("conversion", None)
    assert (await balances(world))[f"order:{order['id']}", BTC] == -1_000_000


async def test_fault_f_66_after_delivery_the_loss_is_booked_and_a_person_is_told(world: World) -> None:
    order = await paid_out(world)
    before = await balances(world)
    await reorg_seen_late(world, 3)
    gone = await order_of(world, order)
    assert (gone["status"], gone["hold"], gone["source"]["received"]) == ("completed", None, "0.00000000")
    books = await balances(world)
    assert books[LOSS] == 1_000_000
    assert books.get((f"order:{order['id']}", BTC), 0) == 0
    async with world.db.connection() as connection:
        detail = await connection.fetchval("SELECT detail FROM alerts WHERE kind = 'deposit_reorged'")
    assert "1000000 are lost" in detail
    await mined(world, 3)
    restored = await order_of(world, order)
    assert (restored["status"], restored["source"]["received"]) == ("completed", "0.01000000")
    assert (await triggers(world, order))[-2:] == ["deposit_reorged", "deposit_restored"]
    assert await balances(world) == before
    [deposited] = await deposits_of(world)
    assert deposited["status"] == "credited"


async def test_fault_f_66_a_replacement_after_delivery_makes_the_loss_good_before_anything_goes_back(
    world: World,
) -> None:
    order = await paid_out(world)
    await reorg_seen_late(world, 3)
    # The customer pays once more, and more than what was lost; the first payment never comes back.
    async with world.db.connection() as connection:
        first = await connection.fetchval("SELECT txid FROM deposits")
    await world.far.command("POST", "/control/bitcoin/drop", {"txid": first})
    await deposit(world, order, "0.01200000", confirmations=3)
    books = await balances(world)
    assert books.get(LOSS, 0) == 0
    assert books[f"partner:{world.partner.id}:available", BTC] == -200_000
    assert books.get((f"order:{order['id']}", BTC), 0) == 0
    assert (await triggers(world, order))[-2:] == ["deposit_restored", "surplus_received"]
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT sum(lost_units) FROM deposits") == 0


async def test_fault_f_66_coins_that_are_on_their_way_back_are_lost(world: World) -> None:
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, order, confirmations=3)
    asked = await world.post(f"/v1/orders/{order['id']}/refund")
    assert asked.json()["status"] == "refunding"
    await world.run_jobs()
    assert (await triggers(world, order))[-1] == "refund_accepted"
    await reorg_seen_late(world, 3)
    assert (await balances(world))[LOSS] == 1_000_000
    await mined(world, 3)
    assert (await balances(world)).get(LOSS, 0) == 0
    assert (await triggers(world, order))[-1] == "deposit_restored"


async def test_the_surplus_of_an_overpaid_order_is_lost_when_it_was_given_away(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, "0.01300000", confirmations=3)
    await reorg_seen_late(world, 3)
    books = await balances(world)
    assert (books[LOSS], books.get((f"order:{order['id']}", BTC), 0)) == (300_000, 0)
    assert (await order_of(world, order))["hold"]["reason"] == "reorged"
    await mined(world, 3)
    books = await balances(world)
    assert (books.get(LOSS, 0), books[f"order:{order['id']}", BTC]) == (0, -1_000_000)
    assert books[f"partner:{world.partner.id}:available", BTC] == -300_000
    done = await order_of(world, order)
    assert (done["stage"], done["hold"]) == ("conversion", None)


async def test_a_second_payment_that_is_lost_leaves_the_sale_as_it_is(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, confirmations=3)
    txid = await deposit(world, order, "0.00050000", confirmations=1)
    await reorg(world, 1, drop=txid)
    still = await order_of(world, order)
    assert (still["stage"], still["hold"]) == ("conversion", None)
    books = await balances(world)
    assert (books[LOSS], books[f"order:{order['id']}", BTC]) == (50_000, -1_000_000)
    assert (await triggers(world, order))[-2:] == ["surplus_received", "surplus_reorged"]
    await deposit(world, order, "0.00070000", confirmations=1)  # the loss first, then the partner
    books = await balances(world)
    assert books.get(LOSS, 0) == 0
    assert books[f"partner:{world.partner.id}:available", BTC] == -70_000


async def test_an_order_with_late_coins_is_not_released(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now() - interval '2 hours'")
    await mined(world, 3)
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):
            await orders.release(tx, str(order["id"]), actor="ada", reason="please")
    # Nor after another hold has taken the first one's place.
    async with world.db.transaction() as tx:
        await orders.hold(tx, str(order["id"]), "asked_for", cause="test")
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):
            await orders.release(tx, str(order["id"]), actor="ada", reason="please")
