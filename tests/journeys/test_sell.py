"""A customer's bitcoin become dollars: up to the moment when the coins count, and every way that can go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.coins import (
    balances,
    deposit,
    deposits_of,
    events,
    mined,
    order_of,
    sell_order,
    sell_quote,
    triggers,
)
from tests.support.world import CUSTOMER_ADDRESS, World

BTC = "BTC.bitcoin"


@pytest.fixture(autouse=True)
async def audited(world: World) -> AsyncIterator[None]:
    """After every test our books agree with themselves, and with what the far side knows."""
    yield
    await world.follow()
    await world.audit()


async def pass_window(world: World, order: dict[str, object], seconds: int = 1) -> None:
    """Let the order's payment window have closed so many seconds ago."""
    async with world.db.transaction() as tx:
        await tx.execute(
            "UPDATE orders SET expires_at = now() - make_interval(secs => $2) WHERE id = $1", order["id"], seconds
        )


async def test_coins_that_count_are_the_orders(world: World) -> None:
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    assert (order["status"], order["stage"]) == ("awaiting_funds", "deposit")
    given = order["deposit"]
    assert isinstance(given, dict)
    assert (given["network"], given["amount"], given["expires_at"]) == ("bitcoin", "0.01000000", order["expires_at"])
    assert order["refund_address"] == CUSTOMER_ADDRESS
    assert order["allowed_actions"] == ["cancel", "refund"]
    await deposit(world, order)
    seen = await order_of(world, order)
    assert (seen["status"], seen["stage"]) == ("processing", "deposit_detected")
    await mined(world, 3)
    done = await order_of(world, order)
    assert (done["status"], done["stage"]) == ("processing", "conversion")
    assert done["source"]["received"] == "0.01000000"
    assert await balances(world) == {
        ("wallet:hot:bitcoin", BTC): 1_000_000,
        (f"order:{order['id']}", BTC): -1_000_000,
    }
    assert await triggers(world, order) == ["placed", "deposit_detected", "deposit_confirmed"]
    assert await events(world, order["id"]) == ["order.created", "order.processing", "order.stage_changed"]
    [counted] = await deposits_of(world, order_id=order["id"])
    assert (counted["status"], counted["order_id"]) == ("credited", order["id"])


async def test_every_order_has_an_address_of_its_own(world: World) -> None:
    first, second = await sell_order(world), await sell_order(world)
    assert first["deposit"]["address"] != second["deposit"]["address"]
    await deposit(world, second, confirmations=3)
    assert (await order_of(world, first))["stage"] == "deposit"
    assert (await order_of(world, second))["stage"] == "conversion"


async def test_fault_f_56_underpaid_waits_for_the_rest(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, "0.00400000", confirmations=2)
    part = await order_of(world, order)
    assert (part["status"], part["source"]["received"]) == ("awaiting_funds", "0.00400000")
    assert "order.underpaid" in await events(world, order["id"])
    refused = await world.post(f"/v1/orders/{order['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict_state")
    await deposit(world, order, "0.00600000", confirmations=2)
    # Enough for this part alone, and not for the sum that would be paid out.
    assert (await order_of(world, order))["stage"] == "deposit_detected"
    await mined(world, 1)
    assert (await order_of(world, order))["stage"] == "conversion"
    assert await triggers(world, order) == [
        "placed", "deposit_detected", "deposit_underpaid", "deposit_detected", "deposit_confirmed",
    ]  # fmt: skip
    assert (await balances(world))[f"order:{order['id']}", BTC] == -1_000_000


async def test_fault_f_56_underpaid_goes_back_when_the_window_closes(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, "0.00400000", confirmations=2)
    await pass_window(world, order)
    await world.sweep()
    late = await order_of(world, order)
    assert late["status"] == "refunding"
    assert (await triggers(world, order))[-1] == "underpayment_expired"
    assert (await balances(world))[f"order:{order['id']}", BTC] == -400_000


async def test_fault_f_56_a_second_part_that_waits_keeps_the_order_from_expiring(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, "0.00600000")
    await deposit(world, order, "0.00400000", confirmations=1)
    await mined(world, 2)
    assert (await order_of(world, order))["stage"] == "conversion"
    await pass_window(world, order)
    await world.sweep()
    assert (await order_of(world, order))["stage"] == "conversion"


async def test_fault_f_56_one_part_counts_while_the_other_waits(world: World) -> None:
    order = await sell_order(world, "0.01500000")
    await deposit(world, order, "0.00050000")
    await deposit(world, order, "0.01450000", confirmations=1)
    waiting = await order_of(world, order)
    assert (waiting["stage"], waiting["source"]["received"]) == ("deposit_detected", "0.00050000")
    assert (await triggers(world, order))[-2:] == ["deposit_underpaid", "deposit_detected"]
    await pass_window(world, order)
    await world.sweep()
    await mined(world, 2)
    assert (await order_of(world, order))["stage"] == "conversion"


async def test_fault_f_56_overpaid_gives_the_rest_to_the_partner_without_a_refund_address(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, "0.01300000", confirmations=3)
    over = await order_of(world, order)
    assert (over["stage"], over["source"]["received"]) == ("conversion", "0.01300000")
    assert "order.overpaid" in await events(world, order["id"])
    books = await balances(world)
    assert books[f"order:{order['id']}", BTC] == -1_000_000
    assert books[f"partner:{world.partner.id}:available", BTC] == -300_000


