"""Debits and bank transfers through the adapter, at the far side; what only some methods have."""

from __future__ import annotations

import pytest
import respx
from ulid import ULID

from app.domain.assets import EUR, GBP, JPY, USD
from app.domain.money import Asset, Money
from app.ports.errors import ProviderRejected
from app.ports.outcome import Outcome
from app.ports.payin import PaymentRequest, PaymentStatus, ReviewStatus
from app.ports.records import LineKind
from providers.stripe.rail import StripeRail
from providers.stripe.records import StripeRecords
from tests.providers.sandbox.stripe.far_side import FarSide
from tests.providers.stripe.payments import VISA


def asked(method: str, asset: Asset, units: int = 10_000) -> PaymentRequest:
    return PaymentRequest(f"pay_{ULID()}", f"or_{ULID()}", Money(units, asset), method)


@pytest.mark.parametrize(
    ("method", "asset", "account"),
    [("ach_debit", USD, "000123456789"), ("sepa_debit", EUR, "DE89370400440532013000")],
)
async def test_a_debit_is_under_way_for_days_and_then_ours(
    rail: StripeRail, far: FarSide, method: str, asset: Asset, account: str
) -> None:
    opened = await rail.start(asked(method, asset))
    assert (opened.status, opened.next_action) == (PaymentStatus.AWAITING_CUSTOMER, None)
    await far.act("debit", payment_intent=opened.reference, account=account)
    pending = await rail.fetch(opened.reference)
    assert (pending.status, pending.received.units, pending.fee) == (PaymentStatus.PROCESSING, 0, None)
    kept = await rail.cancel(opened.reference, key="cancel")
    assert kept.status is PaymentStatus.PROCESSING, "what is on its way is not called back"
    await far.act("settle", payment_intent=opened.reference)
    paid = await rail.fetch(opened.reference)
    assert (paid.status, paid.received) == (PaymentStatus.CAPTURED, Money(10_000, asset))
    assert paid.fee is not None


async def test_fault_f_37_a_debit_that_is_returned_says_why(rail: StripeRail, far: FarSide) -> None:
    opened = await rail.start(asked("ach_debit", USD))
    await far.act("debit", payment_intent=opened.reference, account="000123456789")
    await far.act("return", payment_intent=opened.reference, code="R02")
    failed = await rail.fetch(opened.reference)
    assert failed.status is PaymentStatus.AWAITING_CUSTOMER
    assert failed.decline is not None
    assert (failed.decline.code, failed.decline.provider_code, failed.decline.known) == (
        "account_closed",
        "account_closed",
        True,
    )
    assert failed.fee is None


async def test_fault_f_54_a_debit_that_is_returned_later_is_a_dispute_that_is_lost(
    rail: StripeRail, far: FarSide
) -> None:
    opened = await rail.start(asked("sepa_debit", EUR))
    await far.act("debit", payment_intent=opened.reference, account="DE89370400440532013000")
    await far.act("settle", payment_intent=opened.reference)
    await far.act("return", payment_intent=opened.reference, code="MD01")
    [dispute] = (await far.stripe.disputes.list_async({"payment_intent": opened.reference})).data
    receipt = await rail.fetch_dispute(dispute.id)
    assert (receipt.status, receipt.reason, receipt.taken.units) == ("lost", "debit_not_authorized", 10_000)
    books = await records(far).read()
    assert [line.kind for line in books.lines] == [LineKind.DISPUTE, LineKind.CHARGE]


@pytest.mark.parametrize(("asset", "kind"), [(EUR, "iban"), (USD, "aba"), (GBP, "sort_code"), (JPY, "zengin")])
async def test_a_transfer_says_where_to(rail: StripeRail, far: FarSide, asset: Asset, kind: str) -> None:
    request = asked("bank_transfer", asset)
    opened = await rail.start(request)
    assert opened.status is PaymentStatus.AWAITING_CUSTOMER
    action = opened.next_action
    assert action is not None
    assert (action.type, action.remaining, action.accounts[0]["type"]) == ("bank_transfer", request.amount, kind)
    assert action.reference
    again = await rail.start(request)
    assert again.reference == opened.reference
    assert again.next_action == action
    found = await rail.find_payment(request.payment_id, request.order_id)
    assert found == again


async def test_fault_f_56_parts_too_much_and_what_is_left_over(rail: StripeRail, far: FarSide) -> None:
    opened = await rail.start(asked("bank_transfer", EUR))
    await far.act("transfer", payment_intent=opened.reference, amount=4_000)
    part = await rail.fetch(opened.reference)
    assert part.next_action is not None
    assert (part.status, part.next_action.remaining) == (PaymentStatus.AWAITING_CUSTOMER, Money(6_000, EUR))
    await far.act("transfer", payment_intent=opened.reference, amount=7_000)
    paid = await rail.fetch(opened.reference)
    assert (paid.status, paid.received, paid.surplus) == (
        PaymentStatus.CAPTURED,
        Money(10_000, EUR),
        Money(1_000, EUR),
    )
    first = await rail.return_surplus(opened.reference, Money(1_000, EUR), key="back")
    assert await rail.return_surplus(opened.reference, Money(1_000, EUR), key="back") == first
    with pytest.raises(ProviderRejected):
        await rail.return_surplus(opened.reference, Money(1, EUR), key="more")
    customer = (await far.stripe.payment_intents.retrieve_async(opened.reference)).customer
    known = await rail.fetch(str(customer))
    assert (known.reference, known.surplus) == (opened.reference, Money(0, EUR))


