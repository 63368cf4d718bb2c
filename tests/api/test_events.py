"""The log of events and its stream (api.md 2, faults.md G-10 in part)."""

from __future__ import annotations

import asyncio
from urllib.parse import quote as quoted

import httpx
import pytest

from app.api.streams import Streams
from app.db import events
from app.main import build_app
from tests.api.front import Caller, Front
from tests.api.refusals import check, refused


async def publish(front: Front, caller: Caller) -> None:
    """Number what was written, as the job does."""
    async with front.context.db.transaction() as tx:
        await events.number(tx, caller.partner_id)


async def test_the_log_is_complete_and_in_order(front: Front, caller: Caller) -> None:
    order = await caller.order()
    await caller.post(f"/v1/orders/{order['id']}/cancel", {})
    assert (await caller.get("/v1/events")).json()["data"] == []
    await publish(front, caller)
    log = (await caller.get("/v1/events")).json()
    assert [(event["partner_sequence"], event["type"]) for event in log["data"]] == [
        (1, "order.created"),
        (2, "order.canceled"),
    ]
    first, second = log["data"]
    assert first["data"]["object"]["id"] == order["id"]
    assert second["data"]["previous"]["status"] == "awaiting_funds"
    assert second["resource"] == {"type": "order", "id": order["id"], "sequence": 2}
    assert (await caller.get("/v1/events?after=1")).json()["data"] == [second]
    assert (await caller.get("/v1/events?limit=1")).json() == {"object": "list", "data": [first], "has_more": True}
    assert (await caller.get(f"/v1/events/{first['id']}")).json() == first
    assert "client_secret" not in str(order["payment"]) or order["payment"]["client_secret"] not in str(log)
    stranger = await front.caller()
    assert (await stranger.get("/v1/events")).json()["data"] == []
    await refused(front, stranger.get(f"/v1/events/{first['id']}"), 404, "not_found")


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "9" * 19, "01", "\u0661"])
async def test_no_such_place_in_the_log(front: Front, caller: Caller, after: str) -> None:
    await refused(front, caller.get(f"/v1/events?after={quoted(after)}"), 422, "validation_failed")


async def test_beyond_the_end_of_the_log(caller: Caller) -> None:
    assert (await caller.get(f"/v1/events?after={'9' * 18}")).json()["data"] == []


async def test_the_stream_goes_on_where_the_caller_was(front: Front, caller: Caller) -> None:
    order = await caller.order()
    await caller.post(f"/v1/orders/{order['id']}/cancel", {})
    await publish(front, caller)
    first, second = (await caller.get("/v1/events")).json()["data"]
    app = build_app(front.context)
    app.state.streams = Streams(most=1, longest=0.3)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rampwright.test") as http:
        response = await http.get("/v1/events/stream", headers=caller.headers | {"Last-Event-ID": first["id"]})
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert f"id: {second['id']}\nevent: order.canceled\ndata: {{" in response.text
        assert first["id"] not in response.text
        from_now = await http.get("/v1/events/stream", headers=caller.headers)
        assert "id:" not in from_now.text
        # One stream is all that this instance allows.
        app.state.streams = Streams(most=1, longest=60)
        one = asyncio.create_task(http.get("/v1/events/stream", headers=caller.headers))
        await asyncio.sleep(0.5)
        check(await http.get("/v1/events/stream", headers=caller.headers), 429, "rate_limited")
        one.cancel()


async def test_the_stream_from_nowhere(front: Front, caller: Caller) -> None:
    other = await front.caller()
    await other.order()
    await publish(front, other)
    [theirs] = (await other.get("/v1/events")).json()["data"]
    for last in (theirs["id"], "ev_01JD0000000000000000000000"):
        await refused(front, caller.get("/v1/events/stream", **{"Last-Event-ID": last}), 404, "not_found")
    await refused(front, caller.get("/v1/events/stream", **{"Last-Event-ID": "x"}), 400, "header_invalid")
