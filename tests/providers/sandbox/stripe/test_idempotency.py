"""Stripe's idempotency keys, its stored errors included."""

from __future__ import annotations

import asyncio

import pytest
import stripe

from tests.providers.sandbox.stripe.far_side import FarSide

FORM = {"amount": "1000", "currency": "eur", "capture_method": "manual"}


async def count(far: FarSide) -> int:
    return len((await far.stripe.payment_intents.list_async({"limit": 100})).data)


async def test_the_first_answer_is_the_answer(far: FarSide) -> None:
    first = await far.post("payment_intents", FORM, idempotency_key="k")
    again = await far.post("payment_intents", dict(reversed(FORM.items())), idempotency_key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert await count(far) == 1
    assert await far.event_types() == ["payment_intent.created"]


async def test_other_parameters_or_another_endpoint_are_refused(far: FarSide) -> None:
    await far.post("payment_intents", FORM, idempotency_key="k")
    for path, form in (("payment_intents", FORM | {"amount": "1001"}), ("refunds", FORM)):
        refused = await far.post(path, form, idempotency_key="k")
        assert (refused.status_code, refused.json()["error"]["type"]) == (400, "idempotency_error")
    with pytest.raises(stripe.IdempotencyError):
        await far.stripe.payment_intents.create_async({"amount": 7, "currency": "eur"}, {"idempotency_key": "k"})
    assert await count(far) == 1


async def test_keys_belong_to_their_account(far: FarSide) -> None:
    async with far.neighbour() as other:
        first = await far.post("payment_intents", FORM, idempotency_key="k")
        theirs = await other.post("payment_intents", FORM, idempotency_key="k")
        assert first.json()["id"] != theirs.json()["id"]


async def test_a_request_that_never_began_is_not_remembered(far: FarSide) -> None:
    wrong = await far.post("payment_intents", {"amount": "1000"}, idempotency_key="k")
    assert wrong.status_code == 400
    assert (await far.post("payment_intents", FORM, idempotency_key="k")).status_code == 200


async def test_a_decline_and_a_wrong_state_are_remembered(far: FarSide) -> None:
    intent = (await far.post("payment_intents", FORM)).json()["id"]
    form = {"payment_method": "pm_card_visa_chargeDeclined"}
    for _ in range(2):
        declined = await far.post(f"payment_intents/{intent}/confirm", form, idempotency_key="decline")
        assert declined.status_code == 402
        early = await far.post(f"payment_intents/{intent}/capture", {}, idempotency_key="early")
        assert early.json()["error"]["code"] == "payment_intent_unexpected_state"
    assert (await far.event_types()).count("charge.failed") == 1
    await far.act("pay", payment_intent=intent, card="4242424242424242")
    still = await far.post(f"payment_intents/{intent}/capture", {}, idempotency_key="early")
    assert (still.status_code, still.headers["idempotent-replayed"]) == (400, "true")


@pytest.mark.parametrize(("kind", "made"), [("error_before", 0), ("error_after", 1)])
async def test_a_500_of_stripe_is_remembered(far: FarSide, kind: str, made: int) -> None:
    await far.arm(kind, sticky=True, status=500)
    for _ in range(3):
        assert (await far.post("payment_intents", FORM, idempotency_key="k")).status_code == 500
    assert await count(far) == made
    assert (await far.post("payment_intents", FORM, idempotency_key="k:attempt2")).status_code == 200


async def test_two_at_once_under_one_key(far: FarSide) -> None:
    await far.arm("delay", seconds=0.2)
    slow = asyncio.create_task(far.post("payment_intents", FORM, idempotency_key="k"))
    await asyncio.sleep(0.1)
    busy = await far.post("payment_intents", FORM, idempotency_key="k")
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    first = await slow
    again = await far.post("payment_intents", FORM, idempotency_key="k")
    assert again.json()["id"] == first.json()["id"]
    assert await count(far) == 1


async def test_a_crowd_under_one_key_makes_one_payment(far: FarSide) -> None:
    answers = await asyncio.gather(*(far.post("payment_intents", FORM, idempotency_key="k") for _ in range(30)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1
    assert await count(far) == 1


async def test_a_forgotten_key_is_a_new_request(far: FarSide) -> None:
    await far.post("payment_intents", FORM, idempotency_key="k")
    forgotten = await far.http.delete("/control/stripe/idempotency", params={"account": far.secret_key})
    assert forgotten.json() == {"forgotten": 1}
    await far.post("payment_intents", FORM, idempotency_key="k")
    assert await count(far) == 2


async def test_a_key_has_a_length(far: FarSide) -> None:
    assert (await far.post("payment_intents", FORM, idempotency_key="k" * 255)).status_code == 200
    assert (await far.post("payment_intents", FORM, idempotency_key="k" * 256)).status_code == 400
