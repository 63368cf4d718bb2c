"""Delivering events: faults.md section J, F-122..F-132, against subscribers that listen on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import orjson
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.db import deliveries, endpoints, events
from app.domain.retry import DELIVERY_SCHEDULE
from app.services import endpoints as endpoint_service
from app.services.envelopes import MAX_BODY
from tests.webhooks.instance import Instance
from tests.webhooks.names import Names
from tests.webhooks.receivers import answering, in_turn, receiver
from webhooks.outbound.deliver import LEASE, Deliverer
from webhooks.outbound.post import Poster, Reply
from webhooks.outbound.publish import publish_events

SECOND = timedelta(seconds=1)


class DyingPoster(Poster):
    """The worker dies between the subscriber's answer and writing it down."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        await super().post(url, headers, body)
        raise ConnectionAbortedError("the worker is gone")


async def test_a_delivery_is_verified_by_the_official_library(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(200)) as there:
        made = await instance.create(there.url, "order.*")
        event_id = await instance.happen("order.completed", status="completed")
        await instance.happen("webhook_endpoint.disabled")
        await instance.run(deliverer)
        [request] = there.requests
    event = Webhook(made.secret).verify(request.body, request.headers)
    assert request.headers["webhook-id"] == event["id"] == event_id
    assert request.headers["content-type"] == "application/json"
    assert event["type"] == "order.completed"
    assert event["partner_id"] == instance.partner_id
    assert (event["partner_sequence"], event["resource"]["sequence"], event["livemode"]) == (1, 1, False)
    assert event["data"]["object"]["status"] == "completed"
    assert event["data"]["previous"] == {"status": "processing"}
    assert event["timestamp"] == event["created_at"]
    assert (event["request_id"], event["test_clock_id"], event["replay_of"]) == ("req_1", None, None)
    [delivery] = await instance.deliveries()
    assert (delivery.status, delivery.event_id, delivery.next_attempt_at) == ("succeeded", event_id, None)
    [attempt] = delivery.attempts
    assert (attempt.number, attempt.status, attempt.response, attempt.error) == (1, 200, "ok", None)


async def test_an_event_is_never_larger_than_the_standard_allows(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(200)) as there:
        await instance.create(there.url)
        metadata = {f"key-{number}": "ü" * 500 for number in range(50)}
        await instance.happen(status="completed", metadata=metadata)
        await instance.happen(status="completed", failure={"message": "x" * 30_000})
        await instance.run(deliverer)
        without_metadata, without_object = [orjson.loads(request.body)["data"] for request in there.requests]
        assert all(len(request.body) < MAX_BODY for request in there.requests)
    assert without_metadata["omitted"] == ["object.metadata"]
    assert without_metadata["object"]["status"] == "completed"
    assert without_metadata["previous"] == {"status": "processing"}
    assert without_object["omitted"] == ["object.metadata", "previous", "object"]
    assert set(without_object["object"]) == {"id", "object", "status"}


async def test_fault_f_122_crash_after_commit_before_sending(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(200)) as there:
        await instance.create(there.url)
        await instance.happen()
        async with instance.db.transaction() as tx:  # the worker took its jobs with it
            await tx.execute("DELETE FROM pgqueuer")
            await tx.execute("UPDATE events SET created_at = created_at - interval '1 minute'")
        assert await events.partners_waiting(instance.db) == [instance.partner_id]
        await asyncio.gather(*(_publish(instance) for _ in range(5)))
        [delivery] = await instance.deliveries()
        async with instance.db.transaction() as tx:
            await tx.execute("DELETE FROM pgqueuer")
            assert await deliveries.claim_overdue(tx, 10) == []
            await tx.execute("UPDATE deliveries SET due_at = due_at - interval '3 minutes'")
            assert await deliveries.claim_overdue(tx, 10) == [delivery.id]
            assert await deliveries.claim_overdue(tx, 10) == []
        await deliverer.deliver(delivery.id)
        await deliverer.deliver(delivery.id)
        assert len(there.requests) == 1
    [delivery] = await instance.deliveries()
    assert delivery.status == "succeeded"


