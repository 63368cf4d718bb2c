"""A provider that opens a second payment for one of ours (faults.md F-40)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.db import strays as stray_rows
from app.db.database import Database
from app.domain.money import Money
from app.ports.errors import ProviderRejected
from app.ports.payin import PaymentStatus
from app.services import strays
from app.services.rails import Rails
from tests.webhooks.card import EUR, TOTAL, CardTruth, Placed, column, event, state_of
from tests.webhooks.inbound import intent, paid_order, tell_and_process


def twin_of(truth: CardTruth, placed: Placed, status: PaymentStatus = PaymentStatus.CAPTURED) -> None:
    """The provider's mistake: another payment with our ids, in some state."""
    took = status is PaymentStatus.CAPTURED
    truth.payments["pi_twin"] = replace(
        truth.payments[placed.reference],
        reference="pi_twin",
        status=status,
        received=Money(TOTAL if took else 0, EUR),
        fee=Money(175, EUR) if took else None,
    )


async def booked(db: Database) -> dict[str, int]:
    """What the twin has moved, by account."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT account, sum(units) AS units FROM postings JOIN entries ON entries.id = entry_id
            WHERE subject IN (SELECT id FROM strays) GROUP BY account
            """
        )
    return {row["account"]: int(row["units"]) for row in rows}


async def end_all(db: Database, rails: Rails) -> None:
    async with db.connection() as connection:
        waiting = await stray_rows.waiting(connection, 10)
    for stray_id in waiting:
        await strays.end(db, rails, stray_id)


async def test_fault_f_40_what_was_taken_twice_is_booked_and_given_back_once(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    twin_of(truth, placed)
    for _ in range(3):
        assert await tell_and_process(db, rails, event("payment_intent.succeeded", intent("pi_twin"))) == "processed"
    assert await booked(db) == {"psp:stripe": TOTAL - 175, "suspense:unmatched": -TOTAL, "expense:provider": 175}
    for _ in range(2):
        await end_all(db, rails)
    assert [(made.payment_reference, made.amount.units) for made in truth.refunds.values()] == [("pi_twin", TOTAL)]
    assert await booked(db) == {"psp:stripe": -175, "suspense:unmatched": 0, "expense:provider": 175}
    assert await column(db, "SELECT state FROM strays") == ["refunded"]
    assert await state_of(db, placed.id) == "paid"
    assert await column(db, "SELECT kind FROM alerts") == ["second_payment"]


async def test_fault_f_40_what_took_nothing_is_canceled(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    twin_of(truth, placed, PaymentStatus.AUTHORISED)
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent("pi_twin")))
    await end_all(db, rails)
    assert truth.payments["pi_twin"].status is PaymentStatus.CANCELED
    assert (await booked(db), await column(db, "SELECT state FROM strays")) == ({}, ["canceled"])


async def test_fault_f_40_found_by_looking_when_nobody_tells_us(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    assert await strays.look(db, rails) == 0
    twin_of(truth, placed)
    assert await strays.look(db, rails) == 0, "young: it may be our own, whose answer is still on its way"
    async with db.transaction() as tx:
        await tx.execute("UPDATE payments SET created_at = created_at - interval '1 hour'")
    assert await strays.look(db, rails) == 1
    assert await strays.look(db, rails) == 0
    await end_all(db, rails)
    assert await column(db, "SELECT state FROM strays") == ["refunded"]


async def test_fault_f_40_a_refund_that_is_refused_stays_in_suspense_for_a_person(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    twin_of(truth, placed)
    await tell_and_process(db, rails, event("payment_intent.succeeded", intent("pi_twin")))
    [stray_id] = await column(db, "SELECT id FROM strays")
    truth.stored[str(stray_id)] = ProviderRejected("stripe", "disputed", code="charge_disputed")
    await end_all(db, rails)
    assert await column(db, "SELECT state FROM strays") == ["refused"]
    assert (await booked(db))["suspense:unmatched"] == -TOTAL
    assert set(await column(db, "SELECT kind FROM alerts")) == {"second_payment", "second_payment_kept"}


@pytest.mark.parametrize("status", [PaymentStatus.PROCESSING, PaymentStatus.CANCELED])
async def test_fault_f_40_one_that_is_under_way_is_waited_for(
    db: Database, rails: Rails, truth: CardTruth, status: PaymentStatus
) -> None:
    placed = await paid_order(db, rails, truth)
    twin_of(truth, placed, status)
    await tell_and_process(db, rails, event("payment_intent.processing", intent("pi_twin")))
    await end_all(db, rails)
    wanted = "canceled" if status is PaymentStatus.CANCELED else "found"
    assert await column(db, "SELECT state FROM strays") == [wanted]
