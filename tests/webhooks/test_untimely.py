"""Answers that come late, twice or not at all: what another way has told us already stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from app.db.alerts import raise_alert
from app.db.database import Database
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.ports.errors import OutcomeUnknown, ProviderRejected
from app.ports.outcome import Outcome
from app.ports.payin import PaymentReceipt, RefundReceipt
from app.services import orders, payments, refunds, sweeps
from app.services.rails import Rails
from tests.webhooks.card import TOTAL, CardTruth, Placed, column, event, place_order, rails_on, state_of
from tests.webhooks.inbound import held, intent, paid_order, run_jobs, tell, tell_and_process

USD = asset_by_id("USD")


@dataclass
class SlowTruth(CardTruth):
    """A provider with which something happens between its answer and our hearing of it."""

    meanwhile: Callable[[], Awaitable[object]] | None = None
    loses_answers: bool = False

    async def _delay(self) -> None:
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.loses_answers:
            raise OutcomeUnknown(self.provider, "the answer was lost")

    async def refund(
        self, reference: str, amount: Money, *, refund_id: str, order_id: str, key: str | None = None
    ) -> RefundReceipt:
        answer = await super().refund(reference, amount, refund_id=refund_id, order_id=order_id, key=key)
        await self._delay()
        return answer

    async def cancel(self, reference: str, *, key: str) -> PaymentReceipt:
        answer = await super().cancel(reference, key=key)
        await self._delay()
        return answer


async def refunding(db: Database, rails: Rails, truth: CardTruth) -> tuple[Placed, str]:
    """A paid order of which a refund was asked, and the refund's id; its job has not run."""
    placed = await paid_order(db, rails, truth)
    async with db.transaction() as tx:
        await refunds.request(tx, placed.id, None)
    [refund_id] = await column(db, "SELECT id FROM operations WHERE kind = 'refund'")
    return placed, str(refund_id)


def told(placed: Placed, refund_id: str) -> bytes:
    return event("refund.updated", {"id": f"re_{refund_id}", "object": "refund", "payment_intent": placed.reference})


async def test_a_refund_whose_answer_was_lost_after_its_notification_can_still_bounce(db: Database) -> None:
    truth = SlowTruth(loses_answers=True)
    rails = rails_on(truth)
    placed, refund_id = await refunding(db, rails, truth)
    truth.meanwhile = lambda: tell_and_process(db, rails, told(placed, refund_id))
    with pytest.raises(OutcomeUnknown):
        await refunds.refund_payment(db, rails, refund_id)
    assert await column(db, "SELECT state FROM operations WHERE id = $1", refund_id) == ["pending"]
    assert await held(db, placed) == 0
    truth.settle(refund_id, Outcome.DECLINED)
    await refunds.refund_payment(db, rails, refund_id)
    assert await held(db, placed) == TOTAL
    assert await state_of(db, placed.id) == "refunding"


async def test_a_refund_that_failed_before_its_own_answer_arrived_has_failed(db: Database) -> None:
    truth = SlowTruth()
    rails = rails_on(truth)
    placed, refund_id = await refunding(db, rails, truth)

    async def fail() -> None:
        truth.settle(refund_id, Outcome.DECLINED)
        await tell_and_process(db, rails, told(placed, refund_id))

    truth.meanwhile = fail
    await refunds.refund_payment(db, rails, refund_id)
    assert await column(db, "SELECT state FROM operations WHERE id = $1", refund_id) == ["declined"]
    assert await held(db, placed) == TOTAL


async def test_a_look_up_that_is_refused_does_not_make_a_refund_fail(db: Database) -> None:
    truth = SlowTruth(loses_answers=True)
    rails = rails_on(truth)
    placed, refund_id = await refunding(db, rails, truth)
    with pytest.raises(OutcomeUnknown):
        await refunds.refund_payment(db, rails, refund_id)
    truth.broken = ProviderRejected("stripe", "the API key was refused (401)")
    with pytest.raises(ProviderRejected):
        await refunds.refund_payment(db, rails, refund_id)
    assert await column(db, "SELECT state FROM operations WHERE id = $1", refund_id) == ["unknown"]
    assert await column(db, "SELECT hold FROM orders WHERE id = $1", placed.id) == [None]


