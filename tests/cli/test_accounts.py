"""`rampwright accounts`: what the operator makes of external accounts, and what is recorded of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner, Result

from app.cli import build
from app.db import moves
from app.db.columns import new_id
from app.db.database import Database
from app.db.partners import insert_partner
from app.domain.quote import Terms
from app.schemas.external_accounts import SepaAccountIn
from app.services import external_accounts
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer
from app.settings import Settings
from app.wiring.assembly import policy

Run = Callable[..., Awaitable[Result]]
WHO = ("--actor", "ada", "--reason", "the bank confirmed it")
NO_RAILS = Rails(livemode=False, payin={}, methods={}, chains={}, notifications={}, publishable_keys={})
CAREFUL = Policy(
    Terms(26, 50, 100), timedelta(minutes=1), timedelta(minutes=15), limits={}, accounts_verified_by_checks=False
)
IBAN = "DE89370400440532013000"


@pytest.fixture
def run(db: Database, tmp_path: Path) -> Run:
    """Run a command on this test's database, in a thread: commands have event loops of their own."""
    env = {"RAMPWRIGHT_DATABASE_URL": db.url, "RAMPWRIGHT_HOME": str(tmp_path), "COLUMNS": "300"}

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, build(arguments), arguments, env=env)

    return invoke


@pytest.fixture
async def account_id(db: Database) -> str:
    """An account that waits for a person."""
    body = SepaAccountIn(type="bank", scheme="sepa", iban=IBAN, holder_name="Ada Lovelace")
    facts = external_accounts.read(NO_RAILS, body)
    async with db.transaction() as tx:
        partner_id = new_id("pt")
        await insert_partner(tx, partner_id, "Partner")
        row = external_accounts.row_of(Sealer([Fernet.generate_key()]), partner_id, facts, CAREFUL, datetime.now(UTC))
        await external_accounts.begin(tx, [row], request_id=None)
    return row.id


async def listed(run: Run, *options: str) -> list[dict[str, object]]:
    """What `accounts list` shows."""
    shown = await run("accounts", "list", *options, "--json")
    assert shown.exit_code == 0, shown.output
    assert IBAN not in shown.output
    rows: list[dict[str, object]] = json.loads(shown.stdout)
    return rows


async def test_an_account_goes_every_way_with_who_and_why(db: Database, run: Run, account_id: str) -> None:
    [row] = await listed(run)
    assert (row["account_id"], row["type"], row["leads_to"]) == (account_id, "sepa", "DE ...3000")
    steps = [("verify", "verified"), ("lock", "locked"), ("unlock", "verified"), ("reject", "rejected")]
    for command, status in steps:
        done = await run("accounts", command, account_id, *WHO)
        assert done.exit_code == 0, done.output
        assert done.stdout.strip() == f"{account_id} is {status}"
    assert await listed(run) == []
    [row] = await listed(run, "--status", "rejected")
    assert row["reason"] == "the bank confirmed it"
    recorded = await moves.of_resource(db, account_id)
    assert [(move.sequence, move.trigger, move.target, move.actor, move.reason) for move in recorded] == [
        (1, "created", "pending", None, None),
        (2, "verified", "verified", "ada", "the bank confirmed it"),
        (3, "locked", "locked", "ada", "the bank confirmed it"),
        (4, "unlocked", "verified", "ada", "the bank confirmed it"),
        (5, "rejected", "rejected", "ada", "the bank confirmed it"),
    ]
    async with db.connection() as connection:
        told = await connection.fetch("SELECT type, resource_sequence FROM events ORDER BY position")
    assert [tuple(event) for event in told] == [
        ("external_account.created", 1),
        ("external_account.verified", 2),
        ("external_account.locked", 3),
        ("external_account.verified", 4),
        ("external_account.rejected", 5),
    ]


@pytest.mark.parametrize("command", ["verify", "reject", "lock", "unlock"])
async def test_who_and_why_must_be_said(db: Database, run: Run, account_id: str, command: str) -> None:
    for said in ((), ("--actor", "ada"), ("--actor", " ", "--reason", "x"), ("--actor", "ada", "--reason", "")):
        assert (await run("accounts", command, account_id, *said)).exit_code == 2
    assert len(await moves.of_resource(db, account_id)) == 1


async def test_what_the_table_does_not_name_is_refused(db: Database, run: Run, account_id: str) -> None:
    for command in ("lock", "unlock"):
        refused = await run("accounts", command, account_id, *WHO)
        assert (refused.exit_code, "conflict_state" in refused.stderr) == (1, True)
    assert (await run("accounts", "verify", account_id, *WHO)).exit_code == 0
    assert (await run("accounts", "verify", account_id, *WHO)).exit_code == 1
    assert (await run("accounts", "verify", "xa_01JD0000000000000000000000", *WHO)).exit_code == 1
    assert len(await moves.of_resource(db, account_id)) == 2


def test_the_setting_is_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert policy(Settings()).accounts_verified_by_checks
    monkeypatch.setenv("RAMPWRIGHT_EXTERNAL_ACCOUNTS", "manual")
    assert not policy(Settings()).accounts_verified_by_checks
    monkeypatch.setenv("RAMPWRIGHT_EXTERNAL_ACCOUNTS", "never")
    with pytest.raises(ValueError, match="external_accounts"):
        Settings()
