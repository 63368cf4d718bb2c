"""The far side's payment intents through the unmodified SDK."""

from __future__ import annotations

import pytest
import stripe

from tests.providers.sandbox.stripe.far_side import FarSide

WHOLE = "latest_charge.balance_transaction"


async def test_a_payment_is_authorised_then_captured(far: FarSide) -> None:
    opened = await far.open(10_000, order_id="or_1", payment_id="pay_1")
    assert (opened.status, opened.amount, opened.currency) == ("requires_payment_method", 10_000, "eur")
    assert opened.metadata.to_dict() == {"order_id": "or_1", "payment_id": "pay_1"}
    assert opened.client_secret is not None
    assert opened.client_secret.startswith(f"{opened.id}_secret_")
    await far.act("pay", payment_intent=opened.id, card="4242424242424242")
    held = await far.stripe.payment_intents.retrieve_async(opened.id, {"expand": [WHOLE]})
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 10_000, 0)
    assert isinstance(held.latest_charge, stripe.Charge)
    assert not held.latest_charge.captured
    taken = await far.stripe.payment_intents.capture_async(opened.id, {"expand": [WHOLE]})
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 10_000)
    assert isinstance(taken.latest_charge, stripe.Charge)
    line = taken.latest_charge.balance_transaction
    assert isinstance(line, stripe.BalanceTransaction)
    assert (line.amount, line.fee, line.net, line.type) == (10_000, 175, 9_825, "charge")
    assert await far.event_types() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


async def test_without_manual_capture_the_money_is_taken_at_once(far: FarSide) -> None:
    intent = await far.stripe.payment_intents.create_async(
        {"amount": 500, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    )
    assert (intent.status, intent.amount_received) == ("succeeded", 500)
    assert "charge.captured" not in await far.event_types()


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ],
)
async def test_a_declined_card_leaves_a_failed_charge(far: FarSide, card: str, code: str, decline_code: str) -> None:
    opened = await far.open()
    with pytest.raises(stripe.CardError) as caught:
        await far.stripe.payment_intents.confirm_async(opened.id, {"payment_method": card})
    assert (caught.value.http_status, caught.value.code) == (402, code)
    assert caught.value.error is not None
    assert caught.value.error.decline_code == decline_code
    after = await far.stripe.payment_intents.retrieve_async(opened.id, {"expand": ["latest_charge"]})
    assert (after.status, after.payment_method) == ("requires_payment_method", None)
    assert after.last_payment_error is not None
    assert after.last_payment_error.decline_code == decline_code
    assert isinstance(after.latest_charge, stripe.Charge)
    assert (after.latest_charge.status, after.latest_charge.failure_code) == ("failed", code)
    assert (await far.event_types())[-2:] == ["charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize(
    "number",
    ["4000000000000002", "4000000000009995", "4000000000009987", "4000000000000069", "4000000000000127"],
)
async def test_after_a_decline_another_card_may_pay(far: FarSide, number: str) -> None:
    opened = await far.open()
    declined = await far.act("pay", payment_intent=opened.id, card=number)
    assert "error" in declined
    paid = await far.act("pay", payment_intent=opened.id, card="4242424242424242")
    assert (paid["status"], paid["last_payment_error"]) == ("requires_capture", None)


@pytest.mark.parametrize("number", ["4000002500003155", "4000002760003184", "4000000000003220"])
@pytest.mark.parametrize(
    ("outcome", "status"), [("succeeded", "requires_capture"), ("failed", "requires_payment_method")]
)
async def test_three_d_secure(far: FarSide, number: str, outcome: str, status: str) -> None:
    opened = await far.open()
    challenged = await far.act("pay", payment_intent=opened.id, card=number)
    assert (challenged["status"], challenged["latest_charge"]) == ("requires_action", None)
    assert (await far.event_types())[-1] == "payment_intent.requires_action"
    await far.act("authenticate", payment_intent=opened.id, outcome=outcome)
    after = await far.stripe.payment_intents.retrieve_async(opened.id)
    assert (after.status, after.next_action) == (status, None)
    code = after.last_payment_error.code if after.last_payment_error else None
    assert code == (None if outcome == "succeeded" else "payment_intent_authentication_failure")


async def test_a_partial_capture_releases_the_rest_without_a_refund(far: FarSide) -> None:
    opened = await far.open(1_000)
    await far.act("pay", payment_intent=opened.id, card="4242424242424242")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await far.stripe.payment_intents.capture_async(opened.id, {"amount_to_capture": 1_001})
    assert caught.value.code == "amount_too_large"
    taken = await far.stripe.payment_intents.capture_async(
        opened.id, {"amount_to_capture": 400, "expand": ["latest_charge"]}
    )
    assert (taken.status, taken.amount_received) == ("succeeded", 400)
    assert isinstance(taken.latest_charge, stripe.Charge)
    assert (taken.latest_charge.amount_captured, taken.latest_charge.amount_refunded) == (400, 0)
    with pytest.raises(stripe.InvalidRequestError):
        await far.stripe.refunds.create_async({"payment_intent": opened.id, "amount": 401})


