"""What an auditor reads at the bank, and that it agrees with itself."""

from __future__ import annotations

import pytest

from app.domain.payout import PayoutMethod
from app.ports.errors import ProviderUnavailable
from app.ports.payout import CreditStatus
from app.ports.records import BankRecords
from providers.increase.rail import IncreaseRail
from providers.increase.records import IncreaseRecords
from providers.sandbox.records import SandboxRecords
from tests.providers.sandbox.increase.far_side import Bank, asked, dollars

START = 10_000_000_000


@pytest.fixture
def records(bank: Bank) -> IncreaseRecords:
    return IncreaseRecords(bank.http, bank.api_key, account_id=None, livemode=False, api_base=f"{bank.url}/increase")


async def test_everything_is_read_and_the_lines_make_the_balance(
    bank: Bank, rail: IncreaseRail, records: IncreaseRecords
) -> None:
    whole: BankRecords = records
    ach, wire = await rail.send(asked(units=100)), await rail.send(asked(PayoutMethod.WIRE, 200))
    rtp, refused = await rail.send(asked(PayoutMethod.RTP, 400)), await rail.send(asked(units=800))
    await bank.acts.increase_settle(ach.reference)
    await bank.acts.increase_return(ach.reference, "R03")
    await bank.acts.increase_reject(refused.reference)
    opened = await rail.open_account("fa_1", "Partner One")
    credited = await bank.acts.increase_credit(opened.reference, 5_000, "Mr Sender", "hello")
    books = await whole.read()
    transfers = {transfer.reference: transfer for transfer in books.transfers}
    assert {name: (each.stands, each.returned) for name, each in transfers.items()} == {
        ach.reference: (False, True),
        wire.reference: (False, False),  # set aside, not sent yet
        rtp.reference: (True, False),
        refused.reference: (False, False),
    }
    sent = transfers[rtp.reference]
    seen = (sent.payout_id, sent.method, sent.amount, sent.account_last4)
    assert seen == (rtp.payout_id, PayoutMethod.RTP, dollars(400), "1111")
    assert [(credit.reference, credit.status, credit.amount) for credit in books.credits] == [
        (credited, CreditStatus.CREDITED, dollars(5_000))
    ]
    assert sorted((line.amount.units, line.about) for line in books.lines) == sorted(
        [
            (START, None),
            (-100, ach.reference),
            (100, ach.reference),
            (-400, rtp.reference),
            (-800, refused.reference),
            (800, refused.reference),
            (5_000, credited),
        ],
        key=lambda line: (line[0], line[1] or ""),
    )
    assert books.balance == dollars(START - 400 + 5_000)
    await bank.acts.increase_settle(wire.reference)
    later = await records.read()
    assert later.balance == dollars(START - 600 + 5_000)
    assert {transfer.reference for transfer in later.transfers if transfer.stands} == {rtp.reference, wire.reference}


async def test_more_than_one_page(bank: Bank, rail: IncreaseRail, records: IncreaseRecords) -> None:
    for _ in range(120):
        await rail.send(asked(units=1))
    books = await records.read()
    assert (len(books.transfers), len(books.lines)) == (120, 121)
    assert len({line.reference for line in books.lines}) == 121


async def test_a_busy_bank_is_asked_again_and_a_broken_one_not_for_ever(bank: Bank, records: IncreaseRecords) -> None:
    await bank.arm("error_before", times=2)
    assert (await records.read()).balance == dollars(START)
    await bank.arm("garbage", times=50, path="/transactions$")
    with pytest.raises(ProviderUnavailable):
        await records.read()


async def test_the_other_requests_are_in_the_log_that_stands_for_a_proxys(bank: Bank, rail: IncreaseRail) -> None:
    await bank.sdk.event_subscriptions.create(url="http://127.0.0.1:9/hooks", idempotency_key="s")
    sent = await rail.send(asked(PayoutMethod.RTP))
    await rail.fetch(sent.reference)
    seen = await SandboxRecords(bank.acts, bank.api_key).requests()
    assert [(request.method, request.path, request.key, request.status) for request in seen] == [
        ("POST", "/real_time_payments_transfers", sent.payout_id, 200)
    ]