async def test_the_end_of_a_payment_answers_what_was_asked_of_it(db: Database) -> None:
    truth = SlowTruth(loses_answers=True)
    rails = rails_on(truth)
    placed = await place_order(db, rails, truth)
    async with db.transaction() as tx:
        await orders.cancel(tx, placed.partner_id, placed.id)
    body = event("payment_intent.canceled", intent(placed.reference))
    truth.meanwhile = lambda: tell_and_process(db, rails, body)
    with pytest.raises(OutcomeUnknown):
        await payments.cancel(db, rails, placed.id)
    assert await column(db, "SELECT state FROM operations WHERE kind = 'cancel'") == ["succeeded"]
    await payments.cancel(db, rails, placed.id)
    assert await column(db, "SELECT state FROM operations WHERE kind = 'cancel'") == ["succeeded"]


async def test_money_that_comes_after_the_window_is_late_although_no_sweep_has_come_by(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    async with db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", placed.id)
    truth.authorise(placed.reference)
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent(placed.reference)))
    await run_jobs(db, rails)
    assert await state_of(db, placed.id) == "expired"
    assert await column(db, "SELECT status FROM payments WHERE order_id = $1", placed.id) == ["canceled"]


async def test_a_fee_in_another_currency_is_not_booked_as_if_it_were_in_ours(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    truth.authorise(placed.reference)
    taken = truth.take(placed.reference, TOTAL)
    truth.payments[placed.reference] = replace(taken, fee=Money(175, USD))
    await tell_and_process(db, rails, event("payment_intent.succeeded", intent(placed.reference)))
    assert await state_of(db, placed.id) == "paid"
    assert await column(db, "SELECT count(*) FROM entries WHERE kind = 'provider_fee'") == [0]
    assert await column(db, "SELECT kind FROM alerts") == ["fee_in_other_asset"]


async def test_a_payment_that_cannot_be_believed_does_not_stop_the_sweep(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    first, second = [await place_order(db, rails, truth) for _ in range(2)]
    async with db.transaction() as tx:
        await tx.execute("UPDATE payments SET poll_at = now() - interval '1 second' WHERE id = $1", second.payment_id)
        await tx.execute("UPDATE payments SET poll_at = now() - interval '1 minute' WHERE id = $1", first.payment_id)
    truth.payments[first.reference] = replace(truth.payments[first.reference], amount=Money(TOTAL, USD))
    truth.authorise(second.reference)
    await sweeps.poll_payments(db, rails)
    assert await state_of(db, second.id) == "authorised"
    assert await column(db, "SELECT kind FROM alerts") == ["illegal_transition"]


async def test_a_notification_whose_job_still_waits_gets_no_second_one(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await place_order(db, rails, truth)
    await tell(db, rails, event("payment_intent.created", intent(placed.reference)))
    async with db.transaction() as tx:
        await tx.execute("UPDATE notifications SET received_at = now() - interval '1 hour'")
    count = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'process_notification'"
    await sweeps.wake_jobs(db)
    assert await column(db, count) == [1]
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM pgqueuer")
    await sweeps.wake_jobs(db)
    assert await column(db, count) == [1]


async def test_an_order_whose_job_is_gone_is_worked_on_again(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    count = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'send_coins'"
    async with db.transaction() as tx:
        await tx.execute("UPDATE orders SET updated_at = now() - interval '1 hour'")
    await sweeps.wake_jobs(db)
    assert await column(db, count) == [1]  # it has its job still
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM pgqueuer")
    await sweeps.wake_jobs(db)
    assert await column(db, count) == [1]
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM pgqueuer")
        await raise_alert(tx, "deadly_job", f"send_coins:{placed.id}", "picked 6 times")
    await sweeps.wake_jobs(db)
    assert await column(db, count) == [0]
