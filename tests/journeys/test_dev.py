"""`rampwright dev` and `rampwright demo`, as a person uses them: in a new home, twice at once, again, and killed."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.dev.home import Home
from app.signer import key_file
from providers.bitcoin.networks import REGTEST
from providers.bitcoin.wallet import Wallet
from tests.journeys.dev_process import Dev, is_alive, wait_for
from tests.support.identities import called_by, identity, opened_by

PLAIN_SEED = "5eed" * 16

STEPS = ["quote", "order", "card paid", "captured", "sent", "mined", "confirmed", "event delivered"]
STORIES = {
    "buy": STEPS,
    "buy_usdc": STEPS,
    "sell": [
        "quote", "bank account", "order", "coins sent", "deposit seen", "deposit confirmed", "paid out", "settled",
        "event delivered",
    ],
    "payout": ["payout", "settled"],
    "batch": ["batch", "all started", "all settled", "results", "event delivered"],
    "bank_return": ["payout", "settled", "bank return", "returned", "event delivered"],
    "card_3ds": ["order", "challenge", "confirmed", "completed", "event delivered"],
    "card_declined": ["order", "declined", "canceled", "event delivered"],
    "debit_returned": ["order", "mandate given", "paid", "returned", "failed", "event delivered"],
    "dispute": ["order", "completed", "disputed", "lost", "event delivered"],
    "fee_bump": ["order", "sent", "fees rise", "replaced", "confirmed", "event delivered"],
    "reorganisation": ["order", "sent", "confirmations", "reorganised", "mined again", "event delivered"],
}  # fmt: skip
ENDS = {
    "buy": "completed",
    "buy_usdc": "completed",
    "sell": "completed",
    "payout": "settled",
    "batch": "completed",
    "bank_return": "returned",
    "card_3ds": "completed",
    "card_declined": "canceled",
    "debit_returned": "failed",
    "dispute": "completed",
    "fee_bump": "completed",
    "reorganisation": "completed",
}
MOVES = ["placed", "payment_authorised", "payment_captured", "send_prepared", "send_broadcast", "send_confirmed"]


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One home; the tests below are its life, in order."""
    found = Dev(tmp_path_factory.mktemp("dev") / "home")
    (found.home / "secrets").mkdir(mode=0o700, parents=True)
    (found.home / "secrets" / "bitcoin_seed").write_text(PLAIN_SEED)  # as earlier versions kept it
    found.start()
    yield found
    if found.instance.pids and is_alive(found.instance.pids["api"]):
        found.end()


def balances(dev: Dev, key: str) -> int:
    """The status of a request with this key."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{dev.instance.api_url}/v1/balances", headers=headers, timeout=30).status_code


def available(dev: Dev) -> dict[str, str]:
    """What the partner has, of what it has any of."""
    headers = {"Authorization": f"Bearer {dev.instance.api_key}"}
    rows = httpx.get(f"{dev.instance.api_url}/v1/balances", headers=headers, timeout=30).json()["data"]
    return {row["asset"]: row["available"] for row in rows if float(row["available"])}


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def scalar(dev: Dev, query: str, *values: object) -> object:
    """One value out of the instance's database."""

    async def ask() -> object:
        connection = await asyncpg.connect(dev.instance.database_url)
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_new_home_works_and_keeps_its_secrets(dev: Dev) -> None:
    secrets = [dev.home / "dev.json", *(dev.home / "secrets").iterdir()]
    assert len(secrets) > 5
    assert {path: mode(path) for path in secrets} == dict.fromkeys(secrets, 0o600)
    assert set(dev.instance.pids) == {"anvil", "api", "worker", "signer", "sandbox", "caretaker", "postgres"}
    assert all(is_alive(pid) for pid in dev.instance.pids.values())
    assert balances(dev, dev.instance.api_key) == 200
    assert "rampwright_http_requests" in httpx.get(f"{dev.instance.operator_url}/metrics").text
    assert dev.instance.api_key in dev.said.read_text()


