"""Buying with a bank debit and with a bank transfer: days of waiting, returns, holds, too little and too much."""

from __future__ import annotations

from typing import Any

from app.services import statements, strays
from tests.journeys.test_buy import mine
from tests.support.world import CUSTOMER_ADDRESS, World

US_ACCOUNT = "000123456789"
SEPA_ACCOUNT = "DE89370400440532013000"


async def placed(world: World, method: str, asset: str = "USD") -> dict[str, Any]:
    """An order over a hundred that is to be paid in this way."""
    quote = await world.quote(source={"asset": asset, "amount": "100.00"}, payment_method=method)
    body = {"quote_id": quote["id"], "destination": {"address": CUSTOMER_ADDRESS}}
    response = await world.post("/v1/orders", body)
    assert response.status_code == 201, response.text
    order: dict[str, Any] = response.json()
    return order


async def act(world: World, name: str, order: dict[str, Any], **body: object) -> None:
    """What happens at the processor without our asking."""
    reference = order["payment"]["reference"]
    await world.far.command("POST", f"/control/stripe/{name}", {"payment_intent": reference, **body})
    await world.drain("WalletShort")


async def seen(world: World, order: dict[str, Any]) -> dict[str, Any]:
    return await world.get(f"/v1/orders/{order['id']}")


async def ripen(world: World, order: dict[str, Any]) -> None:
    """Let the days pass that the order waits for."""
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payments SET hold_seconds = 0 WHERE order_id = $1", order["id"])
        await tx.execute(
            """
            UPDATE orders SET deliver_after = transitions.at FROM transitions
            WHERE orders.id = $1 AND order_id = orders.id AND trigger = 'payment_captured'
            """,
            order["id"],
        )
    await world.now_due()
    await world.drain("WalletShort")


async def test_fault_f_54_a_debit_is_delivered_only_after_its_hold(world: World) -> None:
    await world.fund()
    order = await placed(world, "ach_debit")
    assert order["next_action"] is None
    await act(world, "debit", order, account=US_ACCOUNT)
    pending = await seen(world, order)
    assert (pending["status"], pending["stage"], pending["source"]["received"]) == ("processing", "capture", "0.00")
    await world.audit()  # a debit that is under way is counted there, and not here
    await act(world, "settle", order)
    paid = await seen(world, order)
    assert (paid["stage"], paid["source"]["received"]) == ("conversion", "100.00")
    assert paid["deliver_after"] is not None
    await world.sweep()
    await world.drain()
    assert (await seen(world, order))["stage"] == "conversion", "no sweep, and no job, sends before its time"
    await world.audit()
    await ripen(world, order)
    await mine(world, 2)
    done = await seen(world, order)
    assert (done["status"], done["destination"]["delivered"]) == ("completed", order["destination"]["amount"])
    await world.audit()


async def test_fault_f_37_a_debit_that_is_returned_while_nobody_knew(world: World) -> None:
    for account, code, ours in (("000222222227", None, "insufficient_funds"), (US_ACCOUNT, "R10", "mandate_invalid")):
        order = await placed(world, "ach_debit")
        await act(world, "debit", order, account=account)
        if code is None:
            await act(world, "settle", order)
        else:
            await act(world, "return", order, code=code)
        failed = await seen(world, order)
        assert (failed["status"], failed["failure"]["code"]) == ("failed", ours)
        assert failed["payment"]["status"] == "canceled"
    await world.audit()


async def test_fault_f_45_a_debit_that_is_returned_before_delivery_takes_the_money_back(world: World) -> None:
    await world.fund()
    order = await placed(world, "sepa_debit", "EUR")
    await act(world, "debit", order, account=SEPA_ACCOUNT)
    await act(world, "settle", order)
    await act(world, "return", order, code="MD06")
    failed = await seen(world, order)
    assert (failed["status"], failed["failure"]["code"]) == ("failed", "payment_disputed")
    assert failed["dispute"]["status"] == "lost"
    await ripen(world, order)
    assert (await seen(world, order))["status"] == "failed"
    await world.audit()


async def test_fault_f_54_a_debit_that_is_returned_after_delivery_is_a_loss(world: World) -> None:
    await world.fund()
    order = await placed(world, "ach_debit")
    await act(world, "debit", order, account=US_ACCOUNT)
    await act(world, "settle", order)
    await ripen(world, order)
    await mine(world, 2)
    await act(world, "return", order, code="R10")
    done = await seen(world, order)
    assert (done["status"], done["dispute"]["status"], done["dispute"]["reason"]) == (
        "completed",
        "lost",
        "debit_not_authorized",
    )
    ledger = (await world.get(f"/v1/orders/{order['id']}/ledger"))["data"]
    assert isinstance(ledger, list)
    assert [line["amount"] for line in ledger if line["account"] == "loss:dispute"] == ["100.00"]
    await world.audit()


