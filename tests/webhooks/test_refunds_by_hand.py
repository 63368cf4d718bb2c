"""Money that somebody gave back in the provider's own pages (faults.md F-133, F-52)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.db.database import Database
from app.domain.money import Money
from app.ports.outcome import Outcome
from app.services.rails import Rails
from tests.webhooks.card import EUR, TOTAL, CardTruth, column, event, ledger_of, state_of
from tests.webhooks.inbound import held, paid_order, tell_and_process


def told(payment: str, reference: str = "re_hand", kind: str = "refund.created") -> bytes:
    return event(kind, {"id": reference, "object": "refund", "payment_intent": payment})


async def alerts(db: Database) -> set[object]:
    return set(await column(db, "SELECT kind FROM alerts"))


async def test_fault_f_133_the_whole_amount_before_delivery_ends_the_order(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    truth.by_hand(placed.reference, TOTAL)
    for _ in range(2):
        assert await tell_and_process(db, rails, told(placed.reference)) == "processed"
    assert (await state_of(db, placed.id), await held(db, placed)) == ("refunded", 0)
    assert await column(db, "SELECT actor FROM operations WHERE kind = 'refund'") == ["stripe"]
    assert "refunded_by_hand" in await alerts(db)
    assert not truth.keys.count("re_hand"), "nothing is asked for that was done already"


async def test_fault_f_133_a_part_waits_for_the_rest(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    truth.by_hand(placed.reference, 4_000)
    assert await tell_and_process(db, rails, told(placed.reference)) == "processed"
    assert (await state_of(db, placed.id), await held(db, placed)) == ("refunding", 6_000)


async def test_fault_f_133_one_that_fails_later_brings_the_money_back(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    made = truth.by_hand(placed.reference, TOTAL)
    await tell_and_process(db, rails, told(placed.reference))
    truth.refunds["re_hand"] = replace(made, outcome=Outcome.DECLINED)
    assert await tell_and_process(db, rails, told(placed.reference, kind="refund.failed")) == "processed"
    assert (await state_of(db, placed.id), await held(db, placed)) == ("refunding", TOTAL)
    assert await column(db, "SELECT hold ->> 'reason' FROM orders") == ["refund_failed"]


@pytest.mark.parametrize("fails", [False, True])
async def test_fault_f_133_after_delivery_it_is_to_be_recovered(
    db: Database, rails: Rails, truth: CardTruth, fails: bool
) -> None:
    """The customer has the coins and the money: F-46's way, and nothing moves the order."""
    placed = await paid_order(db, rails, truth)
    async with db.transaction() as tx:
        await tx.execute("UPDATE orders SET state = 'completed' WHERE id = $1", placed.id)
    made = truth.by_hand(placed.reference, TOTAL)
    for _ in range(2):
        assert await tell_and_process(db, rails, told(placed.reference)) == "processed"
    if fails:
        truth.refunds["re_hand"] = replace(made, outcome=Outcome.DECLINED)
        for _ in range(2):
            assert await tell_and_process(db, rails, told(placed.reference, kind="refund.failed")) == "processed"
    assert await state_of(db, placed.id) == "completed"
    recovered = [units for _, name, _, units in await ledger_of(db, placed) if name == "receivable:recovery"]
    assert sorted(recovered) == ([-TOTAL, TOTAL] if fails else [TOTAL])
    assert "double_return" in await alerts(db)


async def test_fault_f_52_more_than_the_order_holds_is_to_be_recovered(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    """The bank took a part of it back already, and then somebody refunded all of it."""
    placed = await paid_order(db, rails, truth)
    truth.by_hand(placed.reference, TOTAL, "re_1")
    await tell_and_process(db, rails, told(placed.reference, "re_1"))
    assert await state_of(db, placed.id) == "refunded"
    truth.by_hand(placed.reference, TOTAL, "re_2")
    assert await tell_and_process(db, rails, told(placed.reference, "re_2")) == "processed"
    assert await state_of(db, placed.id) == "refunded"
    lines = await ledger_of(db, placed)
    assert [units for _, name, _, units in lines if name == "receivable:recovery"] == [TOTAL]
    assert sum(units for *_, units in lines) == 0
    assert "double_return" in await alerts(db)


async def test_fault_f_58_a_refund_in_another_currency_is_for_a_person(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    made = truth.by_hand(placed.reference, TOTAL)
    dollars = Money(TOTAL, replace(EUR, code="USD"))
    truth.refunds["re_hand"] = replace(made, amount=dollars)
    assert await tell_and_process(db, rails, told(placed.reference)) == "parked"
    assert (await state_of(db, placed.id), await held(db, placed)) == ("paid", TOTAL)
