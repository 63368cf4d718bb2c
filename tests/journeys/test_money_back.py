"""Money that comes back after a buy: chargebacks, refunds that race, and a node that is away when a send confirms."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.ports.errors import ProviderUnavailable
from tests.journeys.test_buy import mine
from tests.support.world import World


async def completed(world: World) -> dict[str, object]:
    """A buy whose coins are with the customer."""
    await world.fund()
    order = await world.order()
    await world.pay(order)
    await world.drain()
    await mine(world, 2)
    return await world.get(f"/v1/orders/{order['id']}")


async def disputed(world: World, order: dict[str, object], outcome: str | None = None) -> dict[str, object]:
    """The customer's bank takes the money back, or says how that ends; the order then."""
    payment = order["payment"]
    assert isinstance(payment, dict)
    body = {"payment_intent": payment["reference"], **({} if outcome is None else {"outcome": outcome})}
    await world.far.command("POST", "/control/stripe/dispute", body)
    await world.drain()
    return await world.get(f"/v1/orders/{order['id']}")


async def test_fault_f_46_a_chargeback_after_delivery_leaves_the_order_completed(world: World) -> None:
    order = await completed(world)
    seen = await disputed(world, order)
    assert isinstance(seen["dispute"], dict)
    assert (seen["status"], seen["dispute"]["status"]) == ("completed", "open")
    ledger = (await world.get(f"/v1/orders/{order['id']}/ledger"))["data"]
    assert isinstance(ledger, list)
    assert [line["amount"] for line in ledger if line["account"] == "loss:dispute"] == ["100.00"]
    await world.audit()


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_fault_f_47_a_dispute_ends_and_its_loss_with_it_or_not(world: World, outcome: str) -> None:
    order = await completed(world)
    await disputed(world, order)
    seen = await disputed(world, order, outcome)
    assert isinstance(seen["dispute"], dict)
    assert (seen["status"], seen["dispute"]["status"]) == ("completed", outcome)
    ledger = (await world.get(f"/v1/orders/{order['id']}/ledger"))["data"]
    assert isinstance(ledger, list)
    lost = sum(float(line["amount"]) for line in ledger if line["account"] == "loss:dispute")
    assert lost == (0 if outcome == "won" else 100)
    await world.audit()


async def test_fault_f_50_of_three_refunds_of_forty_the_third_is_refused(world: World) -> None:
    order = await world.order()
    await world.pay(order)
    await world.drain("WalletShort")
    path = f"/v1/orders/{order['id']}/refund"
    answers: list[httpx.Response] = await asyncio.gather(*(world.post(path, {"amount": "40.00"}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 422]
    [refused] = [answer for answer in answers if answer.status_code == 422]
    assert refused.json()["code"] == "insufficient_balance"
    await world.drain()
    seen = await world.get(f"/v1/orders/{order['id']}")
    assert isinstance(seen["source"], dict)
    assert (seen["status"], seen["source"]["refunded"]) == ("refunding", "80.00")
    await world.audit()


async def test_fault_f_98_a_node_that_is_away_when_a_send_confirms_delays_it(world: World) -> None:
    await world.fund()
    order = await world.order()
    await world.pay(order)
    await world.drain()
    await world.far.mine("bitcoin", 2)
    await world.far.command(
        "POST", "/control/faults", {"target": "bitcoin", "kind": "error_before", "path": "/getblockcount$", "times": 1}
    )
    with pytest.raises(ProviderUnavailable):
        await world.follow()
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "processing"
    await world.follow()
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "completed"
    await world.audit()
