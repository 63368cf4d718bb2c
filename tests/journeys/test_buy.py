"""A customer's euros become bitcoin, on good days and on bad ones."""

from __future__ import annotations

from tests.support.world import CUSTOMER_ADDRESS, World

DECLINED = "4000000000000002"
GOOD = "4242424242424242"


async def steps(world: World, order_id: object) -> list[str]:
    """The states that an order has gone through."""
    timeline = await world.get(f"/v1/orders/{order_id}/timeline")
    data = timeline["data"]
    assert isinstance(data, list)
    return [step["target"] for step in data]


async def mine(world: World, blocks: int) -> None:
    """Let so many blocks be mined, and let the instance see them."""
    await world.far.mine("bitcoin", blocks)
    await world.drain()


async def test_a_good_card_ends_with_coins_in_the_customers_wallet(world: World) -> None:
    await world.fund()
    order = await world.order("100.00")
    await world.pay(order)
    await world.drain()
    sent = await world.get(f"/v1/orders/{order['id']}")
    assert (sent["status"], sent["stage"]) == ("processing", "confirmation")
    await mine(world, 2)
    done = await world.get(f"/v1/orders/{order['id']}")
    assert done["status"] == "completed"
    assert done["destination"]["delivered"] == order["destination"]["amount"]
    assert done["destination"]["confirmations"] == 2
    assert await steps(world, order["id"]) == [
        "awaiting_payment",
        "authorised",
        "paid",
        "sending",
        "sent",
        "completed",
    ]
    await world.audit()


async def test_the_ledger_of_the_quote_vector(world: World) -> None:
    """Half a bitcoin for 31045.68: the figures of the design, through the whole program."""
    await world.fund(coins=1, amount=60_000_000)
    quote = await world.quote(
        source={"asset": "EUR"}, destination={"asset": "BTC", "network": "bitcoin", "amount": "0.50000000"}
    )
    assert quote["source"]["amount"] == "31045.68"
    placed = await world.post("/v1/orders", {"quote_id": quote["id"], "destination": {"address": CUSTOMER_ADDRESS}})
    order = placed.json()
    await world.pay(order)
    await world.drain()
    await mine(world, 6)
    ledger = await world.get(f"/v1/orders/{order['id']}/ledger")
    lines = {(line["kind"], line["account"], line["asset"]): line["amount"] for line in ledger["data"]}
    assert lines["convert", "position:EUR", "EUR"] == "-30582.31"
    assert lines["convert", "revenue:spread", "EUR"] == "-152.91"
    assert lines["convert", "revenue:fee", "EUR"] == "-310.46"
    assert lines["convert", f"order:{order['id']}", "EUR"] == "31045.68"
    await world.audit()


async def test_a_declined_card_leaves_the_order_open_for_another(world: World) -> None:
    await world.fund()
    order = await world.order()
    await world.pay(order, DECLINED)
    await world.drain()
    still = await world.get(f"/v1/orders/{order['id']}")
    assert still["status"] == "awaiting_funds"
    assert still["payment"]["failure"]["code"] == "card_declined"
    await world.pay(order, GOOD)
    await world.drain()
    await mine(world, 2)
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "completed"
    await world.audit()


async def test_authentication_is_asked_for_and_given(world: World) -> None:
    await world.fund()
    order = await world.order()
    await world.pay(order, DECLINED)  # that another card was declined before says nothing of this one
    await world.drain()
    await world.pay(order, "4000002760003184")
    await world.drain()
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "awaiting_action"
    reference = order["payment"]["reference"]
    for outcome in ("failed", "succeeded"):
        if outcome == "succeeded":
            await world.pay(order, "4000002760003184")
            await world.drain()
        await world.far.command(
            "POST", "/control/stripe/authenticate", {"payment_intent": reference, "outcome": outcome}
        )
        await world.drain()
    await mine(world, 2)
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "completed"
    assert (await steps(world, order["id"]))[:6] == [
        "awaiting_payment",
        "awaiting_payment",
        "authenticating",
        "awaiting_payment",
        "authenticating",
        "authorised",
    ]
    await world.audit()


async def test_canceling_lets_the_payment_go(world: World) -> None:
    order = await world.order()
    canceled = await world.post(f"/v1/orders/{order['id']}/cancel")
    assert canceled.json()["status"] == "canceled"
    await world.drain()
    seen = await world.get(f"/v1/orders/{order['id']}")
    assert seen["payment"]["status"] == "canceled"
    await world.audit()


async def test_an_order_expires_by_the_databases_clock(world: World) -> None:
    order = await world.order()
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", order["id"])
    await world.sweep()
    await world.drain()
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "expired"
    await world.audit()


async def test_fault_f_55_money_that_comes_after_expiry_is_let_go(world: World) -> None:
    """The customer pays in the moment between our expiry and our cancelling: nothing is kept, nothing is sent."""
    order = await world.order()
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", order["id"])
    await world.sweep()
    await world.far.pay(order["payment"]["reference"], GOOD)
    await world.drain()
    seen = await world.get(f"/v1/orders/{order['id']}")
    assert (seen["status"], seen["payment"]["status"]) == ("expired", "canceled")
    await world.audit()


async def test_a_refund_before_delivery_gives_everything_back(world: World) -> None:
    """The wallet is empty, so the order waits when it is paid; the partner gives the money back."""
    order = await world.order()
    await world.pay(order)
    await world.drain("WalletShort")
    assert (await world.get(f"/v1/orders/{order['id']}"))["stage"] == "conversion"
    part = await world.post(f"/v1/orders/{order['id']}/refund", {"amount": "40.00"})
    assert part.json()["status"] == "refunding"
    await world.drain()
    middle = await world.get(f"/v1/orders/{order['id']}")
    assert (middle["status"], middle["source"]["refunded"]) == ("refunding", "40.00")
    too_much = await world.post(f"/v1/orders/{order['id']}/refund", {"amount": "60.01"})
    assert (too_much.status_code, too_much.json()["code"]) == (422, "insufficient_balance")
    rest = await world.post(f"/v1/orders/{order['id']}/refund")
    assert rest.status_code == 200
    await world.drain()
    done = await world.get(f"/v1/orders/{order['id']}")
    assert (done["status"], done["source"]["refunded"]) == ("refunded", "100.00")
    await world.audit()


async def test_fault_f_49_a_refund_is_refused_once_delivery_is_under_way(world: World) -> None:
    await world.fund()
    order = await world.order()
    await world.pay(order)
    await world.drain()
    refused = await world.post(f"/v1/orders/{order['id']}/refund", {"amount": "100.00"})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict_state")
    await world.audit()


async def test_fault_f_90_an_empty_wallet_makes_an_order_wait_and_nothing_worse(world: World) -> None:
    order = await world.order()
    await world.pay(order)
    await world.drain("WalletShort")
    await world.fund()
    await world.now_due()
    await world.drain()
    await mine(world, 2)
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "completed"
    await world.audit()
