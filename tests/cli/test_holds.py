"""`rampwright holds`: what waits for a person is listed, let go or given back, with who and why."""

from __future__ import annotations

import asyncio
import json

import pytest

from app.db import moves
from app.services import orders, payouts
from tests.cli.conftest import Run
from tests.support.world import World

WHO = ("--actor", "ada", "--reason", "the bank confirmed it")
# https://increase.com/documentation/errors: an operation that the account does not allow.
REFUSAL = '{"type": "invalid_operation_error", "status": 409, "title": "Not allowed", "detail": null}'


@pytest.fixture
def environment(world: World) -> dict[str, str]:
    """The settings of the world, as environment variables."""
    settings, key = world.settings, world.settings.increase.increase_api_key
    assert key is not None
    return {
        "RAMPWRIGHT_DATABASE_URL": world.db.url,
        "RAMPWRIGHT_HOME": str(settings.process.home),
        "RAMPWRIGHT_SIGNER_SOCKET": str(settings.signer_socket),
        "RAMPWRIGHT_STRIPE_SECRET_KEY": world.stripe_key,
        "RAMPWRIGHT_STRIPE_API_BASE": settings.stripe.stripe_api_base,
        "RAMPWRIGHT_INCREASE_API_KEY": key.get_secret_value(),
        "RAMPWRIGHT_INCREASE_API_BASE": settings.increase.increase_api_base,
        "RAMPWRIGHT_SEPA_FOLDER": str(world.sepa_folder),
        "RAMPWRIGHT_SEPA_HOLDER_NAME": settings.sepa.sepa_holder_name,
        "RAMPWRIGHT_SEPA_IBAN": settings.sepa.sepa_iban or "",
        "RAMPWRIGHT_BITCOIN_RPC_URL": settings.bitcoin.bitcoin_rpc_url or "",
        "COLUMNS": "300",
    }


async def listed(run: Run) -> list[dict[str, str]]:
    """What `holds list` shows."""
    rows: list[dict[str, str]] = json.loads((await run("holds", "list", "--json")).stdout)
    return rows


async def moved(world: World, resource_id: str) -> tuple[str, str | None, str | None]:
    """The last recorded move of a payout or a deposit: what, who, why."""
    last = (await moves.of_resource(world.db, resource_id))[-1]
    return last.trigger, last.actor, last.reason


async def held_order(world: World) -> str:
    """An order that a hold stops."""
    order_id = str((await world.order())["id"])
    async with world.db.transaction() as tx:
        await orders.hold(tx, order_id, "manual_review", cause="test")
    return order_id


async def test_a_hold_is_listed_and_released_with_who_and_why(world: World, run: Run) -> None:
    order_id = await held_order(world)
    [row] = await listed(run)
    assert (row["id"], row["kind"], row["reason"]) == (order_id, "order", "manual_review")
    assert (await run("holds", "release", order_id)).exit_code == 2
    assert (await run("holds", "release", order_id, "--actor", "ada", "--reason", " ")).exit_code == 2
    assert await listed(run) == [row]
    released = await run("holds", "release", order_id, *WHO)
    assert released.exit_code == 0, released.output
    async with world.db.connection() as connection:
        recorded = await connection.fetchrow(
            "SELECT actor, reason FROM transitions WHERE order_id = $1 AND trigger = 'released'", order_id
        )
    assert recorded is not None
    assert tuple(recorded) == ("ada", "the bank confirmed it")
    again = await run("holds", "release", order_id, *WHO)
    assert again.exit_code == 1
    assert "conflict_state" in again.stderr
    await world.follow()
    await world.audit()


async def test_a_held_order_can_be_refunded_with_who_and_why(world: World, run: Run) -> None:
    order = await world.order()
    await world.pay(order)
    async with asyncio.timeout(20):
        while (await world.get(f"/v1/orders/{order['id']}"))["stage"] != "conversion":
            await world.run_jobs("WalletShort")
            await asyncio.sleep(0.02)
    order_id = str(order["id"])
    async with world.db.transaction() as tx:
        await orders.hold(tx, order_id, "manual_review", cause="test")
    refunded = await run("holds", "refund", order_id, *WHO)
    assert refunded.exit_code == 0, refunded.output
    async with world.db.connection() as connection:
        actor = await connection.fetchval(
            "SELECT actor FROM transitions WHERE order_id = $1 AND trigger = 'refund_requested'", order_id
        )
    assert actor == "ada"