async def test_fault_f_56_overpaid_sends_the_rest_to_the_refund_address(world: World) -> None:
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, order, "0.01300000", confirmations=3)
    async with world.db.connection() as connection:
        [payout] = await connection.fetch("SELECT id, kind, units, address FROM payouts WHERE kind = 'refund'")
    assert (payout["units"], payout["address"]) == (300_000, CUSTOMER_ADDRESS)
    assert (await balances(world))[f"payout:{payout['id']}", BTC] == -300_000


async def test_fault_f_56_paid_twice_gives_the_second_back(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, confirmations=3)
    await deposit(world, order, "0.01000000", confirmations=3)
    twice = await order_of(world, order)
    assert (twice["stage"], twice["source"]["received"]) == ("conversion", "0.02000000")
    assert (await triggers(world, order))[-1] == "surplus_received"
    books = await balances(world)
    assert books[f"order:{order['id']}", BTC] == -1_000_000
    assert books[f"partner:{world.partner.id}:available", BTC] == -1_000_000


async def test_fault_f_55_coins_after_the_window_are_late_funds_and_go_back(world: World) -> None:
    order = await sell_order(world)
    await pass_window(world, order)
    await deposit(world, order)  # no sweep has been there: the window has closed all the same
    assert await triggers(world, order) == ["placed", "expired", "deposit_detected"]
    await mined(world, 3)
    late = await order_of(world, order)
    assert (late["status"], late["source"]["received"]) == ("refunding", "0.01000000")
    assert (await events(world, order["id"]))[-2:] == ["order.late_funds", "order.late_funds"]
    await world.drain()
    waiting = await order_of(world, order)
    assert waiting["hold"]["reason"] == "refund_address_missing"


async def test_fault_f_55_seen_in_time_and_counted_within_the_grace_is_sold(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order)
    await pass_window(world, order, seconds=600)
    await mined(world, 3)
    assert (await order_of(world, order))["hold"] is None
    assert (await order_of(world, order))["stage"] == "conversion"


async def test_fault_f_55_counted_after_the_grace_is_never_sold_at_the_old_rate(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order)
    await pass_window(world, order, seconds=3601)
    await mined(world, 3)
    held = await order_of(world, order)
    assert (held["stage"], held["hold"]["reason"]) == ("conversion", "late_funds")
    await world.drain()
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM payouts") == 0
    refunded = await world.post(f"/v1/orders/{order['id']}/refund", {"address": CUSTOMER_ADDRESS})
    assert (refunded.status_code, refunded.json()["status"]) == (200, "refunding")
    assert refunded.json()["hold"] is None
    assert refunded.json()["refund_address"] == CUSTOMER_ADDRESS


async def test_fault_f_73_an_old_orders_address_still_leads_to_that_order(world: World) -> None:
    order = await sell_order(world)
    canceled = await world.post(f"/v1/orders/{order['id']}/cancel")
    assert canceled.json()["status"] == "canceled"
    await deposit(world, order, confirmations=3)
    assert (await order_of(world, order))["status"] == "refunding"
    assert "order.late_funds" in await events(world, order["id"])
    assert (await balances(world))[f"order:{order['id']}", BTC] == -1_000_000


async def test_a_sale_can_be_refunded_before_it_is_paid_out(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, confirmations=3)
    nowhere = await world.post(f"/v1/orders/{order['id']}/refund")
    assert nowhere.status_code == 422
    assert nowhere.json()["errors"] == [{"pointer": "/address", "code": "validation_failed"}]
    part = await world.post(f"/v1/orders/{order['id']}/refund", {"amount": "0.00500000", "address": CUSTOMER_ADDRESS})
    assert part.json()["errors"][0]["pointer"] == "/amount"
    own = await world.post(f"/v1/orders/{order['id']}/refund", {"address": order["deposit"]["address"]})
    assert (own.status_code, own.json()["code"]) == (422, "address_invalid")
    asked = await world.post(f"/v1/orders/{order['id']}/refund", {"address": CUSTOMER_ADDRESS})
    assert (asked.status_code, asked.json()["status"]) == (200, "refunding")


async def test_a_refund_that_waits_for_an_address_goes_on_with_it(world: World) -> None:
    order = await sell_order(world)
    await deposit(world, order, "0.00400000", confirmations=2)
    await pass_window(world, order)
    await world.sweep()
    await world.run_jobs()
    assert (await order_of(world, order))["hold"]["reason"] == "refund_address_missing"
    again = await world.post(f"/v1/orders/{order['id']}/refund", {"address": CUSTOMER_ADDRESS})
    assert (again.status_code, again.json()["hold"]) == (200, None)
    await world.run_jobs()
    assert (await triggers(world, order))[-1] == "refund_accepted"


async def test_an_order_without_coins_expires_or_is_canceled(world: World) -> None:
    order = await sell_order(world)
    await pass_window(world, order)
    await world.sweep()
    assert (await order_of(world, order))["status"] == "expired"
    other = await sell_order(world)
    nothing = await world.post(f"/v1/orders/{other['id']}/refund", {"address": CUSTOMER_ADDRESS})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "conflict_state")


async def test_a_quote_is_sold_once_and_a_repetition_gets_the_same_answer(world: World) -> None:
    quote, account = await sell_quote(world), await world.account()
    body = {"quote_id": quote["id"], "external_account_id": account, "external_id": "sale-1"}
    first = await world.post("/v1/orders", body, key="same")
    again = await world.post("/v1/orders", body, key="same")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    used = await world.post("/v1/orders", {**body, "external_id": "sale-2"})
    assert (used.status_code, used.json()["code"]) == (409, "quote_used")
    taken = await world.post("/v1/orders", {**body, "quote_id": (await sell_quote(world))["id"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict_state")
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") == 1
        assert await connection.fetchval("SELECT count(*) FROM deposit_addresses") == 1
