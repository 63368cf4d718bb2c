"""Payouts through a bank's API in bad weather: whatever it says, in whatever order, each is paid once or not at all."""

from __future__ import annotations

import asyncio
import random

import pytest

from app.domain.assets import USD
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.errors import OutcomeUnknown
from app.ports.payout import BankDetails, PayoutRequest
from app.services import bank_payouts
from tests.support.paying import (
    BANK_TROUBLE,
    alerts,
    asked,
    at_bank,
    entries,
    fault,
    pay,
    payout,
    shown,
    standing,
    status,
    steps,
    transfers,
    until,
)
from tests.support.world import World

# What can be wrong with an answer, and how often we may ask for the payout until it is there.
TROUBLE: list[tuple[dict[str, object], int]] = [
    ({"kind": "error_before", "status": 500}, 2),
    ({"kind": "error_before", "status": 429, "retry_after": "1"}, 2),
    ({"kind": "error_before", "status": 500, "sticky": True}, 2),
    ({"kind": "lost_before"}, 2),
    ({"kind": "error_after", "status": 500}, 1),
    ({"kind": "lost"}, 1),
    ({"kind": "garbage"}, 1),
]


async def test_a_fault_at_the_bank_costs_time_and_not_money(world: World) -> None:
    await world.top_up(1_000_00)
    account = await world.account()
    for number, (trouble, posts) in enumerate(TROUBLE):
        before = (await asked(world)).count("POST")
        await fault(world, method="POST", path="/ach_transfers$", times=1, **trouble)
        made = await payout(world, "25.00", account)
        with pytest.raises(Exception, match=r"increase: "):
            await pay(world, made)
        assert await status(world, made) == "queued", trouble  # nothing is certain, so nothing is said
        assert (await world.post(f"/v1/payouts/{made}/cancel")).status_code == 409
        await world.drain(*BANK_TROUBLE)
        await world.now_due()
        await world.drain()
        assert await status(world, made) == "submitted", trouble
        assert len(await transfers(world)) == number + 1, trouble
        # What the bank has is looked for before it is asked again: its key might be forgotten by then.
        assert (await asked(world)).count("POST") - before == posts, trouble
    for transfer in await transfers(world):
        await world.far.increase_settle(str(transfer["id"]))
    await until(world, made, "settled")
    await world.drain()
    assert await world.available("USD") == "825.00"
    await world.audit()


async def test_fault_f_82_workers_that_pay_the_same_payout_at_once_pay_it_once(world: World) -> None:
    await world.top_up(100_00)
    made = await payout(world)
    await asyncio.gather(*(pay(world, made) for _ in range(4)))
    await world.drain()
    assert len(await transfers(world)) == 1
    assert await steps(world, made) == ["created", "prepared", "submitted"]
    await world.audit()


async def test_killed_while_the_bank_is_asked_and_asked_again_after_a_day(world: World) -> None:
    await world.top_up(100_00)
    made = await payout(world)
    await fault(world, kind="delay_before", seconds=0.5, method="POST", path="/ach_transfers$", times=1)
    dying = asyncio.create_task(pay(world, made))
    await asyncio.sleep(0.2)
    dying.cancel()  # the request is out, and nobody waits for its answer
    await asyncio.wait([dying])
    async with world.db.transaction() as tx:
        assert await tx.fetchval("SELECT state FROM payouts") == "sending"
        await tx.execute("UPDATE payouts SET updated_at = updated_at - interval '23 hours'")
    await pay(world, made)  # overtakes it
    await asyncio.sleep(0.5)
    await pay(world, made)
    await world.drain()
    assert len(await transfers(world)) == 1
    assert await steps(world, made) == ["created", "prepared", "submitted"]
    await world.audit()