async def payout(world: World) -> str:
    """A payout of 25 dollars out of 100."""
    await world.top_up(100_00)
    body = {"amount": {"asset": "USD", "amount": "25.00"}, "external_account_id": await world.account()}
    response = await world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def fault(world: World, kind: str, **words: object) -> None:
    """Let our bank at the far side do something wrong; nobody else's."""
    key = world.settings.increase.increase_api_key
    assert key is not None
    body = {"target": "increase", "account": key.get_secret_value(), "kind": kind, **words}
    await world.far.command("POST", "/control/faults", body)


ACH = {"method": "POST", "path": "/ach_transfers$"}


async def test_a_payout_that_the_bank_refuses_is_given_up(world: World, run: Run) -> None:
    payout_id = await payout(world)
    await fault(world, "error_before", **ACH, status=409, body=REFUSAL)
    await world.drain()
    [row] = await listed(run)
    assert (row["id"], row["kind"], row["state"], row["reason"]) == (
        payout_id, "payout", "sending", "provider_rejected",
    )  # fmt: skip
    assert (await run("holds", "refund", payout_id)).exit_code == 2
    given_up = await run("holds", "refund", payout_id, *WHO)
    assert (given_up.exit_code, given_up.stdout.strip()) == (0, f"{payout_id} is failed"), given_up.output
    assert await moved(world, payout_id) == ("failed", "ada", "the bank confirmed it")
    assert await world.available("USD") == "100.00"
    assert (await run("holds", "refund", payout_id, *WHO)).exit_code == 1
    assert await world.available("USD") == "100.00"
    await world.audit()


async def test_a_payout_that_the_bank_has_is_not_given_up(world: World, run: Run) -> None:
    payout_id = await payout(world)
    await fault(world, "lost", **ACH)
    await fault(world, "webhook_drop", event="^ach_transfer", times=10)  # nor does it tell of it by itself
    await world.run_jobs("OutcomeUnknown")
    async with world.db.transaction() as tx:
        held = await payouts.lock(tx, payout_id)
        assert held is not None
        assert held.state == "sending"
        await payouts.hold(tx, held, "manual_review", cause="test")
    refused = await run("holds", "refund", payout_id, *WHO)
    assert (refused.exit_code, "The bank has this payout" in refused.stderr) == (1, True), refused.output
    assert await world.available("USD") == "75.00"
    released = await run("holds", "release", payout_id, *WHO)
    assert (released.exit_code, released.stdout.strip()) == (0, f"{payout_id} is released: sending"), released.output
    assert await moved(world, payout_id) == ("released", "ada", "the bank confirmed it")
    await world.now_due()
    await world.drain()
    assert (await world.get(f"/v1/payouts/{payout_id}"))["status"] in {"submitted", "settled"}
    await world.audit()


async def test_what_nothing_holds_is_neither_released_nor_given_up(world: World, run: Run) -> None:
    payout_id = await payout(world)
    for command in ("release", "refund"):
        refused = await run("holds", command, payout_id, *WHO)
        assert (refused.exit_code, "conflict_state" in refused.stderr) == (1, True), refused.output
    for subject in ("po_01JD0000000000000000000000", "or_01JD0000000000000000000000"):
        assert (await run("holds", "release", subject, *WHO)).exit_code == 1
        assert (await run("holds", "refund", subject, *WHO)).exit_code == 1
    assert (await run("holds", "release", "cu_1", *WHO)).exit_code == 2


