"""What an auditor reads: every statement that the bank has left, put together to the books of one account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from itertools import pairwise

from app.domain.payout import PayoutMethod
from app.ports.bank_files import BankReport, FileChannel, FileFormat, FileUnreadable, ReportKind, StatementLine
from app.ports.errors import ProviderUnavailable
from app.ports.records import BankBooks, BankLine, BankTransfer
from providers.sepa.format import PROVIDER


class SepaRecords:
    """Implements BankRecords for one account, from the files of its channel."""

    def __init__(self, channel: FileChannel, files: FileFormat) -> None:
        """`files` must be that of the account whose statements the channel brings."""
        self._channel = channel
        self._files = files

    async def read(self) -> BankBooks:
        """Read all statements; raises ProviderUnavailable, also when there is none or one is missing in between."""
        reports = _in_order([report async for report in self._statements()])
        if not reports:
            raise ProviderUnavailable(PROVIDER, "there is no statement yet")
        closing = reports[-1].closing_balance
        if closing is None or not _follow_on(reports):
            raise ProviderUnavailable(PROVIDER, "the statements do not follow on each other: one is missing")
        lines = [line for report in reports for line in report.lines]
        sent = {line.payout_id: line.reference for line in lines if line.payout_id and line.amount.units < 0}
        returned = {line.payout_id for line in lines if line.payout_id and line.amount.units > 0}
        return BankBooks(
            transfers=tuple(_transfer(line, returned) for line in lines if line.payout_id and line.amount.units < 0),
            credits=tuple(credit for report in reports for credit in report.credits),
            lines=tuple(_line(line, sent) for line in lines),
            balance=closing,
        )

    async def _statements(self) -> AsyncIterator[BankReport]:
        """Files that cannot be read are passed over: a statement among them is missed when its neighbours are held
        against each other."""
        for name in await self._channel.names():
            try:
                report = await asyncio.to_thread(self._files.read, await self._channel.get(name))
            except FileUnreadable:
                continue
            if report.kind is ReportKind.STATEMENT:
                yield report


def _in_order(reports: Iterable[BankReport]) -> list[BankReport]:
    """By when they were made, and each once: banks send a statement again when asked to."""
    once = {report.message_id: report for report in reports}
    return sorted(once.values(), key=lambda report: report.created_at)


def _follow_on(reports: Sequence[BankReport]) -> bool:
    """Whether each statement begins where the one before it ended."""
    return all(
        before.closing_balance is not None
        and after.closing_balance is not None
        and after.closing_balance.units - sum(line.amount.units for line in after.lines) == before.closing_balance.units
        for before, after in pairwise(reports)
    )


def _transfer(line: StatementLine, returned: Collection[str]) -> BankTransfer:
    back = line.payout_id in returned
    return BankTransfer(
        reference=line.reference,
        payout_id=line.payout_id,
        method=PayoutMethod.SEPA,
        amount=-line.amount,
        stands=not back,
        returned=back,
        account_last4=line.account_last4,
    )


def _line(line: StatementLine, sent: Mapping[str, str]) -> BankLine:
    """A payout's lines, out and back, are about its debit; a credit is about itself; a bank's fee about nothing."""
    about = sent.get(line.payout_id) if line.payout_id else line.reference if line.amount.units > 0 else None
    return BankLine(line.reference, line.amount, datetime.combine(line.booked_on, time(), UTC), about)
