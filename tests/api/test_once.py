"""Many at once: one key makes one order, one quote makes one order."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.api.front import ADDRESS, QUOTE, Caller, Front


async def count(front: Front, table: str, caller: Caller) -> int:
    """How many rows of a partner there are."""
    async with front.context.db.connection() as connection:
        found: int = await connection.fetchval(
            f'SELECT count(*) FROM "{table}" WHERE partner_id = $1',  # noqa: S608 - our own names
            caller.partner_id,
        )
    return found


async def test_fifty_identical_orders_are_one(front: Front, caller: Caller) -> None:
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}}
    answers = await asyncio.gather(*(caller.post("/v1/orders", body, key="same") for _ in range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
            assert answer.headers["retry-after"] == "1"
    assert await count(front, "orders", caller) == 1
    again = await caller.post("/v1/orders", body, key="same")
    assert (again.status_code, {again.json()["id"]}) == (201, made)


async def test_one_quote_makes_one_order(front: Front, caller: Caller) -> None:
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}}
    answers = await asyncio.gather(*(caller.post("/v1/orders", body) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"quote_used"}
    assert await count(front, "orders", caller) == 1


async def test_one_external_id_makes_one_order(front: Front, caller: Caller) -> None:
    quotes = [await caller.quote() for _ in range(10)]
    bodies = [
        {"quote_id": quote["id"], "destination": {"address": ADDRESS}, "external_id": "inv-1"} for quote in quotes
    ]
    answers = await asyncio.gather(*(caller.post("/v1/orders", body) for body in bodies))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert await count(front, "orders", caller) == 1


async def test_fifty_identical_quotes_are_one(front: Front, caller: Caller) -> None:
    answers = await asyncio.gather(*(caller.post("/v1/quotes", QUOTE, key="same") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await count(front, "quotes", caller) == 1


async def test_one_cancellation(front: Front, caller: Caller) -> None:
    order = await caller.order()
    path = f"/v1/orders/{order['id']}/cancel"
    answers = await asyncio.gather(*(caller.post(path, {}) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["sequence"] for answer in answers} == {2}
