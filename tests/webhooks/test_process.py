"""Processing notifications: faults.md section B, F-16..F-28, with a provider double that keeps the truth."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from app.db.database import Database
from app.domain.money import Money
from app.ports.errors import ProviderUnavailable
from app.ports.outcome import Outcome
from app.ports.payin import DisputeStatus, PaymentRequest
from app.services import payments, refunds
from app.services.rails import Rails
from tests.webhooks.card import EUR, TOTAL, CardTruth, column, event, ledger_of, place_order, rails_on, state_of
from tests.webhooks.inbound import charge, dispute, held, intent, paid_order, run_jobs, tell, tell_and_process
from webhooks.inbound.process import MOST_TRIES, process_notification

STORY = [
    "order.created",
    "order.processing",
    "order.stage_changed",
    "order.refund_started",
    "order.stage_changed",
    "order.refunded",
]


async def story(db: Database, chance: random.Random | None) -> list[tuple[str, str, str, int]]:
    """Pay, capture and refund an order. With chance, every event comes three times, shuffled, as does every job."""
    truth = CardTruth()
    rails = rails_on(truth)
    placed = await place_order(db, rails, truth)
    told: list[bytes] = []

    async def let_them_come(*bodies: bytes) -> None:
        told.extend(bodies)
        coming = list(bodies) if chance is None else chance.sample(told * 3, len(told) * 3)
        for body in coming:
            await tell(db, rails, body)
            if chance is not None and chance.random() < 0.3:
                await run_jobs(db, rails, chance)
        await run_jobs(db, rails, chance)

    pi, ch = intent(placed.reference), charge(placed.reference)
    truth.authorise(placed.reference)
    await let_them_come(
        event("payment_intent.created", pi),
        event("charge.succeeded", ch),
        event("payment_intent.amount_capturable_updated", pi),
    )
    await let_them_come(
        event("charge.captured", ch), event("payment_intent.succeeded", pi), event("charge.updated", ch)
    )
    async with db.transaction() as tx:
        await refunds.request(tx, placed.id, None)
    await run_jobs(db, rails, chance)
    [refund_id] = [refund for refund, made in truth.refunds.items() if made.payment_reference == placed.reference]
    back: dict[str, object] = {"id": f"re_{refund_id}", "object": "refund", "payment_intent": placed.reference}
    await let_them_come(event("refund.created", back), event("charge.refunded", ch))
    truth.settle(refund_id, Outcome.SUCCEEDED)
    await let_them_come(event("refund.updated", back))
    assert await state_of(db, placed.id) == "refunded"
    sql = "SELECT DISTINCT state FROM notifications WHERE body LIKE $1"
    assert await column(db, sql, b"%" + placed.reference.encode() + b"%") == ["processed"]
    sql = "SELECT type FROM events WHERE partner_id = $1 ORDER BY position"
    assert await column(db, sql, placed.partner_id) == STORY
    return await ledger_of(db, placed, refund_id)


async def test_fault_f_16_17_18_everything_three_times_and_shuffled_gives_the_identical_ledger(db: Database) -> None:
    once = await story(db, None)
    assert sum(units for *_, units in once) == 0
    assert ("ORDER:pay_in:PI", "order:ORDER", "EUR", -TOTAL) in once
    for seed in range(5):
        assert await story(db, random.Random(seed)) == once


async def test_fault_f_19_the_notification_overtakes_our_own_answer(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    truth.down = True  # our request reached the provider, its answer did not reach us
    placed = await place_order(db, rails, truth)
    truth.down = False
    assert placed.reference == ""
    request = PaymentRequest(placed.payment_id, placed.id, Money(TOTAL, EUR), "card")
    opened = await truth.start(request)
    truth.authorise(opened.reference)
    body = event("payment_intent.amount_capturable_updated", intent(opened.reference))
    assert await tell_and_process(db, rails, body) == "processed"
    assert await state_of(db, placed.id) == "authorised"
    await payments.start(db, rails, placed.payment_id)
    await run_jobs(db, rails)
    assert await state_of(db, placed.id) == "paid"
    assert len(truth.payments) == 1
    assert await column(db, "SELECT count(*) FROM entries WHERE kind = 'pay_in'") == [1]


async def test_fault_f_40_a_second_payment_that_carries_our_id_moves_nothing(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    ours = truth.payments[placed.reference]
    truth.payments["pi_other"] = replace(ours, reference="pi_other")
    truth.take("pi_other", TOTAL)
    assert await tell_and_process(db, rails, event("payment_intent.succeeded", intent("pi_other"))) == "processed"
    assert await state_of(db, placed.id) == "awaiting_payment"
    assert await column(db, "SELECT kind FROM alerts") == ["second_payment"]
    assert await ledger_of(db, placed) == []


async def test_fault_f_24_a_payment_that_claims_our_id_for_another_order_is_nobodys(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    ours = truth.payments[placed.reference]
    truth.payments["pi_other"] = replace(ours, reference="pi_other", order_id="or_other")
    truth.take("pi_other", TOTAL)
    assert await tell_and_process(db, rails, event("payment_intent.succeeded", intent("pi_other"))) == "ignored"
    assert await column(db, "SELECT kind FROM alerts") == ["unmatched_money"]
    assert await column(db, "SELECT count(*) FROM strays") == [0]


async def test_fault_f_24_unknown_objects(db: Database, rails: Rails, truth: CardTruth) -> None:
    assert await tell_and_process(db, rails, event("payment_intent.succeeded", intent("pi_none"))) == "ignored"
    refund: dict[str, object] = {"id": "re_x", "object": "refund", "payment_intent": "pi_none"}
    assert await tell_and_process(db, rails, event("refund.created", refund)) == "ignored"
    assert await column(db, "SELECT kind FROM alerts") == ["unmatched_money"] * 2


async def test_fault_f_25_another_amount_than_was_agreed(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await place_order(db, rails, truth)
    truth.take(placed.reference, TOTAL - 1)
    assert await tell_and_process(db, rails, event("payment_intent.succeeded", intent(placed.reference))) == "processed"
    assert await column(db, "SELECT hold ->> 'reason' FROM orders") == ["amount_mismatch"]
    assert ("ORDER:pay_in:PI", "order:ORDER", "EUR", -(TOTAL - 1)) in await ledger_of(db, placed)
    assert (await column(db, "SELECT type FROM events ORDER BY position"))[-1] == "order.held"


async def test_fault_f_26_unknown_kinds_and_words(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await place_order(db, rails, truth)
    for number in range(2):
        subject: dict[str, object] = {"id": f"cus_{number}", "object": "customer"}
        assert await tell_and_process(db, rails, event("customer.created", subject)) == "ignored"
    truth.dispute("du_1", placed.reference, DisputeStatus.UNKNOWN, TOTAL, TOTAL)
    body = event("charge.dispute.created", dispute("du_1", placed.reference))
    assert await tell_and_process(db, rails, body) == "processed"
    assert await state_of(db, placed.id) == "awaiting_payment"
    assert sorted(await column(db, "SELECT kind FROM alerts")) == ["unknown_notification", "unknown_provider_status"]
    assert await ledger_of(db, placed) == []


async def test_fault_f_27_crash_after_our_200(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await place_order(db, rails, truth)
    truth.take(placed.reference, TOTAL)
    stored = await tell(db, rails, event("payment_intent.succeeded", intent(placed.reference)))
    assert stored is not None
    assert await column(db, "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'process_notification'") == [1]
    # The worker dies while it writes: the effect and the notification's state are one transaction.
    async with db.connection() as connection:
        await connection.execute(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF NEW.state = 'processed' THEN RAISE EXCEPTION 'killed'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER die BEFORE UPDATE ON notifications FOR EACH ROW EXECUTE FUNCTION die()
            """
        )
    with pytest.raises(Exception, match="killed"):
        await process_notification(db, rails, stored)
    assert (await state_of(db, placed.id), await ledger_of(db, placed)) == ("awaiting_payment", [])
    async with db.connection() as connection:
        await connection.execute("DROP TRIGGER die ON notifications")
    for _ in range(2):
        await process_notification(db, rails, stored)
    assert await state_of(db, placed.id) == "paid"
    assert await column(db, "SELECT count(*) FROM entries WHERE kind = 'pay_in'") == [1]
    assert await column(db, "SELECT count(*) FROM events WHERE resource_sequence > 1") == [1]


