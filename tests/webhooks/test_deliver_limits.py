"""Endpoints that want less, or cannot take anything: faults.md F-127, F-128, F-129."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from app.services import endpoints as endpoint_service
from tests.webhooks.instance import Instance
from tests.webhooks.receivers import Received, answering, in_turn, receiver
from webhooks.outbound.deliver import AT_ONCE, Deliverer

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "headers", "least"),
    [(429, "", 30), (502, "", 30), (504, "", 30), (503, "retry-after: 600\r\n", 600), (429, "retry-after: 45\r\n", 45)],
)
async def test_fault_f_127_slowing_down_concerns_that_endpoint_only(
    instance: Instance, deliverer: Deliverer, status: int, headers: str, least: int
) -> None:
    async with receiver(answering(status, headers=headers)) as slow, receiver(answering(200)) as other:
        throttling, _ = await instance.create(slow.url), await instance.create(other.url)
        await instance.happen()
        await instance.run(deliverer)
        for _ in range(3):
            await instance.happen()
        await instance.run(deliverer)
        assert (slow.connections, other.connections) == (1, 4)
        await instance.pass_time(timedelta(seconds=least - 2))
        await instance.run(deliverer)
        assert slow.connections == 1
        await instance.pass_time(timedelta(seconds=3))
        await instance.run(deliverer)
        assert slow.connections > 1
    attempts = [len(delivery.attempts) for delivery in await instance.deliveries(throttling.id)]
    assert sum(attempts) == slow.connections  # waiting is not an attempt


async def test_fault_f_128_a_hanging_endpoint_delays_nobody_else(instance: Instance, deliverer: Deliverer) -> None:
    open_now, most = 0, 0

    async def hang(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            await asyncio.sleep(30)
        finally:
            open_now -= 1

    async with receiver(hang) as hanging, receiver(answering(200)) as other:
        await instance.create(hanging.url)
        await instance.create(other.url)
        for _ in range(12):
            await instance.happen()
        begun = time.monotonic()
        await instance.run(deliverer, at_once=True, rounds=1)
        took = time.monotonic() - begun
        assert len(other.requests) >= AT_ONCE
        assert hanging.connections == most == AT_ONCE
        await instance.pass_time(3 * SECOND)
        while len(other.requests) < 12:
            await instance.run(deliverer, at_once=True, rounds=1)
            await instance.pass_time(3 * SECOND)
    assert took < 5  # the patience for one attempt, not for three in a row


async def test_fault_f_129_an_endpoint_is_disabled_after_five_days_of_nothing_but_failures(
    instance: Instance, deliverer: Deliverer
) -> None:
    async with receiver(answering(500)) as down, receiver(answering(200)) as other:
        failing, fine = await instance.create(down.url, "order.*"), await instance.create(other.url, "order.*")
        await instance.happen()
        await instance.run(deliverer)
        await instance.pass_time(timedelta(hours=119, minutes=59))
        await instance.run(deliverer)
        assert (await endpoint_service.get(instance.db, instance.partner_id, failing.id)).status == "enabled"
        await instance.pass_time(timedelta(minutes=2))
        await instance.happen()
        await instance.run(deliverer)
    disabled = await endpoint_service.get(instance.db, instance.partner_id, failing.id)
    assert (disabled.status, disabled.disabled_reason) == ("disabled", "failing")
    assert (await endpoint_service.get(instance.db, instance.partner_id, fine.id)).status == "enabled"
    assert (await instance.event_types()).count("webhook_endpoint.disabled") == 1
    assert {delivery.status for delivery in await instance.deliveries(failing.id)} == {"canceled"}


async def test_fault_f_129_sporadic_failures_disable_nothing(instance: Instance, deliverer: Deliverer) -> None:
    async with receiver(in_turn(*[500, 200] * 20)) as there:
        made = await instance.create(there.url)
        for _ in range(5):
            await instance.happen()
            await instance.run(deliverer)
            await instance.pass_time(timedelta(hours=100))
    assert (await endpoint_service.get(instance.db, instance.partner_id, made.id)).status == "enabled"
