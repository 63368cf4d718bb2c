"""Stripe's adapter keeps the contracts."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import httpx
import pytest

from app.domain.assets import EUR
from app.domain.money import Money
from app.ports.payin import PaymentRequest
from providers.contracts.notifications import NotificationContract, NotificationHarness
from providers.contracts.payin import PayinCall, PayinContract, PayinHarness
from providers.contracts.records import PayinRecordsContract, PayinRecordsHarness
from providers.stripe.notifications import StripeNotifications
from providers.stripe.rail import StripeRail
from providers.stripe.records import StripeRecords
from tests.providers.sandbox.increase.far_side import Sandbox
from tests.providers.stripe.payments import VISA, asked
from tests.providers.stripe.test_notifications import EVENT, SECRET, sign

_PATHS = {
    PayinCall.START: "/v1/payment_intents$",
    PayinCall.CAPTURE: "/v1/payment_intents/[^/]+/capture$",
    PayinCall.REFUND: "/v1/refunds$",
}


class StripeHarness(PayinHarness, PayinRecordsHarness):
    """The adapter with an account of its own at the far side."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http, self._url = http, url
        self._key = f"sk_test_{secrets.token_hex(12)}"
        self.stripe = StripeRail(self._key, livemode=False, api_base=f"{url}/stripe", timeout=5)
        self.rail = self.stripe
        self.records = StripeRecords(http, self._key, api_base=f"{url}/stripe")

    def request(self, units: int) -> PaymentRequest:
        return asked(units)

    async def pay(self, reference: str) -> None:
        await self._control("stripe/pay", payment_intent=reference, card=VISA)

    async def decline(self, reference: str) -> None:
        await self._control("stripe/pay", payment_intent=reference, card="4000000000000002")

    async def lose_answer(self, call: PayinCall) -> None:
        await self._control("faults", kind="lost", account=self._key, method="POST", path=_PATHS[call])

    async def be_away(self, call: PayinCall) -> None:
        # More often than the SDK asks again by itself.
        fault = {"kind": "error_before", "status": 429}
        await self._control("faults", account=self._key, method="POST", path=_PATHS[call], **fault)

    async def sell(self, payment_id: str, order_id: str, units: int, *, refunded: int) -> str:
        request = PaymentRequest(payment_id, order_id, Money(units, EUR), "card")
        receipt = await self.captured(request)
        await self.rail.refund(receipt.reference, Money(refunded, EUR), refund_id="rf_1", order_id=order_id)
        return receipt.reference

    async def _control(self, where: str, **body: object) -> None:
        response = await self._http.post(f"{self._url}/control/{where}", json=body)
        assert response.is_success, response.text


@pytest.fixture
async def stripe(sandbox: Sandbox, http: httpx.AsyncClient) -> AsyncIterator[StripeHarness]:
    harness = StripeHarness(http, sandbox.url)
    yield harness
    await harness.stripe.aclose()


class TestPayments(PayinContract):
    @pytest.fixture
    def harness(self, stripe: StripeHarness) -> StripeHarness:
        return stripe


class TestRecords(PayinRecordsContract):
    @pytest.fixture
    def harness(self, stripe: StripeHarness) -> StripeHarness:
        return stripe


class StripeWebhooks(NotificationHarness):
    """Stripe's pen."""

    source = StripeNotifications([SECRET])

    def body(self, notification_id: str) -> bytes:
        return json.dumps(EVENT | {"id": notification_id}).encode()

    def strange_body(self, notification_id: str) -> bytes:
        return json.dumps(
            EVENT | {"id": notification_id, "type": "teapot.boiled", "data": {"object": {"object": "teapot"}}}
        ).encode()

    def headers(self, body: bytes, at: datetime, *, forged: bool = False) -> Mapping[str, str]:
        moment = int(at.timestamp())
        return {"Stripe-Signature": f"t={moment},v1={sign(body, 'whsec_other' if forged else SECRET, moment)}"}


class TestNotifications(NotificationContract):
    @pytest.fixture
    def harness(self) -> StripeWebhooks:
        return StripeWebhooks()
