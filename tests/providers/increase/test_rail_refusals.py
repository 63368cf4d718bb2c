"""Payouts that Increase does not take, credits, and the modes that never mix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.assets import EUR
from app.domain.money import Money
from app.domain.payout import PayoutMethod
from app.ports.errors import ProviderRejected, ProviderUnavailable
from app.ports.payout import BankDetails, CreditStatus, PayoutRequest, PayoutStatus
from providers.increase.rail import IncreaseRail
from tests.providers.increase.test_rail import transfers
from tests.providers.sandbox.increase.far_side import Bank, asked, dollars


@pytest.mark.parametrize(
    ("method", "account", "code", "provider_code"),
    [
        (PayoutMethod.RTP, "10000002", "account_closed", "account_closed"),
        (PayoutMethod.RTP, "10000003", "account_not_found", "invalid_creditor_account_number"),
        (PayoutMethod.ACH, "10000001", "payout_rejected", None),
        (PayoutMethod.WIRE, "10000001", "payout_rejected", None),
    ],
)
async def test_a_refused_payout_is_a_value_and_the_money_is_ours(
    bank: Bank, rail: IncreaseRail, method: PayoutMethod, account: str, code: str, provider_code: str | None
) -> None:
    sent = await rail.send(asked(method, account=account))
    if method is not PayoutMethod.RTP:
        await bank.acts.increase_reject(sent.reference)
    failed = await rail.fetch(sent.reference)
    assert failed.decline is not None
    assert (failed.status, failed.decline.code, failed.decline.provider_code) == (
        PayoutStatus.FAILED,
        code,
        provider_code,
    )
    assert await bank.balance() == 10_000_000_000


async def test_what_must_not_be_sent_is_not_sent(bank: Bank, rail: IncreaseRail) -> None:
    request = asked()
    wrong = [
        (asked(PayoutMethod.SEPA), "method_unsupported"),
        (PayoutRequest("po_1", PayoutMethod.ACH, Money(1, EUR), request.account, "x"), "currency_unsupported"),
        (asked(units=0), "amount_invalid"),
        (asked(units=-5), "amount_invalid"),  # an ACH debit
    ]
    for each, code in wrong:
        with pytest.raises(ProviderRejected) as caught:
            await rail.send(each)
        assert caught.value.code == code
    for reference in ("po_1", "sandbox_check_transfer_1", ""):
        with pytest.raises(ProviderRejected):
            await rail.fetch(reference)
        with pytest.raises(ProviderRejected):
            await rail.fetch_credit(reference)
    with pytest.raises(ProviderRejected):
        await rail.find("po_1", PayoutMethod.SEPA)
    assert await bank.acts.requests(bank.api_key) == []


async def test_what_the_bank_refuses_is_rejected(bank: Bank, rail: IncreaseRail) -> None:
    with pytest.raises(ProviderRejected) as poor:
        await rail.send(asked(units=10_000_000_001))
    assert poor.value.code == "invalid_operation_error"
    details = BankDetails("Jane Doe", routing_number="110000001", account_number="1")
    with pytest.raises(ProviderRejected) as wrong:
        await rail.send(PayoutRequest("po_1", PayoutMethod.ACH, dollars(1), details, "x"))
    assert wrong.value.code == "invalid_parameters_error"
    with pytest.raises(ProviderRejected) as absent:
        await rail.fetch("sandbox_ach_transfer_nobody")
    assert absent.value.code == "object_not_found_error"
    assert await rail.find("po_1", PayoutMethod.ACH) is None


async def test_a_partner_has_a_number_and_what_comes_to_it_is_seen(bank: Bank, rail: IncreaseRail) -> None:
    before = datetime.now(UTC)
    opened = await rail.open_account("fa_1", "Partner One")
    assert await rail.open_account("fa_1", "Partner One") == opened
    assert (opened.holder_name, opened.bank_name) == ("Partner One", "First Internet Bank of Indiana")
    assert opened.account_number not in repr(opened)
    number = (await bank.sdk.account_numbers.list()).data[0]
    assert (number.account_number, number.routing_number) == (opened.account_number, opened.routing_number)
    assert number.inbound_ach.debit_status == "blocked"
    found = []
    for method in ("ach", "rtp", "wire"):
        reference = await bank.acts.increase_credit(opened.reference, 500, "Mr Sender", "for 4711 " * 12, method=method)
        found.append(await rail.fetch_credit(reference))
    for credit in found:
        assert (credit.status, credit.amount, credit.account_reference) == (
            CreditStatus.CREDITED,
            dollars(500),
            opened.reference,
        )
        assert credit.sender_name == "Mr Sender"
        assert credit.message.replace("\n", "") == "for 4711 " * 12
    seen = await rail.credits_since(before)
    assert {credit.reference for credit in seen} == {credit.reference for credit in found}
    assert await rail.credits_since(datetime.now(UTC) + timedelta(seconds=1)) == []
    assert await bank.balance() == 10_000_001_500


async def test_a_credit_that_is_pending_and_one_that_is_taken_back(bank: Bank, rail: IncreaseRail) -> None:
    opened = await rail.open_account("fa_1", "Partner One")
    body = {"account_number": opened.account_number, "amount": 700, "hold": True}
    reference = str((await bank.acts.command("POST", "/control/increase/credit", body))["id"])
    assert (await rail.fetch_credit(reference)).status is CreditStatus.PENDING
    await bank.acts.command("POST", "/control/increase/credit_accept", {"transfer": reference})
    assert (await rail.fetch_credit(reference)).status is CreditStatus.CREDITED
    await bank.acts.command("POST", "/control/increase/credit_back", {"transfer": reference})
    assert (await rail.fetch_credit(reference)).status is CreditStatus.REVERSED
    assert await bank.balance() == 10_000_000_000


async def test_every_page_of_credits_is_read(bank: Bank, rail: IncreaseRail) -> None:
    opened = await rail.open_account("fa_1", "Partner One")
    for amount in range(1, 206):
        await bank.acts.increase_credit(opened.reference, amount, "Mr Sender", "")
    seen = await rail.credits_since(datetime.now(UTC) - timedelta(minutes=5))
    assert sorted(credit.amount.units for credit in seen) == list(range(1, 206))


async def test_reading_changes_nothing_so_a_failed_read_is_only_unavailable(bank: Bank, rail: IncreaseRail) -> None:
    sent = await rail.send(asked())
    for kind in ("lost", "error_before"):
        await bank.arm(kind, method="GET")
        with pytest.raises(ProviderUnavailable):
            await rail.fetch(sent.reference)
        await bank.arm(kind, method="GET")
        with pytest.raises(ProviderUnavailable):
            await rail.find("po_1", PayoutMethod.ACH)


async def test_a_lost_number_to_pay_from_is_not_a_lost_payout(bank: Bank, rail: IncreaseRail) -> None:
    await bank.arm("lost", path="/account_numbers$")
    request = asked(PayoutMethod.RTP)
    with pytest.raises(ProviderUnavailable):
        await rail.send(request)
    assert await transfers(bank, PayoutMethod.RTP) == 0
    assert (await rail.send(request)).status is PayoutStatus.SETTLED
    assert len((await bank.sdk.account_numbers.list()).data) == 1


@pytest.mark.parametrize(
    ("account_id", "livemode", "api_base"),
    [
        (None, True, "https://api.increase.com"),
        ("account_1", True, "http://api.increase.com"),
        ("account_1", True, "https://sandbox.increase.com"),
        ("account_1", True, "http://127.0.0.1:1/increase"),
        ("sandbox_account_1", True, "https://api.increase.com"),
        ("account_1", False, "https://sandbox.increase.com"),
        ("sandbox_account_1", False, "https://api.increase.com"),
    ],
)
def test_fault_f_42_a_mixture_of_modes_is_refused_at_the_start(
    account_id: str | None, livemode: bool, api_base: str
) -> None:
    with pytest.raises(ValueError, match=r"live|mode|real"):
        IncreaseRail("key", account_id=account_id, livemode=livemode, api_base=api_base)


async def test_fault_f_42_both_modes_can_be_set_up() -> None:
    for account_id, livemode, api_base in (
        ("account_1", True, "https://api.increase.com"),
        ("sandbox_account_1", False, "https://sandbox.increase.com"),
        (None, False, "https://sandbox.increase.com/"),
    ):
        await IncreaseRail("key", account_id=account_id, livemode=livemode, api_base=api_base).aclose()
