"""Increase's adapter keeps the contracts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import pytest

from app.ports.payout import PayoutRequest
from providers.contracts.notifications import NotificationContract, NotificationHarness
from providers.contracts.payout import PayoutContract, PayoutHarness
from providers.contracts.records import BankRecordsContract, BankRecordsHarness
from providers.increase.records import IncreaseRecords
from tests.providers.increase.test_notifications import EVENT, SECRET, SOURCE, headers
from tests.providers.sandbox.increase.far_side import Bank, asked

_TRANSFERS = "/ach_transfers$"


class IncreaseHarness(PayoutHarness, BankRecordsHarness):
    """The adapter with a bank of its own."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self.increase = bank.rail()
        self.rail = self.increase
        base = f"{bank.url}/increase"
        self.records = IncreaseRecords(bank.http, bank.api_key, account_id=None, livemode=False, api_base=base)

    def request(self, units: int) -> PayoutRequest:
        return asked(units=units)

    async def settle(self, reference: str) -> None:
        await self._bank.acts.increase_settle(reference)

    async def give_back(self, reference: str) -> None:
        await self._bank.acts.increase_return(reference, "R02")

    async def lose_answer(self) -> None:
        await self._bank.arm("lost", path=_TRANSFERS, method="POST")

    async def be_away(self) -> None:
        await self._bank.arm("error_before", path=_TRANSFERS, method="POST", status=429)

    async def receive(self, account_reference: str, units: int, message: str) -> str:
        return await self._bank.acts.increase_credit(account_reference, units, "Jane Doe", message)

    async def pay(self, payout_id: str, units: int) -> None:
        sent = await self.rail.send(asked(units=units, key=payout_id))
        await self.settle(sent.reference)


@pytest.fixture
async def increase(bank: Bank) -> AsyncIterator[IncreaseHarness]:
    harness = IncreaseHarness(bank)
    yield harness
    await harness.increase.aclose()


class TestPayouts(PayoutContract):
    @pytest.fixture
    def harness(self, increase: IncreaseHarness) -> IncreaseHarness:
        return increase


class TestRecords(BankRecordsContract):
    @pytest.fixture
    def harness(self, increase: IncreaseHarness) -> IncreaseHarness:
        return increase


class IncreaseWebhooks(NotificationHarness):
    """Increase's pen."""

    source = SOURCE

    def body(self, notification_id: str) -> bytes:
        return json.dumps(EVENT | {"id": notification_id}).encode()

    def strange_body(self, notification_id: str) -> bytes:
        return json.dumps(
            EVENT | {"id": notification_id, "category": "teapot.boiled", "associated_object_type": "teapot"}
        ).encode()

    def headers(self, body: bytes, at: datetime, *, forged: bool = False) -> Mapping[str, str]:
        return headers(body, "somebody else's secret" if forged else SECRET, at)


class TestNotifications(NotificationContract):
    @pytest.fixture
    def harness(self) -> IncreaseWebhooks:
        return IncreaseWebhooks()