async def test_the_notification_overtakes_the_banks_own_answer(world: World) -> None:
    await world.top_up(100_00)
    made = await payout(world)
    await fault(world, kind="lost_before", method="POST", path="/ach_transfers$", times=1)
    with pytest.raises(OutcomeUnknown):
        await pay(world, made)  # it is fixed; what follows is the request itself, with its answer still under way
    amount = Money(25_00, USD)
    details = BankDetails("Ada Lovelace", routing_number="021000021", account_number="9876543210")
    rail = world.rails.banks["increase"]
    answer = await rail.send(PayoutRequest(made, PayoutMethod.ACH, amount, details, made[3:]))
    await world.far.increase_settle(answer.reference)
    await until(world, made, "settled")
    before = await steps(world, made)
    assert before[-1] == "settled"
    async with world.db.transaction() as tx:
        await bank_payouts.observe(tx, made, answer)  # says that it has just been taken on: that was before
    assert await steps(world, made) == before
    assert (await shown(world, made))["provider_reference"] == answer.reference
    assert await entries(world, made) == ["payout_reserve", "payout_settle"]
    await world.audit()


async def test_every_webhook_three_times_and_shuffled_gives_the_identical_books(world: World) -> None:
    await world.top_up(100_00)
    account = await world.account()
    calm = await payout(world, "10.00", account)
    await world.drain()
    await world.far.increase_settle(await at_bank(world, calm))
    await until(world, calm, "settled")
    await fault(world, kind="webhook_duplicate", copies=3, times=100)
    wild = await payout(world, "10.00", account)
    await world.drain()
    await world.far.increase_settle(await at_bank(world, wild))
    await until(world, wild, "settled")
    await world.retell_notifications(random.Random(7), times=3)
    await world.drain()
    assert await steps(world, wild) == await steps(world, calm)
    assert await entries(world, wild) == await entries(world, calm) == ["payout_reserve", "payout_settle"]
    assert await world.available("USD") == "80.00"
    await world.audit()


async def test_webhooks_that_never_come_cost_time_and_not_money(world: World) -> None:
    await world.top_up(100_00)
    await fault(world, kind="webhook_drop", times=1000)
    made = await payout(world)
    await world.drain()
    await world.far.increase_settle(await at_bank(world, made))
    await world.drain()
    assert await status(world, made) == "submitted"
    await world.now_due()
    await world.sweep()
    assert await status(world, made) == "settled"
    # Three days later it comes back, and again nobody tells us.
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payouts SET settled_at = settled_at - interval '3 days'")
    await world.far.increase_return(await at_bank(world, made), "R02")
    await world.sweep()
    assert await status(world, made) == "settled"  # looked at once a day
    await world.now_due()
    await world.sweep()
    done = await shown(world, made)
    assert done["status"] == "returned"
    assert isinstance(done["returned"], dict)
    assert (done["returned"]["code"], done["returned"]["scheme_code"]) == ("returned_r02", "R02")
    assert await entries(world, made) == ["payout_reserve", "payout_settle", "payout_return"]
    async with world.db.connection() as connection:
        told = [
            row["type"]
            for row in await connection.fetch("SELECT type FROM events WHERE resource_id = $1 ORDER BY position", made)
        ]
    assert told == [f"payout.{word}" for word in ("created", "submitted", "settled", "returned")]
    assert await world.available("USD") == "100.00"
    await world.audit()


async def test_a_rejected_one_and_one_that_comes_back_before_it_settled(world: World) -> None:
    await world.top_up(100_00)
    account = await world.account()
    rejected, returned = await payout(world, "10.00", account), await payout(world, "20.00", account)
    await world.drain()
    await world.far.increase_reject(await at_bank(world, rejected))
    await world.far.increase_return(await at_bank(world, returned), "R03")
    failed = await until(world, rejected, "failed")
    assert isinstance(failed["failure"], dict)
    assert failed["failure"]["code"]
    await until(world, returned, "returned")
    for made in (rejected, returned):
        assert await entries(world, made) == ["payout_reserve", "payout_free"]  # nothing was ever booked as paid
        assert await standing(world, made) == 0
    assert await world.available("USD") == "100.00"
    await world.audit()


async def test_a_correction_is_said_on_the_account_and_to_a_person(world: World) -> None:
    await world.top_up(100_00)
    account = await world.account()
    made = await payout(world, "10.00", account)
    await world.drain()
    await world.far.increase_settle(await at_bank(world, made))
    await world.far.increase_correct(await at_bank(world, made), "C01")
    await until(world, made, "settled")

    async def corrected() -> bool:
        return (await world.get(f"/v1/external_accounts/{account}"))["corrections"] == ["C01"]

    await world.eventually(corrected, "the account has its correction")
    assert "account_correction" in await alerts(world)
    assert await status(world, made) == "settled"
    await world.audit()
