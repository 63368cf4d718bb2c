"""What comes back to customers, and how payments and disputes are found, against the far side."""

from __future__ import annotations

import pytest

from app.ports.outcome import Outcome
from app.ports.payin import DisputeStatus, PaymentRequest
from providers.stripe.rail import StripeRail
from tests.providers.sandbox.stripe.far_side import FarSide
from tests.providers.stripe.payments import asked, euros


async def test_a_refund_that_bounces(far: FarSide, rail: StripeRail) -> None:
    intent = await far.captured(5_000, card="4000000000005126")
    accepted = await rail.refund(intent.id, euros(5_000), refund_id="rf_1", order_id="or_1")
    assert accepted.outcome is Outcome.SUCCEEDED
    bounced = await rail.find_refund(intent.id, "rf_1")
    assert bounced is not None
    assert bounced.decline is not None
    assert (bounced.outcome, bounced.decline.code) == (Outcome.DECLINED, "card_closed")
    assert (await rail.fetch(intent.id)).refunded == euros(0)


async def test_a_dispute_is_read_with_what_it_took(far: FarSide, rail: StripeRail) -> None:
    intent = await far.captured(5_000)
    opened = await far.act("dispute", payment_intent=intent.id, reason="fraudulent")
    dispute = await rail.fetch_dispute(str(opened["id"]))
    assert (dispute.status, dispute.amount, dispute.taken, dispute.fee) == (
        DisputeStatus.OPEN,
        euros(5_000),
        euros(5_000),
        euros(2_000),
    )
    assert (dispute.payment_reference, dispute.reason) == (intent.id, "fraudulent")
    await far.act("dispute", payment_intent=intent.id, outcome="won")
    won = await rail.fetch_dispute(dispute.reference)
    assert (won.status, won.taken, won.fee) == (DisputeStatus.WON, euros(0), euros(2_000))


async def test_payments_are_found_among_many_and_by_ids_of_any_form(far: FarSide, rail: StripeRail) -> None:
    wanted = asked()
    await rail.start(wanted)
    for number in range(120):
        await far.post("payment_intents", {"amount": "100", "currency": "eur", "metadata[payment_id]": f"pay_{number}"})
    found = await rail.find_payment(wanted.payment_id, wanted.order_id)
    assert found is not None
    assert found.payment_id == wanted.payment_id
    assert await rail.find_payment(wanted.payment_id, "or_other") is None
    odd = PaymentRequest("not-a-ulid", "or_1", euros(100), "card")
    await rail.start(odd)
    found = await rail.find_payment("not-a-ulid", "or_1")
    assert found is not None
    assert found.payment_id == "not-a-ulid"


@pytest.mark.parametrize(("key", "livemode"), [("sk_test_1", True), ("sk_live_1", False), ("rmp_sk_test_1", False)])
def test_a_key_of_the_other_mode_is_refused_at_start(key: str, livemode: bool) -> None:
    with pytest.raises(ValueError, match="Stripe key"):
        StripeRail(key, livemode=livemode)
