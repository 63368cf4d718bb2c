"""Deposits from listed addresses are blocked; lists that change, and cases that end once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.errors import ConflictState, IllegalTransition, NotFound
from app.services import deposit_credits, orders, screening_cases
from tests.services.test_screening import BLOCKED, BTC, KEPT, confirm, reason_of, refused, release
from tests.support.coins import (
    available,
    balances,
    deposit,
    deposits_of,
    events,
    may_spend,
    mined,
    order_of,
    reorg,
    sell_order,
    standing_address,
    triggers,
)
from tests.support.sanctions import bring_in, cases, faucet_address, let_age
from tests.support.world import CUSTOMER_ADDRESS, World


async def test_fault_f_75_a_deposit_from_a_listed_address_is_blocked_and_nobodys(world: World, tmp_path: Path) -> None:
    await bring_in(world, tmp_path, faucet_address())
    address = await standing_address(world)
    await deposit(world, address, confirmations=3)
    [blocked] = await deposits_of(world)
    assert (blocked["status"], reason_of(blocked)) == ("blocked", "screening_hold")
    assert (await events(world, blocked["id"]))[-2:] == ["deposit.confirmed", "deposit.blocked"]
    assert await balances(world) == {BLOCKED: -1_000_000, KEPT: 1_000_000}
    assert await may_spend(world) == [False]
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):  # `holds release` is no way round
            await deposit_credits.release(tx, str(blocked["id"]), actor="ada", reason="by the wrong door")
    await world.audit()
    await confirm(world)
    await mined(world, 10)
    assert await balances(world) == {BLOCKED: -1_000_000, KEPT: 1_000_000}
    [still] = await deposits_of(world)
    assert still["status"] == "blocked"
    await world.audit()


async def test_fault_f_75_the_order_of_a_blocked_deposit_is_held_and_nothing_is_paid_out(
    world: World, tmp_path: Path
) -> None:
    await bring_in(world, tmp_path, faucet_address())
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, order, confirmations=3)
    await world.drain()
    held = await order_of(world, order)
    assert (held["stage"], reason_of(held)) == ("deposit_detected", "screening_hold")
    assert (await triggers(world, order))[-1] == "held"
    assert (await refused(world, f"/v1/orders/{order['id']}/refund", {}))[0] == 409
    await world.audit()
    await confirm(world)
    waiting = await order_of(world, order)
    assert (waiting["status"], waiting["hold"]) == ("awaiting_funds", None)  # other coins may still come
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now()")
        await orders.expire(tx, str(order["id"]))
    assert (await order_of(world, order))["status"] == "expired"
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM payouts") == 0
    await world.audit()


async def test_a_released_deposit_counts_as_any_other(world: World, tmp_path: Path) -> None:
    await bring_in(world, tmp_path, faucet_address())
    order = await sell_order(world)
    await deposit(world, order, confirmations=3)
    await release(world)
    assert await balances(world) == {}
    await world.follow()
    await world.drain()
    went_on = await order_of(world, order)
    assert (went_on["stage"], went_on["hold"]) == ("payout_submitted", None)
    [credited] = await deposits_of(world)
    assert credited["status"] == "credited"
    told = await events(world, credited["id"])
    assert told == [f"deposit.{word}" for word in ("detected", "confirmed", "blocked", "confirmed", "credited")]
    await world.audit()


async def test_a_blocked_deposit_that_is_reorganised_away_and_mined_again_is_blocked_once(
    world: World, tmp_path: Path
) -> None:
    await bring_in(world, tmp_path, faucet_address())
    await deposit(world, await standing_address(world), confirmations=3)
    await reorg(world, 3)
    assert await balances(world) == {}
    await mined(world, 3)
    assert await balances(world) == {BLOCKED: -1_000_000, KEPT: 1_000_000}
    assert len(await cases(world)) == 1
    await world.audit()


async def test_fault_f_155_a_deposit_counts_only_once_a_fresh_list_was_asked(world: World, tmp_path: Path) -> None:
    await let_age(world)
    await deposit(world, await standing_address(world), confirmations=3)
    await mined(world, 2)
    [waiting] = await deposits_of(world)
    assert waiting["status"] == "confirmed"
    assert await balances(world) == {}
    assert [case.kind for case in await cases(world)] == ["unchecked"]
    await world.audit()
    await bring_in(world, tmp_path, issued=datetime.now(UTC).date())
    await world.follow()
    assert await balances(world) == {available(world): -1_000_000, ("wallet:hot:bitcoin", BTC): 1_000_000}
    await world.audit()


# --- lists and cases -------------------------------------------------------------------------------------------------


async def test_an_older_list_and_one_of_the_future_are_refused_and_the_same_one_counts_again(
    world: World, tmp_path: Path
) -> None:
    for issued in (date(2026, 1, 1), datetime.now(UTC).date() + timedelta(days=2)):
        with pytest.raises(ConflictState):
            await bring_in(world, tmp_path, issued=issued)
    await bring_in(world, tmp_path)
    async with world.db.connection() as connection:
        rows = await connection.fetch("SELECT addresses, added, removed FROM screening_lists ORDER BY imported_at")
    assert [tuple(row) for row in rows] == [(5, 5, 0), (5, 0, 0)]


async def test_an_address_that_was_taken_off_the_list_is_free_and_the_record_of_it_stays(
    world: World, tmp_path: Path
) -> None:
    await bring_in(world, tmp_path, CUSTOMER_ADDRESS)
    await bring_in(world, tmp_path)
    await world.order()
    async with world.db.connection() as connection:
        [row] = await connection.fetch("SELECT removed_in FROM screening_addresses WHERE removed_in IS NOT NULL")
        last = await connection.fetchrow("SELECT id, removed FROM screening_lists ORDER BY imported_at DESC LIMIT 1")
    assert last is not None
    assert (row["removed_in"], 1) == (last["id"], last["removed"])


async def test_a_case_ends_once_and_one_that_is_unknown_is_not_found(world: World, tmp_path: Path) -> None:
    await bring_in(world, tmp_path, faucet_address())
    await deposit(world, await standing_address(world), confirmations=3)
    [case] = await cases(world)
    await release(world)
    for act in (screening_cases.release, screening_cases.confirm):
        async with world.db.transaction() as tx:
            with pytest.raises(IllegalTransition):
                await act(tx, case.id, actor="bob", reason="again")
            with pytest.raises(NotFound):
                await act(tx, "sc_none", actor="bob", reason="what?")
