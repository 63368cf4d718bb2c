"""One account at the sandbox's bank, with our adapter on this side of its folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from app.ports.bank_files import BankReport, ReportKind
from app.ports.payout import PayoutRequest, PayoutStatus
from providers.sandbox.client import SandboxClient
from providers.sepa.channel import FolderChannel
from providers.sepa.format import SepaFiles
from providers.sepa.records import SepaRecords
from tests.providers.sepa.samples import ACCOUNT, IBAN


class Account:
    """What a test does with it."""

    def __init__(self, http: httpx.AsyncClient, url: str, folder: Path) -> None:
        self.folder = folder
        self.sandbox = SandboxClient(http, url)
        self.files = SepaFiles(ACCOUNT)
        self.channel = FolderChannel(folder / "outbox", folder / "inbox")
        self.records = SepaRecords(self.channel, self.files)

    async def open(self, balance: int = 1_000_000) -> None:
        """Have the bank serve the folder."""
        await self.sandbox.sepa_register(self.folder, IBAN, balance)

    async def put(self, message_id: str, payouts: Sequence[PayoutRequest], *, name: str = "") -> None:
        """Hand payment orders over."""
        created = datetime(2026, 11, 22, tzinfo=UTC)
        data = self.files.write(message_id, created, date(2026, 11, 23), payouts)
        await self.channel.put(f"{name or message_id}.xml", data)

    async def run(self) -> list[BankReport]:
        """Let the bank work; everything that it has left so far."""
        await self.sandbox.sepa_run(self.folder)
        return await self.reports()

    async def reports(self) -> list[BankReport]:
        """Every file in the inbox, read strictly."""
        return [self.files.read(await self.channel.get(name)) for name in await self.channel.names()]

    async def until_settled(self, payout_id: str) -> None:
        """Wait for a statement that says so, without telling the bank to hurry."""
        for _ in range(200):
            if (payout_id, PayoutStatus.SETTLED) in statuses(await self.reports(), ReportKind.STATEMENT):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the payout did not settle")

    async def payments(self) -> list[tuple[str, str, str | None]]:
        """The bank's own books: EndToEndId, state and reason."""
        answer = await self.sandbox.command("GET", "/control/sepa/books", params={"folder": str(self.folder)})
        return [
            (str(payment["end_to_end_id"]), str(payment["state"]), _or_none(payment["reason"]))
            for payment in answer["payments"]
        ]


def statuses(reports: Sequence[BankReport], kind: ReportKind | None = None) -> list[tuple[str, PayoutStatus]]:
    """What the reports say about single payouts, in order."""
    return [
        (payout.payout_id, payout.status)
        for report in reports
        if kind in (None, report.kind)
        for payout in report.payouts
    ]


def _or_none(value: object) -> str | None:
    return None if value is None else str(value)
