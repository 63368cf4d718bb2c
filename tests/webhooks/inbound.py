"""Notifications that come in, the jobs they bring, and what the provider calls its objects."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from app.db.database import Database
from app.db.jobs import JobName
from app.services import payments, refunds
from app.services.rails import Rails
from tests.webhooks.card import CardTruth, Placed, column, event, ledger_of, place_order, signed, state_of
from webhooks.inbound.process import process_notification
from webhooks.inbound.receive import receive


async def tell(db: Database, rails: Rails, body: bytes) -> str | None:
    """Let a notification come in; our id of it when it is new."""
    before = set(await column(db, "SELECT id FROM notifications"))
    source = rails.notifications["stripe"]
    await receive(db, source, body, signed(body), now=datetime.now(UTC), livemode=rails.livemode)
    new = set(await column(db, "SELECT id FROM notifications")) - before
    return str(new.pop()) if new else None


async def tell_and_process(db: Database, rails: Rails, body: bytes) -> str:
    """Let a new notification come in and do its job; what became of it."""
    stored = await tell(db, rails, body)
    assert stored is not None
    await process_notification(db, rails, stored)
    [state] = await column(db, "SELECT state FROM notifications WHERE id = $1", stored)
    return str(state)


async def run_jobs(db: Database, rails: Rails, chance: random.Random | None = None) -> None:
    """Do every job that is due, but for sending coins and telling subscribers; in any order when there is chance."""
    doing: dict[str, Callable[[str], Awaitable[object]]] = {
        JobName.PROCESS_NOTIFICATION: lambda subject: process_notification(db, rails, subject),
        JobName.CAPTURE_PAYMENT: lambda subject: payments.capture(db, rails, subject),
        JobName.CANCEL_PAYMENT: lambda subject: payments.cancel(db, rails, subject),
        JobName.REFUND_ORDER: lambda subject: refunds.refund_order(db, rails, subject),
        JobName.REFUND_PAYMENT: lambda subject: refunds.refund_payment(db, rails, subject),
    }
    while True:
        async with db.connection() as connection:
            rows = await connection.fetch(
                "DELETE FROM pgqueuer WHERE entrypoint = ANY($1) RETURNING id, entrypoint, payload", list(doing)
            )
        if not rows:
            return
        jobs = sorted((row["id"], row["entrypoint"], bytes(row["payload"]).decode()) for row in rows)
        if chance is not None:
            chance.shuffle(jobs)
        for _, name, subject in jobs:
            await doing[name](subject)


def intent(reference: str) -> dict[str, object]:
    return {"id": reference, "object": "payment_intent"}


def charge(reference: str) -> dict[str, object]:
    return {"id": "ch_1", "object": "charge", "payment_intent": reference}


def dispute(reference: str, payment: str) -> dict[str, object]:
    return {"id": reference, "object": "dispute", "payment_intent": payment}


async def paid_order(db: Database, rails: Rails, truth: CardTruth) -> Placed:
    """An order whose money was captured."""
    placed = await place_order(db, rails, truth)
    truth.authorise(placed.reference)
    await tell_and_process(db, rails, event("payment_intent.amount_capturable_updated", intent(placed.reference)))
    await run_jobs(db, rails)
    assert await state_of(db, placed.id) == "paid"
    return placed


async def held(db: Database, placed: Placed) -> int:
    return -sum(units for _, account, _, units in await ledger_of(db, placed) if account == "order:ORDER")