async def _publish(instance: Instance) -> None:
    await publish_events(instance.db, instance.partner_id)


async def test_fault_f_123_answered_but_not_recorded(instance: Instance, deliverer: Deliverer) -> None:
    dying = Deliverer(instance.db, instance.sealer, poster=DyingPoster(Names([]), allow_loopback=True))
    async with receiver(answering(200)) as there:
        made = await instance.create(there.url)
        event_id = await instance.happen()
        with pytest.raises(ConnectionAbortedError):
            await instance.run(dying)
        [delivery] = await instance.deliveries()
        assert (delivery.status, delivery.attempts) == ("pending", [])
        await deliverer.deliver(delivery.id)  # the job again, while the dead worker's lease holds
        assert len(there.requests) == 1
        wait = await instance.next_due()
        assert wait is not None
        assert timedelta(0) < wait <= LEASE
        await asyncio.sleep(1.1)  # the signature is of this attempt's second
        await instance.pass_time(LEASE)
        await instance.run(deliverer)
        first, second = there.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == event_id
    assert first.body == second.body
    assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"])
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    Webhook(made.secret).verify(second.body, second.headers)
    [delivery] = await instance.deliveries()
    assert (delivery.status, [attempt.number for attempt in delivery.attempts]) == ("succeeded", [1])


@pytest.mark.parametrize("spread", [0.0, 1.0])
async def test_fault_f_124_the_schedule_to_its_end(instance: Instance, spread: float) -> None:
    deliverer = Deliverer(instance.db, instance.sealer, allow_loopback=True, spread=lambda: spread)
    waits = []
    async with receiver(answering(500, body=b"a\x00b")) as there:
        await instance.create(there.url)
        await instance.happen()
        while True:
            await instance.run(deliverer)
            wait = await instance.next_due()
            if wait is None:
                break
            waits.append(wait)
            await instance.pass_time(wait)
        assert len({request.headers["webhook-id"] for request in there.requests}) == 1
        assert len(there.requests) == 10
    for wait, expected in zip(waits, DELIVERY_SCHEDULE[1:], strict=True):
        assert abs(wait - expected * (1 + 0.1 * spread)) < SECOND
    [delivery] = await instance.deliveries()
    assert (delivery.status, delivery.next_attempt_at) == ("exhausted", None)
    assert [attempt.number for attempt in delivery.attempts] == list(range(1, 11))
    assert {(attempt.status, attempt.response) for attempt in delivery.attempts} == {(500, "ab")}


async def test_fault_f_125_a_redirect_is_retried_not_followed(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(200)) as canary:
        async with receiver(answering(307, headers=f"location: {canary.url}\r\n")) as there:
            await instance.create(there.url)
            await instance.happen()
            await instance.run(deliverer)
        assert canary.connections == 0
    [delivery] = await instance.deliveries()
    assert (delivery.status, delivery.attempts[0].status, delivery.attempts[0].error) == ("pending", 307, "redirect")


async def test_fault_f_126_gone_disables_the_endpoint(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(410)) as gone, receiver(answering(200)) as other:
        leaving, staying = await instance.create(gone.url), await instance.create(other.url)
        for _ in range(3):
            await instance.happen()
        await instance.run(deliverer)
        assert gone.connections == 1
        told = [orjson.loads(request.body) for request in other.requests]
    disabled = await endpoint_service.get(instance.db, instance.partner_id, leaving.id)
    assert (disabled.status, disabled.disabled_reason) == ("disabled", "gone")
    assert (await endpoint_service.get(instance.db, instance.partner_id, staying.id)).status == "enabled"
    assert {delivery.status for delivery in await instance.deliveries(leaving.id)} == {"canceled"}
    assert [event["type"] for event in told] == ["order.completed"] * 3 + ["webhook_endpoint.disabled"]
    assert told[-1]["resource"] == {"type": "webhook_endpoint", "id": leaving.id, "sequence": disabled.sequence}
    assert told[-1]["data"]["previous"]["status"] == "enabled"
    assert "secret" not in told[-1]["data"]["object"]
    assert await instance.next_due() is None


