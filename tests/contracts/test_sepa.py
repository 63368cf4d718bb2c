"""The SEPA adapter keeps the contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import pytest

from app.ports.payout import PayoutRequest
from providers.contracts.bank_files import BankFilesContract, BankFilesHarness
from providers.contracts.records import BankRecordsContract, BankRecordsHarness
from providers.sandbox.sepa.bank import MAGIC
from tests.providers.sandbox.increase.far_side import Sandbox
from tests.providers.sandbox.sepa.account import Account
from tests.providers.sepa.samples import THEIR_IBAN, request


class SepaHarness(BankFilesHarness, BankRecordsHarness):
    """The adapter with an account of its own."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._numbers = count(1)
        self._served = False
        self.form, self.channel, self.records = account.files, account.channel, account.records

    def request(self, units: int, *, good: bool = True) -> PayoutRequest:
        return request(next(self._numbers), units, iban=THEIR_IBAN if good else next(iter(MAGIC)))

    async def work(self) -> None:
        # The bank looks into every folder that it serves, at times of its own: it serves ours once it is told to work.
        if not self._served:
            await self._account.open()
            self._served = True
        await self._account.sandbox.sepa_run(self._account.folder)

    async def taken(self) -> Sequence[bytes]:
        return [path.read_bytes() for path in sorted((self._account.folder / "outbox").iterdir())]

    async def begin(self) -> None:
        """A first statement: without one there are no books to read."""
        await self._account.put("pf_0", [request(99, 1)])
        await self.work()

    async def pay(self, payout_id: str, units: int) -> None:
        await self._account.put("pf_1", [replace(request(1, units), payout_id=payout_id)])
        await self.work()


@pytest.fixture
async def sepa(sandbox: Sandbox, http: httpx.AsyncClient, tmp_path: Path) -> SepaHarness:
    for name in ("outbox", "inbox"):
        (tmp_path / "bank" / name).mkdir(parents=True)
    return SepaHarness(Account(http, sandbox.url, tmp_path / "bank"))


class TestFiles(BankFilesContract):
    @pytest.fixture
    def harness(self, sepa: SepaHarness) -> SepaHarness:
        return sepa


class TestRecords(BankRecordsContract):
    @pytest.fixture
    async def harness(self, sepa: SepaHarness) -> SepaHarness:
        await sepa.begin()
        return sepa
