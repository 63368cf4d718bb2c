"""Refunds, disputes, and the balance that has to explain all of it."""

from __future__ import annotations

from collections import Counter

import pytest
import stripe

from tests.providers.sandbox.stripe.far_side import FarSide


async def balance(far: FarSide) -> int:
    """What the balance object says, pending and available."""
    now = await far.stripe.balance.retrieve_async()
    return sum(each.amount for each in [*now.available, *now.pending])


async def test_refunds_in_parts_until_nothing_is_left(far: FarSide) -> None:
    intent = await far.captured(1_000)
    first = await far.stripe.refunds.create_async(
        {"payment_intent": intent.id, "amount": 300, "metadata": {"refund_id": "rf_1"}}
    )
    assert (first.status, first.amount, first.payment_intent) == ("succeeded", 300, intent.id)
    assert first.metadata is not None
    assert first.metadata.to_dict() == {"refund_id": "rf_1"}
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await far.stripe.refunds.create_async({"payment_intent": intent.id, "amount": 701})
    rest = await far.stripe.refunds.create_async({"charge": str(intent.latest_charge)})
    assert rest.amount == 700
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await far.stripe.refunds.create_async({"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"
    charge = await far.stripe.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (1_000, True)
    listed = await far.stripe.refunds.list_async({"payment_intent": intent.id})
    assert [each.id for each in listed.data] == [rest.id, first.id]
    assert await balance(far) == -40  # the fee of the payment stays spent: 1.5 % of 10.00 and 0.25


async def test_a_held_payment_cannot_be_refunded(far: FarSide) -> None:
    intent = await far.open()
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        await far.stripe.refunds.create_async({"payment_intent": intent.id})
    await far.act("pay", payment_intent=intent.id, card="4242424242424242")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await far.stripe.refunds.create_async({"payment_intent": intent.id})
    assert caught.value.code == "charge_not_refundable"


async def test_a_refund_fails_later(far: FarSide) -> None:
    intent = await far.captured(1_000)
    made = await far.stripe.refunds.create_async({"payment_intent": intent.id})
    await far.act("refund_fail", refund=made.id, reason="lost_or_stolen_card")
    failed = await far.stripe.refunds.retrieve_async(made.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    charge = await far.stripe.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert await balance(far) == 960
    assert (await far.event_types())[-3:] == ["refund.updated", "charge.refund.updated", "refund.failed"]
    again = await far.http.post("/control/stripe/refund_fail", json={"refund": made.id})
    assert again.status_code == 400


async def test_a_refund_that_is_pending_at_first(far: FarSide) -> None:
    intent = await far.captured(1_000, card="4000000000007726")
    made = await far.stripe.refunds.create_async({"payment_intent": intent.id})
    assert made.status == "pending"
    assert (await far.stripe.refunds.retrieve_async(made.id)).status == "succeeded"


@pytest.mark.parametrize(("outcome", "left"), [("won", 960 - 2_000), ("lost", 960 - 1_000 - 2_000)])
async def test_a_dispute_takes_the_money_and_a_won_one_gives_it_back(far: FarSide, outcome: str, left: int) -> None:
    intent = await far.captured(1_000)
    opened = await far.act("dispute", payment_intent=intent.id, reason="product_not_received")
    assert await balance(far) == 960 - 1_000 - 2_000
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await far.stripe.refunds.create_async({"payment_intent": intent.id})
    assert caught.value.code == "charge_disputed"
    await far.act("dispute", payment_intent=intent.id, outcome=outcome)
    closed = await far.stripe.disputes.retrieve_async(str(opened["id"]))
    assert (closed.status, closed.reason, closed.payment_intent) == (outcome, "product_not_received", intent.id)
    assert await balance(far) == left
    kinds = Counter(kind for kind in await far.event_types() if kind.startswith("charge.dispute"))
    expected = {"charge.dispute.created": 1, "charge.dispute.funds_withdrawn": 1, "charge.dispute.closed": 1}
    assert kinds == expected | ({"charge.dispute.funds_reinstated": 1} if outcome == "won" else {})


async def test_cards_that_are_disputed_or_suspected_by_themselves(far: FarSide) -> None:
    disputed = await far.captured(1_000, card="4000000000000259")
    found = await far.stripe.disputes.list_async({"payment_intent": disputed.id})
    assert [each.reason for each in found.data] == ["fraudulent"]
    await far.captured(1_000, card="4000000000005423")
    assert "radar.early_fraud_warning.created" in await far.event_types()


async def test_the_lines_explain_the_balance(far: FarSide) -> None:
    intent = await far.captured(12_345)
    made = await far.stripe.refunds.create_async({"payment_intent": intent.id, "amount": 345})
    await far.act("refund_fail", refund=made.id)
    await far.act("dispute", payment_intent=intent.id)
    await far.act("dispute", payment_intent=intent.id, outcome="won")
    lines = (await far.stripe.balance_transactions.list_async({"limit": 100})).data
    assert [line.reporting_category for line in lines] == [
        "dispute_reversal",
        "dispute",
        "refund_failure",
        "refund",
        "charge",
    ]
    assert all(line.net == line.amount - line.fee for line in lines)
    assert await balance(far) == sum(line.net for line in lines)
    of_refund = await far.stripe.balance_transactions.list_async({"source": made.id})
    assert {line.type for line in of_refund.data} == {"refund", "refund_failure"}
