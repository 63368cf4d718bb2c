"""Standing addresses whose coins are sold as they come: at the price of the moment, to one external account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from app.domain import assets
from app.services import deposit_credits
from app.services.deposit_rules import DepositRules
from app.services.prices import PriceBoard, PriceRules
from tests.support.coins import (
    balances,
    deposit,
    deposits_of,
    events,
    mined,
    reorg,
    sell_order,
    standing_address,
    triggers,
)
from tests.support.world import World

BTC = "BTC.bitcoin"
HOT = ("wallet:hot:bitcoin", BTC)


@pytest.fixture(autouse=True)
async def audited(world: World) -> AsyncIterator[None]:
    """After every test our books agree with themselves, and with what the far side knows."""
    yield
    await world.follow()
    await world.audit()


async def selling_address(world: World) -> dict[str, object]:
    """An address whose coins become dollars."""
    return await standing_address(
        world,
        route="sell",
        destination_asset="USD",
        external_account_id=await world.account(),
        metadata={"miner": "7"},
    )


async def only_order(world: World) -> dict[str, object]:
    """The one order that there is."""
    [order] = (await world.get("/v1/orders"))["data"]
    assert isinstance(order, dict)
    return order


async def test_coins_become_a_sale_at_the_price_of_the_moment(world: World) -> None:
    address = await selling_address(world)
    await deposit(world, address, confirmations=2)
    assert (await world.get("/v1/orders"))["data"] == []
    await mined(world, 1)
    order = await only_order(world)
    assert (order["direction"], order["stage"], order["metadata"]) == ("sell", "conversion", {"miner": "7"})
    assert order["source"]["amount"] == order["source"]["received"] == "0.01000000"
    assert order["deposit"]["address"] == address["address"]
    assert order["external_account_id"] == address["external_account_id"]
    quote = await world.get(f"/v1/quotes/{order['quote_id']}")
    asked = await sell_order(world)  # the same amount at the same price, asked for by hand
    assert quote["destination"]["amount"] == asked["destination"]["amount"]
    assert (quote["status"], quote["order_id"]) == ("used", order["id"])
    [sold] = await deposits_of(world)
    assert (sold["status"], sold["order_id"]) == ("credited", order["id"])
    assert await balances(world) == {HOT: 1_000_000, (f"order:{order['id']}", BTC): -1_000_000}
    assert await events(world, order["id"]) == ["order.created", "order.processing"]
    async with world.db.connection() as connection:
        previous = await connection.fetchval("SELECT data->'previous' FROM events WHERE type = 'deposit.credited'")
    assert previous == '{"status": "confirmed", "order_id": null}'
    await world.drain()
    assert (await world.get(f"/v1/orders/{order['id']}"))["stage"] == "payout_submitted"


async def test_every_deposit_is_a_sale_of_its_own(world: World) -> None:
    address = await selling_address(world)
    await deposit(world, address, confirmations=3)
    await deposit(world, address, "0.02000000", confirmations=3)
    amounts = [order["source"]["amount"] for order in (await world.get("/v1/orders"))["data"]]
    assert sorted(amounts) == ["0.01000000", "0.02000000"]


@contextmanager
def without_prices(world: World) -> Iterator[None]:
    """No venue answers the worker."""
    worker = world.worker
    nobody = PriceBoard([], [("BTC", "USD")], PriceRules())
    world.worker = replace(worker, rules=DepositRules(worker.rules.policy, nobody, livemode=False))
    yield
    world.worker = worker


async def test_without_a_price_coins_wait_confirmed_and_are_sold_later(world: World) -> None:
    with without_prices(world):
        await deposit(world, await selling_address(world), confirmations=3)
        [waiting] = await deposits_of(world)
        assert waiting["status"] == "confirmed"
        assert await balances(world) == {}
        await world.follow()
    await world.follow()
    assert (await only_order(world))["stage"] == "conversion"
    [sold] = await deposits_of(world)
    assert await events(world, sold["id"]) == ["deposit.detected", "deposit.confirmed", "deposit.credited"]


async def test_confirmed_coins_that_are_reorganised_away_leave_nothing(world: World) -> None:
    with without_prices(world):
        txid = await deposit(world, await selling_address(world), confirmations=3)
    await reorg(world, 3, drop=txid)
    [gone] = await deposits_of(world)
    assert gone["status"] == "orphaned"
    assert await balances(world) == {}


async def test_an_amount_outside_the_limits_is_held_and_can_be_given_to_the_balance(world: World) -> None:
    await deposit(world, await selling_address(world), "0.00001100", confirmations=1)
    [held] = await deposits_of(world)
    assert (held["status"], held["hold"]["reason"]) == ("held", "amount_below_min")
    assert (await world.get("/v1/orders"))["data"] == []
    assert (await balances(world))["suspense:unmatched", BTC] == -1_100
    async with world.db.transaction() as tx:
        await deposit_credits.release(tx, str(held["id"]), actor="ada", reason="too small to sell")
    assert await balances(world) == {HOT: 1_100, (f"partner:{world.partner.id}:available", BTC): -1_100}


async def test_an_account_that_cannot_be_paid_any_more_holds_the_coins(world: World) -> None:
    address = await selling_address(world)
    closed = await world.post(f"/v1/external_accounts/{address['external_account_id']}/close")
    assert closed.status_code == 200, closed.text
    await deposit(world, address, confirmations=3)
    [held] = await deposits_of(world)
    assert (held["status"], held["hold"]["reason"]) == ("held", "external_account_unverified")


async def test_fault_f_65_a_standing_sale_that_is_reorganised_is_carried_on(world: World) -> None:
    await deposit(world, await selling_address(world), confirmations=3)
    order = await only_order(world)
    await reorg(world, 3)
    held = await only_order(world)
    assert (held["id"], held["stage"], held["hold"]["reason"]) == (order["id"], "deposit_detected", "reorged")
    assert await balances(world) == {}
    await mined(world, 3)
    again = await only_order(world)
    assert (again["id"], again["stage"], again["hold"]) == (order["id"], "conversion", None)
    assert await triggers(world, order) == [
        "placed", "deposit_confirmed", "deposit_reorged", "held", "deposit_vanished", "deposit_detected",
        "deposit_confirmed", "released",
    ]  # fmt: skip


async def test_the_venues_are_asked_every_few_seconds_at_most(world: World) -> None:
    class Counting(PriceBoard):
        asked = 0

        async def refresh(self, only: tuple[str, str] | None = None) -> None:
            self.asked += 1

    board = Counting([], [("BTC", "USD")], PriceRules())
    rules = DepositRules(world.worker.rules.policy, board, livemode=False)
    for _ in range(5):
        await rules.need_price(assets.BTC, assets.USD)
    assert board.asked == 1
