"""Disputes: money that is taken back before delivery, in whatever order we hear of it."""

from __future__ import annotations

import pytest

from app.db.database import Database
from app.ports.payin import DisputeStatus
from app.services import refunds
from app.services.rails import Rails
from tests.webhooks.card import TOTAL, CardTruth, column, event, ledger_of, place_order, state_of
from tests.webhooks.inbound import dispute, held, intent, paid_order, tell_and_process


async def test_fault_f_18_the_dispute_comes_before_the_payment(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await place_order(db, rails, truth)
    truth.take(placed.reference, TOTAL)
    truth.dispute("du_1", placed.reference, DisputeStatus.OPEN, TOTAL, TOTAL)
    body = event("charge.dispute.created", dispute("du_1", placed.reference))
    assert await tell_and_process(db, rails, body) == "processed"
    before = await ledger_of(db, placed)
    assert await tell_and_process(db, rails, event("payment_intent.succeeded", intent(placed.reference))) == "processed"
    assert (await state_of(db, placed.id), await held(db, placed)) == ("failed", 0)
    assert await ledger_of(db, placed) == before


@pytest.mark.parametrize("end", [DisputeStatus.WON, DisputeStatus.LOST])
@pytest.mark.parametrize("told_of_the_opening", [True, False])
async def test_fault_f_45_a_dispute_before_delivery(
    db: Database, rails: Rails, truth: CardTruth, end: DisputeStatus, told_of_the_opening: bool
) -> None:
    placed = await paid_order(db, rails, truth)
    opened = event("charge.dispute.created", dispute("du_1", placed.reference))
    if told_of_the_opening:
        truth.dispute("du_1", placed.reference, DisputeStatus.OPEN, TOTAL, TOTAL)
        for _ in range(2):
            assert await tell_and_process(db, rails, event("x", dispute("du_1", placed.reference))) == "processed"
        assert await state_of(db, placed.id) == "failed"
        assert await held(db, placed) == 0
        assert await column(db, "SELECT dispute ->> 'status' FROM orders") == ["open"]
        assert await column(db, "SELECT failure ->> 'code' FROM orders") == ["payment_disputed"]
    truth.dispute("du_1", placed.reference, end, TOTAL, 0 if end is DisputeStatus.WON else TOTAL)
    assert await tell_and_process(db, rails, opened) == "processed"
    closed = event("charge.dispute.closed", dispute("du_1", placed.reference))
    assert await tell_and_process(db, rails, closed) == "processed"
    [document] = await column(db, "SELECT dispute::text FROM orders")
    assert '"amount": "100.00"' in str(document)
    assert f'"status": "{end.value}"' in str(document)
    won = end is DisputeStatus.WON
    assert await state_of(db, placed.id) == ("refunding" if won else "failed")
    assert await held(db, placed) == (TOTAL if won else 0)
    assert sum(units for *_, units in await ledger_of(db, placed)) == 0


async def test_fault_f_52_a_dispute_of_what_is_being_refunded_takes_only_what_is_left(
    db: Database, rails: Rails, truth: CardTruth
) -> None:
    placed = await paid_order(db, rails, truth)
    async with db.transaction() as tx:
        await refunds.request(tx, placed.id, 4_000)  # promised, and not sent yet
    truth.dispute("du_1", placed.reference, DisputeStatus.OPEN, TOTAL, TOTAL)
    body = event("charge.dispute.created", dispute("du_1", placed.reference))
    assert await tell_and_process(db, rails, body) == "processed"
    assert await column(db, "SELECT dispute ->> 'from_order' FROM orders") == ["60.00"]
    assert await held(db, placed) == 4_000


async def test_an_inquiry_moves_no_money(db: Database, rails: Rails, truth: CardTruth) -> None:
    placed = await paid_order(db, rails, truth)
    before = await ledger_of(db, placed)
    for status in (DisputeStatus.INQUIRY, DisputeStatus.PREVENTED):
        truth.dispute("du_1", placed.reference, status, TOTAL, 0)
        body = event("charge.dispute.updated", dispute("du_1", placed.reference))
        assert await tell_and_process(db, rails, body) == "processed"
    truth.dispute("du_1", placed.reference, DisputeStatus.OPEN, TOTAL, 0)  # the money is not gone yet
    body = event("charge.dispute.updated", dispute("du_1", placed.reference))
    assert await tell_and_process(db, rails, body) == "processed"
    assert (await state_of(db, placed.id), await ledger_of(db, placed)) == ("paid", before)
