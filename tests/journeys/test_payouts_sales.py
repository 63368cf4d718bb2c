"""What a sale brought, on its way to a bank account: paid once, and undone whole when the bank sends it back."""

from __future__ import annotations

import asyncio

import pytest

from app.services import order_payouts
from tests.support.coins import deposit, events, mined, order_of, sell_order, triggers
from tests.support.paying import alerts, at_bank, fault, shown, status, steps, transfers, until
from tests.support.world import CUSTOMER_ADDRESS, World

Document = dict[str, object]


async def sold(world: World, **changes: object) -> Document:
    """A sell order whose coins count; nothing that follows is done yet. The operator has coins to pay fees from."""
    await world.fund(1)
    order = await sell_order(world, "0.01000000", **changes)
    await deposit(world, order)
    await mined(world, 3)
    return order


async def payout_of(world: World, order: Document) -> str:
    """The payout of a sale."""
    data = (await world.get(f"/v1/payouts?order_id={order['id']}"))["data"]
    assert isinstance(data, list)
    [made] = [one for one in data if one["kind"] == "sale"]  # there may be coins that go back as well
    return str(made["id"])


async def paid_out(world: World, **changes: object) -> tuple[Document, str]:
    """A sell order that is completed, and its payout."""
    order = await sold(world, **changes)
    await world.drain()
    made = await payout_of(world, order)
    await world.far.increase_settle(await at_bank(world, made))
    await until(world, made, "settled")
    return order, made


async def test_a_sale_is_paid_out_and_told_in_order(world: World) -> None:
    order, made = await paid_out(world, external_id="größe٣")  # isalnum, and still nothing that a bank can carry
    done, paid = await order_of(world, order), await shown(world, made)
    assert done["status"] == "completed"
    assert (paid["kind"], paid["order_id"], paid["reference"]) == ("sale", order["id"], str(order["id"])[3:])
    assert paid["amount"] == {"asset": "USD", "amount": _destination(order)["amount"]}
    assert await steps(world, made) == ["created", "prepared", "submitted", "settled"]
    assert paid["allowed_actions"] == []
    refused = await world.post(f"/v1/payouts/{made}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict_state")
    await world.audit()


def _destination(order: Document) -> Document:
    destination = order["destination"]
    assert isinstance(destination, dict)
    return destination


async def test_workers_at_once_queue_one_payout_of_a_sale(world: World) -> None:
    order = await sold(world)
    await asyncio.gather(
        *(order_payouts.pay_out_order(world.db, world.rails, str(order["id"])) for _ in range(4)), world.run_jobs()
    )
    await world.drain()
    assert await status(world, await payout_of(world, order)) == "submitted"
    assert len(await transfers(world)) == 1
    await world.audit()


async def test_fault_f_53_a_sales_payout_returned_days_later_undoes_the_sale(world: World) -> None:
    order, made = await paid_out(world, refund_address=CUSTOMER_ADDRESS)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payouts SET settled_at = settled_at - interval '3 days'")
    await fault(world, kind="webhook_drop", times=1000)
    await world.far.increase_return(await at_bank(world, made), "R03")
    await world.now_due()
    await world.sweep()
    assert await status(world, made) == "returned"
    back = await order_of(world, order)
    assert (back["status"], _destination(back)["delivered"]) == ("refunding", "0.00")
    await world.drain()  # the coins go to the refund address
    await mined(world, 3)
    await world.drain()
    assert (await order_of(world, order))["status"] == "refunded"
    assert "payout_returned" in await triggers(world, order)
    assert (await events(world, made))[-1] == "payout.returned"
    assert await world.available("USD") == "0.00"
    await world.audit()


@pytest.mark.parametrize("way", ["rejected", "returned"])
async def test_a_bank_that_does_not_pay_opens_the_refund(world: World, way: str) -> None:
    order = await sold(world)
    await world.drain()
    made = await payout_of(world, order)
    if way == "rejected":
        await world.far.increase_reject(await at_bank(world, made))
    else:
        await world.far.increase_return(await at_bank(world, made))  # before it settled
    await until(world, made, "failed" if way == "rejected" else "returned")
    await world.drain()
    held = await order_of(world, order)
    assert isinstance(held["hold"], dict)
    assert (held["status"], held["hold"]["reason"]) == ("refunding", "refund_address_missing")
    assert "payout_settled" not in await triggers(world, order)
    await world.audit()


async def test_an_account_closed_before_the_coins_came_holds_the_order(world: World) -> None:
    order = await sell_order(world)
    closing = await world.post(f"/v1/external_accounts/{order['external_account_id']}/close")
    assert closing.status_code == 200
    await deposit(world, order)
    await mined(world, 3)
    await world.drain()
    held = await order_of(world, order)
    assert isinstance(held["hold"], dict)
    assert held["hold"]["reason"] == "external_account_unverified"
    assert await transfers(world) == []
    await world.audit()


async def test_an_account_closed_while_the_payout_waits_is_not_paid_and_the_sale_can_be_refunded(world: World) -> None:
    order = await sold(world, refund_address=CUSTOMER_ADDRESS)
    await order_payouts.pay_out_order(world.db, world.rails, str(order["id"]))
    made = await payout_of(world, order)
    assert (await world.post(f"/v1/external_accounts/{order['external_account_id']}/close")).status_code == 200
    await world.drain()
    held = await shown(world, made)
    assert isinstance(held["hold"], dict)
    assert (held["status"], held["hold"]["reason"]) == ("queued", "external_account_unverified")
    assert "payout_held" in await alerts(world)
    assert (await world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    await world.drain()
    await mined(world, 3)
    await world.drain()
    assert (await order_of(world, order))["status"] == "refunded"
    assert await status(world, made) == "canceled"
    assert await transfers(world) == []
    await world.audit()


async def test_fault_f_49_a_refund_and_a_payout_never_both(world: World) -> None:
    order = await sold(world, refund_address=CUSTOMER_ADDRESS)
    await order_payouts.pay_out_order(world.db, world.rails, str(order["id"]))
    await asyncio.gather(world.post(f"/v1/orders/{order['id']}/refund"), world.run_jobs())
    await world.drain()
    made, seen = await payout_of(world, order), await order_of(world, order)
    if await status(world, made) == "canceled":
        assert (seen["status"], await transfers(world)) == ("refunding", [])
    else:
        assert (seen["status"], len(await transfers(world))) == ("processing", 1)
        refused = await world.post(f"/v1/orders/{order['id']}/refund")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict_state")
    await world.audit()