async def test_money_that_nobody_expected_is_given_to_a_partner(world: World, run: Run) -> None:
    await world.far.sepa_credit(world.sepa_folder, 12_34, "Somebody", "no reference at all")
    await world.sepa()
    [row] = await listed(run)
    assert (row["kind"], row["reason"]) == ("top_up", "unmatched")
    assert (await run("holds", "release", row["id"], *WHO)).exit_code == 2
    assert (await run("holds", "release", row["id"], "--partner", "pt_nobody", *WHO)).exit_code == 1
    assert (await run("holds", "refund", row["id"], *WHO)).exit_code == 1
    assert await listed(run) == [row]
    assert await world.available("EUR") == "0.00"
    given = await run("holds", "release", row["id"], "--partner", world.partner.id, *WHO)
    assert given.exit_code == 0, given.output
    assert await world.available("EUR") == "12.34"
    async with world.db.connection() as connection:
        why = await connection.fetchval("SELECT reason FROM top_ups WHERE id = $1", row["id"])
    assert "ada" in why
    assert "the bank confirmed it" in why
    assert (await run("holds", "release", row["id"], "--partner", world.partner.id, *WHO)).exit_code == 1
    assert await world.available("EUR") == "12.34"
    await world.audit()


async def test_coins_at_an_address_that_was_ended_are_released(world: World, run: Run) -> None:
    body = {"asset": "BTC", "network": "bitcoin", "route": "balance"}
    address = (await world.post("/v1/deposit_addresses", body)).json()
    assert (await world.post(f"/v1/deposit_addresses/{address['id']}/deactivate")).status_code == 200
    await world.far.fund([(address["address"], 60_000)])
    await world.follow()
    [row] = await listed(run)
    assert (row["kind"], row["reason"]) == ("deposit", "address_deactivated")
    assert (await run("holds", "refund", row["id"], *WHO)).exit_code == 1
    released = await run("holds", "release", row["id"], *WHO)
    assert released.exit_code == 0, released.output
    assert await moved(world, row["id"]) == ("released", "ada", "the bank confirmed it")
    assert await world.available("BTC", "bitcoin") == "0.00060000"
    assert await listed(run) == []
    await world.audit()


async def balance(world: World, account: str) -> int:
    """What stands on a ledger account, in units."""
    async with world.db.connection() as connection:
        found = await connection.fetchval("SELECT sum(units) FROM postings WHERE account = $1", account)
    return int(found or 0)


async def test_the_operators_own_money_is_booked_once(world: World, run: Run) -> None:
    before, equity = await balance(world, "bank:sepa"), await balance(world, "equity:operator")
    for said in ("booked", "was booked before"):
        done = await run("floats", "put-in", "sepa", "500.00", "EUR", "--reference", "wire-17")
        assert (done.exit_code, said in done.stdout) == (0, True), done.output
        assert await balance(world, "bank:sepa") == before + 500_00
    done = await run("floats", "take-out", "sepa", "200.00", "EUR", "--reference", "wire-18")
    assert done.exit_code == 0, done.output
    assert await balance(world, "bank:sepa") == before + 300_00
    assert await balance(world, "equity:operator") == equity - 300_00


async def test_what_partners_are_owed_is_not_the_operators_to_take(world: World, run: Run) -> None:
    await world.top_up(100_00, "EUR")
    there = await balance(world, "bank:sepa")
    own = f"{(there - 100_00) / 100:.2f}"
    more = f"{(there - 99_99) / 100:.2f}"
    assert (await run("floats", "take-out", "sepa", more, "EUR", "--reference", "w-1")).exit_code != 0
    assert (await run("floats", "take-out", "sepa", own, "EUR", "--reference", "w-1")).exit_code == 0
    assert await balance(world, "bank:sepa") == 100_00


@pytest.mark.parametrize(
    "wrong",
    [
        ("take-out", "sepa", "100000000.00", "EUR", "--reference", "x"),
        ("put-in", "sepa", "1.00", "USD", "--reference", "x"),
        ("put-in", "nobody", "1.00", "EUR", "--reference", "x"),
        ("put-in", "sepa", "0.00", "EUR", "--reference", "x"),
        ("put-in", "sepa", "1.001", "EUR", "--reference", "x"),
        ("put-in", "sepa", "1.00", "EUR", "--reference", " "),
        ("put-in", "sepa", "1.00", "EUR"),
    ],
)
async def test_no_other_float_is_booked(world: World, run: Run, wrong: tuple[str, ...]) -> None:
    before = await balance(world, "equity:operator")
    assert (await run("floats", *wrong)).exit_code != 0
    assert await balance(world, "equity:operator") == before
