"""The adapter against the far side: what it does, and what it makes of answers that are lost."""

from __future__ import annotations

import pytest
from ulid import ULID

from app.domain.assets import BTC, EUR, JPY
from app.domain.money import Money
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderThrottled, ProviderUnavailable
from app.ports.outcome import Outcome
from app.ports.payin import PayinDisputes, PayinProvider, PaymentRequest, PaymentStatus
from providers.stripe.rail import StripeRail
from tests.providers.sandbox.stripe.far_side import FarSide
from tests.providers.stripe.payments import VISA, asked, euros


def test_it_is_a_whole_provider(rail: StripeRail) -> None:
    provider: PayinProvider = rail
    disputes: PayinDisputes = rail
    assert (provider.provider, disputes) == ("stripe", rail)


async def test_a_payment_is_started_paid_captured_and_refunded(far: FarSide, rail: StripeRail) -> None:
    request = asked(31_046, cart="9")
    started = await rail.start(request)
    assert (started.status, started.amount, started.received) == (
        PaymentStatus.AWAITING_CUSTOMER,
        euros(31_046),
        euros(0),
    )
    assert (started.payment_id, started.order_id) == (request.payment_id, request.order_id)
    assert started.client_secret is not None
    assert started.client_secret not in repr(started)
    await far.act("pay", payment_intent=started.reference, card=VISA)
    held = await rail.fetch(started.reference)
    assert (held.status, held.received, held.fee) == (PaymentStatus.AUTHORISED, euros(0), None)
    taken = await rail.capture(started.reference, request.amount, key="capture-1")
    assert (taken.status, taken.received, taken.fee) == (PaymentStatus.CAPTURED, euros(31_046), euros(491))
    assert taken.charge_reference == held.charge_reference
    refund = await rail.refund(started.reference, euros(1_000), refund_id="rf_1", order_id=request.order_id)
    assert (refund.outcome, refund.amount, refund.refund_id) == (Outcome.SUCCEEDED, euros(1_000), "rf_1")
    assert refund.payment_reference == started.reference
    assert (await rail.fetch(started.reference)).refunded == euros(1_000)
    assert await rail.find_refund(started.reference, "rf_1") == refund
    assert await rail.find_refund(started.reference, "rf_2") is None


async def test_every_request_carries_our_key(far: FarSide, rail: StripeRail) -> None:
    request = asked()
    started = await rail.start(request)
    await far.act("pay", payment_intent=started.reference, card=VISA)
    await rail.capture(started.reference, request.amount, key="capture-1")
    await rail.refund(started.reference, euros(1), refund_id="rf_1", order_id=request.order_id)
    posts = [line for line in await far.requests() if line["method"] == "POST"]
    assert [line["idempotency_key"] for line in posts] == [request.payment_id, "capture-1", "rf_1"]


async def test_starting_twice_opens_one_payment_and_tells_its_present_state(far: FarSide, rail: StripeRail) -> None:
    request = asked()
    first = await rail.start(request)
    await far.act("pay", payment_intent=first.reference, card=VISA)
    again = await rail.start(request)
    assert (again.reference, again.status) == (first.reference, PaymentStatus.AUTHORISED)
    assert len((await far.stripe.payment_intents.list_async()).data) == 1


async def test_the_same_key_for_another_amount_is_our_mistake(rail: StripeRail) -> None:
    request = asked(1_000)
    await rail.start(request)
    with pytest.raises(ProviderRejected) as caught:
        await rail.start(PaymentRequest(request.payment_id, request.order_id, euros(2_000), "card"))
    assert caught.value.code == "idempotency_error"