def test_the_plain_seed_of_an_earlier_version_is_encrypted_and_gone(dev: Dev) -> None:
    key = (dev.home / "signer" / "key.json").read_bytes()
    assert key_file.decrypt(key, Home(dev.home).secrets().signer_passphrase).hex() == PLAIN_SEED
    assert PLAIN_SEED.encode() not in key
    assert not (dev.home / "secrets" / "bitcoin_seed").exists()
    wallet = Wallet(bytes.fromhex(PLAIN_SEED), REGTEST)
    assert dev.instance.account_keys["bitcoin"] == wallet.account_key


def test_only_the_signer_was_told_the_passphrase(dev: Dev) -> None:
    passphrase = Home(dev.home).secrets().signer_passphrase.encode()
    for name, pid in dev.instance.pids.items():
        for file in ("environ", "cmdline"):
            said = Path(f"/proc/{pid}/{file}").read_bytes()
            assert passphrase not in said, (name, file)
            assert PLAIN_SEED.encode() not in said, (name, file)
    environ = Path(f"/proc/{dev.instance.pids['signer']}/environ").read_bytes()
    assert b"STRIPE" not in environ  # and it is told nothing that it does not need
    assert b"DATABASE_URL" not in environ


def test_each_process_of_roots_has_an_account_of_its_own_and_none_but_the_signers_reads_the_key(dev: Dev) -> None:
    """Not root's, each is ours; that the key is encrypted, and the passphrase the signer's, is tested above."""
    names = ("api", "worker", "signer")
    ids = {name: identity(dev.instance.pids[name]) for name in names}
    if os.geteuid() != 0:
        assert {uid for uid, _, _ in ids.values()} == {os.geteuid()}
        return
    assert len({uid for uid, _, _ in ids.values()} | {0}) == 4
    signer, secrets = dev.home / "signer", dev.home / "secrets"
    private = [signer / "key.json", signer / "policy.json", signer / "journal.sqlite"]
    private += [secrets / "signer_passphrase", secrets / "seal_keys", secrets / "stripe_secret_key"]
    for name in ("api", "worker"):
        assert {opened_by(ids[name], path.resolve()) for path in private} == {"PermissionError"}, name
    assert {opened_by(ids["signer"], path.resolve()) for path in private[:3]} == {"read"}
    assert {opened_by(ids["signer"], path.resolve()) for path in private[3:]} == {"PermissionError"}
    socket = Path(dev.instance.signer_socket)
    assert {name: called_by(ids[name], socket) for name in names} == {
        "api": "PermissionError",  # it watches, and has nothing to sign
        "worker": "called",
        "signer": "called",
    }
    database = Path(dev.instance.database_url.split("host=")[1].split("&")[0]) / ".s.PGSQL.5432"
    assert {name: called_by(ids[name], database) for name in names} == {
        "api": "called",
        "worker": "called",
        "signer": "PermissionError",
    }


def test_the_partner_has_its_first_balance(dev: Dev) -> None:
    assert available(dev) == {"USD": "10000.00", "EUR": "10000.00", "BTC": "1.00000000"}
    assert scalar(dev, "SELECT count(*) FROM top_ups") == 2
    assert scalar(dev, "SELECT count(*) FROM deposits") == 1


def test_the_demo_completes_every_story_and_the_audit_is_green(dev: Dev) -> None:
    said = dev.json("demo")
    assert isinstance(said, dict)
    assert said["completed"] is True
    assert [step["name"] for step in said["steps"]] == STEPS
    assert [move["trigger"] for move in said["transitions"]] == MOVES
    assert said["order"]["status"] == "completed"
    assert said["event"]["type"] == "order.completed"
    assert said["event"]["data"]["object"]["id"] == said["order"]["id"]
    assert {line["kind"] for line in said["ledger"]} >= {"pay_in", "reserve", "convert"}
    assert {story["name"]: [step["name"] for step in story["steps"]] for story in said["stories"]} == STORIES
    assert {story["name"]: story["resource"]["status"] for story in said["stories"]} == ENDS
    batch = next(story["resource"] for story in said["stories"] if story["name"] == "batch")
    assert (batch["items"]["total"], batch["items"]["settled"]) == (1000, 1000)
    assert scalar(dev, "SELECT count(*) FROM sends WHERE state = 'confirmed' AND payout_id IS NOT NULL") == 1001
    assert available(dev)["USD"] == "10000.00"
    assert said["audit"]["clean"] is True
    assert len(said["audit"]["invariants"]) > 30
    assert {row["source"] for row in said["reconciliation"]} >= {"stripe", "increase", "sepa", "bitcoin"}
    assert [row for row in said["reconciliation"] if row["breaks"] or row["broken_units"]] == []


