"""The process: health, metrics, and what callers hear when something behind the door is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from app.db.database import Database
from app.main import build_app, build_operator_app
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from app.services import placing
from tests.api.front import ADDRESS, QUOTE, Caller, Front
from tests.api.refusals import check, refused


@pytest.fixture
async def operator(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    """The operator's port."""
    transport = httpx.ASGITransport(build_operator_app(front.context))
    async with httpx.AsyncClient(transport=transport, base_url="http://operator.test") as http:
        yield http


async def test_health_needs_no_key(front: Front, operator: httpx.AsyncClient) -> None:
    for http in (front.http, operator):
        for path in ("/healthz/live", "/healthz/ready"):
            response = await http.get(path)
            assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_metrics_are_the_operators(front: Front, caller: Caller, operator: httpx.AsyncClient) -> None:
    await caller.get("/v1/assets")
    await caller.get(f"/v1/{caller.key}")
    for headers in ({}, caller.headers):
        check(await front.http.get("/metrics", headers=headers), 404, "not_found")
    shown = (await operator.get("/metrics")).text
    assert 'rampwright_http_requests_total{method="GET",route="/v1/assets",status="200"}' in shown
    assert 'rampwright_price_fresh{base="BTC",quote="EUR",source="kraken"} 1.0' in shown
    assert caller.key not in shown
    check(await operator.get("/v1/assets", headers=caller.headers), 404, "not_found")


async def test_without_a_database(front: Front, caller: Caller) -> None:
    gone = Database("postgresql://nobody@/nothing?host=/nowhere&port=1")
    transport = httpx.ASGITransport(build_app(replace(front.context, db=gone)))
    async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
        other = replace(caller, http=http)
        assert (await http.get("/healthz/live")).status_code == 200
        ready = await http.get("/healthz/ready")
        assert (ready.status_code, ready.json()) == (503, {"status": "unavailable"})
        for answer in (await other.get("/v1/assets"), await other.post("/v1/quotes", QUOTE)):
            check(answer, 503, "temporarily_unavailable", unsaid=["nowhere", "postgres", "Errno"])
            assert answer.json()["retryable"] is True
    await gone.close()


async def test_an_old_schema_is_not_ready(front: Front, db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("UPDATE alembic_version SET version_num = 'old'")
    transport = httpx.ASGITransport(build_app(replace(front.context, db=db)))
    async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
        assert (await http.get("/healthz/ready")).status_code == 503


async def test_a_lock_that_is_held_too_long(front: Front, caller: Caller) -> None:
    """The same request may be sent again, and is then carried out: nothing of the first try is kept."""
    order = await caller.order()
    path = f"/v1/orders/{order['id']}/cancel"
    async with front.context.db.transaction() as tx:
        await tx.execute("SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", order["id"])
        check(await caller.post(path, {}, key="wait"), 503, "temporarily_unavailable")
    again = await caller.post(path, {}, key="wait")
    assert (again.status_code, again.json()["status"]) == (200, "canceled")


async def test_a_bug_is_answered(front: Front, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}}
    monkeypatch.setattr(placing, "place", broken)
    check(await caller.post("/v1/orders", body, key="bug"), 500, "internal_error", unsaid=["secret", "Zero", "app/"])
    monkeypatch.undo()
    assert (await caller.post("/v1/orders", body, key="bug")).status_code == 201


