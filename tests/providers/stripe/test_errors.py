"""Answers of Stripe that the far side does not give, byte by byte, and what our ports call them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderThrottled, ProviderUnavailable
from app.ports.payin import PaymentRequest, PaymentStatus
from providers.stripe.rail import StripeRail

BASE = "https://stripe.test"
INTENTS = f"{BASE}/v1/payment_intents"
REQUEST = PaymentRequest("pay_1", "or_1", Money(1_000, EUR), "card")

GOOD: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 1_000,
    "amount_received": 0,
    "currency": "eur",
    "status": "requires_payment_method",
    "metadata": {"payment_id": "pay_1", "order_id": "or_1"},
    "latest_charge": None,
    "last_payment_error": None,
    "livemode": False,
    "client_secret": "pi_1_secret_x",
}
CHARGE: dict[str, Any] = {
    "id": "ch_1",
    "object": "charge",
    "amount": 1_000,
    "amount_refunded": 0,
    "currency": "eur",
    "payment_intent": "pi_1",
    "balance_transaction": {"id": "txn_1", "object": "balance_transaction", "fee": 40, "currency": "eur"},
}
PAID = GOOD | {"status": "succeeded", "amount_received": 1_000, "latest_charge": CHARGE}


@pytest.fixture
async def rail() -> AsyncIterator[StripeRail]:
    adapter = StripeRail("sk_test_1", livemode=False, api_base=BASE)
    yield adapter
    await adapter.aclose()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def error(status: int, kind: str, code: str | None = None, **headers: str) -> httpx.Response:
    body = {"error": {"type": kind, "message": "said by Stripe", **({"code": code} if code else {})}}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()})


@pytest.mark.parametrize(
    ("failure", "starting", "reading"),
    [
        (httpx.ConnectError("refused"), ProviderUnavailable, ProviderUnavailable),
        (httpx.ConnectTimeout("slow"), ProviderUnavailable, ProviderUnavailable),
        (httpx.PoolTimeout("busy"), ProviderUnavailable, ProviderUnavailable),
        (httpx.ReadTimeout("slow"), OutcomeUnknown, ProviderUnavailable),
        (httpx.WriteTimeout("slow"), OutcomeUnknown, ProviderUnavailable),
        (httpx.ReadError("reset"), OutcomeUnknown, ProviderUnavailable),
        (httpx.WriteError("reset"), OutcomeUnknown, ProviderUnavailable),
        (httpx.RemoteProtocolError("closed"), OutcomeUnknown, ProviderUnavailable),
        (error(500, "api_error"), OutcomeUnknown, ProviderUnavailable),
        (error(502, "api_error"), OutcomeUnknown, ProviderUnavailable),
        (error(503, "api_error", retry_after="5"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(500, text="<html>"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, text="<html>"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, text='{"id": "pi_1", "obj'), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, content=b"\xff\xfe"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, json=[]), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, json="pi_1"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(200, text="null"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(400, json={"error": None}), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(400, json={"error": [1]}), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(404, text="not found"), OutcomeUnknown, ProviderUnavailable),
        (httpx.Response(302, headers={"location": "http://evil.test"}), OutcomeUnknown, ProviderUnavailable),
        (error(409, "idempotency_error", "idempotency_key_in_use"), ProviderUnavailable, ProviderUnavailable),
        (error(429, "invalid_request_error", "rate_limit"), ProviderThrottled, ProviderThrottled),
        (error(429, "invalid_request_error", "lock_timeout"), ProviderThrottled, ProviderThrottled),
        (error(400, "idempotency_error"), ProviderRejected, ProviderRejected),
        (error(400, "invalid_request_error", "parameter_missing"), ProviderRejected, ProviderRejected),
        (error(401, "invalid_request_error"), ProviderRejected, ProviderUnavailable),
        (error(403, "invalid_request_error"), ProviderRejected, ProviderRejected),
        (error(404, "invalid_request_error", "resource_missing"), ProviderRejected, ProviderRejected),
        (error(402, "card_error", "card_declined"), ProviderRejected, ProviderRejected),
    ],
)
async def test_every_failure_has_its_class(
    rail: StripeRail,
    wire: respx.MockRouter,
    failure: httpx.Response | Exception,
    starting: type[Exception],
    reading: type[Exception],
) -> None:
    for route in (wire.post(INTENTS), wire.get(f"{INTENTS}/pi_1")):
        if isinstance(failure, Exception):
            route.mock(side_effect=failure)
        else:
            route.mock(return_value=failure)
    with pytest.raises(starting) as caught:
        await rail.start(REQUEST)
    assert type(caught.value) is starting
    assert "sk_test_1" not in str(caught.value)
    with pytest.raises(reading) as caught:
        await rail.fetch("pi_1")
    assert type(caught.value) is reading


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 1_001},
        {"amount": -1_000},
        {"amount": True},
        {"amount": 1000.0},
        {"amount": "1000"},
        {"amount": None},
        {"currency": "usd"},
        {"currency": "xxx"},
        {"currency": None},
        {"amount_received": -1},
        {"id": "ch_1"},
        {"id": None},
        {"object": "charge"},
        {"status": None},
        {"metadata": None},
        {"metadata": {"payment_id": "pay_2", "order_id": "or_1"}},
        {"metadata": {}},
        {"livemode": True},
        {"livemode": None},
        {"latest_charge": CHARGE | {"currency": "usd"}},
        {"latest_charge": CHARGE | {"payment_intent": "pi_2"}},
        {"latest_charge": CHARGE | {"amount_refunded": 1}},
        {"latest_charge": CHARGE | {"amount_refunded": -1}},
        {"latest_charge": CHARGE | {"balance_transaction": {"object": "balance_transaction", "fee": -1}}},
        {"latest_charge": {"id": "ch_1"}},
        {"last_payment_error": "no"},
    ],
)
async def test_an_answer_that_breaks_the_contract_is_no_answer(
    rail: StripeRail, wire: respx.MockRouter, change: dict[str, object]
) -> None:
    wire.post(INTENTS).respond(json=GOOD | change)
    with pytest.raises(OutcomeUnknown) as caught:
        await rail.start(REQUEST)
    assert caught.value.code == "contract_violation"


async def test_more_fields_and_a_missing_fee_are_no_breach(rail: StripeRail, wire: respx.MockRouter) -> None:
    unsettled = CHARGE | {"balance_transaction": None}
    wire.get(f"{INTENTS}/pi_1").respond(json=PAID | {"colour": "red", "latest_charge": unsettled})
    receipt = await rail.fetch("pi_1")
    assert (receipt.status, receipt.fee) == (PaymentStatus.CAPTURED, None)


async def test_a_fee_in_the_currency_of_settlement(rail: StripeRail, wire: respx.MockRouter) -> None:
    settled = {"id": "txn_1", "object": "balance_transaction", "fee": 40, "currency": "usd"}
    wire.get(f"{INTENTS}/pi_1").respond(json=PAID | {"latest_charge": CHARGE | {"balance_transaction": settled}})
    fee = (await rail.fetch("pi_1")).fee
    assert fee is not None
    assert (fee.units, fee.asset.code) == (40, "USD")


async def test_another_payment_than_asked_for_is_no_answer(rail: StripeRail, wire: respx.MockRouter) -> None:
    wire.get(f"{INTENTS}/pi_2").respond(json=GOOD)
    wire.post(f"{INTENTS}/pi_2/capture").respond(json=PAID)
    with pytest.raises(OutcomeUnknown):
        await rail.fetch("pi_2")
    with pytest.raises(OutcomeUnknown):
        await rail.capture("pi_2", Money(1_000, EUR), key="k")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 999},
        {"currency": "usd"},
        {"payment_intent": "pi_2"},
        {"metadata": {"refund_id": "rf_2"}},
        {"id": "x"},
    ],
)
async def test_another_refund_than_asked_for_is_no_answer(
    rail: StripeRail, wire: respx.MockRouter, change: dict[str, object]
) -> None:
    refund: dict[str, object] = {
        "id": "re_1",
        "object": "refund",
        "amount": 1_000,
        "currency": "eur",
        "payment_intent": "pi_1",
        "status": "a_new_word",
        "metadata": {"refund_id": "rf_1"},
    }
    wire.post(f"{BASE}/v1/refunds").respond(json=refund)
    made = await rail.refund("pi_1", Money(1_000, EUR), refund_id="rf_1", order_id="or_1")
    assert made.outcome == "pending"
    wire.post(f"{BASE}/v1/refunds").respond(json=refund | change)
    with pytest.raises(OutcomeUnknown):
        await rail.refund("pi_1", Money(1_000, EUR), refund_id="rf_1", order_id="or_1")


async def test_an_unknown_status_is_unknown(rail: StripeRail, wire: respx.MockRouter) -> None:
    wire.get(f"{INTENTS}/pi_1").respond(json=GOOD | {"status": "requires_patience"})
    receipt = await rail.fetch("pi_1")
    assert (receipt.status, receipt.provider_status) == (PaymentStatus.UNKNOWN, "requires_patience")


async def test_a_card_error_at_capture_is_a_value(rail: StripeRail, wire: respx.MockRouter) -> None:
    wire.post(f"{INTENTS}/pi_1/capture").mock(return_value=error(402, "card_error", "card_declined"))
    declined = GOOD | {"last_payment_error": {"code": "card_declined", "decline_code": "do_not_honor"}}
    wire.get(f"{INTENTS}/pi_1").respond(json=declined)
    receipt = await rail.capture("pi_1", Money(1_000, EUR), key="k")
    assert receipt.decline is not None
    assert receipt.decline.provider_code == "do_not_honor"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("315360000", 315_360_000.0), ("soon", None), ("-1", None), ("nan", None), ("inf", None)],
)
async def test_retry_after_in_seconds(
    rail: StripeRail, wire: respx.MockRouter, text: str, seconds: float | None
) -> None:
    wire.post(INTENTS).mock(return_value=error(429, "invalid_request_error", retry_after=text))
    with pytest.raises(ProviderThrottled) as caught:
        await rail.start(REQUEST)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, 0.0), ("Fri, 31 Dec 2999 23:59:59 GMT", 1e9, 1e11)],
)
async def test_retry_after_as_a_date(
    rail: StripeRail, wire: respx.MockRouter, text: str, least: float, most: float
) -> None:
    wire.post(INTENTS).mock(return_value=error(429, "invalid_request_error", retry_after=text))
    with pytest.raises(ProviderThrottled) as caught:
        await rail.start(REQUEST)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most


async def test_one_call_is_one_request_at_a_pinned_version(rail: StripeRail, wire: respx.MockRouter) -> None:
    route = wire.post(INTENTS).mock(return_value=error(500, "api_error"))
    with pytest.raises(OutcomeUnknown):
        await rail.start(REQUEST)
    assert route.call_count == 1
    sent = route.calls.last.request.headers
    assert (sent["stripe-version"], sent["idempotency-key"]) == ("2026-10-28.endive", "pay_1")


def test_importing_the_adapter_says_nothing_and_writes_nothing(tmp_path: Path) -> None:
    code = "import providers.stripe.rail as r; r.StripeRail('sk_test_1', livemode=False)"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
