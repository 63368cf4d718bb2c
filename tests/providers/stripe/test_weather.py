"""Stripe in bad weather, byte by byte: keys, retries, pauses, versions (faults.md F-32, F-34 to F-36, F-41, F-43)."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import respx
import stripe

from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.errors import (
    CONTRACT_VIOLATION,
    STORED_ERROR,
    OutcomeUnknown,
    ProviderError,
    ProviderThrottled,
    ProviderUnavailable,
)
from app.ports.payin import PaymentRequest
from providers.stripe.calls import StripeCalls
from providers.stripe.rail import StripeRail
from providers.stripe.transport import HttpxTransport
from providers.stripe.vocabulary import API_VERSION
from tests.providers.stripe.test_errors import BASE, GOOD, INTENTS, error

REQUEST = PaymentRequest("pay_1", "or_1", Money(1_000, EUR), "card")
TEN_YEARS = 315_360_000.0
HALF_AN_HOUR = "in half an hour"


@pytest.fixture
async def rail() -> AsyncIterator[StripeRail]:
    adapter = StripeRail("sk_test_1", livemode=False, api_base=BASE)
    yield adapter
    await adapter.aclose()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def keys(route: respx.Route) -> list[str]:
    return [call.request.headers["idempotency-key"] for call in route.calls]


async def test_fault_f_34_a_key_in_use_is_waited_for_and_kept(rail: StripeRail, wire: respx.MockRouter) -> None:
    in_use = error(409, "idempotency_error", "idempotency_key_in_use")
    route = wire.post(INTENTS).mock(side_effect=[in_use, httpx.Response(200, json=GOOD)])
    with pytest.raises(ProviderUnavailable):
        await rail.start(REQUEST)
    assert (await rail.start(REQUEST)).reference == "pi_1"
    assert keys(route) == ["pay_1", "pay_1"]


async def test_fault_f_32_an_error_that_stripe_has_kept_is_told_from_one_that_it_made(
    rail: StripeRail, wire: respx.MockRouter
) -> None:
    fresh, kept = error(500, "api_error"), error(500, "api_error", idempotent_replayed="true")
    route = wire.post(INTENTS).mock(side_effect=[fresh, kept, httpx.Response(200, json=GOOD)])
    with pytest.raises(OutcomeUnknown) as first:
        await rail.start(REQUEST)
    with pytest.raises(OutcomeUnknown) as second:
        await rail.start(REQUEST)
    assert (first.value.code, second.value.code) == (None, STORED_ERROR)
    anew = PaymentRequest("pay_1", "or_1", Money(1_000, EUR), "card", key="pay_1:attempt2")
    assert (await rail.start(anew)).payment_id == "pay_1"
    assert keys(route) == ["pay_1", "pay_1", "pay_1:attempt2"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        (HALF_AN_HOUR, 1_600, 1_800),
        ("315360000", TEN_YEARS, TEN_YEARS),
    ],
    ids=["seconds", "at once", "a date", "ten years"],
)
async def test_fault_f_35_what_stripe_asks_for_is_passed_on(
    rail: StripeRail, wire: respx.MockRouter, status: int, text: str, least: float, most: float
) -> None:
    if text == HALF_AN_HOUR:  # counted from the test itself, for the file may have been read long before
        text = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    wire.post(INTENTS).mock(return_value=error(status, "api_error", retry_after=text))
    with pytest.raises(ProviderError) as caught:
        await rail.start(REQUEST)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most
    assert isinstance(caught.value, ProviderThrottled if status == 429 else OutcomeUnknown)


async def test_fault_f_35_after_five_failures_nothing_is_asked_for_an_hour_at_most(wire: respx.MockRouter) -> None:
    now = 1_000.0
    calls = StripeCalls("sk_test_1", livemode=False, api_base=BASE, clock=lambda: now)
    route = wire.get(f"{INTENTS}/pi_1").mock(return_value=error(503, "api_error", retry_after=str(int(TEN_YEARS))))
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await calls.ask(lambda: calls.v1.payment_intents.retrieve_async("pi_1"), reading=True)
    assert (route.call_count, calls.resumes_in()) == (5, 3_600)
    for _ in range(3):
        with pytest.raises(ProviderThrottled) as caught:
            await calls.ask(lambda: calls.v1.payment_intents.retrieve_async("pi_1"), reading=True)
    assert (route.call_count, caught.value.retry_after) == (5, 3_600)
    now += 3_600
    route.mock(return_value=httpx.Response(200, json=GOOD))
    await calls.ask(lambda: calls.v1.payment_intents.retrieve_async("pi_1"), reading=True)
    assert (route.call_count, calls.resumes_in()) == (6, 0)
    await calls.aclose()


async def test_fault_f_43_refusals_are_answers_and_open_no_breaker(rail: StripeRail, wire: respx.MockRouter) -> None:
    wire.get(f"{INTENTS}/pi_1").mock(return_value=error(404, "invalid_request_error", "resource_missing"))
    for _ in range(12):
        with pytest.raises(ProviderError):
            await rail.fetch("pi_1")
    assert rail.resumes_in() == 0


async def test_fault_f_23_an_answer_of_another_version_is_not_read(rail: StripeRail, wire: respx.MockRouter) -> None:
    wire.get(f"{INTENTS}/pi_1").respond(json=GOOD, headers={"stripe-version": "2020-08-27"})
    with pytest.raises(OutcomeUnknown) as caught:
        await rail.fetch("pi_1")
    assert caught.value.code == CONTRACT_VIOLATION
    wire.get(f"{INTENTS}/pi_1").respond(json=GOOD, headers={"stripe-version": API_VERSION})
    assert (await rail.fetch("pi_1")).reference == "pi_1"


@pytest.mark.parametrize(
    "change",
    [
        {"next_action": "no"},
        {"next_action": {"type": "redirect_to_url"}},
        {"next_action": {"type": "display_bank_transfer_instructions", "display_bank_transfer_instructions": {}}},
        {
            "next_action": {
                "type": "display_bank_transfer_instructions",
                "display_bank_transfer_instructions": {"amount_remaining": -1, "financial_addresses": [{}]},
            }
        },
        {"review": {"id": "prv_1", "open": "yes"}},
    ],
)
async def test_fault_f_36_instructions_that_cannot_be_read_are_no_answer(
    rail: StripeRail, wire: respx.MockRouter, change: dict[str, object]
) -> None:
    wire.get(f"{INTENTS}/pi_1").respond(json=GOOD | change)
    with pytest.raises(OutcomeUnknown) as caught:
        await rail.fetch("pi_1")
    assert caught.value.code == CONTRACT_VIOLATION


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("[Errno -2] Name or service not known"),
        httpx.ConnectError(str(ssl.SSLCertVerificationError("certificate verify failed"))),
        httpx.ConnectTimeout("slow"),
    ],
)
async def test_fault_f_41_what_was_never_sent_has_not_happened(
    rail: StripeRail, wire: respx.MockRouter, failure: Exception
) -> None:
    route = wire.post(INTENTS).mock(side_effect=failure)
    plain = wire.post(url__startswith="http://").respond(json=GOOD)
    with pytest.raises(ProviderUnavailable):
        await rail.start(REQUEST)
    assert (route.call_count, plain.call_count) == (1, 0), "and never without TLS"


class Patient(HttpxTransport):
    """The transport, without the pauses between the SDK's own retries."""

    async def sleep_async(self, seconds: float) -> None:
        assert seconds >= 0


async def test_fault_f_30_the_sdks_own_retries_would_keep_the_key(wire: respx.MockRouter) -> None:
    """They are off; should anybody switch them on, every one of them is still the same request."""
    in_use = error(409, "idempotency_error", "idempotency_key_in_use")
    route = wire.post(INTENTS).mock(side_effect=[error(500, "api_error"), in_use, httpx.Response(200, json=GOOD)])
    transport = Patient(timeout=1)
    client = stripe.StripeClient(
        "sk_test_1", base_addresses={"api": BASE}, http_client=transport, max_network_retries=3
    )
    await client.v1.payment_intents.create_async({"amount": 1, "currency": "eur"}, {"idempotency_key": "pay_1"})
    assert keys(route) == ["pay_1"] * 3
    await transport.close_async()
