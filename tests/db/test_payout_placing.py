"""The one statement that places a payout writes what the services would write, and nothing unless all of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import orjson
import pytest

from app.db import idempotency, ledger
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.payout_placing import insert_placed
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain import chart
from app.domain.assets import USD
from app.domain.money import Money
from app.domain.payout import PayoutState
from app.services import payouts
from app.services.payout_view import payout_out

PARTNER = "pt_1"
TABLES = ("payouts", "moves", "entries", "postings", "ledger_accounts", "events", "pgqueuer", "pgqueuer_log")
# What differs from row to row of its own accord.
_OWN = {
    "id",
    "job_id",
    "entry_id",
    "position",
    "created",
    "updated",
    "created_at",
    "updated_at",
    "execute_after",
    "heartbeat",
    "at",
}


@pytest.fixture
async def funded(db: Database) -> Database:
    """A partner with 100 dollars and a verified bank account."""
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO partners (id, name) VALUES ($1, 'Partner')", PARTNER)
        await tx.execute(
            """
            INSERT INTO external_accounts (id, partner_id, type, scheme, asset, holder_name, last4, details,
                                           fingerprint, status)
            VALUES ('xa_1', $1, 'bank', 'ach', 'USD', 'Ada', '3210', '\\x00', '\\x00', 'verified')
            """,
            PARTNER,
        )
        credit = chart.partner_available(PARTNER)
        await ledger.post(tx, books.topped_up("tu_1:credit", "increase", Money(100_00, USD), credit=credit))
    return db


def payout_of(units: object = 25_00, **changes: object) -> Payout:
    now = datetime.now(UTC)
    values: dict[str, object] = {
        "id": new_id("po"), "partner_id": PARTNER, "kind": "payout", "external_account_id": "xa_1", "asset": "USD",
        "units": units, "method": "ach", "provider": "increase", "reference": "Invoice 42", "state": "queued",
        "sequence": 1, "payout_metadata": {"cart": "9"}, "created_by": "key_1", "request_id": "req_1",
        "livemode": False, "created_at": now, "updated_at": now,
    }  # fmt: skip
    return Payout.model_validate(values | changes)


async def placed(tx: Transaction, payout: Payout, key: str) -> bool:
    waiting = payout.payout_state is PayoutState.PENDING_APPROVAL
    trigger = "approval_required" if waiting else "created"
    return await insert_placed(
        tx,
        payout,
        trigger=trigger,
        event_type=f"payout.{trigger}",
        key=key,
        request_hash=b"h",
        response=payout_out(payout).model_dump_json().encode(),
        with_job=payouts.waits_for_job(payout),
    )


async def placed_by_services(tx: Transaction, payout: Payout) -> None:
    amount = Money(payout.units, USD)
    await ledger.post(tx, books.reserved(payout.id, payout.partner_id, amount), subject=payout.id)
    await payouts.begin(tx, [payout], payout.id, actor=payout.created_by)


async def written(db: Database, payout_id: str) -> dict[str, list[dict[str, object]]]:
    """Every row that is about a payout, without ids and times."""
    found: dict[str, list[dict[str, object]]] = {}
    async with db.connection() as connection:
        jobs = "(SELECT id FROM pgqueuer WHERE payload = convert_to($1, 'UTF8'))"
        about = {
            "payouts": "id = $1",
            "moves": "resource_id = $1",
            "entries": "subject = $1",
            "postings": "entry_id IN (SELECT id FROM entries WHERE subject = $1)",
            "ledger_accounts": "id = 'payout:' || $1",
            "events": "resource_id = $1",
            "pgqueuer": "payload = convert_to($1, 'UTF8')",
            "pgqueuer_log": f"job_id IN {jobs}",
        }
        for table in TABLES:
            records = await connection.fetch(f"SELECT * FROM {table} WHERE {about[table]}", payout_id)  # noqa: S608
            rows = [{name: _said(value, payout_id) for name, value in record.items()} for record in records]
            kept = [{name: value for name, value in row.items() if name not in _OWN} for row in rows]
            found[table] = sorted(kept, key=str)
    return found


def _said(value: object, payout_id: str) -> object:
    text = bytes(value).decode() if isinstance(value, bytes | memoryview) else value
    return text.replace(payout_id, "ID") if isinstance(text, str) else text


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"state": "pending_approval", "approval_hash": b"\x01" * 32, "reference": None},
        {"method": "sepa", "provider": "sepa", "external_id": "pay-1", "payout_metadata": {}},
        {"method": "chain", "provider": "bitcoin", "address": "bcrt1q", "script": "0014"},
    ],
    ids=["ach", "approval", "sepa", "chain"],
)
async def test_one_statement_writes_what_the_services_write(funded: Database, changes: dict[str, object]) -> None:
    one = payout_of(**changes)
    other = payout_of(**changes)
    if other.external_id is not None:
        other.external_id = "pay-2"
    async with funded.transaction() as tx:
        assert await placed(tx, one, "k")
    async with funded.transaction() as tx:
        other.created_at = other.updated_at = one.created_at
        await placed_by_services(tx, other)
    by_statement, by_services = await written(funded, one.id), await written(funded, other.id)
    for rows in (by_statement, by_services):
        [event] = rows["events"]
        document = orjson.loads(str(event["data"]))
        for name in ("created_at", "updated_at", "external_id"):
            document["object"].pop(name)
        event["data"] = document
        assert document["object"]["status"] == one.state
        for row in rows["payouts"]:
            row.pop("poll_at")
            row.pop("external_id")
    assert by_statement == by_services
    assert len(by_statement["payouts"]) == len(by_statement["moves"]) == 1
    assert len(by_statement["postings"]) == 2
    assert (
        len(by_statement["pgqueuer"])
        == len(by_statement["pgqueuer_log"])
        == (one.method == "ach" and one.state == "queued")
    )


async def test_its_key_answers_with_what_was_written(funded: Database) -> None:
    payout = payout_of()
    async with funded.transaction() as tx:
        assert await placed(tx, payout, "k")
        stored = await idempotency.find(tx, PARTNER, "k")
    assert stored is not None
    assert (stored.resource_id, stored.status, stored.request_hash) == (payout.id, 201, b"h")
    assert stored.response == payout_out(payout).model_dump_json().encode()


async def everything(db: Database) -> list[int]:
    async with db.connection() as connection:
        return [
            await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
            for table in (*TABLES, "idempotency_keys")
        ]


async def balance_of(db: Database) -> int:
    async with db.transaction() as tx:
        return await ledger.lock_available(tx, PARTNER, "USD")


@pytest.mark.parametrize(
    ("reason", "units"), [("balance", 100_01), ("account", 1), ("foreign", 1), ("key", 1), ("asset", 1)]
)
async def test_what_cannot_be_placed_leaves_no_trace(funded: Database, reason: str, units: int) -> None:
    payout = payout_of(units)
    async with funded.transaction() as tx:
        if reason == "account":
            await tx.execute("UPDATE external_accounts SET status = 'locked'")
        if reason == "foreign":
            payout.external_account_id = "xa_2"
        if reason == "key":
            assert await idempotency.claim(tx, PARTNER, "k", b"h")
        if reason == "asset":
            payout.asset = "EUR"
    before = await everything(funded)
    async with funded.transaction() as tx:
        assert not await placed(tx, payout, "k")
    assert await everything(funded) == before
    assert await balance_of(funded) == 100_00


async def test_the_whole_balance_can_go_and_not_a_cent_more(funded: Database) -> None:
    async with funded.transaction() as tx:
        assert await placed(tx, payout_of(100_00), "k1")
        assert not await placed(tx, payout_of(1), "k2")
    assert await balance_of(funded) == 0


async def test_a_known_external_id_is_refused_whole(funded: Database) -> None:
    async with funded.transaction() as tx:
        assert await placed(tx, payout_of(external_id="pay-1"), "k1")
    before = await everything(funded)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with funded.transaction() as tx:
            await placed(tx, payout_of(external_id="pay-1"), "k2")
    assert await everything(funded) == before
    assert await balance_of(funded) == 75_00


async def test_fault_f_140_parallel_statements_never_overdraw(funded: Database) -> None:
    async def place(number: int) -> bool:
        async with funded.connection() as connection:
            return await placed(connection, payout_of(30_00), f"k{number}")

    done = await asyncio.gather(*(place(number) for number in range(20)))
    assert sum(done) == 3
    assert await balance_of(funded) == 10_00


async def test_an_account_that_is_being_closed_is_waited_for(funded: Database) -> None:
    async with funded.connection() as closing, funded.connection() as paying:
        transaction = closing.transaction()
        await transaction.start()
        await closing.execute("UPDATE external_accounts SET status = 'closed' WHERE id = 'xa_1'")
        waiting = asyncio.create_task(placed(paying, payout_of(), "k"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await transaction.commit()
        assert not await waiting
    assert await balance_of(funded) == 100_00
