"""The adapter against the far side: what it does, and what it makes of answers that are lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.payout import PayoutMethod
from app.ports.errors import OutcomeUnknown, ProviderRejected, ProviderThrottled, ProviderUnavailable
from app.ports.payout import BankDetails, BankRail, PayoutRequest, PayoutStatus
from providers.increase.rail import IncreaseRail
from tests.providers.sandbox.increase.far_side import Bank, asked, dollars

ALL = [PayoutMethod.ACH, PayoutMethod.RTP, PayoutMethod.WIRE]
PATHS = {
    PayoutMethod.ACH: "/ach_transfers",
    PayoutMethod.RTP: "/real_time_payments_transfers",
    PayoutMethod.WIRE: "/wire_transfers",
}


async def transfers(bank: Bank, method: PayoutMethod) -> int:
    """How many of a kind there are at the bank."""
    response = await bank.http.get(f"/increase{PATHS[method]}", headers={"authorization": f"Bearer {bank.api_key}"})
    return len(response.json()["data"])


def test_it_is_a_whole_bank(rail: IncreaseRail) -> None:
    whole: BankRail = rail
    assert (whole.provider, whole.methods) == ("increase", frozenset(ALL))


async def test_ach_goes_out_settles_and_carries_what_the_receiver_reads(bank: Bank, rail: IncreaseRail) -> None:
    savings = BankDetails("Maximilian Featherstonehaugh", "", "110000000", "987600001111", checking=False)
    request = PayoutRequest("po_1", PayoutMethod.ACH, dollars(12_345), savings, "Order 4711")
    sent = await rail.send(request)
    assert (sent.status, sent.provider_status, sent.amount) == (
        PayoutStatus.PENDING,
        "pending_submission",
        dollars(12_345),
    )
    assert (sent.payout_id, sent.decline, sent.returned, sent.corrections) == ("po_1", None, None, ())
    made = await bank.sdk.ach_transfers.retrieve(sent.reference)
    assert (made.funding, made.individual_name, made.statement_descriptor) == (
        "savings",
        "Maximilian Featherston",
        "Order 4711",
    )
    assert await bank.balance() == 10_000_000_000 - 12_345
    await bank.acts.increase_settle(sent.reference)
    settled = await rail.fetch(sent.reference)
    assert (settled.status, settled.provider_status) == (PayoutStatus.SETTLED, "submitted")
    assert await rail.find("po_1", PayoutMethod.ACH) == settled


async def test_rtp_is_done_at_once_and_leaves_from_a_number_of_its_own(bank: Bank, rail: IncreaseRail) -> None:
    first, second = await rail.send(asked(PayoutMethod.RTP)), await rail.send(asked(PayoutMethod.RTP))
    assert (first.status, second.status) == (PayoutStatus.SETTLED, PayoutStatus.SETTLED)
    numbers = (await bank.sdk.account_numbers.list()).data
    assert [number.name for number in numbers] == ["Payouts"]
    made = await bank.sdk.real_time_payments_transfers.retrieve(first.reference)
    assert (made.source_account_number_id, made.creditor_name) == (numbers[0].id, "Jane Doe")
    other = bank.rail(account_id=await bank.account_id())
    await other.send(asked(PayoutMethod.RTP))
    await other.aclose()
    assert len((await bank.sdk.account_numbers.list()).data) == 1


async def test_a_wire_is_done_when_fedwire_says_so(bank: Bank, rail: IncreaseRail) -> None:
    sent = await rail.send(asked(PayoutMethod.WIRE))
    assert (sent.status, sent.provider_status) == (PayoutStatus.PENDING, "pending_creating")
    await bank.acts.increase_settle(sent.reference)
    assert (await rail.fetch(sent.reference)).status is PayoutStatus.SETTLED


@pytest.mark.parametrize("method", ALL)
async def test_sending_twice_pays_once_and_tells_the_present_state(
    bank: Bank, rail: IncreaseRail, method: PayoutMethod
) -> None:
    request = asked(method)
    first = await rail.send(request)
    if method is not PayoutMethod.RTP:
        await bank.acts.increase_settle(first.reference)
    again = await rail.send(request)
    assert (again.reference, again.status) == (first.reference, PayoutStatus.SETTLED)
    assert await transfers(bank, method) == 1


@pytest.mark.parametrize("method", ALL)
async def test_another_amount_or_account_under_the_same_key_is_our_mistake(
    bank: Bank, rail: IncreaseRail, method: PayoutMethod
) -> None:
    request = asked(method, 1_000)
    await rail.send(request)
    for other in (
        asked(method, 2_000, key=request.payout_id),
        asked(method, 1_000, account="1", key=request.payout_id),
    ):
        with pytest.raises(ProviderRejected) as caught:
            await rail.send(other)
        assert caught.value.code == "idempotency_key_already_used_error"
    assert await transfers(bank, method) == 1


async def test_the_same_payout_in_other_words_is_the_same_payout(bank: Bank, rail: IncreaseRail) -> None:
    """A newer program repeats what an older one sent: Increase calls it another request, the money is the same."""
    request = asked()
    first = await rail.send(request)
    reworded = PayoutRequest(request.payout_id, request.method, request.amount, request.account, "Another text")
    assert await rail.send(reworded) == first
    assert await transfers(bank, PayoutMethod.ACH) == 1


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("kind", ["lost", "error_after", "garbage"])
async def test_fault_f_30_a_lost_answer_is_found_by_our_id(
    bank: Bank, rail: IncreaseRail, method: PayoutMethod, kind: str
) -> None:
    request = asked(method)
    await bank.arm(kind, path=f"{PATHS[method]}$", method="POST", target="increase")
    with pytest.raises(OutcomeUnknown):
        await rail.send(request)
    found = await rail.find(request.payout_id, method)
    assert found is not None
    assert (found.payout_id, found.amount, found.method) == (request.payout_id, request.amount, method)
    assert await rail.send(request) == found
    assert await transfers(bank, method) == 1


@pytest.mark.parametrize("kind", ["lost_before", "error_before"])
async def test_fault_f_31_a_request_that_never_arrived_is_unknown_and_found_nowhere(
    bank: Bank, rail: IncreaseRail, kind: str
) -> None:
    request = asked()
    await bank.arm(kind, path="/ach_transfers$")
    with pytest.raises(OutcomeUnknown):
        await rail.send(request)
    assert await rail.find(request.payout_id, PayoutMethod.ACH) is None
    assert (await rail.send(request)).status is PayoutStatus.PENDING


async def test_fault_f_31_a_slow_answer_is_unknown_until_looked_up(bank: Bank) -> None:
    rail = bank.rail(account_id=await bank.account_id(), timeout=0.2)
    request = asked()
    await bank.arm("delay", seconds=0.6)
    with pytest.raises(OutcomeUnknown):
        await rail.send(request)
    found = await rail.find(request.payout_id, PayoutMethod.ACH)
    await rail.aclose()
    assert found is not None


async def test_fault_f_34_a_conflict_without_a_reason_waits_and_keeps_its_key(bank: Bank, rail: IncreaseRail) -> None:
    request = asked()
    await bank.arm("error_before", status=409, path="/ach_transfers$")
    with pytest.raises(ProviderUnavailable):
        await rail.send(request)
    assert (await rail.send(request)).payout_id == request.payout_id
    keys = {line["idempotency_key"] for line in await bank.acts.requests(bank.api_key) if line["method"] == "POST"}
    assert keys == {request.payout_id}


async def test_fault_f_35_too_many_requests(bank: Bank, rail: IncreaseRail) -> None:
    await bank.arm("error_before", status=429, retry_after="7", path="/ach_transfers$")
    with pytest.raises(ProviderThrottled) as caught:
        await rail.send(asked())
    assert caught.value.retry_after == 7


async def test_fault_f_41_nobody_listens_or_not_with_tls(bank: Bank) -> None:
    for base in ("http://127.0.0.1:9/increase", bank.url.replace("http:", "https:") + "/increase"):
        account_id = "sandbox_account_x"
        deaf = IncreaseRail("sandbox_key_x", account_id=account_id, livemode=False, api_base=base, timeout=2)
        with pytest.raises(ProviderUnavailable, match="not reached"):
            await deaf.send(asked())
        await deaf.aclose()


@pytest.mark.parametrize("method", [PayoutMethod.ACH, PayoutMethod.WIRE])
async def test_fault_f_53_a_settled_payout_that_comes_back_is_read_back(
    bank: Bank, rail: IncreaseRail, method: PayoutMethod
) -> None:
    sent = await rail.send(asked(method))
    await bank.acts.increase_settle(sent.reference)
    assert (await rail.fetch(sent.reference)).status is PayoutStatus.SETTLED
    code = "R02" if method is PayoutMethod.ACH else "AC04"
    await bank.acts.increase_return(sent.reference, code)
    back = await rail.fetch(sent.reference)
    assert back.returned is not None
    assert (back.status, back.returned.code, back.returned.scheme_code) == (
        PayoutStatus.RETURNED,
        f"returned_{code.lower()}",
        code,
    )
    assert "closed" in back.returned.message
    assert abs(back.returned.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert await bank.balance() == 10_000_000_000
    assert await rail.find(sent.payout_id or "", method) == back


async def test_a_wire_that_comes_back_smaller_is_for_a_person(bank: Bank, rail: IncreaseRail) -> None:
    sent = await rail.send(asked(PayoutMethod.WIRE, 10_000))
    await bank.acts.increase_settle(sent.reference)
    body = {"transfer": sent.reference, "code": "FOCR", "amount": 7_500}
    await bank.acts.command("POST", "/control/increase/return", body)
    back = await rail.fetch(sent.reference)
    assert (back.status, back.provider_status, back.returned) == (PayoutStatus.UNKNOWN, "reversed", None)


async def test_a_notification_of_change_is_a_code_and_nothing_moves(bank: Bank, rail: IncreaseRail) -> None:
    sent = await rail.send(asked())
    await bank.acts.increase_settle(sent.reference)
    for code in ("C01", "C05"):
        await bank.acts.increase_correct(sent.reference, code)
    receipt = await rail.fetch(sent.reference)
    assert (receipt.status, receipt.corrections) == (PayoutStatus.SETTLED, ("C01", "C05"))
