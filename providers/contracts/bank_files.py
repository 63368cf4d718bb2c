"""The contract of `app.ports.bank_files`: the same orders give the same bytes, and a file is handed over once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.domain.money import Money
from app.ports.bank_files import BankReport, FileChannel, FileFormat, FileUnreadable, ReportKind
from app.ports.errors import ProviderRejected
from app.ports.payout import PayoutRequest, PayoutStatus

_MOMENT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
_DAY = date(2026, 11, 23)


class BankFilesHarness(ABC):
    """A form and a channel, and the hands of the bank at the other end."""

    form: FileFormat
    channel: FileChannel

    @abstractmethod
    def request(self, units: int, *, good: bool = True) -> PayoutRequest:
        """A payout that was never asked for before; the bank refuses one that is not `good`."""

    @abstractmethod
    async def work(self) -> None:
        """The bank reads what it was handed, books it, and leaves its answers."""

    @abstractmethod
    async def taken(self) -> Sequence[bytes]:
        """The files that lie there for the bank and that it has not read."""

    async def reports(self) -> list[BankReport]:
        """Everything that the bank has left so far."""
        return [self.form.read(await self.channel.get(name)) for name in await self.channel.names()]


class BankFilesContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> BankFilesHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    def test_the_same_orders_are_the_same_bytes(self, harness: BankFilesHarness) -> None:
        """For after a crash it is these bytes that are handed over, and no others."""
        payouts = [harness.request(10_000), harness.request(25)]
        written = [harness.form.write("pf_1", _MOMENT, _DAY, payouts) for _ in range(2)]
        assert written[0] == written[1]
        assert harness.form.write("pf_1", _MOMENT, _DAY, payouts[:1]) != written[0]

    def test_what_cannot_be_said_is_refused(self, harness: BankFilesHarness) -> None:
        """An empty file, one payout twice, nothing to pay."""
        payout = harness.request(10_000)
        nothing = replace(payout, amount=Money(0, payout.amount.asset))
        for payouts in ([], [payout, payout], [nothing]):
            with pytest.raises(ValueError, match=r"."):
                harness.form.write("pf_1", _MOMENT, _DAY, payouts)

    async def test_the_bank_answers_for_each_payout(self, harness: BankFilesHarness) -> None:
        """Under our own id: one is on the statement, the other is refused, with a reason."""
        good, bad = harness.request(10_000), harness.request(25, good=False)
        await harness.channel.put("a.xml", harness.form.write("pf_1", _MOMENT, _DAY, [good, bad]))
        await harness.work()
        reports = await harness.reports()
        told = {(report.kind, payout.payout_id): payout for report in reports for payout in report.payouts}
        assert told[ReportKind.STATEMENT, good.payout_id].status is PayoutStatus.SETTLED
        refused = told[ReportKind.STATUS, bad.payout_id]
        assert refused.status is PayoutStatus.FAILED
        assert refused.decline is not None
        assert (ReportKind.STATEMENT, bad.payout_id) not in told
        assert len({report.message_id for report in reports}) == len(reports)

    async def test_a_statement_sums_up(self, harness: BankFilesHarness) -> None:
        """Its lines are signed, carry the bank's own references, and lead from one balance to the next."""
        balances = []
        for number, units in enumerate((10_000, 25)):
            data = harness.form.write(f"pf_{number}", _MOMENT, _DAY, [harness.request(units)])
            await harness.channel.put(f"{number}.xml", data)
            await harness.work()
            statements = [report for report in await harness.reports() if report.kind is ReportKind.STATEMENT]
            balances.append(statements[-1].closing_balance)
        first, second = balances
        assert first is not None
        assert second is not None
        assert first.units - second.units == 25
        lines = [line for report in statements for line in report.lines]
        assert {-10_000, -25} <= {line.amount.units for line in lines}
        assert len({line.reference for line in lines}) == len(lines)

    @pytest.mark.parametrize("spoiled", [b"", b"<", b"not a file of a bank", b"\x00\xff"])
    def test_nonsense_is_unreadable(self, harness: BankFilesHarness, spoiled: bytes) -> None:
        """It is never an empty report."""
        with pytest.raises(FileUnreadable):
            harness.form.read(spoiled)

    async def test_a_file_is_handed_over_once(self, harness: BankFilesHarness) -> None:
        """Again it is nothing new; under the same name something else is refused."""
        data = harness.form.write("pf_1", _MOMENT, _DAY, [harness.request(10_000)])
        other = harness.form.write("pf_1", _MOMENT, _DAY, [harness.request(20_000)])
        await harness.channel.put("a.xml", data)
        await harness.channel.put("a.xml", data)
        with pytest.raises(ProviderRejected):
            await harness.channel.put("a.xml", other)
        assert list(await harness.taken()) == [data]
        await harness.work()
        await harness.channel.put("a.xml", data)
        assert list(await harness.taken()) == []

    async def test_reading_takes_nothing_away(self, harness: BankFilesHarness) -> None:
        """What the bank has left is there the next time too, in the same order."""
        await harness.channel.put("a.xml", harness.form.write("pf_1", _MOMENT, _DAY, [harness.request(10_000)]))
        await harness.work()
        assert await harness.reports() == await harness.reports() != []
