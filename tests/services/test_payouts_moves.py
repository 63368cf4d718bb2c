"""Payouts as rows: every (state, trigger) moves with all that follows or writes nothing, and the books end at zero."""

from __future__ import annotations

from collections import deque

import orjson
import pytest

from app.db import ledger, moves
from app.db import payouts as payout_rows
from app.db.columns import Document, new_id
from app.db.database import Database, Transaction
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain import chart
from app.domain.assets import USD
from app.domain.errors import ConflictState, IllegalTransition, NotFound
from app.domain.money import Money
from app.domain.payout import ENDED, PAYOUT, PayoutState, PayoutTrigger, event_of
from app.services import payouts
from app.services.payout_view import payout_out
from app.services.payouts import PayoutFact

S, T = PayoutState, PayoutTrigger
PARTNER = "pt_1"
AMOUNT = Money(25_00, USD)
BEGINNINGS = {S.QUEUED: T.CREATED, S.PENDING_APPROVAL: T.APPROVAL_REQUIRED}
Way = tuple[PayoutTrigger, ...]


def ways() -> dict[PayoutState, Way]:
    """The shortest way from a beginning to every state; the first trigger is the one that makes the payout."""
    found: dict[PayoutState, Way] = {state: (trigger,) for state, trigger in BEGINNINGS.items()}
    todo = deque(found)
    while todo:
        state = todo.popleft()
        for source, trigger, target in PAYOUT.edges():
            if source == state and target not in found:
                found[target] = (*found[state], trigger)
                todo.append(target)
    return found


def every_way() -> list[Way]:
    """Every way without a loop from a beginning to where nothing is left to do but to come back."""
    done: list[Way] = []
    todo: list[tuple[PayoutState, Way]] = [(state, (trigger,)) for state, trigger in BEGINNINGS.items()]
    while todo:
        state, way = todo.pop()
        if state in ENDED:
            done.append(way)
        for source, trigger, target in PAYOUT.edges():
            if source == state and target != source:
                todo.append((target, (*way, trigger)))
    return sorted(done)


@pytest.fixture
async def funded(db: Database) -> Database:
    """A partner with 100 dollars."""
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO partners (id, name) VALUES ($1, 'Partner')", PARTNER)
        credit = chart.partner_available(PARTNER)
        await ledger.post(tx, books.topped_up("tu_1:credit", "increase", Money(100_00, USD), credit=credit))
    return db


async def made(tx: Transaction, first: PayoutTrigger) -> Payout:
    state = next(state for state, trigger in BEGINNINGS.items() if trigger is first)
    before = await tx.fetchval("SELECT now() - interval '1 minute'")  # as of an order that moved some time ago
    payout = Payout(
        id=new_id("po"), partner_id=PARTNER, kind="payout", asset=USD.id, units=AMOUNT.units, method="ach",
        provider="increase", state=state.value, sequence=1, payout_metadata={}, livemode=False, created_at=before,
        updated_at=before,
    )  # fmt: skip
    await ledger.post(tx, books.reserved(payout.id, PARTNER, AMOUNT), subject=payout.id)
    await payouts.begin(tx, [payout], payout.id)
    return payout


def fact(trigger: PayoutTrigger, cause: str = "c") -> PayoutFact:
    hold: Document | None = {"reason": "r", "since": "s", "requirement": None} if trigger is T.HELD else None
    return PayoutFact(trigger, cause, hold=hold)


async def walked(tx: Transaction, way: Way) -> Payout:
    payout = await made(tx, way[0])
    for trigger in way[1:]:
        assert await payouts.move(tx, payout, fact(trigger)) is payout
    return payout


