"""The operator's commands: what they show, what they insist on, what they record, and how they end."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import build
from app.db import notifications
from app.db.alerts import raise_alert
from app.db.database import Database
from app.dev.programs import command_line, search_path
from app.services import orders
from app.services.notifications import PARKED
from tests.support.world import World

Run = Callable[..., Awaitable[Result]]
WHO = ("--actor", "ada", "--reason", "the bank confirmed it")


@pytest.fixture
def run(db: Database, tmp_path: Path) -> Run:
    """Run a command on this test's database, in a thread: commands have event loops of their own."""
    env = {"RAMPWRIGHT_DATABASE_URL": db.url, "RAMPWRIGHT_HOME": str(tmp_path), "COLUMNS": "300"}

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, build(arguments), arguments, env=env)

    return invoke


async def held_order(world: World) -> str:
    """An order that a hold stops."""
    order_id = str((await world.order())["id"])
    async with world.db.transaction() as tx:
        await orders.hold(tx, order_id, "manual_review", cause="test")
    return order_id


async def parked(db: Database, state: str) -> str:
    """A notification that waits for a person."""
    async with db.transaction() as tx:
        stored = await notifications.insert(
            tx,
            provider="stripe",
            notification_id=f"evt_{state}",
            kind="charge.odd",
            livemode=False,
            body=b"{}",
            state="received",
        )
        assert stored is not None
        await notifications.finish(tx, stored, state, "no such edge")
        await raise_alert(tx, PARKED, stored, "no such edge")
    return stored


async def test_a_partner_and_a_key_are_made_shown_and_revoked(run: Run) -> None:
    partner = json.loads((await run("partners", "create", "Ada's shop", "--json")).stdout)
    made = json.loads((await run("keys", "create", partner["id"], "--days", "2", "--json")).stdout)
    listed = json.loads((await run("keys", "list", "--partner", partner["id"], "--json")).stdout)
    assert [key["id"] for key in listed] == [made["id"]]
    assert made["key"].startswith("rmp_sk_test_")
    assert made["key"] not in json.dumps(listed)
    assert (await run("keys", "revoke", made["id"])).exit_code == 0
    assert (await run("keys", "revoke", made["id"])).exit_code == 1
    assert (await run("keys", "create", "pt_nobody")).exit_code == 1
    assert "Ada's shop" in (await run("partners", "list")).stdout


async def test_a_hold_is_listed_and_released_with_who_and_why(world: World, run: Run) -> None:
    order_id = await held_order(world)
    [row] = json.loads((await run("holds", "list", "--json")).stdout)
    assert (row["order_id"], row["reason"]) == (order_id, "manual_review")
    assert (await run("holds", "release", order_id)).exit_code == 2
    assert (await run("holds", "release", order_id, "--actor", "ada", "--reason", " ")).exit_code == 2
    assert json.loads((await run("holds", "list", "--json")).stdout) == [row]
    released = await run("holds", "release", order_id, *WHO)
    assert released.exit_code == 0, released.output
    async with world.db.connection() as connection:
        moved = await connection.fetchrow(
            "SELECT actor, reason FROM transitions WHERE order_id = $1 AND trigger = 'released'", order_id
        )
    assert moved is not None
    assert tuple(moved) == ("ada", "the bank confirmed it")
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


async def test_a_parked_notification_is_tried_again_with_who_and_why(db: Database, run: Run) -> None:
    stored = await parked(db, "parked")
    [row] = json.loads((await run("notifications", "list", "--json")).stdout)
    assert (row["id"], row["error"]) == (stored, "no such edge")
    assert (await run("notifications", "retry", stored)).exit_code == 2
    assert (await run("notifications", "retry", stored, *WHO)).exit_code == 0
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT state FROM notifications WHERE id = $1", stored) == "received"
        recorded = await connection.fetchrow("SELECT actor, reason FROM notification_retries")
        jobs = await connection.fetch("SELECT entrypoint, payload FROM pgqueuer")
        open_alerts = await connection.fetchval("SELECT count(*) FROM alerts WHERE resolved_at IS NULL")
    assert recorded is not None
    assert tuple(recorded) == ("ada", "the bank confirmed it")
    assert [(job["entrypoint"], bytes(job["payload"]).decode()) for job in jobs] == [("process_notification", stored)]
    assert open_alerts == 0
    assert (await run("notifications", "retry", stored, *WHO)).exit_code == 1


async def test_a_quarantined_notification_is_never_tried(db: Database, run: Run) -> None:
    stored = await parked(db, "quarantined")
    refused = await run("notifications", "retry", stored, *WHO)
    assert (refused.exit_code, "quarantined" in refused.stderr) == (1, True)
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM notification_retries") == 0
        assert await connection.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_without_an_instance_a_command_says_what_to_set(tmp_path: Path) -> None:
    env = {"RAMPWRIGHT_HOME": str(tmp_path)}
    said = await asyncio.to_thread(CliRunner().invoke, build(["holds"]), ["holds", "list"], env=env)
    assert said.exit_code == 1
    assert "RAMPWRIGHT_DATABASE_URL" in said.stderr


@pytest.mark.parametrize("program", ["api", "worker"])
async def test_no_program_starts_on_another_schema(db: Database, tmp_path: Path, program: str) -> None:
    async with db.connection() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '0000_older'")
    (tmp_path / "seed").write_text("11" * 32)
    settings = {
        "RAMPWRIGHT_DATABASE_URL": db.url,
        "RAMPWRIGHT_HOME": str(tmp_path),
        "RAMPWRIGHT_PORT": "0",
        "RAMPWRIGHT_STRIPE_SECRET_KEY": "sk_test_x",
        "RAMPWRIGHT_BITCOIN_RPC_URL": "http://127.0.0.1:1",
        "RAMPWRIGHT_BITCOIN_SEED_FILE": str(tmp_path / "seed"),
    }
    process = await asyncio.create_subprocess_exec(
        *command_line(program),
        env={**os.environ, **search_path(), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"0000_older" in said
    assert b"rampwright migrate" in said


async def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {"RAMPWRIGHT_HOME": str(tmp_path), "RAMPWRIGHT_PORT": str(taken.getsockname()[1])}
        said = await asyncio.to_thread(CliRunner().invoke, build(["dev"]), ["dev"], env=env)
    assert said.exit_code == 1
    assert "RAMPWRIGHT_PORT" in said.stderr


async def test_unsafe_settings_are_told_without_their_values(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAMPWRIGHT_STRIPE_SECRET_KEY", "sk_live_precious")
    said = await run("holds", "list")
    assert said.exit_code == 2
    assert "RAMPWRIGHT_STRIPE_SECRET_KEY is not a test key" in said.stderr
    assert "precious" not in said.output
