"""The operator's commands: what they show, what they insist on, what they record, and how they end."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import build
from app.db import notifications
from app.db.alerts import raise_alert
from app.db.database import Database
from app.dev.programs import command_line, search_path
from app.services.notifications import PARKED
from providers.bitcoin.networks import REGTEST
from providers.bitcoin.wallet import Wallet
from tests.cli.conftest import Run

WHO = ("--actor", "ada", "--reason", "the bank confirmed it")


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


BOTH = [("payouts:create", "payouts:approve"), ("payouts:*",), ("*",)]


@pytest.mark.parametrize("scopes", BOTH, ids=" ".join)
async def test_fault_k_01_no_key_both_makes_and_approves_payouts(run: Run, scopes: tuple[str, ...]) -> None:
    partner = json.loads((await run("partners", "create", "Ada's shop", "--json")).stdout)["id"]
    asked = ["keys", "create", partner, *(word for scope in scopes for word in ("--scope", scope))]
    refused = await run(*asked)
    assert (refused.exit_code, "self_approval_forbidden" in refused.stderr) == (1, True)
    assert json.loads((await run("keys", "list", "--json")).stdout) == []
    assert (await run(*asked, "--maker-and-checker")).exit_code == 0
    for one in ("payouts:create", "payouts:approve"):
        assert (await run("keys", "create", partner, "--scope", one)).exit_code == 0
    [_, maker, checker] = json.loads((await run("keys", "list", "--json")).stdout)
    assert (maker["scopes"], checker["scopes"]) == (["payouts:create"], ["payouts:approve"])


async def test_what_a_partners_key_may_do_by_default_leaves_approving_out(run: Run) -> None:
    partner = json.loads((await run("partners", "create", "Ada's shop", "--json")).stdout)["id"]
    assert (await run("keys", "create", partner)).exit_code == 0
    [key] = json.loads((await run("keys", "list", "--json")).stdout)
    assert "payouts:create" in key["scopes"]
    assert {"payouts:approve", "payouts:*", "*"}.isdisjoint(key["scopes"])


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
    settings = {
        "RAMPWRIGHT_DATABASE_URL": db.url,
        "RAMPWRIGHT_HOME": str(tmp_path),
        "RAMPWRIGHT_PORT": "0",
        "RAMPWRIGHT_STRIPE_SECRET_KEY": "sk_test_x",
        "RAMPWRIGHT_BITCOIN_RPC_URL": "http://127.0.0.1:1",
        "RAMPWRIGHT_ACCOUNT_KEYS": json.dumps({"bitcoin": Wallet(bytes(32), REGTEST).account_key}),
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