async def test_fault_f_56_what_was_taken_in_part_goes_back_with_the_payment(rail: StripeRail, far: FarSide) -> None:
    opened = await rail.start(asked("bank_transfer", EUR))
    await far.act("transfer", payment_intent=opened.reference, amount=4_000)
    gone = await rail.cancel(opened.reference, key="cancel")
    assert gone.status is PaymentStatus.CANCELED
    assert (await rail.fetch(opened.reference)).surplus == Money(4_000, EUR)


@pytest.mark.parametrize(("method", "asset"), [("ach_debit", EUR), ("sepa_debit", USD)])
async def test_a_debit_in_another_currency_cannot_be_authorised(
    rail: StripeRail, far: FarSide, method: str, asset: Asset
) -> None:
    opened = await rail.start(asked(method, asset))
    account = "000123456789" if method == "ach_debit" else "DE89370400440532013000"
    body = {"payment_intent": opened.reference, "account": account}
    assert (await far.http.post("/control/stripe/debit", json=body)).status_code == 400


async def test_fault_f_48_a_payment_in_review_says_so(rail: StripeRail, far: FarSide) -> None:
    opened = await rail.start(asked("card", EUR))
    await far.act("pay", payment_intent=opened.reference, card=VISA)
    review = str((await far.act("review", payment_intent=opened.reference))["id"])
    assert (await rail.fetch(opened.reference)).in_review
    assert (await rail.fetch_review(review)).status is ReviewStatus.OPEN
    await far.act("review", payment_intent=opened.reference, closed_reason="approved")
    seen = await rail.fetch_review(review)
    assert (seen.status, seen.payment_reference) == (ReviewStatus.APPROVED, opened.reference)
    assert not (await rail.fetch(opened.reference)).in_review


async def test_fault_f_48_a_warning_names_its_payment(rail: StripeRail, far: FarSide) -> None:
    opened = await rail.start(asked("card", EUR))
    await far.act("pay", payment_intent=opened.reference, card="4000000000005423")
    events = (await far.stripe.events.list_async({"type": "radar.early_fraud_warning.created"})).data
    warning = await rail.fetch_warning(events[0].data.object["id"])
    assert (warning.payment_reference, warning.reason) == (opened.reference, "misc")


async def test_fault_f_40_both_payments_are_found_in_what_was_opened(rail: StripeRail, far: FarSide) -> None:
    request = asked("card", EUR)
    opened = await rail.start(request)
    twin = await far.act("duplicate", payment_intent=opened.reference)
    since = (await rail.find_payment(request.payment_id, request.order_id)) is not None
    assert since
    found = await rail.opened_since(ULID.from_str(request.payment_id[4:]).datetime)
    assert sorted(found) == sorted([(opened.reference, request.payment_id), (str(twin["id"]), request.payment_id)])


async def test_fault_f_51_a_refund_may_wait_fail_or_be_called_off(rail: StripeRail, far: FarSide) -> None:
    opened = await rail.start(asked("bank_transfer", EUR))
    await far.act("transfer", payment_intent=opened.reference, amount=10_000)
    made = await rail.refund(opened.reference, Money(10_000, EUR), refund_id="rf_1", order_id="or_1")
    assert made.outcome is Outcome.PENDING
    await far.act("refund_settle", refund=made.reference, status="canceled")
    assert (await rail.fetch_refund(made.reference)).outcome is Outcome.DECLINED
    assert (await rail.fetch(opened.reference)).refunded.units == 0


async def test_fault_f_59_everything_that_moves_the_balance_has_a_kind(far: FarSide) -> None:
    for kind in ("payout", "stripe_fee", "reserve_hold", "topup", "contribution"):
        await far.act("line", account=far.secret_key, kind=kind, amount=-100, currency="eur", fee=0)
    lines = await records(far).lines_since(ULID.from_timestamp(0).datetime)
    assert [line.kind for line in lines][::-1] == [
        LineKind.PAYOUT,
        LineKind.FEE,
        LineKind.RESERVE,
        LineKind.TOP_UP,
        LineKind.OTHER,
    ]
    assert await records(far).balances() == [Money(-500, EUR)]


async def test_fault_f_42_a_restricted_key_is_as_good_and_one_of_the_other_mode_is_refused(far: FarSide) -> None:
    rail = StripeRail(f"rk_test_{far.secret_key[8:]}", livemode=False, api_base=f"{far.url}/stripe")
    assert (await rail.start(asked("card", EUR))).status is PaymentStatus.AWAITING_CUSTOMER
    await rail.aclose()
    with pytest.raises(ValueError, match="live"):
        StripeRail("rk_test_1", livemode=True)
    with pytest.raises(ValueError, match="acct_"):
        StripeRail("rk_test_1", livemode=False, account="1234")


async def test_a_connected_account_is_named_with_every_call() -> None:
    rail = StripeRail("sk_test_1", livemode=False, api_base="https://stripe.test", account="acct_7")
    with respx.mock(assert_all_called=True) as wire:
        wire.get("https://stripe.test/v1/refunds/re_1", headers={"stripe-account": "acct_7"}).respond(404, json={})
        wire.post("https://stripe.test/v1/refunds", headers={"stripe-account": "acct_7"}).respond(404, json={})
        for call in (
            rail.fetch_refund("re_1"),
            rail.refund("pi_1", Money(1, EUR), refund_id="rf_1", order_id="or_1"),
        ):
            with pytest.raises(Exception, match="stripe"):
                await call
    await rail.aclose()


def records(far: FarSide) -> StripeRecords:
    return StripeRecords(far.http, far.secret_key, api_base=f"{far.url}/stripe")