async def test_fault_f_130_events_can_be_put_in_order(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(200)) as there:
        await instance.create(there.url)
        for sequence in (5, 6, 7):
            await instance.happen(sequence=sequence)
        await instance.run(deliverer, at_once=True)
        told = sorted((orjson.loads(request.body) for request in there.requests), key=lambda e: e["partner_sequence"])
    assert [(event["partner_sequence"], event["resource"]["sequence"]) for event in told] == [(1, 5), (2, 6), (3, 7)]


async def test_fault_f_131_added_later_or_deleted_with_something_pending(
    instance: Instance, deliverer: Deliverer
) -> None:
    async with receiver(answering(500)) as there, receiver(answering(200)) as late:
        deleted = await instance.create(there.url)
        await instance.happen()
        await instance.run(deliverer)
        await instance.create(late.url)
        await endpoint_service.delete(instance.db, instance.partner_id, deleted.id)
        await instance.pass_time(timedelta(hours=1))
        await instance.run(deliverer)
        assert (there.connections, late.connections) == (1, 0)
    [delivery] = await instance.deliveries(deleted.id)
    assert delivery.status == "canceled"
    async with instance.db.transaction() as tx:
        assert await endpoints.live_secrets(tx, deleted.id) == []


async def test_disabled_with_something_pending_nothing_is_sent(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(500)) as there:
        made = await instance.create(there.url)
        await instance.happen()
        await instance.run(deliverer)
        async with instance.db.transaction() as tx:
            await endpoint_service.disable(tx, instance.partner_id, made.id)
        event_id = await instance.happen()
        async with instance.db.transaction() as tx:  # a publisher that had read the endpoint before
            await events.number(tx, instance.partner_id)
            [late] = await deliveries.insert(tx, [("wd_late", event_id, made.id)])
        await deliverer.deliver(late)
        await instance.pass_time(timedelta(hours=1))
        await instance.run(deliverer)
        assert there.connections == 1
    assert {delivery.status for delivery in await instance.deliveries()} == {"canceled"}


async def test_fault_f_132_secret_rotated_mid_retry(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(in_turn(500, 500, 500, 200)) as there:
        made = await instance.create(there.url)
        await instance.happen()
        await instance.run(deliverer)
        new = await instance.rotate(made.id, timedelta(hours=24))
        assert new != made.secret
        for wait in (timedelta(seconds=5), timedelta(hours=20), timedelta(hours=5)):
            await instance.pass_time(wait)
            await instance.run(deliverer)
        before, during, later, after = there.requests
    assert len({request.headers["webhook-id"] for request in there.requests}) == 1
    for request in (before, during, later):
        Webhook(made.secret).verify(request.body, request.headers)
    for request in (during, later, after):
        Webhook(new).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(before.body, before.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(after.body, after.headers)


async def test_a_test_event_goes_to_its_endpoint_alone_and_only_once(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(500)) as tested, receiver(answering(200)) as other:
        made = await instance.create(tested.url, "order.*", enabled=False)
        await instance.create(other.url, "*")
        async with instance.db.transaction() as tx:
            sent = await endpoint_service.send_test(tx, instance.partner_id, made.id)
        await instance.run(deliverer)
        assert (tested.connections, other.connections) == (1, 0)
        [request] = tested.requests
    event = Webhook(made.secret).verify(request.body, request.headers)
    assert (event["id"], event["type"]) == (sent.event_id, "webhook_endpoint.tested")
    [delivery] = await instance.deliveries(made.id)
    assert (delivery.status, len(delivery.attempts)) == ("exhausted", 1)


async def test_two_jobs_of_one_delivery_make_one_attempt(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(answering(200)) as there:
        await instance.create(there.url)
        await instance.happen()
        await _publish(instance)
        [delivery] = await instance.deliveries()
        await asyncio.gather(*(deliverer.deliver(delivery.id) for _ in range(4)))
        assert len(there.requests) == 1
