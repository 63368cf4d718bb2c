"""Breaks: explained, corrected by two people, gone and back again; runs that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.db import reconciliation as rows
from app.db.reconciliation import ReconciliationBreak
from app.domain.assets import USD
from app.domain.errors import ConflictState, NotFound, SelfApprovalForbidden, ValidationFailed
from app.domain.money import Money
from app.ports.errors import ProviderUnavailable
from app.ports.records import BankBooks, FarSide
from app.services import breaks, reconciliation
from app.services.reconciliation import Reconciler
from tests.services.test_reconciliation import BANK_PLANTS, actions, bank_with, found, run, the_break
from tests.support.coins import alerts
from tests.support.world import World


async def extra_line(world: World) -> tuple[FarSide, ReconciliationBreak]:
    """A bank's fee that nobody has booked."""
    await world.top_up(50_00)
    far_side = await bank_with(world, BANK_PLANTS["an extra line"][0])
    await run(world, far_side, only="increase")
    return far_side, await the_break(world)


async def test_an_explained_break_stays_so_until_its_amount_changes(world: World) -> None:
    far_side, broken = await extra_line(world)
    async with world.db.transaction() as tx:
        await breaks.explain(tx, broken.id, actor="ada", reason="the bank's fee, its letter of May")
        with pytest.raises(ConflictState):
            await breaks.explain(tx, broken.id, actor="ada", reason="again")
    [again] = await run(world, far_side, only="increase")
    assert reconciliation.clean([again])
    dollars = again.balances["USD"]
    assert isinstance(dollars, dict)
    assert dollars["explained"] == "-100"
    assert "reconciliation_break" not in await alerts(world)
    assert reconciliation.clean(await run(world, only="increase"))
    await run(world, far_side, only="increase")
    assert not await found(world)
    await run(world, await _more_on_the_line(world), only="increase")
    assert await found(world) == [("increase", "not_in_books", -2_00)]
    assert (await the_break(world)).id == broken.id
    assert await actions(world, broken.id) == ["opened", "explained", "reopened"]


async def test_a_correction_takes_two_people_and_explains_the_line(world: World) -> None:
    far_side, broken = await extra_line(world)
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):
            await breaks.approve(tx, broken.id, actor="bob", reason="nothing is proposed")
        with pytest.raises(ValidationFailed):
            await breaks.propose(tx, broken.id, "partner:pt_1:available", actor="ada", reason="mine")
        await breaks.propose(tx, broken.id, "expense:provider", actor="ada", reason="the bank's fee")
        with pytest.raises(SelfApprovalForbidden):
            await breaks.approve(tx, broken.id, actor="ada", reason="I agree with myself")
        with pytest.raises(NotFound):
            await breaks.approve(tx, "rb_none", actor="bob", reason="which?")
        done = await breaks.approve(tx, broken.id, actor="bob", reason="seen the letter")
    assert (done.state, done.resolution, done.resolved_by) == ("resolved", "corrected", "bob")
    async with world.db.connection() as connection:
        booked = await connection.fetch(
            "SELECT account, units FROM postings WHERE entry_id = $1 ORDER BY id", done.correction_id
        )
    assert [(row["account"], int(row["units"])) for row in booked] == [
        ("bank:increase", -1_00),
        ("expense:provider", 1_00),
    ]
    assert reconciliation.clean(await run(world, far_side, only="increase"))
    assert await actions(world, broken.id) == ["opened", "proposed", "corrected"]


async def test_a_correction_is_not_approved_once_its_amount_has_changed(world: World) -> None:
    _, broken = await extra_line(world)
    async with world.db.transaction() as tx:
        await breaks.propose(tx, broken.id, "expense:provider", actor="ada", reason="the bank's fee")
    await run(world, await _more_on_the_line(world), only="increase")
    async with world.db.transaction() as tx:
        with pytest.raises(ConflictState):  # ada has proposed to book a dollar, not two
            await breaks.approve(tx, broken.id, actor="bob", reason="seen the letter")
    assert await actions(world, broken.id) == ["opened", "proposed", "reopened"]


async def _more_on_the_line(world: World) -> FarSide:
    return await bank_with(
        world,
        lambda books: replace(
            books,
            lines=(*books.lines, replace(books.lines[0], reference="x", about=None, amount=Money(-2_00, USD))),
            balance=books.balance - Money(2_00, USD),
        ),
    )


async def test_a_run_that_read_before_a_correction_does_not_open_the_break_again(world: World) -> None:
    far_side, broken = await extra_line(world)

    async def corrected() -> None:
        async with world.db.transaction() as tx:
            await breaks.propose(tx, broken.id, "expense:provider", actor="ada", reason="the bank's fee")
            await breaks.approve(tx, broken.id, actor="bob", reason="seen the letter")

    planted = far_side.banks["increase"]

    class Slow:
        async def read(self) -> BankBooks:
            await corrected()  # our books have been read by now
            return await planted.read()

    await run(world, replace(far_side, banks={"increase": Slow()}), only="increase")
    assert await found(world) == []
    assert await actions(world, broken.id) == ["opened", "proposed", "corrected"]
    assert reconciliation.clean(await run(world, far_side, only="increase"))


async def test_a_break_that_comes_and_goes_is_one_break_with_its_whole_history(world: World) -> None:
    far_side, broken = await extra_line(world)
    await run(world, only="increase")
    await run(world, far_side, only="increase")
    assert (await the_break(world)).id == broken.id
    assert await actions(world, broken.id) == ["opened", "matched", "reopened"]
    async with world.db.transaction() as tx:
        with pytest.raises(Exception, match="never deleted"):
            await tx.execute("DELETE FROM reconciliation_breaks")


async def test_a_source_that_cannot_be_read_fails_its_run_and_no_other(world: World) -> None:
    class Away:
        async def read(self) -> BankBooks:
            raise ProviderUnavailable("increase", "it is away")

    await world.follow()
    runs = await run(world, replace(world.records, banks={"increase": Away()}))
    assert {one.source: one.state for one in runs} == {"stripe": "done", "increase": "failed", "bitcoin": "done"}
    assert not reconciliation.clean(runs)
    assert await alerts(world) == ["reconciliation_failed"]
    await run(world)
    assert not await alerts(world)


async def test_once_a_night_from_its_hour_on(world: World) -> None:
    await world.follow()
    hour = datetime.now(UTC).hour
    late, due = Reconciler(world.records, hour + 1), Reconciler(world.records, hour)
    assert await reconciliation.nightly(world.db, late) == 0
    assert await reconciliation.nightly(world.db, due) == 4
    assert await reconciliation.nightly(world.db, due) == 0
    async with world.db.connection() as connection:
        assert await rows.was_run(connection, "stripe", datetime.now(UTC).date().isoformat())