async def test_fault_f_28_a_poison_notification_is_parked_and_blocks_nobody(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    truth.take(placed.reference, TOTAL)
    poison = await tell(db, rails, event("payment_intent.succeeded", intent(placed.reference)))
    assert poison is not None
    truth.broken = RuntimeError("poison")
    for _ in range(MOST_TRIES):
        with pytest.raises(RuntimeError):
            await process_notification(db, rails, poison)
    assert await column(db, "SELECT state FROM notifications WHERE id = $1", poison) == ["received"]
    asked = truth.asked
    await process_notification(db, rails, poison)
    assert await column(db, "SELECT state FROM notifications WHERE id = $1", poison) == ["parked"]
    await process_notification(db, rails, poison)
    assert truth.asked == asked
    assert await column(db, "SELECT subject FROM alerts WHERE kind = 'notification_parked'") == [poison]
    truth.broken = None
    assert await tell_and_process(db, rails, event("charge.succeeded", charge(placed.reference))) == "processed"
    assert await state_of(db, placed.id) == "paid"


async def test_a_provider_that_is_down_for_long_parks_nothing(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await place_order(db, rails, truth)
    truth.take(placed.reference, TOTAL)
    stored = await tell(db, rails, event("payment_intent.succeeded", intent(placed.reference)))
    assert stored is not None
    truth.down = True
    for _ in range(3 * MOST_TRIES):
        with pytest.raises(ProviderUnavailable):
            await process_notification(db, rails, stored)
    truth.down = False
    await process_notification(db, rails, stored)
    assert await state_of(db, placed.id) == "paid"


async def test_what_the_machine_refuses_is_parked_with_nothing_written(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    truth.dispute("du_1", placed.reference, DisputeStatus.OPEN, TOTAL, TOTAL)
    body = event("charge.dispute.created", dispute("du_1", placed.reference))
    assert await tell_and_process(db, rails, body) == "parked"
    assert (await state_of(db, placed.id), await ledger_of(db, placed)) == ("awaiting_payment", [])
    assert await column(db, "SELECT kind FROM alerts") == ["notification_parked"]
    assert await column(db, "SELECT count(*) FROM transitions") == [1]


async def test_fault_f_51_a_refund_that_fails_long_after_it_succeeded(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    async with db.transaction() as tx:
        await refunds.request(tx, placed.id, None)
    await run_jobs(db, rails)
    [refund_id] = truth.refunds
    subject: dict[str, object] = {"id": f"re_{refund_id}", "object": "refund", "payment_intent": placed.reference}
    truth.settle(refund_id, Outcome.SUCCEEDED)
    await tell_and_process(db, rails, event("refund.updated", subject))
    assert await state_of(db, placed.id) == "refunded"
    truth.settle(refund_id, Outcome.DECLINED)
    for _ in range(2):
        assert await tell_and_process(db, rails, event("refund.failed", subject)) == "processed"
    assert await state_of(db, placed.id) == "refunding"
    assert await held(db, placed) == TOTAL
    assert await column(db, "SELECT hold ->> 'reason' FROM orders") == ["refund_failed"]
