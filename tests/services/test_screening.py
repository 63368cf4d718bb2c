"""Screening where money moves: at placing, at a deposit, and before every send; and how an operator ends a case."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.errors import ConflictState
from app.services import orders, payouts, refunds, screening_cases
from tests.support import sanctions
from tests.support.coins import (
    Document,
    alerts,
    available,
    balances,
    deposit,
    events,
    mined,
    order_of,
    sell_order,
    sell_quote,
    standing_address,
)
from tests.support.sanctions import LISTED, bring_in, cases, let_age
from tests.support.world import CUSTOMER_ADDRESS, World

BTC = "BTC.bitcoin"
BLOCKED = ("blocked:sanctions", BTC)
KEPT = ("wallet:blocked:bitcoin", BTC)
WHY = "the list means somebody else"


async def refused(world: World, path: str, body: object) -> tuple[int, dict[str, object]]:
    response = await world.post(path, body)
    document: dict[str, object] = response.json()
    return response.status_code, document


async def release(world: World) -> None:
    [case] = await cases(world)
    async with world.db.transaction() as tx:
        await screening_cases.release(tx, case.id, actor="ada", reason=WHY)


async def confirm(world: World) -> None:
    [case] = await cases(world)
    async with world.db.transaction() as tx:
        await screening_cases.confirm(tx, case.id, actor="ada", reason="it is them")


def reason_of(resource: Document) -> object:
    hold = resource["hold"]
    return hold["reason"] if isinstance(hold, dict) else None


async def paid_order(world: World) -> Document:
    """An order whose coins are to leave with the next job."""
    await world.fund(4)
    order = await world.order()
    await world.pay(order)
    return order


# --- placing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [LISTED, LISTED.upper()])
async def test_an_order_to_a_listed_address_is_refused_and_leaves_only_an_alert(world: World, address: str) -> None:
    quote = await world.quote()
    body = {"quote_id": quote["id"], "destination": {"address": address}}
    status, problem = await refused(world, "/v1/orders", body)
    assert (status, problem["code"], problem["retryable"]) == (422, "address_blocked", False)
    assert problem["errors"] == [{"pointer": "/destination/address", "code": "address_blocked"}]
    assert problem["detail"] == "This address cannot be used."  # nothing says why
    assert await alerts(world) == ["address_blocked"]
    again = await world.post("/v1/orders", {**body, "destination": {"address": CUSTOMER_ADDRESS}})
    assert again.status_code == 201, again.text  # the quote was not used
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") == 1


async def test_a_listed_wallet_or_refund_address_is_refused(world: World) -> None:
    wallet = {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": LISTED}
    status, problem = await refused(world, "/v1/external_accounts", wallet)
    assert (status, problem["code"]) == (422, "address_blocked")
    quote, bank = await sell_quote(world), await world.account()
    body = {"quote_id": quote["id"], "external_account_id": bank, "refund_address": LISTED}
    status, problem = await refused(world, "/v1/orders", body)
    assert (status, problem["errors"]) == (422, [{"pointer": "/refund_address", "code": "address_blocked"}])
    order = await sell_order(world)
    await deposit(world, order, "0.00100000", confirmations=3)
    status, problem = await refused(world, f"/v1/orders/{order['id']}/refund", {"address": LISTED})
    assert (status, problem["code"]) == (422, "address_blocked")
    assert (await order_of(world, order))["refund_address"] is None


async def test_what_was_answered_before_an_address_was_listed_is_answered_again(world: World, tmp_path: Path) -> None:
    quote = await world.quote()
    body = {"quote_id": quote["id"], "destination": {"address": CUSTOMER_ADDRESS}}
    first = await world.post("/v1/orders", body, key="k-one")
    await bring_in(world, tmp_path, CUSTOMER_ADDRESS)
    again = await world.post("/v1/orders", body, key="k-one")
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


async def test_without_a_required_list_nothing_is_screened(world: World) -> None:
    async with world.db.transaction() as tx:
        await tx.execute("DELETE FROM screening_rules")
    order = await world.order(destination={"address": LISTED})
    assert order["status"] == "awaiting_funds"


async def test_fault_f_155_with_a_list_that_is_too_old_no_order_is_taken(world: World) -> None:
    quote = await world.quote()
    await let_age(world)
    body = {"quote_id": quote["id"], "destination": {"address": CUSTOMER_ADDRESS}}
    status, problem = await refused(world, "/v1/orders", body)
    assert (status, problem["code"], problem["retryable"]) == (503, "route_unavailable", True)
    assert await alerts(world) == ["screening_stale"]
    await sanctions.require(world)
    assert (await world.post("/v1/orders", body)).status_code == 201


# --- sends -----------------------------------------------------------------------------------------------------------


async def test_a_list_that_changes_under_way_holds_the_order_and_gives_nothing_back(
    world: World, tmp_path: Path
) -> None:
    order = await paid_order(world)
    await bring_in(world, tmp_path, CUSTOMER_ADDRESS.upper())
    await world.drain()
    held = await order_of(world, order)
    assert (held["status"], reason_of(held)) == ("processing", "screening_hold")
    assert "order.held" in await events(world, order["id"])
    assert await alerts(world) == ["screening_match"]
    status, problem = await refused(world, f"/v1/orders/{order['id']}/refund", {})
    assert (status, problem["code"], problem["detail"]) == (409, "conflict_state", "This is under review.")
    async with world.db.transaction() as tx:
        for act in (
            orders.release(tx, str(order["id"]), actor="ada", reason="by the wrong door"),
            refunds.request(tx, str(order["id"]), None, actor="ada", reason="by another one"),
        ):
            with pytest.raises(ConflictState):
                await act
    await world.audit()
    await release(world)
    await world.drain()
    await mined(world, 6)
    assert (await order_of(world, order))["status"] == "completed"
    assert not await alerts(world)
    await world.audit()


async def test_what_a_person_confirms_ends_the_order_and_keeps_its_money(world: World, tmp_path: Path) -> None:
    order = await paid_order(world)
    await bring_in(world, tmp_path, CUSTOMER_ADDRESS)
    await world.drain()
    before = await world.get(f"/v1/orders/{order['id']}")
    await confirm(world)
    await world.drain()
    ended = await order_of(world, order)
    assert ended["status"] == "failed"
    assert ended["failure"] == {
        "code": "screening_hold",
        "message": "This could not be carried out.",
        "provider": {"code": None},
    }
    source = before["source"]
    assert isinstance(source, dict)
    assert (await balances(world))["blocked:sanctions", "EUR"] == -100_00
    assert (await events(world, order["id"]))[-1] == "order.failed"
    assert (await refused(world, f"/v1/orders/{order['id']}/refund", {}))[0] == 409
    await world.audit()


async def test_fault_f_155_an_order_waits_while_the_list_is_too_old_and_goes_on_with_a_fresh_one(
    world: World, tmp_path: Path
) -> None:
    order = await paid_order(world)
    await let_age(world)
    await world.drain()
    assert reason_of(await order_of(world, order)) == "screening_hold"
    [case] = await cases(world)
    assert (case.kind, case.subject) == ("unchecked", order["id"])
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):  # nothing was found that could be confirmed
            await screening_cases.confirm(tx, case.id, actor="ada", reason="?")
    await bring_in(world, tmp_path, issued=datetime.now(UTC).date())
    assert not await cases(world)
    await world.drain()
    await mined(world, 6)
    assert (await order_of(world, order))["status"] == "completed"
    await world.audit()


async def test_a_fresh_list_that_names_the_address_holds_the_order_again(world: World, tmp_path: Path) -> None:
    order = await paid_order(world)
    await let_age(world)
    await world.drain()
    await bring_in(world, tmp_path, CUSTOMER_ADDRESS, issued=datetime.now(UTC).date())
    await world.drain()
    assert reason_of(await order_of(world, order)) == "screening_hold"
    [case] = await cases(world)
    assert case.kind == "match"
    await world.audit()


async def held_payout(world: World, tmp_path: Path) -> Document:
    """A payout to a wallet that was listed after it was made."""
    address = await standing_address(world)
    await deposit(world, address, "0.05000000", confirmations=3)
    await world.fund(3)
    wallet = await world.account(type="wallet", asset="BTC", network="bitcoin", address=CUSTOMER_ADDRESS)
    body = {"amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.00060000"}, "external_account_id": wallet}
    response = await world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text
    await bring_in(world, tmp_path, CUSTOMER_ADDRESS)
    await world.pay_out()
    payout: Document = await world.get(f"/v1/payouts/{response.json()['id']}")
    assert (payout["status"], reason_of(payout)) == ("queued", "screening_hold")
    return payout


async def test_a_payout_is_held_and_neither_canceled_nor_released_by_another_door(world: World, tmp_path: Path) -> None:
    payout = await held_payout(world, tmp_path)
    status, problem = await refused(world, f"/v1/payouts/{payout['id']}/cancel", {})
    assert (status, problem["detail"]) == (409, "This is under review.")
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):
            await payouts.release(tx, str(payout["id"]), actor="ada", reason="by the wrong door")
    await world.audit()
    await release(world)
    await world.drain()
    await mined(world, 6)
    assert (await world.get(f"/v1/payouts/{payout['id']}"))["status"] == "settled"
    await world.audit()


async def test_a_payout_that_is_confirmed_to_be_blocked_is_nobodys(world: World, tmp_path: Path) -> None:
    payout = await held_payout(world, tmp_path)
    had = (await balances(world))[available(world)]
    await confirm(world)
    after = await balances(world)
    assert (after[BLOCKED], after[available(world)]) == (-60_000, had)
    ended = await world.get(f"/v1/payouts/{payout['id']}")
    assert ended["status"] == "failed"
    assert (await events(world, payout["id"]))[-1] == "payout.failed"
    await world.audit()


async def test_coins_that_were_to_go_back_stay_when_their_address_is_listed(world: World, tmp_path: Path) -> None:
    order = await sell_order(world, refund_address=CUSTOMER_ADDRESS)
    await deposit(world, order, "0.00200000", confirmations=3)
    await world.fund(3)
    assert (await world.post(f"/v1/orders/{order['id']}/refund")).status_code == 200
    await world.run_jobs()
    await bring_in(world, tmp_path, CUSTOMER_ADDRESS)
    await world.pay_out()
    await world.audit()
    await confirm(world)
    assert (await balances(world))[BLOCKED] == -200_000
    stopped = await order_of(world, order)
    assert (stopped["status"], reason_of(stopped)) == ("refunding", "screening_hold")
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):
            await orders.release(tx, str(order["id"]), actor="ada", reason="is it refunded?")
    await world.audit()


# --- deposits --------------------------------------------------------------------------------------------------------
