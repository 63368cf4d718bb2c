"""Payments that come to nothing: challenges left open, authorisations that run out, answers lost (F-30, F-38, F-39)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.db.database import Database
from app.domain.money import Money
from app.ports.errors import OutcomeUnknown
from app.ports.outcome import Decline
from app.ports.payin import PaymentRequest, PaymentStatus
from app.services import payments, sweeps
from app.services.rails import Rails
from tests.webhooks.card import EUR, TOTAL, CardTruth, column, event, ledger_of, place_order, state_of
from tests.webhooks.inbound import intent, run_jobs, tell_and_process


async def close_window(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now() - interval '1 second'")
    assert await sweeps.expire_orders(db) == 1


async def test_fault_f_38_a_challenge_that_is_left_open_expires(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await place_order(db, rails, truth)
    truth.payments[placed.reference] = replace(
        truth.payments[placed.reference], status=PaymentStatus.AUTHENTICATING, provider_status="requires_action"
    )
    await tell_and_process(db, rails, event("payment_intent.requires_action", intent(placed.reference)))
    assert await state_of(db, placed.id) == "authenticating"
    await close_window(db)
    await run_jobs(db, rails)
    assert await state_of(db, placed.id) == "expired"
    assert truth.payments[placed.reference].status is PaymentStatus.CANCELED
    assert await ledger_of(db, placed) == []


async def test_fault_f_39_an_authorisation_that_runs_out_delivers_nothing(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    truth.authorise(placed.reference)
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent(placed.reference)))
    truth.payments[placed.reference] = replace(
        truth.payments[placed.reference], status=PaymentStatus.CANCELED, provider_status="canceled"
    )
    await tell_and_process(db, rails, event("payment_intent.canceled", intent(placed.reference)))
    assert await state_of(db, placed.id) == "failed"
    await run_jobs(db, rails)
    assert await ledger_of(db, placed) == []
    assert await column(db, "SELECT count(*) FROM sends") == [0]


async def test_fault_f_39_a_capture_that_is_declined_is_not_a_capture(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    truth.authorise(placed.reference)
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent(placed.reference)))
    truth.payments[placed.reference] = replace(
        truth.payments[placed.reference],
        status=PaymentStatus.CANCELED,
        provider_status="canceled",
        decline=Decline("card_declined", "do_not_honor", "No."),
    )
    await run_jobs(db, rails)  # asks for the capture, and is told how things stand
    assert await state_of(db, placed.id) == "failed"
    assert await ledger_of(db, placed) == []


async def test_fault_f_30_a_payment_whose_answer_was_lost_is_one_payment(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    truth.broken = OutcomeUnknown("stripe", "reset")
    placed = await place_order(db, rails, truth)
    truth.broken = None
    opened = await truth.start(PaymentRequest(placed.payment_id, placed.id, Money(TOTAL, EUR), "card"))
    truth.authorise(opened.reference)  # and the customer has paid meanwhile
    await payments.start(db, rails, placed.payment_id)
    await run_jobs(db, rails)
    assert (await state_of(db, placed.id), len(truth.payments)) == ("paid", 1)
    assert await column(db, "SELECT count(*) FROM entries WHERE kind = 'pay_in'") == [1]


@pytest.mark.parametrize("known", [True, False])
async def test_fault_f_26_a_decline_without_a_meaning_is_told_to_a_person(
    db: Database, rails: Rails, truth: CardTruth, known: bool
) -> None:
    placed = await place_order(db, rails, truth)
    truth.payments[placed.reference] = replace(
        truth.payments[placed.reference], decline=Decline("card_declined", "a_new_code", "No.", known=known)
    )
    await tell_and_process(db, rails, event("payment_intent.payment_failed", intent(placed.reference)))
    assert await state_of(db, placed.id) == "awaiting_payment"
    assert await column(db, "SELECT kind FROM alerts") == ([] if known else ["unknown_decline_code"])


async def test_fault_f_44_each_goes_and_comes_back_in_another_order(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    """The provider is away, then its answers are garbage, then our jobs are gone; whatever comes back first."""
    truth.down = True
    placed = await place_order(db, rails, truth)
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM pgqueuer")  # a worker took its jobs with it
        await tx.execute("UPDATE operations SET created_at = created_at - interval '1 minute'")
        await tx.execute("UPDATE payments SET poll_at = now()")
    assert await sweeps.settle_operations(db, rails) == 1  # tolerated
    truth.down, truth.broken = False, OutcomeUnknown("stripe", "truncated")
    assert await sweeps.poll_payments(db, rails) == 1
    truth.broken = None
    assert await sweeps.settle_operations(db, rails) == 1
    [reference] = await column(db, "SELECT reference FROM payments")
    truth.authorise(str(reference))
    async with db.transaction() as tx:
        await tx.execute("UPDATE payments SET poll_at = now()")
    await sweeps.poll_payments(db, rails)
    await run_jobs(db, rails)
    assert (await state_of(db, placed.id), len(truth.payments)) == ("paid", 1)
    assert sum(units for *_, units in await ledger_of(db, placed)) == 0
