"""`advance` under concurrency and failure: one fact, one move, whatever happens around it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import asyncpg
import pytest

from app.db.database import Database
from app.domain.errors import IllegalTransition
from app.domain.order import OrderTrigger
from app.domain.order_terms import Moved
from app.services.orders import Fact, advance
from tests.db.rows import count, make_order

TABLES = ("transitions", "entries", "postings", "events", "pgqueuer")
CAPTURED = Fact(OrderTrigger.PAYMENT_CAPTURED, "stripe:pi_1", moved=Moved("pi_1", amount=10_000))


async def counts(db: Database) -> dict[str, int]:
    """What has been written."""
    return {table: await count(db, table) for table in TABLES}


async def state_of(db: Database, order_id: str) -> tuple[str, int, int]:
    """The order's state, sequence, and what it received."""
    async with db.connection() as connection:
        row = await connection.fetchrow("SELECT state, sequence, received_units FROM orders WHERE id = $1", order_id)
    assert row is not None
    return row["state"], row["sequence"], int(row["received_units"])


async def _tell(db: Database, order_id: str, fact: Fact) -> bool:
    async with db.transaction() as tx:
        return await advance(tx, order_id, fact) is not None


async def test_eight_at_once_move_it_once(db: Database) -> None:
    order_id = await make_order(db)
    moved = await asyncio.gather(*(_tell(db, order_id, CAPTURED) for _ in range(8)))
    assert sorted(moved) == [False] * 7 + [True]
    # Beside the placing's own transition: one transition, one entry of two postings, one event, one job.
    assert await counts(db) == {"transitions": 2, "entries": 1, "postings": 2, "events": 1, "pgqueuer": 1}
    assert await state_of(db, order_id) == ("paid", 2, 10_000)


async def test_rival_facts_at_once_leave_one_history(db: Database) -> None:
    """A cancellation and a capture meet: whichever is first, what follows is an edge of the table."""
    order_id = await make_order(db)
    canceled = Fact(OrderTrigger.CANCELED, f"{order_id}:cancel")
    results = await asyncio.gather(
        *(_tell(db, order_id, fact) for fact in (CAPTURED, canceled) * 4), return_exceptions=True
    )
    unexpected = [one for one in results if isinstance(one, Exception) and not isinstance(one, IllegalTransition)]
    assert not unexpected
    assert (await state_of(db, order_id))[0] in {"paid", "refunding"}
    async with db.connection() as connection:
        steps = await connection.fetch(
            "SELECT source, target FROM transitions WHERE order_id = $1 ORDER BY sequence", order_id
        )
    assert all(before["target"] == after["source"] for before, after in pairwise(steps))
    assert await count(db, "entries") == 1


async def test_an_exception_before_the_commit_leaves_nothing(db: Database) -> None:
    order_id = await make_order(db)
    before = await counts(db), await state_of(db, order_id)

    async def die() -> None:
        async with db.transaction() as tx:
            await advance(tx, order_id, CAPTURED)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await die()
    assert (await counts(db), await state_of(db, order_id)) == before
    assert await _tell(db, order_id, CAPTURED)  # and the fact still counts when it is told again


async def test_a_lost_connection_leaves_nothing(db: Database) -> None:
    order_id = await make_order(db)
    before = await counts(db), await state_of(db, order_id)

    async def be_cut_off() -> None:
        async with db.connection() as other, db.transaction() as tx:
            await advance(tx, order_id, CAPTURED)
            await other.execute("SELECT pg_terminate_backend($1)", tx.get_server_pid())
            await tx.execute("SELECT 1")

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await be_cut_off()
    assert (await counts(db), await state_of(db, order_id)) == before


async def test_a_refused_fact_writes_nothing(db: Database) -> None:
    order_id = await make_order(db)
    before = await counts(db)
    with pytest.raises(IllegalTransition):
        await _tell(db, order_id, Fact(OrderTrigger.SEND_CONFIRMED, "sn_1", moved=Moved("sn_1", 150_000, 500)))
    assert await counts(db) == before
