"""Signed webhooks of the bank: who gets them, how often, in what order, and what becomes of those that fail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx

from app.ports.notifications import SubjectKind
from providers.increase.notifications import IncreaseNotifications
from providers.increase.rail import IncreaseRail
from tests.providers.sandbox.increase.far_side import Bank, asked
from tests.providers.sandbox.stripe.far_side import Receiver, receiving, until

SECRET = "a shared secret of our own"


async def subscribe(bank: Bank, receiver: Receiver, categories: Sequence[str] = (), secret: str = SECRET) -> str:
    body: dict[str, object] = {"url": receiver.url, "shared_secret": secret}
    if categories:
        body["selected_event_categories"] = [{"event_category": category} for category in categories]
    answer = await bank.post("event_subscriptions", body)
    assert answer.status_code == 200
    assert SECRET not in answer.text
    return str(answer.json()["id"])


async def test_our_own_listener_takes_them_and_says_what_to_look_up(bank: Bank, rail: IncreaseRail) -> None:
    source = IncreaseNotifications([SECRET])
    async with receiving() as receiver:
        await subscribe(bank, receiver, source.categories)
        sent = await rail.send(asked())
        opened = await rail.open_account("fa_1", "Partner One")
        credited = await bank.acts.increase_credit(opened.reference, 500, "Mr Sender", "")
        await until(lambda: len(receiver.received) == 3)
    subjects = set()
    for each in receiver.received:
        verified = source.verify(each.body, each.headers, datetime.now(UTC))
        assert verified.livemode is False
        assert verified.notification_id == each.headers["webhook-id"]
        subject = source.translate(each.body)
        subjects.add((subject.kind, subject.reference))
    assert subjects == {(SubjectKind.PAYOUT, sent.reference), (SubjectKind.CREDIT, credited)}


async def test_the_sdk_takes_them(bank: Bank, rail: IncreaseRail) -> None:
    async with receiving() as receiver:
        await subscribe(bank, receiver, ["ach_transfer.created"])
        sent = await rail.send(asked())
        await until(lambda: len(receiver.received) == 1)
    arrived = receiver.received[0]
    event = bank.sdk.events.unwrap(arrived.body.decode(), headers=arrived.headers, key=SECRET.encode())
    assert (event.category, event.associated_object_id) == ("ach_transfer.created", sent.reference)
    assert (await bank.sdk.events.retrieve(event.id)).category == "ach_transfer.created"


async def test_an_error_is_answered_with_patience(bank: Bank, rail: IncreaseRail) -> None:
    async with receiving() as receiver:
        receiver.answers = [500, 302, 404]
        await subscribe(bank, receiver, ["ach_transfer.created"])
        await rail.send(asked())
        await until(lambda: len(receiver.received) == 4)
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1


async def test_a_roll_is_a_second_subscription_and_the_end_of_the_first(bank: Bank, rail: IncreaseRail) -> None:
    source = IncreaseNotifications([SECRET, "the secret after it"])
    async with receiving() as receiver:
        chosen = ["ach_transfer.created"]
        first = await subscribe(bank, receiver, chosen)
        await subscribe(bank, receiver, chosen, "the secret after it")
        await rail.send(asked())
        await until(lambda: len(receiver.received) == 2)
        for each in receiver.received:
            source.verify(each.body, each.headers, datetime.now(UTC))
        await bank.sdk.event_subscriptions.update(first, status="disabled")
        await rail.send(asked())
        await until(lambda: len(receiver.received) == 3)
        IncreaseNotifications(["the secret after it"]).verify(
            receiver.received[2].body, receiver.received[2].headers, datetime.now(UTC)
        )


async def test_duplicates_and_the_wrong_order_and_loss(bank: Bank, rail: IncreaseRail) -> None:
    async with receiving() as receiver:
        await subscribe(bank, receiver)
        await bank.arm("webhook_duplicate", copies=3, event="^ach_transfer.created$", target="increase")
        await bank.arm("webhook_drop", event="^transaction.created$", target="increase")
        sent = await rail.send(asked())
        await until(lambda: len(receiver.received) == 3)
        assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
        await bank.arm("webhook_reorder", times=2, seconds=0.3, target="increase")
        await bank.acts.increase_settle(sent.reference)
        await bank.acts.increase_correct(sent.reference)
        await until(lambda: len(receiver.received) == 6)
    ids = [json.loads(each.body)["id"] for each in receiver.received[3:]]
    told = [event.id for event in (await bank.sdk.events.list(associated_object_id=sent.reference)).data][:3]
    assert sorted(ids) == sorted(told)
    assert ids != told[::-1]


async def test_faults_of_the_bank_leave_stripe_alone(bank: Bank, rail: IncreaseRail) -> None:
    await bank.http.delete("/control/faults")
    answer = await bank.http.post("/control/faults", json={"kind": "error_before", "target": "increase"})
    assert answer.status_code == 201
    stripe: httpx.Response = await bank.http.get(
        "/stripe/v1/balance", headers={"authorization": f"Bearer sk_test_{bank.api_key}"}
    )
    assert stripe.status_code == 200
    headers = {"authorization": f"Bearer {bank.api_key}"}
    spoilt = await bank.http.get("/increase/accounts", headers=headers)
    assert (spoilt.status_code, spoilt.json()["type"]) == (500, "internal_server_error")
    assert (await bank.http.get("/increase/accounts", headers=headers)).status_code == 200
