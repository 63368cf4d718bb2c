"""Batches end to end: accepted, paid in chunks, resumed after a crash, and the books right after each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg
import pytest

from app.db.database import Database
from app.services import batch_payments
from tests.support.batches import Json, available, item, wallet
from tests.support.coins import deposit, standing_address
from tests.support.world import World

ALL = {"total": 3, "invalid": 0, "started": 3, "settled": 3, "failed": 0}


async def make(world: World, items: list[Json], **changes: object) -> str:
    """Accept a batch; its id."""
    response = await world.post("/v1/payout_batches", {"mode": "best_effort", "items": items, **changes})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def found(world: World, statement: str, *values: object) -> list[Mapping[str, object]]:
    """What a statement finds."""
    async with world.db.connection() as connection:
        return [dict(record) for record in await connection.fetch(statement, *values)]


async def payouts_of(world: World, batch_id: str) -> list[int]:
    """The positions of the items of which payouts were made, each as often as there is one."""
    rows = await found(world, "SELECT batch_position FROM payouts WHERE batch_id = $1 ORDER BY 1", batch_id)
    return [int(str(row["batch_position"])) for row in rows]


async def deposited(world: World, amount: str = "0.01000000") -> None:
    """Put coins on the partner's balance, through the chain."""
    await deposit(world, await standing_address(world), amount, confirmations=6)
    await world.drain()


async def items_of(world: World, batch_id: str, query: str = "") -> list[Json]:
    """The items of a batch as the API shows them."""
    data = (await world.get(f"/v1/payout_batches/{batch_id}/items{query}"))["data"]
    assert isinstance(data, list)
    return data


async def buried(world: World) -> None:
    """Let everything be sent, and bury it deep."""
    await world.drain()
    await world.far.mine("bitcoin", 6)
    await world.drain()


async def test_a_batch_is_paid_to_the_last_item(world: World) -> None:
    await world.fund()
    await deposited(world)
    before = await available(world.db, world.partner.id)
    batch_id = await make(world, [item(1), item(2), item(3, external_id="mine")], external_id="run-1")
    assert await available(world.db, world.partner.id) == before - 30_000
    await buried(world)
    batch = await world.get(f"/v1/payout_batches/{batch_id}")
    assert (batch["status"], batch["items"], batch["sequence"]) == ("completed", ALL, 2)
    items = await items_of(world, batch_id)
    assert [one["status"] for one in items] == ["settled"] * 3
    assert len({one["tx_hash"] for one in items}) == 1  # one transaction paid all of them
    assert [
        one["type"]
        for one in await found(world, "SELECT type FROM events WHERE resource_id = $1 ORDER BY position", batch_id)
    ] == ["payout_batch.created", "payout_batch.completed"]
    await world.audit()


async def test_paying_again_pays_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_payments, "CHUNK", 2)
    await deposited(world)
    batch_id = await make(world, [item(n) for n in range(5)])
    await asyncio.gather(*(batch_payments.pay(world.db, world.rails, batch_id) for _ in range(4)))
    await batch_payments.pay(world.db, world.rails, batch_id)
    assert await payouts_of(world, batch_id) == [1, 2, 3, 4, 5]


