"""Bank payouts that the bank, or the account, does not take: who is told, and what can be done."""

from __future__ import annotations

import pytest

from app.domain.errors import ConflictState
from app.ports.errors import OutcomeUnknown
from app.services import bank_payouts, payouts
from tests.support.paying import (
    alerts,
    at_bank,
    fault,
    pay,
    payout,
    shown,
    standing,
    status,
    transfers,
    until,
)
from tests.support.world import World

REFUSAL = '{"type":"invalid_parameters_error","status":400,"title":"no","detail":null,"errors":[]}'


async def hold_of(world: World, payout_id: str) -> tuple[object, object]:
    """A payout's status, and why it is held."""
    seen = await shown(world, payout_id)
    hold = seen["hold"]
    return seen["status"], hold["reason"] if isinstance(hold, dict) else None


async def test_a_refused_request_waits_for_a_person_who_lets_it_go_or_ends_it(world: World) -> None:
    await world.top_up(100_00)
    account = await world.account()
    refusing = {"kind": "error_before", "method": "POST", "path": "/ach_transfers$", "status": 400, "body": REFUSAL}
    await fault(world, times=2, **refusing)
    first, second = await payout(world, "10.00", account), await payout(world, "20.00", account)
    await world.drain()
    for made in (first, second):
        assert await hold_of(world, made) == ("queued", "provider_rejected")
    assert "payout_refused" in await alerts(world)
    await world.now_due()
    await world.sweep()
    await world.drain()
    assert await transfers(world) == []  # a held payout stays where it is
    async with world.db.transaction() as tx:
        await payouts.release(tx, first, actor="ada", reason="the bank was wrong")
    with pytest.raises(ConflictState):
        await bank_payouts.give_up(world.db, world.rails, first, actor="ada", reason="it goes")
    await bank_payouts.give_up(world.db, world.rails, second, actor="ada", reason="wrong number")
    await world.drain()
    assert (await status(world, first), await status(world, second)) == ("submitted", "failed")
    assert await world.available("USD") == "90.00"
    await world.audit()


async def test_what_the_bank_has_is_not_given_up(world: World) -> None:
    await world.top_up(100_00)
    made = await payout(world)
    await fault(world, kind="lost", method="POST", path="/ach_transfers$", times=1)
    with pytest.raises(OutcomeUnknown):
        await pay(world, made)
    async with world.db.transaction() as tx:
        locked = await payouts.lock(tx, made)
        assert locked is not None
        await payouts.hold(tx, locked, "provider_rejected", cause="test")
    with pytest.raises(ConflictState):
        await bank_payouts.give_up(world.db, world.rails, made, actor="ada", reason="it seems lost")
    async with world.db.transaction() as tx:
        await payouts.release(tx, made, actor="ada", reason="the bank has it")
    await world.drain()
    assert await status(world, made) == "submitted"
    assert len(await transfers(world)) == 1
    await world.audit()


async def test_an_account_that_was_closed_since_is_not_paid(world: World) -> None:
    await world.top_up(100_00)
    account = await world.account()
    made = await payout(world, "10.00", account)
    assert (await world.post(f"/v1/external_accounts/{account}/close")).status_code == 200
    await world.drain()
    assert await hold_of(world, made) == ("queued", "external_account_unverified")
    assert await transfers(world) == []
    assert "payout_held" in await alerts(world)
    assert (await world.post(f"/v1/payouts/{made}/cancel")).json()["status"] == "canceled"
    assert await world.available("USD") == "100.00"
    await world.audit()


async def test_by_wire_and_in_real_time(world: World) -> None:
    await world.top_up(1_000_00)
    account = await world.account()
    wire, rtp = (
        await payout(world, "100.00", account, method="wire"),
        await payout(world, "50.00", account, method="rtp"),
    )
    await world.drain()
    await until(world, rtp, "settled")
    await world.far.increase_settle(await at_bank(world, wire))
    await until(world, wire, "settled")
    # A wire can come back less the other bank's fee: another amount than was paid is for a person.
    body = {"transfer": await at_bank(world, wire), "code": "AC03", "amount": 90_00}
    await world.far.command("POST", "/control/increase/return", body)

    async def noticed() -> bool:
        return "unknown_provider_status" in await alerts(world)

    await world.eventually(noticed, "the smaller amount is noticed")
    assert await status(world, wire) == "settled"
    assert await world.available("USD") == "850.00"


async def test_a_word_that_we_do_not_know_moves_nothing(world: World) -> None:
    await world.top_up(100_00)
    stuck = await payout(world, "10.00", await world.account(
        type="bank", scheme="ach", routing_number="021000021", account_number="9876540005", holder_name="Ada",
    ))  # fmt: skip
    await world.drain()
    await world.now_due()
    await world.sweep()
    assert await status(world, stuck) in {"queued", "submitted"}
    assert await world.available("USD") == "90.00"
    assert await standing(world, stuck) == -10_00
    await world.audit()
