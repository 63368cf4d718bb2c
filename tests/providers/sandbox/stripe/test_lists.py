"""Lists: order, cursors, bounds and filters."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.providers.sandbox.stripe.far_side import FarSide


async def test_newest_first_and_every_page_once(far: FarSide) -> None:
    made = [(await far.open(100 + number)).id for number in range(7)]
    page = await far.stripe.payment_intents.list_async({"limit": 3})
    assert ([each.id for each in page.data], page.has_more) == (made[:3:-1], True)
    walked = [each.id async for each in page.auto_paging_iter()]
    assert walked == made[::-1]
    before = await far.stripe.payment_intents.list_async({"limit": 2, "ending_before": made[2]})
    assert ([each.id for each in before.data], before.has_more) == ([made[4], made[3]], True)
    rest = await far.stripe.payment_intents.list_async({"limit": 2, "ending_before": made[4]})
    assert ([each.id for each in rest.data], rest.has_more) == ([made[6], made[5]], False)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "starting_after=pi_nobody", "created[eq]=1", "x=1"]
)
async def test_a_wrong_query_is_refused(far: FarSide, query: str) -> None:
    response = await far.http.get(
        f"/stripe/v1/payment_intents?{query}", headers={"authorization": f"Bearer {far.secret_key}"}
    )
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_a_cursor_of_another_account_is_no_cursor(far: FarSide) -> None:
    async with far.neighbour() as other:
        theirs = await other.open()
        with pytest.raises(stripe.InvalidRequestError):
            await far.stripe.payment_intents.list_async({"starting_after": theirs.id})


async def test_bounds_on_the_time(far: FarSide) -> None:
    intent = await far.open()
    now = intent.created
    for created, found in (
        ({"gte": now}, True),
        ({"gt": now}, False),
        ({"lte": now}, True),
        ({"lt": now}, False),
        ({"gte": now - 5, "lte": now + 5}, True),
        (now, True),
        (now - 1, False),
    ):
        page = await far.stripe.payment_intents.list_async({"created": created})  # type: ignore[typeddict-item]
        assert bool(page.data) is found, created
    assert abs(time.time() - now) < 60


async def test_events_by_type_and_by_delivery(far: FarSide) -> None:
    await far.captured()
    one = await far.stripe.events.list_async({"type": "charge.captured"})
    assert [event.type for event in one.data] == ["charge.captured"]
    two = await far.stripe.events.list_async({"types": ["charge.captured", "payment_intent.created"]})
    assert {event.type for event in two.data} == {"charge.captured", "payment_intent.created"}
    assert (await far.stripe.events.list_async({"delivery_success": False})).data == []
    assert len((await far.stripe.events.list_async({"delivery_success": True})).data) == 5


async def test_expansion_of_lists_and_of_nothing(far: FarSide) -> None:
    await far.captured()
    await far.open()
    page = await far.stripe.payment_intents.list_async({"expand": ["data.latest_charge.balance_transaction"]})
    assert page.data[0].latest_charge is None
    assert isinstance(page.data[1].latest_charge, stripe.Charge)
    assert isinstance(page.data[1].latest_charge.balance_transaction, stripe.BalanceTransaction)
    for path in ("colour", "data.colour", "data.amount.x.y.z"):
        with pytest.raises(stripe.InvalidRequestError, match="expand"):
            await far.stripe.payment_intents.list_async({"expand": [path]})


async def test_nothing_of_ours_leaves(far: FarSide) -> None:
    intent = await far.captured()
    await far.stripe.webhook_endpoints.create_async({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    await far.open()
    headers = {"authorization": f"Bearer {far.secret_key}"}
    for path in (
        f"payment_intents/{intent.id}?expand[]=latest_charge",
        "payment_intents?expand[]=data.latest_charge",
        "charges",
        "webhook_endpoints",
        "events",
    ):
        text = (await far.http.get(f"/stripe/v1/{path}", headers=headers)).text
        assert '"_' not in text, path
        assert "whsec_" not in text