async def test_a_crash_between_chunks_goes_on_at_the_next_item(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second chunk is held up by a lock on an account that it refers to, and its connection killed meanwhile."""
    monkeypatch.setattr(batch_payments, "CHUNK", 2)
    await world.fund()
    await deposited(world)
    batch_id = await make(world, [item(n) for n in range(5)])
    locking = "SELECT 1 FROM payout_items WHERE batch_id = $1 AND position = 3 FOR UPDATE"
    async with world.db.connection() as killer, world.db.transaction() as tx:
        await tx.execute(locking, batch_id)
        paying = asyncio.create_task(batch_payments.pay(world.db, world.rails, batch_id))
        while not await killer.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            await asyncio.sleep(0.01)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await paying
    assert await payouts_of(world, batch_id) == [1, 2]
    assert (await world.get(f"/v1/payout_batches/{batch_id}"))["items"] == {
        "total": 5, "invalid": 0, "started": 2, "settled": 0, "failed": 0
    }  # fmt: skip
    await buried(world)
    assert await payouts_of(world, batch_id) == [1, 2, 3, 4, 5]
    assert (await world.get(f"/v1/payout_batches/{batch_id}"))["status"] == "completed"
    await world.audit()


async def test_an_external_id_that_is_taken_meanwhile_fails_its_item_alone(world: World) -> None:
    await world.fund()
    await deposited(world)
    account = await world.account(**wallet(9))
    batch_id = await make(world, [item(1, external_id="a"), item(2, external_id="b")])
    single = {"amount": item(1)["amount"], "external_account_id": account, "external_id": "b"}
    assert (await world.post("/v1/payouts", single)).status_code == 201
    before = await available(world.db, world.partner.id)
    await buried(world)
    batch = await world.get(f"/v1/payout_batches/{batch_id}")
    assert batch["status"] == "partially_completed"
    assert batch["items"] == {"total": 2, "invalid": 1, "started": 2, "settled": 1, "failed": 0}
    [bad] = await items_of(world, batch_id, "?status=invalid")
    assert bad["errors"] == [{"code": "external_id_used", "pointer": "/external_id"}]
    assert await available(world.db, world.partner.id) == before + 10_000
    await world.audit()


async def somebody_waits(db: Database) -> bool:
    """Whether a statement waits for a lock; asked outside of any transaction, which would see one moment for ever."""
    async with db.connection() as connection:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )


async def test_an_external_id_that_is_taken_in_the_same_moment(world: World) -> None:
    """Another transaction has written the id, and not committed, when the chunk looks: it waits, and looks again."""
    await deposited(world)
    batch_id = await make(world, [item(1, external_id="a"), item(2, external_id="b")])
    other = await make(world, [item(3)])
    await batch_payments.pay(world.db, world.rails, other)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payouts SET external_id = 'b' WHERE batch_id = $1", other)
        paying = asyncio.create_task(batch_payments.pay(world.db, world.rails, batch_id))
        while not await somebody_waits(world.db):
            assert not paying.done()
            await asyncio.sleep(0.01)
    await paying
    assert await payouts_of(world, batch_id) == [1]


async def test_a_locked_account_fails_its_item_alone(world: World) -> None:
    await deposited(world)
    account = await world.account(**wallet(9))
    batch_id = await make(
        world, [item(1), {"amount": item(1)["amount"], "external_account_id": account}], mode="all_or_nothing"
    )
    assert (await world.post(f"/v1/external_accounts/{account}/close")).status_code == 200
    await batch_payments.pay(world.db, world.rails, batch_id)
    assert await payouts_of(world, batch_id) == [1]


async def test_p_01_fifty_batches_that_each_fit_never_overdraw(world: World) -> None:
    await deposited(world, "0.00100000")
    bodies = [{"mode": "best_effort", "items": [item(n, "0.00030000")]} for n in range(50)]
    answers = await asyncio.gather(*(world.post("/v1/payout_batches", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 47
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"insufficient_balance"}
    assert await available(world.db, world.partner.id) == 10_000
    assert len(await found(world, "SELECT 1 FROM payout_batches")) == 3
    assert len(await found(world, "SELECT 1 FROM external_accounts")) == 3


async def test_bank_items_settle_and_one_comes_back(world: World) -> None:
    """A settled item that is returned later stays counted as settled, and its results show it."""
    await world.top_up(10_000)
    account = await world.account()
    one: Json = {"amount": {"asset": "USD", "amount": "10.00"}, "external_account_id": account, "reference": "Payroll"}
    batch_id = await make(world, [one, one])
    await world.drain()
    items = await items_of(world, batch_id)
    assert [each["warnings"] for each in items] == [[], ["duplicate_item"]]
    for each in items:
        await world.far.increase_settle(str(each["provider_reference"]))

    async def over() -> bool:
        return (await world.get(f"/v1/payout_batches/{batch_id}"))["status"] == "completed"

    await world.eventually(over, "a batch paid by the bank")
    await world.far.increase_return(str(items[0]["provider_reference"]), "R03")

    async def back() -> bool:
        return (await items_of(world, batch_id))[0]["status"] == "returned"

    await world.eventually(back, "a return")
    counts = (await world.get(f"/v1/payout_batches/{batch_id}"))["items"]
    assert counts == {"total": 2, "invalid": 0, "started": 2, "settled": 2, "failed": 0}
    assert [each["status"] for each in await items_of(world, batch_id)] == ["returned", "settled"]
    assert await available(world.db, world.partner.id, "USD") == 9_000
    await world.audit()