class Broken:
    """A far side that fails as it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def pay(self, payment_reference: str, card: str) -> None:
        """Fail."""
        raise self.error

    async def mine(self, network: str, blocks: int) -> list[str]:
        """Fail."""
        raise self.error

    async def deposit(self, network: str, address: str, units: int) -> str:
        """Fail."""
        raise self.error

    async def settle(self, payout_reference: str) -> None:
        """Fail."""
        raise self.error

    async def give_back(self, payout_reference: str, code: str) -> None:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ProviderUnavailable("sandbox", "secret detail"), 503, "temporarily_unavailable"),
        (OutcomeUnknown("sandbox", "secret detail"), 503, "temporarily_unavailable"),
        (ProviderRejected("sandbox", "secret detail"), 409, "provider_rejected"),
    ],
)
async def test_a_far_side_that_fails(front: Front, caller: Caller, error: Exception, status: int, code: str) -> None:
    transport = httpx.ASGITransport(build_app(replace(front.context, simulator=Broken(error))))
    async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
        other = replace(caller, http=http)
        sending = other.post("/v1/simulate/chain/mine", {"network": "bitcoin"})
        await refused(front, sending, status, code, unsaid=["secret"])


async def test_mining(caller: Caller) -> None:
    body = {"network": "bitcoin", "blocks": 2}
    first = await caller.post("/v1/simulate/chain/mine", body, key="mine")
    assert first.status_code == 200
    assert len(first.json()["blocks"]) == 2
    assert (await caller.post("/v1/simulate/chain/mine", body, key="mine")).json() == first.json()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"network": "bitcoin", "blocks": 0}, "validation_failed"),
        ({"network": "bitcoin", "blocks": 101}, "validation_failed"),
        ({"network": "bitcoin", "blocks": "1"}, "validation_failed"),
        ({"network": "bitcoin", "blocks": 1.0}, "validation_failed"),
        ({"network": "bitcoin", "blocks": True}, "validation_failed"),
        ({"network": "ethereum", "blocks": 1}, "route_unavailable"),
        ({"blocks": 1}, "validation_failed"),
    ],
)
async def test_mining_what_cannot_be(front: Front, caller: Caller, body: object, code: str) -> None:
    await refused(front, caller.post("/v1/simulate/chain/mine", body), 422, code)


async def test_paying_with_a_test_card(caller: Caller) -> None:
    order = await caller.order()
    body = {"order_id": order["id"], "card": "4242424242424242"}
    first = await caller.post("/v1/simulate/card/pay", body, key="pay")
    assert first.status_code == 200
    assert "4242" not in first.text
    assert (await caller.post("/v1/simulate/card/pay", body, key="pay")).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("4111111111111111", "validation_failed"),
        ("4242 4242 4242 4242", "validation_failed"),
        ("5105105105105100", "validation_failed"),
        ("pm_card_visa", "validation_failed"),
        (4242424242424242, "validation_failed"),
        (None, "validation_failed"),
    ],
)
async def test_paying_with_any_other_card(front: Front, caller: Caller, card: object, code: str) -> None:
    order = await caller.order()
    body = {"order_id": order["id"], "card": card}
    await refused(front, caller.post("/v1/simulate/card/pay", body), 422, code, unsaid=[str(card)])


async def test_the_exemption_is_one_field_of_one_endpoint(front: Front, caller: Caller) -> None:
    card = "4242424242424242"
    for body in ({"order_id": card, "card": card}, {"order_id": "x", "card": {"card": card}}, {"x": {"card": card}}):
        await refused(front, caller.post("/v1/simulate/card/pay", body), 422, "forbidden_data", unsaid=[card])
    await refused(front, caller.post("/v1/orders", {"card": card}), 422, "forbidden_data", unsaid=[card])


async def test_paying_what_is_not_ones_own(front: Front, caller: Caller) -> None:
    theirs = await (await front.caller()).order()
    for order_id in (theirs["id"], "or_01JD0000000000000000000000", "x"):
        body = {"order_id": order_id, "card": "4242424242424242"}
        await refused(front, caller.post("/v1/simulate/card/pay", body), 404, "not_found")


async def test_callers_who_leave(front: Front, caller: Caller) -> None:
    """A request that is cancelled half-way leaves a door that still works."""
    task = asyncio.create_task(caller.post("/v1/quotes", QUOTE))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await caller.post("/v1/quotes", QUOTE)).status_code == 201