@pytest.mark.parametrize(
    ("card", "code", "provider_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "insufficient_funds", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000000069", "expired_card", "expired_card"),
        ("4000000000000127", "incorrect_details", "incorrect_cvc"),
    ],
)
async def test_a_decline_is_a_value(far: FarSide, rail: StripeRail, card: str, code: str, provider_code: str) -> None:
    started = await rail.start(asked())
    await far.act("pay", payment_intent=started.reference, card=card)
    declined = await rail.fetch(started.reference)
    assert (declined.status, declined.received) == (PaymentStatus.AWAITING_CUSTOMER, euros(0))
    assert declined.decline is not None
    assert (declined.decline.code, declined.decline.provider_code) == (code, provider_code)
    assert "lost" not in declined.decline.message.lower()
    await far.act("pay", payment_intent=started.reference, card="4000000000000002")
    assert (await rail.fetch(started.reference)).charge_reference != declined.charge_reference
    await far.act("pay", payment_intent=started.reference, card=VISA)
    paid = await rail.fetch(started.reference)
    assert (paid.status, paid.decline) == (PaymentStatus.AUTHORISED, None)


async def test_three_d_secure_is_authenticating_until_the_customer_is_done(far: FarSide, rail: StripeRail) -> None:
    started = await rail.start(asked())
    await far.act("pay", payment_intent=started.reference, card="4000000000003220")
    assert (await rail.fetch(started.reference)).status is PaymentStatus.AUTHENTICATING
    await far.act("authenticate", payment_intent=started.reference, outcome="failed")
    failed = await rail.fetch(started.reference)
    assert failed.decline is not None
    assert (failed.status, failed.decline.code) == (PaymentStatus.AWAITING_CUSTOMER, "authentication_failed")
    await far.act("pay", payment_intent=started.reference, card="4000000000003220")
    await far.act("authenticate", payment_intent=started.reference, outcome="succeeded")
    assert (await rail.fetch(started.reference)).status is PaymentStatus.AUTHORISED


async def test_a_payment_that_cannot_move_is_returned_as_it_is(far: FarSide, rail: StripeRail) -> None:
    request = asked()
    started = await rail.start(request)
    assert (await rail.capture(started.reference, request.amount, key="c1")).status is PaymentStatus.AWAITING_CUSTOMER
    await far.act("pay", payment_intent=started.reference, card=VISA)
    # The key c1 remembers Stripe's refusal for ever; the answer is still the present state.
    assert (await rail.capture(started.reference, request.amount, key="c1")).status is PaymentStatus.AUTHORISED
    assert (await rail.capture(started.reference, request.amount, key="c2")).status is PaymentStatus.CAPTURED
    assert (await rail.capture(started.reference, request.amount, key="c3")).status is PaymentStatus.CAPTURED
    assert (await rail.cancel(started.reference, key="x1")).status is PaymentStatus.CAPTURED


async def test_cancelling_and_expiry_end_a_payment_with_nothing_taken(far: FarSide, rail: StripeRail) -> None:
    for end in ("cancel", "expire"):
        request = asked()
        started = await rail.start(request)
        await far.act("pay", payment_intent=started.reference, card=VISA)
        if end == "cancel":
            ended = await rail.cancel(started.reference, key=f"cancel-{started.reference}")
        else:
            await far.act("expire", payment_intent=started.reference)
            ended = await rail.capture(started.reference, request.amount, key=f"late-{started.reference}")
        assert (ended.status, ended.received, ended.refunded) == (PaymentStatus.CANCELED, euros(0), euros(0))


@pytest.mark.parametrize("kind", ["lost", "error_after", "garbage"])
async def test_an_answer_that_is_lost_leaves_the_outcome_unknown_until_looked_up(
    far: FarSide, rail: StripeRail, kind: str
) -> None:
    request = asked()
    await far.arm(kind, path="/v1/payment_intents$", method="POST")
    with pytest.raises(OutcomeUnknown):
        await rail.start(request)
    found = await rail.find_payment(request.payment_id, request.order_id)
    assert found is not None
    assert (found.payment_id, found.amount) == (request.payment_id, request.amount)
    assert await rail.start(request) == found
    assert len((await far.stripe.payment_intents.list_async()).data) == 1