async def test_cancelling_gives_the_hold_back(far: FarSide) -> None:
    opened = await far.open()
    await far.act("pay", payment_intent=opened.id, card="4242424242424242")
    canceled = await far.stripe.payment_intents.cancel_async(opened.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.amount_capturable, canceled.cancellation_reason) == ("canceled", 0, "abandoned")
    assert (await far.event_types())[-1] == "payment_intent.canceled"
    for refused in (
        far.stripe.payment_intents.capture_async(opened.id),
        far.stripe.payment_intents.cancel_async(opened.id),
        far.stripe.payment_intents.confirm_async(opened.id, {"payment_method": "pm_card_visa"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await refused
        assert caught.value.code == "payment_intent_unexpected_state"
        assert caught.value.error is not None
        assert caught.value.error.payment_intent is not None
        assert caught.value.error.payment_intent.id == opened.id


async def test_an_authorisation_expires(far: FarSide) -> None:
    opened = await far.open()
    await far.act("pay", payment_intent=opened.id, card="4242424242424242")
    expired = await far.act("expire", payment_intent=opened.id)
    assert (expired["status"], expired["cancellation_reason"]) == ("canceled", "expired")
    assert (await far.event_types())[-2:] == ["charge.expired", "payment_intent.canceled"]


async def test_a_payment_may_be_left_processing(far: FarSide) -> None:
    opened = await far.open()
    held = await far.act("pay", payment_intent=opened.id, card="4242424242424242", hold=True)
    assert held["status"] == "processing"
    settled = await far.act("settle", payment_intent=opened.id)
    assert settled["status"] == "requires_capture"
    assert "payment_intent.processing" in await far.event_types()


async def test_only_published_test_cards_can_pay(far: FarSide) -> None:
    opened = await far.open()
    response = await far.http.post(
        "/control/stripe/pay", json={"payment_intent": opened.id, "card": "4111111111111111"}
    )
    assert response.status_code == 400
    assert (await far.stripe.payment_intents.retrieve_async(opened.id)).status == "requires_payment_method"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"currency": "eur"}, "parameter_missing"),
        ({"amount": "100"}, "parameter_missing"),
        ({"amount": "1.5", "currency": "eur"}, "parameter_invalid_integer"),
        ({"amount": "-5", "currency": "eur"}, "parameter_invalid_integer"),
        ({"amount": "49", "currency": "eur"}, "amount_too_small"),
        ({"amount": "100000000", "currency": "eur"}, "amount_too_large"),
        ({"amount": "100", "currency": "eur", "colour": "red"}, "parameter_unknown"),
        ({"amount": "100", "currency": "eur", "payment_method": "pm_nobody"}, "resource_missing"),
        (
            {"amount": "100", "currency": "eur", "payment_method_types[]": "card"},
            "payment_method_types_no_longer_supported",
        ),
    ],
)
async def test_a_wrong_request_is_refused_and_leaves_nothing(far: FarSide, form: dict[str, str], code: str) -> None:
    response = await far.post("payment_intents", form)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert (await far.stripe.payment_intents.list_async()).data == []
    assert await far.event_types() == []


async def test_accounts_do_not_see_each_other(far: FarSide) -> None:
    async with far.neighbour() as other:
        theirs = await other.open()
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await far.stripe.payment_intents.retrieve_async(theirs.id)
        assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
        assert (await far.stripe.payment_intents.list_async()).data == []


@pytest.mark.parametrize("header", ["", "Bearer sk_live_123", "Bearer nonsense", "Basic %%%"])
async def test_a_key_of_another_form_is_refused(far: FarSide, header: str) -> None:
    response = await far.http.get("/stripe/v1/balance", headers={"authorization": header})
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_headers_and_unknown_paths(far: FarSide) -> None:
    response = await far.post("payment_intents", {}, stripe_version="2026-10-28.endive", idempotency_key="k-1")
    assert response.headers["stripe-version"] == "2026-10-28.endive"
    assert response.headers["idempotency-key"] == "k-1"
    assert response.headers["request-id"].startswith("req_")
    missing = await far.post("no_such_thing")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "invalid_request_error")


async def test_objects_have_every_field_that_the_sdk_promises(far: FarSide) -> None:
    """Fields that the SDK types as optional may be left out by Stripe too; the others may not."""
    intent = await far.captured()
    assert isinstance(intent.latest_charge, str)
    refund = await far.stripe.refunds.create_async({"payment_intent": intent.id, "amount": 1})
    dispute_id = (await far.act("dispute", payment_intent=intent.id))["id"]
    seen: list[stripe.StripeObject] = [
        intent,
        refund,
        await far.stripe.charges.retrieve_async(intent.latest_charge),
        await far.stripe.disputes.retrieve_async(str(dispute_id)),
        await far.stripe.balance.retrieve_async(),
        (await far.stripe.balance_transactions.list_async()).data[0],
        (await far.stripe.events.list_async()).data[0],
    ]
    for each in seen:
        hints = {name: str(kind) for name, kind in type(each).__annotations__.items()}
        promised = {
            name for name, kind in hints.items() if not any(word in kind for word in ("None", "Optional", "ClassVar"))
        }
        assert promised, type(each).__name__
        assert promised <= set(each.to_dict()), type(each).__name__