async def written(tx: Transaction) -> list[int]:
    tables = ("moves", "events", "entries", "postings", "pgqueuer")
    return [await tx.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608


async def standing(tx: Transaction, payout: Payout) -> tuple[int, int, int]:
    """What stands on the payout's account, at the bank, and to the partner's credit."""
    return (
        await ledger.balance(tx, chart.payout(payout.id), USD.id),
        await ledger.balance(tx, chart.bank("increase"), USD.id),
        await ledger.lock_available(tx, PARTNER, USD.id),
    )


async def test_every_pair_moves_with_all_that_follows_or_writes_nothing(funded: Database) -> None:
    known = ways()
    assert set(known) == set(PayoutState) - {S.CREATED}
    for state, way in known.items():
        for trigger in PayoutTrigger:
            async with funded.connection() as connection:
                transaction = connection.transaction()
                await transaction.start()
                payout = await walked(connection, way)
                before = await written(connection)
                if PAYOUT.allows(state, trigger):
                    await payouts.move(connection, payout, fact(trigger, "next"))
                    stored = await payout_rows.lock(connection, payout.id)
                    assert stored is not None
                    assert stored.payout_state is PAYOUT.target(state, trigger)
                    assert stored.sequence == len(way) + 1
                    after = await written(connection)
                    assert after[0] == before[0] + 1
                    assert after[1] == before[1] + (event_of(trigger) is not None)
                else:
                    with pytest.raises(IllegalTransition):
                        await payouts.move(connection, payout, fact(trigger, "next"))
                    assert await written(connection) == before
                await transaction.rollback()


@pytest.mark.parametrize("way", every_way(), ids=lambda way: "-".join(way))
async def test_the_books_of_every_way_return_to_zero(funded: Database, way: Way) -> None:
    async with funded.transaction() as tx:
        payout = await walked(tx, way)
        paid, blocked = payout.payout_state is S.SETTLED, T.BLOCKED in way
        expected = (0, 75_00 if paid else 100_00, 75_00 if paid or blocked else 100_00)
        assert await standing(tx, payout) == expected
        # Told again, every fact moves nothing.
        for trigger in way[1:]:
            assert await payouts.move(tx, payout, fact(trigger)) is None
        assert await standing(tx, payout) == expected
    async with funded.connection() as connection:
        events = await connection.fetch("SELECT type, data::text FROM events ORDER BY position")
        row = await connection.fetchrow("SELECT * FROM payouts WHERE id = $1", payout.id)
    told = [kind for trigger in way if (kind := event_of(trigger)) is not None]
    assert [event["type"] for event in events] == told
    assert row is not None
    shown = payout_out(payout).model_dump(mode="json")
    assert orjson.loads(events[-1]["data"])["object"] == shown  # the last event is the payout as it stands
    assert (row["created_at"], row["updated_at"]) == (payout.created_at, payout.updated_at)
    assert (row["submitted_at"] is not None) is (T.SUBMITTED in way)
    assert (row["settled_at"] is not None) is (T.SETTLED in way)
    assert (shown["settled_at"] is not None) is (T.SETTLED in way)


async def test_a_hold_stops_and_ends_with_the_payout(funded: Database) -> None:
    async with funded.transaction() as tx:
        payout = await walked(tx, (T.CREATED,))
        await payouts.hold(tx, payout, "provider_rejected", cause="x")
        await payouts.hold(tx, payout, "provider_rejected", cause="x")  # the same fact
        assert (payout.sequence, payout.hold and payout.hold["reason"]) == (2, "provider_rejected")
        assert not payouts.waits_for_job(payout)
        assert await payout_rows.lock_waiting(tx, "increase", 10) == []
        released = await payouts.release(tx, payout.id, actor="ada", reason="checked")
        assert (released.hold, payouts.waits_for_job(released)) == (None, True)
        with pytest.raises(ConflictState):
            await payouts.release(tx, payout.id, actor="ada", reason="checked")
        with pytest.raises(NotFound):
            await payouts.release(tx, "po_none", actor="ada", reason="checked")
        await payouts.hold(tx, released, "provider_rejected", cause="y")
        await payouts.move(tx, released, fact(T.CANCELED))
        assert (released.state, released.hold) == ("canceled", None)
        assert [move.trigger for move in await _moves(tx, payout.id)] == [
            "created", "held", "released", "held", "canceled",
        ]  # fmt: skip


async def _moves(tx: Transaction, payout_id: str) -> list[moves.Move]:
    records = await tx.fetch("SELECT * FROM moves WHERE resource_id = $1 ORDER BY sequence", payout_id)
    return [moves.Move(payout_id, r["sequence"], r["source"], r["trigger"], r["target"], r["cause"]) for r in records]


async def test_one_that_cannot_move_stops_none_of_the_others_halfway(funded: Database) -> None:
    async with funded.transaction() as tx:
        ready, gone = await walked(tx, (T.CREATED,)), await walked(tx, (T.CREATED, T.CANCELED))
        before = await written(tx)
        with pytest.raises(IllegalTransition):
            await payouts.move_all(tx, [ready, gone], fact(T.PREPARED, "together"))
        assert await written(tx) == before
        assert ready.payout_state is S.QUEUED
