"""A book that is right: one instance that has been through every kind of order, made by the real services alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from standardwebhooks import Webhook, WebhookVerificationError

from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.database import Database
from app.domain.order import OrderState
from app.ports.records import FarSide, ReceivedEvent
from app.services import orders, payments, refunds
from tests.audit.book_out import Names, lead_out, leave_open
from tests.support.opening import open_world
from tests.support.world import World
from tests.webhooks.receivers import Receiver, answering, receiver

REFUND_FAILS = "4000000000005126"


@dataclass(slots=True)
class Book:
    """The instance, its orders by what became of them, and the far side's records of it."""

    world: World
    far: FarSide
    orders: dict[str, str]
    others: Names  # payouts, batches, deposits and sell orders
    receiver: Receiver
    endpoint_id: str
    secret: str

    @property
    def db(self) -> Database:
        """The instance's database."""
        return self.world.db

    def received(self) -> list[ReceivedEvent]:
        """What the subscriber has, each checked with the official library."""
        return [_received(self.secret, request.headers, request.body) for request in self.receiver.requests]


def _received(secret: str, headers: dict[str, str], body: bytes) -> ReceivedEvent:
    try:
        Webhook(secret).verify(body, headers)
        verified = True
    except WebhookVerificationError:
        verified = False
    event = orjson.loads(body)
    return ReceivedEvent(event["id"], event["resource"]["id"], event["resource"]["sequence"], verified)


@asynccontextmanager
async def open_book(home: Path, db: Database, far_url: str) -> AsyncIterator[Book]:
    """Start an instance and lead its orders to their ends."""
    async with open_world(home, db, far_url) as world, receiver(answering(200)) as hook:
        response = await world.post("/v1/webhook_endpoints", {"url": hook.url, "event_types": ["*"]})
        endpoint = response.json()
        response = await world.post(f"/v1/webhook_endpoints/{endpoint['id']}/enable")
        assert response.status_code == 200, response.text
        await world.fund(12, 1_000_000)
        book = Book(world, world.records, {}, {}, hook, endpoint["id"], endpoint["secret"])
        await _lead(book)
        yield book


async def _lead(book: Book) -> None:
    world = book.world
    book.others = await lead_out(world)
    book.orders["completed"] = await _bought(world)
    book.orders["disputed"] = await _bought(world)
    book.orders["won"] = await _bought(world)
    await world.far.mine("bitcoin", 6)
    await world.drain()
    book.orders["refunded"] = await _paid_then_refunded(world, "4242424242424242", [4_000, 6_000])
    book.orders["bounced"] = await _paid_then_refunded(world, REFUND_FAILS, [10_000])
    for name in ("disputed", "won"):
        await _dispute(world, book.orders[name])
    await world.drain()
    await _dispute(world, book.orders["won"], outcome="won")
    book.orders["canceled"] = str((await world.order())["id"])
    response = await world.post(f"/v1/orders/{book.orders['canceled']}/cancel")
    assert response.status_code == 200, response.text
    book.orders["open"] = str((await world.order())["id"])
    book.orders["sent"] = await _bought(world)
    await leave_open(world, book.others)


async def _bought(world: World) -> str:
    order = await world.order()
    await world.pay(order)
    await world.drain()
    return str(order["id"])


async def _paid_then_refunded(world: World, card: str, parts: list[int]) -> str:
    """Pay, and ask for the money back before the job that would send the coins runs."""
    order = await world.order()
    order_id = str(order["id"])
    await world.pay(order, card)
    async with world.db.transaction() as tx:
        payment = await payment_rows.of_order(tx, order_id)
    assert payment is not None
    await payments.look_up(world.db, world.rails, payment)
    await payments.capture(world.db, world.rails, order_id)
    async with world.db.transaction() as tx:
        paid = await order_rows.lock(tx, order_id)
        assert paid is not None
        assert paid.order_state is OrderState.PAID
        for units in parts:
            await refunds.request(tx, order_id, units, actor="test", reason="asked")
        assert await orders.money_held(tx, paid) == paid.source_units
    await world.drain()
    return order_id


async def _dispute(world: World, order_id: str, *, outcome: str | None = None) -> None:
    async with world.db.transaction() as tx:
        payment = await payment_rows.of_order(tx, order_id)
    assert payment is not None
    body = {"payment_intent": payment.reference} | ({"outcome": outcome} if outcome else {})
    await world.far.command("POST", "/control/stripe/dispute", body)
    await world.drain()
