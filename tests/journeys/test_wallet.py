"""The hot wallet's guards: limits, the stop, the float, cold storage, small coins, chains that stand still."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import httpx
import pytest

from app.db.database import Transaction
from app.domain.errors import ConflictState
from app.domain.spending import SpendingLimits
from app.main import build_app
from app.services import orders, payout_sends, payouts, sends, spending, sweeps, treasury
from app.services.floats import FloatWatch
from app.services.spending import SpendingStopped
from tests.journeys.test_payouts_coins import asked, funded
from tests.support.coins import (
    alerts,
    balances,
    mined,
    order_of,
)
from tests.support.paying import shown, status
from tests.support.signing import COLD_ADDRESS
from tests.support.wallets import NETWORK, attempts, fees, sender_of
from tests.support.world import CUSTOMER_ADDRESS, World


async def limit(world: World, **limits: int) -> None:
    """From now on these limits hold for bitcoin."""
    async with world.db.transaction() as tx:
        await spending.configure(tx, [NETWORK], {"BTC.bitcoin": SpendingLimits(**limits)} if limits else {})


async def paid(world: World) -> str:
    order = await world.order()
    await world.pay(order)
    await world.drain("SpendingStopped", "ChainStale")
    return str(order["id"])


async def hold_of(world: World, order_id: str) -> object:
    hold = (await order_of(world, {"id": order_id}))["hold"]
    return hold["reason"] if isinstance(hold, dict) else hold


async def test_fault_f_95_an_order_above_a_limit_waits_for_a_person(world: World) -> None:
    await world.fund(4)
    await limit(world, per_hour=200_000)
    first = await paid(world)
    assert (await order_of(world, {"id": first}))["stage"] == "confirmation"
    second = await paid(world)
    assert await hold_of(world, second) == "spending_limit"
    assert "spending_limit" in await alerts(world)
    assert await attempts(world, second) == []
    async with world.db.transaction() as tx:
        await orders.release(tx, second, actor="ada", reason="known customer")
    await world.drain()
    assert (await order_of(world, {"id": second}))["stage"] == "confirmation"
    third = await paid(world)
    assert await hold_of(world, third) == "spending_limit"  # the released one counts
    await world.audit()


async def test_fault_f_95_without_limits_nothing_leaves(world: World) -> None:
    await world.fund(2)
    await limit(world)
    order = await paid(world)
    assert await hold_of(world, order) == "spending_limit"
    await world.audit()


async def test_fault_f_95_payouts_within_the_limits_leave_and_the_others_wait(world: World) -> None:
    account = await funded(world)
    await limit(world, per_send=50_000, per_address=70_000)
    small = [await asked(world, account, 30_000) for _ in range(3)]
    large = await asked(world, account, 60_000)
    await world.drain()
    assert [await status(world, payout_id) for payout_id in small] == ["submitted", "submitted", "queued"]
    for payout_id in (small[2], large):
        held = (await shown(world, payout_id))["hold"]
        assert isinstance(held, dict)
        assert held["reason"] == "spending_limit"
    async with world.db.transaction() as tx:
        await payouts.release(tx, large, actor="ada", reason="looked at")
    await world.drain()
    await mined(world, 3)
    assert [await status(world, payout_id) for payout_id in (small[2], large)] == ["queued", "settled"]
    await world.audit()


async def test_one_hour_never_holds_more_than_its_limit_however_many_work_at_once(world: World) -> None:
    account = await funded(world)
    await world.fund(6)
    await limit(world, per_hour=100_000)
    for _ in range(6):
        await asked(world, account, 30_000)
    await asyncio.gather(*(payout_sends.send_waiting(world.db, sender_of(world)) for _ in range(4)))
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT sum(units) FROM spends") == 90_000
    await world.audit()


async def turn(world: World, *, on: bool) -> None:
    async with world.db.transaction() as tx:
        await treasury.turn(tx, NETWORK, sending=on, actor="ada", reason="drill")


async def test_the_stop_works_within_a_second_and_waits_for_what_is_being_signed(world: World) -> None:
    await world.fund(3)
    signing = asyncio.Event()

    async def sign_slowly() -> None:
        async with world.db.transaction() as tx:
            await spending.require_started(tx, NETWORK)
            signing.set()
            await asyncio.sleep(0.2)

    slow = asyncio.create_task(sign_slowly())
    await signing.wait()
    began = time.monotonic()
    await turn(world, on=False)
    assert time.monotonic() - began < 1
    assert slow.done()  # nothing is signed any more once the command has returned
    order = await paid(world)
    assert await attempts(world, order) == []
    assert await hold_of(world, order) is None
    payout = await asked(world, await funded(world), 30_000)
    assert not await payout_sends.send_waiting(world.db, sender_of(world))
    assert await status(world, payout) == "queued"
    with pytest.raises(SpendingStopped):
        await sends.send_coins(world.db, sender_of(world), order)
    await turn(world, on=True)
    await world.now_due()
    await world.drain()
    assert len(await attempts(world, order)) == 1
    await world.audit()


async def test_what_was_signed_before_a_stop_is_not_handed_over(world: World) -> None:
    await world.fund(2)
    body = {"kind": "lost_before", "target": NETWORK, "path": "/sendrawtransaction$", "times": 1}
    await world.far.command("POST", "/control/faults", body)
    order = await world.order()
    await world.pay(order)
    await world.drain("OutcomeUnknown")
    await turn(world, on=False)
    await world.now_due()
    await world.sweep()
    assert (await order_of(world, order))["stage"] == "broadcast"
    await turn(world, on=True)
    await world.sweep()
    assert (await order_of(world, order))["stage"] == "confirmation"
    await world.audit()


async def test_fault_f_90_quotes_stop_before_the_wallet_is_empty(world: World) -> None:
    await world.fund(1, 250_000)
    strict = replace(world.context, policy=replace(world.context.policy, floats=FloatWatch({NETWORK})))
    app = build_app(strict)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://rampwright.test", headers=world.partner.headers
    ) as http:
        world = replace(world, client=http)
        quote = await world.quote("100.00")  # about 0.0015
        again = await world.quote("100.00")
        await world.order("100.00")
        for path, body in (
            ("/v1/orders", {"quote_id": again["id"], "destination": {"address": CUSTOMER_ADDRESS}}),
            ("/v1/quotes", {
                "direction": "buy", "source": {"asset": "EUR", "amount": "100.00"},
                "destination": {"asset": "BTC", "network": NETWORK}, "payment_method": "card",
            }),
        ):  # fmt: skip
            response = await world.post(path, body)
            assert (response.status_code, response.json()["code"]) == (422, "insufficient_liquidity"), response.text
        assert quote["status"] == "open"
        await world.fund(1, 500_000)
        await world.quote("100.00")
    await world.audit()


async def test_a_low_float_is_told_of_until_it_is_not(world: World) -> None:
    sender_of(world, low_float=3_000_000)
    await world.fund(1, 2_000_000)
    await sweeps.mind_wallets(world.db, world.worker.senders)
    assert "float_low" in await alerts(world)
    await world.fund(1, 2_000_000)
    await sweeps.mind_wallets(world.db, world.worker.senders)
    assert "float_low" not in await alerts(world)


async def _age(tx: Transaction, hours: int) -> None:
    await tx.execute("UPDATE cold_addresses SET added_at = added_at - make_interval(hours => $1)", hours)


async def test_coins_go_to_cold_storage_once_two_people_agree_and_a_day_has_passed(world: World) -> None:
    await world.fund(4)
    cold = world.rails.chains[NETWORK].parse(COLD_ADDRESS)
    async with world.db.transaction() as tx:
        assert not await treasury.allow(tx, NETWORK, cold, actor="ada", reason="vault")
        with pytest.raises(ConflictState, match="Somebody else"):
            await treasury.allow(tx, NETWORK, cold, actor="ada", reason="vault")
        await _age(tx, 25)
        with pytest.raises(ConflictState):
            await treasury.ask_sweep(tx, NETWORK, cold.script, 10, actor="ada", reason="x")
        assert await treasury.allow(tx, NETWORK, cold, actor="bob", reason="vault")
        await _age(tx, -2)
        with pytest.raises(ConflictState):
            await treasury.ask_sweep(tx, NETWORK, cold.script, 10, actor="ada", reason="x")
        await _age(tx, 2)
    sender_of(world, ceiling=12_000_000)
    await sweeps.mind_wallets(world.db, world.worker.senders)
    await mined(world, 3)
    await sweeps.mind_wallets(world.db, world.worker.senders)
    found = await balances(world)
    assert found["cold:bitcoin", "BTC.bitcoin"] == 8_000_000
    assert found["wallet:hot:bitcoin", "BTC.bitcoin"] == 12_000_000 - found["expense:network", "BTC.bitcoin"]
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM cold_sweeps") == 1
    await world.audit()


async def test_small_coins_are_gathered_while_it_is_cheap(world: World) -> None:
    await world.fund(25, 20_000)
    await sweeps.mind_wallets(world.db, world.worker.senders)
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM chain_transactions") == 0  # too dear
    try:
        await fees(world, estimate=1_000)
        await sweeps.mind_wallets(world.db, world.worker.senders)
    finally:
        await fees(world)
    await sweeps.mind_wallets(world.db, world.worker.senders)  # one at a time
    await mined(world, 1)
    async with world.db.connection() as connection:
        free = await connection.fetch("SELECT units FROM coins WHERE spent_height IS NULL")
    [coin] = free
    assert 25 * 20_000 - coin["units"] == (await balances(world))["expense:network", "BTC.bitcoin"]
    await world.audit()
