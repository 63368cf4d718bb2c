"""Bad weather between us and the far side: lost answers, doubled and shuffled webhooks, reorganisations."""

from __future__ import annotations

import random

import pytest

from app.services import orders
from tests.journeys.test_buy import mine, steps
from tests.support.world import World


async def fault(world: World, **words: object) -> None:
    """Make the far side misbehave towards this instance alone."""
    await world.far.command("POST", "/control/faults", {"account": world.stripe_key, **words})


async def ledger_lines(world: World, order_id: object) -> list[tuple[str, str, str]]:
    """An order's postings, without what differs from run to run."""
    ledger = await world.get(f"/v1/orders/{order_id}/ledger")
    data = ledger["data"]
    assert isinstance(data, list)
    return [(line["kind"], line["account"].replace(str(order_id), "ID"), line["amount"]) for line in data]


async def test_every_webhook_three_times_and_shuffled_gives_the_identical_ledger(world: World) -> None:
    await world.fund()
    calm = await world.order()
    await world.pay(calm)
    await world.drain()
    await mine(world, 2)

    wild = await world.order()
    await fault(world, kind="webhook_duplicate", copies=3, times=1000)
    await world.pay(wild)
    await world.drain()
    await world.retell_notifications(random.Random(7), times=3)
    await world.drain()
    await mine(world, 2)
    assert await ledger_lines(world, wild["id"]) == await ledger_lines(world, calm["id"])
    assert await steps(world, wild["id"]) == await steps(world, calm["id"])
    await world.audit()


@pytest.mark.parametrize("kind", ["error_before", "error_after", "lost"])
@pytest.mark.parametrize("path", ["/payment_intents$", "/capture$"])
async def test_a_fault_at_the_provider_costs_time_and_not_money(world: World, kind: str, path: str) -> None:
    await world.fund()
    await fault(world, target="stripe", kind=kind, method="POST", path=path, times=1)
    order = await world.order()
    await world.drain("OutcomeUnknown", "ProviderUnavailable")
    await world.now_due()
    await world.drain("OutcomeUnknown", "ProviderUnavailable")
    order = await world.get(f"/v1/orders/{order['id']}")
    assert order["payment"]["reference"]
    await world.pay(order)
    await world.drain("OutcomeUnknown", "ProviderUnavailable")
    await world.now_due()
    await world.drain()
    await mine(world, 2)
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "completed"
    await world.audit()


async def test_webhooks_that_never_come_cost_time_and_not_money(world: World) -> None:
    await world.fund()
    await fault(world, kind="webhook_drop", times=1000)
    order = await world.order()
    await world.pay(order)
    await world.run_jobs()
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "awaiting_funds"
    await world.now_due()
    await world.sweep()
    await world.run_jobs()
    await world.far.mine("bitcoin", 2)
    await world.follow()
    await world.run_jobs()
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "completed"
    await world.audit()


async def test_a_reorganisation_takes_the_confirmation_back_and_the_send_is_mined_again(world: World) -> None:
    await world.fund()
    order = await world.order("500.00")
    await world.pay(order)
    await world.drain()
    await mine(world, 1)
    assert (await world.get(f"/v1/orders/{order['id']}"))["destination"]["confirmations"] == 1
    await world.far.command("POST", "/control/bitcoin/reorg", {"depth": 1})
    await world.drain()
    seen = await world.get(f"/v1/orders/{order['id']}")
    assert (seen["status"], seen["destination"]["confirmations"]) == ("processing", 0)
    await mine(world, 3)
    done = await world.get(f"/v1/orders/{order['id']}")
    assert done["status"] == "completed"
    assert done["destination"]["tx_hash"] == seen["destination"]["tx_hash"]
    await world.audit()


async def test_a_send_that_the_network_forgot_is_handed_over_again_as_the_same_bytes(world: World) -> None:
    await world.fund()
    order = await world.order()
    await world.pay(order)
    await world.drain()
    seen = await world.get(f"/v1/orders/{order['id']}")
    txid = seen["destination"]["tx_hash"]
    await world.far.command("POST", "/control/bitcoin/drop", {"txid": txid})
    await mine(world, 1)
    assert (await world.get(f"/v1/orders/{order['id']}"))["destination"]["confirmations"] == 0
    await world.now_due()
    await world.sweep()
    await mine(world, 2)
    done = await world.get(f"/v1/orders/{order['id']}")
    assert (done["status"], done["destination"]["tx_hash"]) == ("completed", txid)
    await world.audit()


async def test_a_refused_capture_waits_for_a_person_and_is_asked_anew(world: World) -> None:
    await world.fund()
    await fault(world, target="stripe", kind="error_before", method="POST", path="/capture$", status=400, times=1)
    order = await world.order()
    await world.pay(order)
    await world.drain()
    held = await world.get(f"/v1/orders/{order['id']}")
    assert (held["stage"], held["hold"]["reason"]) == ("capture", "capture_refused")
    async with world.db.transaction() as tx:
        await orders.release(tx, str(order["id"]), actor="ada", reason="the provider had a bad moment")
    await world.drain()
    await mine(world, 2)
    assert (await world.get(f"/v1/orders/{order['id']}"))["status"] == "completed"
    async with world.db.connection() as connection:
        keys = await connection.fetch("SELECT key, state FROM operations WHERE kind = 'capture' ORDER BY id")
    assert [key["state"] for key in keys] == ["declined", "succeeded"]
    assert len({key["key"] for key in keys}) == 2
    await world.audit()
