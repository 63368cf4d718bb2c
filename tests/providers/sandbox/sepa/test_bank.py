"""From our writer to the sandbox's bank and back through our reader."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ports.bank_files import ReportKind
from app.ports.errors import ProviderRejected
from app.ports.payout import PayoutStatus
from providers.sandbox.sepa.bank import MAGIC, RETURNING
from providers.sandbox.sepa.orders import read_order
from providers.sepa.format import SepaFiles
from tests.providers.sandbox.sepa.account import Account, statuses
from tests.providers.sandbox.stripe.far_side import Sandbox
from tests.providers.sepa.samples import ACCOUNT, CREATED, DAY, FILE, euros, payout_id, request, wire_id


async def test_a_payout_goes_out_and_settles(account: Account) -> None:
    await account.put("pf_1", [request(1, 12_345), request(2, 1)])
    reports = await account.run()
    accepted = next(report.file for report in reports if report.file is not None)
    assert (accepted.message_id, accepted.provider_status) == ("pf_1", "ACCP")
    assert statuses(reports, ReportKind.STATUS) == statuses(reports, ReportKind.STATEMENT)
    assert statuses(reports, ReportKind.STATEMENT) == [
        (payout_id(1), PayoutStatus.SETTLED),
        (payout_id(2), PayoutStatus.SETTLED),
    ]
    assert reports[-1].closing_balance == euros(1_000_000 - 12_346)
    assert not list((account.folder / "outbox").iterdir())
    assert len({report.message_id for report in reports}) == len(reports)


async def test_it_goes_by_itself_too(account: Account) -> None:
    await account.put("pf_1", [request(1)])
    await account.until_settled(payout_id(1))


async def test_a_new_account_tells_its_balance(account: Account) -> None:
    (first,) = await account.run()
    assert (first.kind, first.closing_balance, first.lines) == (ReportKind.STATEMENT, euros(1_000_000), ())


@pytest.mark.parametrize(("iban", "reason"), MAGIC.items())
async def test_some_accounts_are_refused(account: Account, iban: str, reason: str) -> None:
    await account.put("pf_1", [request(1, iban=iban), request(2)])
    reports = await account.run()
    part = next(report for report in reports if report.file is not None)
    assert part.file is not None
    assert (part.file.status, part.file.provider_status) == (PayoutStatus.PENDING, "PART")
    (refused,) = part.payouts
    assert (refused.payout_id, refused.status, refused.amount) == (payout_id(1), PayoutStatus.FAILED, euros(12_345))
    assert refused.decline is not None
    assert refused.decline.provider_code == reason
    assert statuses(reports, ReportKind.STATEMENT) == [(payout_id(2), PayoutStatus.SETTLED)]


async def test_what_the_balance_does_not_cover_is_refused(account: Account) -> None:
    await account.put("pf_1", [request(1, 600_000), request(2, 600_000), request(3, 400_000)])
    reports = await account.run()
    assert await account.payments() == [
        (wire_id(1), "booked", None),
        (wire_id(2), "rejected", "AM04"),
        (wire_id(3), "booked", None),
    ]
    assert reports[-1].closing_balance == euros(0)


async def test_a_payout_comes_back_days_later(account: Account) -> None:
    await account.put("pf_1", [request(1)])
    await account.run()
    await account.sandbox.sepa_return(account.folder, wire_id(1), "MS03")
    reports = await account.run()
    (returned,) = reports[-1].payouts
    assert (returned.payout_id, returned.status) == (payout_id(1), PayoutStatus.RETURNED)
    assert returned.returned is not None
    assert (returned.returned.code, returned.returned.scheme_code) == ("returned_ms03", "MS03")
    assert not reports[-1].credits
    assert reports[-1].closing_balance == euros(1_000_000)
    with pytest.raises(ProviderRejected):
        await account.sandbox.sepa_return(account.folder, wire_id(1))
    books = await account.records.read()
    assert [(sent.stands, sent.returned) for sent in books.transfers] == [(False, True)]
    assert books.balance == euros(1_000_000)


async def test_one_account_sends_everything_back(account: Account) -> None:
    await account.put("pf_1", [request(1, iban=RETURNING)])
    reports = await account.run()
    assert statuses(reports, ReportKind.STATEMENT) == [
        (payout_id(1), PayoutStatus.SETTLED),
        (payout_id(1), PayoutStatus.RETURNED),
    ]


async def test_money_comes_in(account: Account) -> None:
    await account.sandbox.sepa_credit(account.folder, 50_000, "Sven Sender", "RAMP 42")
    await account.sandbox.sepa_credit(account.folder, 1)
    reports = await account.run()
    credits = [credit for report in reports for credit in report.credits]
    assert [(credit.amount, credit.sender_name, credit.message) for credit in credits] == [
        (euros(50_000), "Sven Sender", "RAMP 42"),
        (euros(1), "", ""),
    ]
    assert len({credit.reference for credit in credits}) == 2
    assert reports[-1].closing_balance == euros(1_050_001)


async def test_a_file_handed_over_twice_pays_once(account: Account) -> None:
    for name in ("one", "two"):
        await account.put("pf_1", [request(1)], name=name)
        reports = await account.run()
    assert await account.payments() == [(wire_id(1), "booked", None)]
    assert reports[-1].file is not None
    assert reports[-1].file.status is PayoutStatus.UNKNOWN  # and above all not failed
    assert reports[-1].file.decline is not None
    assert reports[-1].file.decline.provider_code == "AM05"


async def test_a_bank_that_died_before_it_put_a_file_away_does_not_judge_it_again(account: Account) -> None:
    await account.put("pf_1", [request(1)])
    before = await account.run()
    (judged,) = (account.folder / "archive").iterdir()
    judged.rename(account.folder / "taken" / judged.name)
    assert await account.run() == before
    assert [path.name for path in (account.folder / "archive").iterdir()] == [judged.name]


async def test_a_payout_in_two_files_is_paid_once(account: Account) -> None:
    await account.put("pf_1", [request(1)])
    await account.put("pf_2", [request(1), request(2)])
    await account.run()
    assert sorted(await account.payments(), key=str) == [
        (wire_id(1), "booked", None),
        (wire_id(1), "rejected", "AM05"),
        (wire_id(2), "booked", None),
    ]


async def test_a_malformed_file_is_refused_whole(account: Account) -> None:
    data = account.files.write("pf_1", CREATED, DAY, [request(1), request(2)])
    for index, broken in enumerate((data[:-30], data.replace(b"<CtrlSum>246.90", b"<CtrlSum>246.91", 1))):
        await account.channel.put(f"{index}.xml", broken)
    reports = await account.run()
    refused = [report.file for report in reports if report.file is not None]
    assert [(file.message_id, file.status) for file in refused] == [
        ("NOTPROVIDED", PayoutStatus.FAILED),
        ("pf_1", PayoutStatus.FAILED),
    ]
    assert {file.decline.provider_code for file in refused if file.decline} == {"FF01"}
    assert await account.payments() == []


async def test_an_order_from_another_account_is_refused(account: Account) -> None:
    data = account.files.write("pf_1", CREATED, DAY, [request(1)])
    await account.channel.put("a.xml", data.replace(ACCOUNT.iban.encode(), b"DE89370400440532013000"))
    reports = await account.run()
    assert reports[-1].file is not None
    assert reports[-1].file.decline is not None
    assert reports[-1].file.decline.provider_code == "AC02"


async def test_a_thousand_payouts_in_one_file(account: Account) -> None:
    await account.put("pf_1", [request(number, 10) for number in range(1000)])
    reports = await account.run()
    settled = [payout for payout, status in statuses(reports, ReportKind.STATEMENT) if status is PayoutStatus.SETTLED]
    assert sorted(settled) == [payout_id(number) for number in range(1000)]
    assert (await account.records.read()).balance == euros(990_000)


async def test_an_act_needs_a_folder_that_is_served(account: Account, tmp_path: Path) -> None:
    with pytest.raises(ProviderRejected):
        await account.sandbox.sepa_credit(tmp_path / "elsewhere", 1)
    with pytest.raises(ProviderRejected):
        await account.sandbox.sepa_return(account.folder, wire_id(1))


async def test_a_killed_bank_pays_everything_once(http: httpx.AsyncClient, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for round_ in range(3):
        running = Sandbox(home)
        account = Account(http, running.url, tmp_path / "bank")
        await account.open()
        first = round_ * 100
        await account.put(f"pf_{round_}", [request(number, 10) for number in range(first, first + 100)])
        work = asyncio.create_task(account.sandbox.sepa_run(account.folder))
        await asyncio.sleep(0.01 * (round_ + 1))
        running.end(signal.SIGKILL)
        await asyncio.gather(work, return_exceptions=True)
    running = Sandbox(home)
    try:
        account = Account(http, running.url, tmp_path / "bank")
        reports = await account.run()
        settled = [payout for payout, _ in statuses(reports, ReportKind.STATEMENT)]
        assert sorted(settled) == [payout_id(number) for number in range(300)]
        assert reports[-1].closing_balance == euros(1_000_000 - 3000)
    finally:
        running.end()


@settings(max_examples=25, deadline=None)
@given(
    amount=st.integers(1, 99_999_999_999),
    name=st.text("ABCxyzäöüßéŁ' -", min_size=1, max_size=60).filter(str.strip),
    reference=st.text("AZaz09/-?:().,'+ ", max_size=140),
)
def test_the_bank_reads_what_we_wrote(amount: int, name: str, reference: str) -> None:
    written = request(1, amount, name=name, reference=reference)
    order = read_order(SepaFiles(ACCOUNT).write(FILE, CREATED, DAY, [written]))
    (transfer,) = order.transfers
    assert (transfer.amount, transfer.end_to_end_id, transfer.message) == (amount, wire_id(1), reference)
    assert len(transfer.name) == len(name)
    assert transfer.name.isascii()