async def test_a_debit_is_refunded_while_it_waits(world: World) -> None:
    order = await placed(world, "ach_debit")
    await act(world, "debit", order, account=US_ACCOUNT)
    await act(world, "settle", order)
    assert (await world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    await world.drain()
    pending = await seen(world, order)
    assert (pending["status"], pending["source"]["refunded"]) == ("refunding", "100.00")
    refund = await refund_of(world, order)
    await world.far.command("POST", "/control/stripe/refund_settle", {"refund": refund, "status": "succeeded"})
    await world.drain()
    assert (await seen(world, order))["status"] == "refunded"
    await world.audit()


async def refund_of(world: World, order: dict[str, Any]) -> str:
    found = await world.http.get(
        f"{world.far_url}/stripe/v1/refunds",
        params={"payment_intent": order["payment"]["reference"]},
        auth=(world.stripe_key, ""),
    )
    return str(found.json()["data"][0]["id"])


async def test_a_transfer_says_where_to_and_is_taken_as_it_comes(world: World) -> None:
    await world.fund()
    order = await placed(world, "bank_transfer", "EUR")
    asked = order["next_action"]
    assert (order["status"], asked["type"]) == ("awaiting_funds", "bank_transfer")
    assert asked["amount_remaining"] == {"asset": "EUR", "amount": "100.00"}
    assert asked["accounts"][0]["type"] == "iban"
    await act(world, "transfer", order, amount=10_000)
    await mine(world, 2)
    done = await seen(world, order)
    assert (done["status"], done["next_action"]) == ("completed", None)
    await world.audit()


async def test_fault_f_56_a_transfer_in_parts_and_too_much(world: World) -> None:
    await world.fund()
    order = await placed(world, "bank_transfer", "EUR")
    await act(world, "transfer", order, amount=4_000)
    part = await seen(world, order)
    assert (part["status"], part["next_action"]["amount_remaining"]["amount"]) == ("awaiting_funds", "60.00")
    await act(world, "transfer", order, amount=7_500)
    await mine(world, 2)
    done = await seen(world, order)
    assert (done["status"], done["source"]["received"]) == ("completed", "100.00")
    assert await returned(world) == [1_500]
    await act(world, "transfer", order, amount=10_000)  # and all of it once more
    assert await returned(world) == [1_500, 10_000]
    assert await cash(world, order) == 0
    await world.audit()


async def test_fault_f_56_too_little_goes_back_when_the_window_closes(world: World) -> None:
    order = await placed(world, "bank_transfer", "EUR")
    await act(world, "transfer", order, amount=4_000)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", order["id"])
    await world.sweep()
    await world.drain()
    gone = await seen(world, order)
    assert (gone["status"], gone["payment"]["status"]) == ("expired", "canceled")
    assert (await returned(world), await cash(world, order)) == ([4_000], 0)
    await act(world, "transfer", order, amount=6_000)  # F-55: the rest comes too late
    assert (await returned(world), await cash(world, order)) == ([4_000, 6_000], 0)
    assert (await seen(world, order))["source"]["received"] == "0.00"
    await world.audit()


async def test_fault_f_51_a_refund_that_waits_for_the_customer_is_called_off(world: World) -> None:
    """A transfer's refund needs the customer's own account: it waits, and may never be told."""
    order = await placed(world, "bank_transfer", "EUR")
    await act(world, "transfer", order, amount=10_000)
    assert (await world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    await world.drain()
    refund = await refund_of(world, order)
    assert (await seen(world, order))["status"] == "refunding"
    await world.far.command("POST", "/control/stripe/refund_settle", {"refund": refund, "status": "canceled"})
    await world.drain()
    after = await seen(world, order)
    assert (after["status"], after["hold"]["reason"], after["source"]["refunded"]) == (
        "refunding",
        "refund_failed",
        "0.00",
    )
    await world.audit()


async def returned(world: World) -> list[int]:
    """What went back of too much money, in order."""
    async with world.db.connection() as connection:
        sql = "SELECT units FROM operations WHERE kind = 'return' AND state = 'succeeded' ORDER BY id"
        rows = await connection.fetch(sql)
    return [int(row["units"]) for row in rows]


async def cash(world: World, order: dict[str, Any]) -> int:
    """What is left where the customer sent it."""
    auth = (world.stripe_key, "")
    payment = await world.http.get(
        f"{world.far_url}/stripe/v1/payment_intents/{order['payment']['reference']}", auth=auth
    )
    customer = payment.json()["customer"]
    found = await world.http.get(f"{world.far_url}/stripe/v1/customers/{customer}/cash_balance", auth=auth)
    return int(found.json()["available"].get("eur", 0))


async def test_fault_f_59_what_the_processor_does_by_itself_is_booked_and_alarms(world: World) -> None:
    """Payouts to our bank, fees, a reserve, a line that nobody can explain; and a card charged twice (F-40)."""
    order = await world.order()
    await world.pay(order)
    await world.drain("WalletShort")
    for kind, amount, fee in (("payout", -5_000, 0), ("stripe_fee", -200, 0), ("reserve_hold", -300, 0)):
        await line(world, kind, amount, fee)
    assert await statements.read_all(world.db, world.rails) == 3
    assert await statements.read_all(world.db, world.rails) == 0
    await act(world, "duplicate", order)
    await world.drain("WalletShort")
    await world.audit()
    await line(world, "contribution", -7, 0)
    await line(world, "payout", -9_000, 25)
    assert await statements.read_all(world.db, world.rails) == 2
    assert await strays.look(world.db, world.rails) == 0
    async with world.db.connection() as connection:
        alerts = {row["kind"] for row in await connection.fetch("SELECT kind FROM alerts WHERE resolved_at IS NULL")}
        held = await connection.fetchval("SELECT -sum(units) FROM postings WHERE account = $1", f"order:{order['id']}")
    assert alerts >= {"unexplained_line", "provider_balance_negative", "second_payment"}
    assert int(held) == 10_000, "orders are untouched"
    await world.audit()
    await line(world, "topup", 50_000, 0)
    await statements.read_all(world.db, world.rails)
    async with world.db.connection() as connection:
        sql = "SELECT count(*) FROM alerts WHERE kind = 'provider_balance_negative' AND resolved_at IS NULL"
        assert await connection.fetchval(sql) == 0
    await world.audit()


async def line(world: World, kind: str, amount: int, fee: int) -> None:
    body = {"account": world.stripe_key, "kind": kind, "amount": amount, "fee": fee}
    await world.far.command("POST", "/control/stripe/line", body)