@pytest.mark.parametrize("kind", ["lost_before", "error_before"])
async def test_a_request_that_never_arrived_is_unknown_too_and_found_nowhere(
    far: FarSide, rail: StripeRail, kind: str
) -> None:
    request = asked()
    await far.arm(kind)
    with pytest.raises(OutcomeUnknown):
        await rail.start(request)
    assert await rail.find_payment(request.payment_id, request.order_id) is None
    assert (await rail.start(request)).status is PaymentStatus.AWAITING_CUSTOMER


async def test_a_stored_500_is_answered_for_ever_but_the_payment_is_found(far: FarSide, rail: StripeRail) -> None:
    request = asked()
    await far.arm("error_after", sticky=True)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await rail.start(request)
    found = await rail.find_payment(request.payment_id, request.order_id)
    assert found is not None
    assert found.payment_id == request.payment_id


async def test_a_lost_refund_is_found_at_its_payment(far: FarSide, rail: StripeRail) -> None:
    intent = await far.captured(5_000)
    await far.arm("lost", path="/v1/refunds")
    with pytest.raises(OutcomeUnknown):
        await rail.refund(intent.id, euros(2_000), refund_id="rf_1", order_id="or_1")
    found = await rail.find_refund(intent.id, "rf_1")
    assert found is not None
    again = await rail.refund(intent.id, euros(2_000), refund_id="rf_1", order_id="or_1")
    assert again == found
    assert (await rail.fetch(intent.id)).refunded == euros(2_000)


async def test_a_slow_answer_is_unknown_and_the_key_is_busy_meanwhile(far: FarSide) -> None:
    rail = StripeRail(far.secret_key, livemode=False, api_base=f"{far.url}/stripe", timeout=0.2)
    request = asked()
    await far.arm("delay", seconds=0.6)
    with pytest.raises(OutcomeUnknown):
        await rail.start(request)
    with pytest.raises(ProviderUnavailable, match="still being carried out"):
        await rail.start(request)
    await rail.aclose()


async def test_too_many_requests(far: FarSide, rail: StripeRail) -> None:
    await far.arm("error_before", status=429, retry_after="7")
    with pytest.raises(ProviderThrottled) as caught:
        await rail.start(asked())
    assert caught.value.retry_after == 7


async def test_reading_changes_nothing_so_a_failed_read_is_only_unavailable(far: FarSide, rail: StripeRail) -> None:
    started = await rail.start(asked())
    for kind in ("lost", "error_before", "garbage"):
        await far.arm(kind, method="GET")
        with pytest.raises(ProviderUnavailable):
            await rail.fetch(started.reference)


async def test_nobody_listens(rail: StripeRail) -> None:
    deaf = StripeRail("sk_test_x", livemode=False, api_base="http://127.0.0.1:9/stripe", timeout=2)
    with pytest.raises(ProviderUnavailable):
        await deaf.start(asked())
    await deaf.aclose()


async def test_what_stripe_refuses_is_rejected(far: FarSide, rail: StripeRail) -> None:
    with pytest.raises(ProviderRejected) as small:
        await rail.start(asked(1))
    assert small.value.code == "amount_too_small"
    with pytest.raises(ProviderRejected) as unknown:
        await rail.fetch("pi_nobody")
    assert unknown.value.code == "resource_missing"
    intent = await far.captured(1_000)
    with pytest.raises(ProviderRejected):
        await rail.refund(intent.id, euros(1_001), refund_id="rf_1", order_id="or_1")
    assert await rail.find_refund(intent.id, "rf_1") is None


async def test_what_no_card_pays_is_never_sent(far: FarSide, rail: StripeRail) -> None:
    with pytest.raises(ProviderRejected):
        await rail.start(PaymentRequest("pay_1", "or_1", Money(1_000, BTC), "card"))
    with pytest.raises(ProviderRejected):
        await rail.start(PaymentRequest("pay_1", "or_1", Money(1_000, EUR), "carrier_pigeon"))
    assert await far.requests() == []


async def test_yen_have_no_cents(rail: StripeRail) -> None:
    request = PaymentRequest(f"pay_{ULID()}", "or_1", Money(5_000, JPY), "card")
    assert (await rail.start(request)).amount == Money(5_000, JPY)
