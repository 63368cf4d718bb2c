"""What the provider thinks of a payment: warnings and reviews (faults.md F-48)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.db.database import Database
from app.ports.payin import FraudWarning, PaymentStatus, ReviewReceipt, ReviewStatus
from app.services import orders, payments, risk
from app.services.rails import Rails
from tests.webhooks.card import CardTruth, Placed, column, event, place_order, state_of
from tests.webhooks.inbound import intent, paid_order, run_jobs, tell_and_process


async def warn(db: Database, rails: Rails, truth: CardTruth, placed: Placed) -> str:
    truth.warnings["issfr_1"] = FraudWarning("issfr_1", placed.reference, "made_with_stolen_card")
    subject: dict[str, object] = {"id": "issfr_1", "object": "radar.early_fraud_warning"}
    return await tell_and_process(db, rails, event("radar.early_fraud_warning.created", subject))


async def review(
    db: Database, rails: Rails, truth: CardTruth, placed: Placed, status: ReviewStatus, word: str = "open"
) -> str:
    truth.reviews["prv_1"] = ReviewReceipt("prv_1", placed.reference, status, word)
    kind = "review.opened" if status is ReviewStatus.OPEN else "review.closed"
    return await tell_and_process(db, rails, event(kind, {"id": "prv_1", "object": "review"}))


async def hold(db: Database) -> object:
    [reason] = await column(db, "SELECT hold ->> 'reason' FROM orders")
    return reason


async def test_fault_f_48_a_warning_stops_what_is_not_delivered_once(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    for _ in range(2):
        assert await warn(db, rails, truth, placed) == "processed"
    assert (await state_of(db, placed.id), await hold(db)) == ("paid", "early_fraud_warning")
    assert await column(db, "SELECT count(*) FROM transitions WHERE trigger = 'held'") == [1]
    async with db.transaction() as tx:
        await orders.release(tx, placed.id, actor="ada", reason="known customer")
    assert await warn(db, rails, truth, placed) == "processed"
    assert await hold(db) is None, "told again, it does not undo what a person has decided"


@pytest.mark.parametrize("state", ["sending", "sent", "completed", "refunding", "failed"])
async def test_fault_f_48_a_warning_has_no_effect_afterwards(
    db: Database, rails: Rails, truth: CardTruth, state: str
) -> None:
    placed = await paid_order(db, rails, truth)
    async with db.transaction() as tx:
        await tx.execute("UPDATE orders SET state = $2 WHERE id = $1", placed.id, state)
    assert await warn(db, rails, truth, placed) == "processed"
    assert (await state_of(db, placed.id), await hold(db)) == (state, None)
    assert await column(db, "SELECT kind FROM alerts") == ["early_fraud_warning"]


async def test_fault_f_48_a_review_that_approves_lets_the_order_go_on(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    truth.authorise(placed.reference)
    assert await review(db, rails, truth, placed, ReviewStatus.OPEN) == "processed"
    await run_jobs(db, rails)
    assert (await state_of(db, placed.id), await hold(db)) == ("authorised", "provider_review"), "not even captured"
    assert await review(db, rails, truth, placed, ReviewStatus.APPROVED, "approved") == "processed"
    await run_jobs(db, rails)
    assert (await state_of(db, placed.id), await hold(db)) == ("paid", None)
    assert await column(db, "SELECT actor FROM transitions WHERE trigger = 'released'") == ["stripe"]


@pytest.mark.parametrize("word", ["refunded", "refunded_as_fraud", "disputed", "canceled"])
async def test_fault_f_48_a_review_that_ends_otherwise_lets_nothing_go(
    db: Database, rails: Rails, truth: CardTruth, word: str
) -> None:
    placed = await paid_order(db, rails, truth)
    await review(db, rails, truth, placed, ReviewStatus.OPEN)
    assert await review(db, rails, truth, placed, ReviewStatus.CLOSED, word) == "processed"
    assert await hold(db) == "provider_review"
    assert await column(db, "SELECT status FROM payment_flags") == ["closed"]


async def test_fault_f_48_another_hold_taken_off_does_not_end_a_review(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    await warn(db, rails, truth, placed)
    await review(db, rails, truth, placed, ReviewStatus.OPEN)
    held_for = [await hold(db)]
    for _ in range(2):
        async with db.transaction() as tx:
            await risk.release(tx, placed.id, actor="ada", reason="known customer")
        held_for.append(await hold(db))
    assert held_for == ["early_fraud_warning", "provider_review", None]


async def test_fault_f_48_an_approval_does_not_lift_a_warning(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    await review(db, rails, truth, placed, ReviewStatus.OPEN)
    async with db.transaction() as tx:  # told of the warning by another worker, whose hold was lifted by hand
        await tx.execute(
            "INSERT INTO payment_flags VALUES ('stripe', 'issfr_1', $1, 'warning', 'open', 'misc')", placed.payment_id
        )
    await review(db, rails, truth, placed, ReviewStatus.APPROVED, "approved")
    assert await hold(db) == "early_fraud_warning"


async def test_fault_f_18_a_review_that_was_closed_before_we_hear_of_its_opening(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    await review(db, rails, truth, placed, ReviewStatus.APPROVED, "approved")
    late = event("review.opened", {"id": "prv_1", "object": "review"}, "evt_late")
    assert await tell_and_process(db, rails, late) == "processed"
    assert await hold(db) is None
    truth.reviews["prv_1"] = ReviewReceipt("prv_1", placed.reference, ReviewStatus.OPEN, "open")
    again = event("review.opened", {"id": "prv_1", "object": "review"}, "evt_older")
    assert await tell_and_process(db, rails, again) == "processed"
    assert await hold(db) is None, "what was closed is not opened by an answer that is older"


async def test_fault_f_48_a_payment_that_says_itself_that_it_is_in_review(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    """The answer to our look-up comes before the review's own notification: nothing slips through in between."""
    placed = await place_order(db, rails, truth)
    truth.payments[placed.reference] = replace(
        truth.payments[placed.reference], status=PaymentStatus.AUTHORISED, in_review=True
    )
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent(placed.reference)))
    await run_jobs(db, rails)
    assert (await state_of(db, placed.id), await hold(db)) == ("authorised", "provider_review")


async def test_fault_f_26_a_reason_without_a_meaning_changes_nothing(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    await review(db, rails, truth, placed, ReviewStatus.OPEN)
    assert await review(db, rails, truth, placed, ReviewStatus.UNKNOWN, "pondered") == "processed"
    assert await hold(db) == "provider_review"
    assert "unknown_provider_status" in await column(db, "SELECT kind FROM alerts")


async def test_fault_f_24_a_warning_about_somebody_elses_payment(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    truth.payments["pi_x"] = replace(truth.payments[placed.reference], reference="pi_x", payment_id=None)
    truth.warnings["issfr_1"] = FraudWarning("issfr_1", "pi_x", "misc")
    subject: dict[str, object] = {"id": "issfr_1", "object": "radar.early_fraud_warning"}
    assert await tell_and_process(db, rails, event("radar.early_fraud_warning.created", subject)) == "ignored"
    assert await hold(db) is None
    await payments.cancel(db, rails, placed.id)  # and nothing else was touched
    assert await state_of(db, placed.id) == "paid"
