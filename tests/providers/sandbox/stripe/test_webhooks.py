"""Signed webhooks: who gets them, how often, in what order, and what becomes of those that fail."""

from __future__ import annotations

import stripe

from tests.providers.sandbox.stripe.far_side import FarSide, Receiver, receiving, until


async def subscribe(far: FarSide, receiver: Receiver, *events: str) -> stripe.WebhookEndpoint:
    return await far.stripe.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": list(events) or ["*"]}  # type: ignore[typeddict-item]
    )


async def undelivered(far: FarSide) -> list[str]:
    page = await far.stripe.events.list_async({"delivery_success": False})
    return [event.type for event in page.data]


async def test_the_sdk_accepts_the_signature_and_the_event(far: FarSide) -> None:
    async with receiving() as receiver:
        endpoint = await subscribe(far, receiver)
        intent = await far.open(2_500, order_id="or_1")
        await until(lambda: len(receiver.received) == 1)
        arrived = receiver.received[0]
        event = stripe.Webhook.construct_event(arrived.body, arrived.headers["stripe-signature"], endpoint.secret)
        assert (event.type, event.livemode, event.api_version) == (
            "payment_intent.created",
            False,
            "2026-10-28.endive",
        )
        assert event.data.object["id"] == intent.id
        assert event.data.object["metadata"]["order_id"] == "or_1"
        assert event.request is not None
        assert event.request.idempotency_key is not None
        await until(lambda: _all_delivered(far))
        stored = await far.stripe.events.retrieve_async(event.id)
        assert (stored.type, stored.pending_webhooks) == (event.type, 0)


async def _all_delivered(far: FarSide) -> bool:
    return await undelivered(far) == []


async def test_only_what_was_asked_for_and_only_to_this_account(far: FarSide) -> None:
    async with far.neighbour() as other, receiving() as receiver, receiving() as theirs:
        await subscribe(far, receiver, "charge.captured", "payment_intent.canceled")
        await subscribe(other, theirs)
        await far.captured()
        await until(lambda: receiver.types() == ["charge.captured"])
        assert theirs.received == []


async def test_an_error_is_answered_with_patience(far: FarSide) -> None:
    async with receiving() as receiver:
        receiver.answers = [500, 302, 404]
        await subscribe(far, receiver)
        await far.open()
        await until(lambda: len(receiver.received) == 4)
        assert len({each.id for each in receiver.received}) == 1
        await until(lambda: _all_delivered(far))


async def test_what_nobody_takes_stays_to_be_read(far: FarSide) -> None:
    async with receiving() as receiver:
        await subscribe(far, receiver)
    await far.open()
    assert await undelivered(far) == ["payment_intent.created"]


async def test_duplicates(far: FarSide) -> None:
    async with receiving() as receiver:
        await subscribe(far, receiver)
        await far.arm("webhook_duplicate", copies=3, event="created$")
        await far.open()
        await until(lambda: len(receiver.received) == 3)
        assert len({each.id for each in receiver.received}) == 1


async def test_the_wrong_order(far: FarSide) -> None:
    async with receiving() as receiver:
        await subscribe(far, receiver)
        await far.arm("webhook_reorder", times=5, seconds=0.5)
        await far.captured()
        await until(lambda: len(receiver.received) == 5)
        assert receiver.types() == (await far.event_types())[::-1]


async def test_lateness_and_loss(far: FarSide) -> None:
    async with receiving() as receiver:
        await subscribe(far, receiver)
        await far.arm("webhook_drop", event="^payment_intent.created$")
        await far.arm("webhook_delay", event="^charge.succeeded$", seconds=0.3)
        await far.captured()
        await until(lambda: len(receiver.received) == 4)
        assert receiver.types()[-1] == "charge.succeeded"
        await until(lambda: _only_dropped_is_left(far))


async def _only_dropped_is_left(far: FarSide) -> bool:
    return await undelivered(far) == ["payment_intent.created"]


async def test_the_life_of_an_endpoint(far: FarSide) -> None:
    async with receiving() as receiver:
        endpoint = await subscribe(far, receiver)
        assert endpoint.secret is not None
        listed = (await far.stripe.webhook_endpoints.list_async()).data
        assert [(each.id, each.to_dict().get("secret")) for each in listed] == [(endpoint.id, None)]
        changed = await far.stripe.webhook_endpoints.update_async(endpoint.id, {"disabled": True})
        assert changed.status == "disabled"
        await far.open(100)
        await far.stripe.webhook_endpoints.update_async(
            endpoint.id, {"disabled": False, "enabled_events": ["payment_intent.created"]}
        )
        second = await far.open(200)
        await until(lambda: len(receiver.received) == 1)
        assert second.id.encode() in receiver.received[0].body
        gone = await far.stripe.webhook_endpoints.delete_async(endpoint.id)
        assert gone.deleted
        await far.open(300)
        assert (await far.stripe.webhook_endpoints.list_async()).data == []
        assert await undelivered(far) == []
        assert len(receiver.received) == 1
