"""Requests whose answers are lost, kept, forgotten or useless: faults.md F-30 to F-34 and F-36, by our own services."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.db.database import Database
from app.db.payments import OperationKind
from app.domain.money import Money
from app.ports.errors import CONTRACT_VIOLATION, STORED_ERROR, OutcomeUnknown, ProviderError, ProviderUnavailable
from app.ports.payin import PaymentRequest
from app.services import orders, payments, refunds, sweeps
from app.services.rails import Rails
from tests.webhooks.card import EUR, TOTAL, CardTruth, Placed, column, place_order, state_of
from tests.webhooks.inbound import event, intent, paid_order, run_jobs, tell_and_process

STUCK = OutcomeUnknown("stripe", "500, and it is kept", code=STORED_ERROR)
GARBAGE = OutcomeUnknown("stripe", "HTML", code=CONTRACT_VIOLATION)


async def later(db: Database, time: timedelta) -> None:
    """Let time pass since the keys were written down."""
    async with db.transaction() as tx:
        await tx.execute("UPDATE operations SET asked_at = asked_at - $1::interval", time)


async def unopened(db: Database, rails: Rails, truth: CardTruth) -> Placed:
    """An order whose payment could not be opened: the provider answers its key with a 500 that it keeps."""
    truth.broken = STUCK
    placed = await place_order(db, rails, truth)
    truth.broken = None
    truth.stored[placed.payment_id] = STUCK
    return placed


async def test_fault_f_32_a_key_that_is_stuck_is_followed_by_one_derived_from_it(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await unopened(db, rails, truth)
    truth.keys.clear()
    with pytest.raises(OutcomeUnknown):  # within the time in which what it did would show, only the same key
        await payments.start(db, rails, placed.payment_id)
    assert truth.keys == [placed.payment_id]
    await later(db, timedelta(minutes=3))
    await payments.start(db, rails, placed.payment_id)
    assert truth.keys == [placed.payment_id, f"{placed.payment_id}:attempt2"]
    assert await column(db, "SELECT key FROM operations WHERE kind = 'start'") == [f"{placed.payment_id}:attempt2"]
    assert len(truth.payments) == 1
    [reference] = await column(db, "SELECT reference FROM payments")
    assert reference in truth.payments


async def test_fault_f_32_what_the_stuck_key_did_is_found_and_adopted(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    """The 500 came after the payment was opened."""
    placed = await unopened(db, rails, truth)
    del truth.stored[placed.payment_id]
    opened = await truth.start(PaymentRequest(placed.payment_id, placed.id, Money(TOTAL, EUR), "card"))
    truth.stored[placed.payment_id] = STUCK
    truth.keys.clear()
    await later(db, timedelta(minutes=3))
    await payments.start(db, rails, placed.payment_id)
    assert truth.keys == []
    assert await column(db, "SELECT reference FROM payments") == [opened.reference]


async def test_fault_f_32_two_workers_at_once_derive_one_key(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await unopened(db, rails, truth)
    async with db.transaction() as tx:
        await tx.execute("UPDATE operations SET stuck = true, state = 'unknown'")
    await later(db, timedelta(minutes=3))
    await asyncio.gather(*(payments.start(db, rails, placed.payment_id) for _ in range(4)))
    assert set(truth.keys) - {placed.payment_id} == {f"{placed.payment_id}:attempt2"}
    assert len(truth.payments) == 1


async def test_fault_f_32_a_capture_that_is_stuck(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await place_order(db, rails, truth)
    truth.authorise(placed.reference)
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent(placed.reference)))
    first = f"{placed.payment_id}:capture:1"
    truth.stored[first] = STUCK
    with pytest.raises(OutcomeUnknown):
        await payments.capture(db, rails, placed.id)
    await later(db, timedelta(minutes=3))
    await payments.capture(db, rails, placed.id)
    assert truth.keys[-1] == f"{first}:attempt2"
    assert await state_of(db, placed.id) == "paid"


async def test_fault_f_32_a_refund_that_is_stuck(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    async with db.transaction() as tx:
        await refunds.request(tx, placed.id, None)
    [refund_id] = await column(db, "SELECT id FROM operations WHERE kind = 'refund'")
    truth.stored[str(refund_id)] = STUCK
    with pytest.raises(OutcomeUnknown):
        await refunds.refund_payment(db, rails, str(refund_id))
    await later(db, timedelta(minutes=3))
    await refunds.refund_payment(db, rails, str(refund_id))
    assert truth.keys[-1] == f"{refund_id}:attempt2"
    assert [made.refund_id for made in truth.refunds.values()] == [refund_id]


async def test_fault_f_33_a_key_that_may_be_forgotten_is_never_used_before_a_look(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    """The worker was down for two days: the request had been carried out, its answer lost."""
    truth.down = True
    placed = await place_order(db, rails, truth)
    truth.down = False
    opened = await truth.start(PaymentRequest(placed.payment_id, placed.id, Money(TOTAL, EUR), "card"))
    truth.keys.clear()
    await later(db, timedelta(hours=48))
    await payments.start(db, rails, placed.payment_id)
    assert truth.keys == []
    assert await column(db, "SELECT reference FROM payments") == [opened.reference]


async def test_fault_f_33_what_is_nowhere_after_two_days_is_asked_for_under_another_key(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    truth.down = True
    placed = await place_order(db, rails, truth)
    truth.down = False
    await later(db, timedelta(hours=48))
    await payments.start(db, rails, placed.payment_id)
    assert truth.keys[-1] == f"{placed.payment_id}:attempt2"
    assert len(truth.payments) == 1


async def test_fault_f_31_no_second_attempt_while_the_outcome_is_unknown(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    truth.broken = OutcomeUnknown("stripe", "timeout")
    placed = await place_order(db, rails, truth)
    assert await state_of(db, placed.id) == "awaiting_payment"
    assert await column(db, "SELECT state FROM operations") == ["unknown"]
    await later(db, timedelta(minutes=30))
    with pytest.raises(ProviderError):
        await payments.start(db, rails, placed.payment_id)
    truth.broken = None
    await payments.start(db, rails, placed.payment_id)
    assert set(truth.keys) == {placed.payment_id}, "an answer that was lost is no reason for another key"


async def test_fault_f_36_an_answer_that_cannot_be_used_is_looked_up(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    truth.broken = GARBAGE
    placed = await place_order(db, rails, truth)
    assert await column(db, "SELECT hold FROM orders") == [None], "the look-up may still be good"
    truth.broken = None
    await payments.start(db, rails, placed.payment_id)
    assert await column(db, "SELECT hold FROM orders") == [None]
    assert len(truth.payments) == 1


async def test_fault_f_36_a_look_up_that_cannot_be_used_holds_the_order(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    truth.broken = GARBAGE
    placed = await place_order(db, rails, truth)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await payments.start(db, rails, placed.payment_id)
    assert await column(db, "SELECT hold ->> 'reason' FROM orders") == ["provider_contract_violation"]
    assert await column(db, "SELECT count(*) FROM transitions WHERE trigger = 'held'") == [1]
    assert await column(db, "SELECT kind FROM alerts") == ["provider_contract_violation"]
    truth.broken = None
    async with db.transaction() as tx:
        await orders.release(tx, placed.id, actor="ada", reason="the provider has mended it")
    await payments.start(db, rails, placed.payment_id)
    assert await column(db, "SELECT status FROM payments") == ["awaiting_customer"]


async def test_fault_f_36_the_poller_holds_it_too_and_leaves_what_has_ended(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    async with db.transaction() as tx:
        await tx.execute("UPDATE payments SET poll_at = now(), status = 'processing'")
    truth.broken = GARBAGE
    assert await sweeps.poll_payments(db, rails) == 1
    assert await column(db, "SELECT hold ->> 'reason' FROM orders") == ["provider_contract_violation"]
    async with db.transaction() as tx:
        await tx.execute("UPDATE orders SET state = 'completed', hold = NULL")
        await tx.execute("UPDATE payments SET poll_at = now()")
    await sweeps.poll_payments(db, rails)
    assert await column(db, "SELECT hold FROM orders WHERE id = $1", placed.id) == [None]


async def test_fault_f_43_orders_in_flight_wait_while_the_provider_is_away(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    truth.authorise(placed.reference)
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent(placed.reference)))
    truth.down = True
    for _ in range(12):
        with pytest.raises(ProviderUnavailable):
            await payments.capture(db, rails, placed.id)
    assert await state_of(db, placed.id) == "authorised"
    truth.down = False
    await run_jobs(db, rails)
    assert await state_of(db, placed.id) == "paid"
    async with db.connection() as connection:
        kinds = await connection.fetch("SELECT key FROM operations WHERE kind = $1", OperationKind.CAPTURE.value)
    assert [row["key"] for row in kinds] == [f"{placed.payment_id}:capture:1"]