def test_the_demo_fails_when_the_books_are_wrong(dev: Dev) -> None:
    order = scalar(dev, "UPDATE orders SET delivered_units = delivered_units + 1 WHERE direction = 'buy' RETURNING id")
    try:
        ran = dev.run("demo", "--only", "buy")
        assert ran.returncode == 1, ran.stdout
        assert "violated" in ran.stdout
    finally:
        scalar(dev, "UPDATE orders SET delivered_units = delivered_units - 1 WHERE id = $1 RETURNING 1", order)


def test_operators_commands_find_the_instance_by_its_home(dev: Dev) -> None:
    partners = dev.json("partners", "list")
    assert isinstance(partners, list)
    assert [partner["name"] for partner in partners] == ["Development"]
    made = dev.json("keys", "create", partners[0]["id"])
    assert isinstance(made, dict)
    assert balances(dev, made["key"]) == 200
    assert dev.run("keys", "revoke", made["id"]).returncode == 0
    assert balances(dev, made["key"]) == 401
    assert dev.run("keys", "revoke", made["id"]).returncode == 1
    assert made["key"] not in str(dev.json("keys", "list"))
    assert dev.json("holds", "list") == []
    assert dev.run("migrate").returncode == 0


def test_a_second_one_in_the_same_home_is_refused(dev: Dev) -> None:
    ran = dev.run("dev")
    assert ran.returncode == 1
    assert "running already" in ran.stderr
    assert balances(dev, dev.instance.api_key) == 200


def test_an_order_ends_nothing_and_a_later_start_keeps_everything(dev: Dev) -> None:
    before, pids = dev.instance, dev.instance.pids
    assert dev.end(signal.SIGTERM) == 0
    assert [name for name, pid in pids.items() if is_alive(pid)] == []
    coins = "SELECT count(*) FROM coins JOIN wallet_addresses USING (network, script) WHERE purpose = 'funding'"
    dev.start()
    assert dev.instance.api_key == before.api_key
    assert balances(dev, before.api_key) == 200
    assert scalar(dev, coins) == 2000
    assert scalar(dev, "SELECT count(*) FROM orders WHERE state = 'completed'") == 8
    assert scalar(dev, "SELECT count(*) FROM top_ups") == 2
    assert available(dev)["EUR"] == "10000.00"


def test_a_killed_supervisor_takes_its_children_with_it_and_a_key_that_was_revoked_is_replaced(dev: Dev) -> None:
    old, pids = dev.instance.api_key, dev.instance.pids
    scalar(dev, "UPDATE api_keys SET revoked_at = now() RETURNING 1")
    dev.end(signal.SIGKILL)
    wait_for(lambda: not any(is_alive(pid) for pid in pids.values()), "all children ended", 30)
    dev.start()
    assert dev.instance.api_key != old
    assert (balances(dev, old), balances(dev, dev.instance.api_key)) == (401, 200)


@pytest.mark.parametrize("name", ["caretaker", "sandbox", "signer", "worker", "postgres", "api"])
def test_a_killed_child_comes_back_on_the_same_port(dev: Dev, name: str) -> None:
    before = dev.instance
    os.kill(before.pids[name], signal.SIGKILL)
    wait_for(lambda: dev.instance.pids.get(name) not in (None, before.pids[name]), f"{name} started again", 60)
    deadline = time.monotonic() + 60
    while balances(dev, before.api_key) != 200:
        assert time.monotonic() < deadline, dev.logs()
        time.sleep(0.1)
    assert dev.instance.model_copy(update={"pids": {}}) == before.model_copy(update={"pids": {}})
