"""`rampwright wallet`: the stop, cold addresses and the state of things, each with who and why."""

from __future__ import annotations

import json

import pytest

from app.db import spending
from app.services import treasury
from tests.cli.conftest import Run
from tests.journeys.test_abandoned import lineage_of, swept_away
from tests.journeys.test_bumps import sent
from tests.support.signing import COLD_ADDRESS
from tests.support.world import World

WHO = ("--actor", "ada", "--reason", "drill")


@pytest.fixture
def environment(world: World) -> dict[str, str]:
    """The settings of the world, as environment variables."""
    return {
        "RAMPWRIGHT_DATABASE_URL": world.db.url,
        "RAMPWRIGHT_HOME": str(world.settings.process.home),
        "RAMPWRIGHT_WALLET_CEILING": '{"bitcoin": 1000000}',
        "RAMPWRIGHT_BITCOIN_RPC_URL": f"{world.far_url}/bitcoin",
        "RAMPWRIGHT_BITCOIN_RPC_USER": "sandbox",
        "RAMPWRIGHT_BITCOIN_RPC_PASSWORD": "sandbox",
        "COLUMNS": "300",
    }


async def test_the_stop_is_recorded_and_shown(world: World, run: Run) -> None:
    await world.fund(2)
    assert (await run("wallet", "stop", "bitcoin", "--actor", "ada")).exit_code == 2
    stopped = await run("wallet", "stop", "bitcoin", *WHO)
    assert (stopped.exit_code, "sending is stopped" in stopped.stdout) == (0, True), stopped.output
    shown = json.loads((await run("wallet", "status", "--json")).stdout)
    [row] = [row for row in shown["wallets"] if row["network"] == "bitcoin"]
    assert (row["sending"], row["crediting"], row["coins"], row["left"]) == ("stopped", "yes", 2, "0.10000000")
    assert (await run("wallet", "stop", "bitcoin", "--crediting", *WHO)).exit_code == 0
    assert (await run("wallet", "start", "bitcoin", *WHO)).exit_code == 0
    async with world.db.connection() as connection:
        assert await spending.may_send(connection, "bitcoin")
        assert not await spending.may_credit(connection, "bitcoin")
        said = await connection.fetch("SELECT command, actor, reason FROM wallet_commands ORDER BY id")
    assert [tuple(row) for row in said] == [
        ("stop_sending", "ada", "drill"),
        ("stop_crediting", "ada", "drill"),
        ("start_sending", "ada", "drill"),
    ]
    assert (await run("wallet", "stop", "dogecoin", *WHO)).exit_code == 2
    await world.audit()


async def test_a_cold_address_takes_two_people_and_a_day(world: World, run: Run) -> None:
    await world.fund(1)
    allow, sweep = ("wallet", "allow", "bitcoin", COLD_ADDRESS), ("wallet", "sweep", "bitcoin", COLD_ADDRESS)
    assert (await run("wallet", "allow", "bitcoin", "bc1nonsense", *WHO)).exit_code == 1
    assert "somebody else" in (await run(*allow, *WHO)).stdout
    assert (await run(*allow, *WHO)).exit_code == 1
    assert "agreed to" in (await run(*allow, "--actor", "bob", "--reason", "our vault")).stdout
    assert "a day" in (await run(*sweep, *WHO)).stderr
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE cold_addresses SET added_at = added_at - interval '24 hours'")
    asked = await run(*sweep, *WHO)
    assert (asked.exit_code, "0.04000000" in asked.stdout) == (0, True), asked.output
    assert await treasury.sweep(world.db, world.worker.senders["bitcoin"]) is not None
    shown = json.loads((await run("wallet", "status", "--json")).stdout)
    assert [(row["for"], row["attempts"]) for row in shown["pending"]] == [("sweep", 1)]
    assert [(row["proposed_by"], row["agreed_by"]) for row in shown["cold"]] == [("ada", "bob")]
    await world.audit()


async def test_what_can_still_be_mined_is_not_given_up(world: World, run: Run) -> None:
    await world.fund(1)
    order = await sent(world)
    lineage_id = await lineage_of(world, order["id"])
    assert (await run("wallet", "abandon", "ln_nobodys", *WHO)).exit_code == 2
    refused = await run("wallet", "abandon", lineage_id, *WHO)
    assert (refused.exit_code, "can still be mined" in refused.stderr) == (1, True), refused.output
    await swept_away(world, order)
    given_up = await run("wallet", "abandon", lineage_id, *WHO)
    assert (given_up.exit_code, "is in no block" in given_up.stdout) == (0, True), given_up.output
    async with world.db.connection() as connection:
        said = await connection.fetch("SELECT command, subject, actor, reason FROM wallet_commands")
    assert [tuple(row) for row in said] == [("abandon", lineage_id, "ada", "drill")]
