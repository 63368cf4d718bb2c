"""What becomes of transfers at the far side, by themselves and by the acts of others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from app.domain.payout import PayoutMethod
from app.ports.errors import ProviderRejected
from app.ports.payout import PayoutStatus
from providers.increase.rail import IncreaseRail
from tests.providers.sandbox.increase.far_side import Bank, Sandbox, asked
from tests.providers.sandbox.stripe.far_side import until

START = 10_000_000_000


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox in which transfers move on by themselves, and fast."""
    running = Sandbox(tmp_path_factory.mktemp("quick"), pause=0.05)
    yield running
    running.end()


@pytest.fixture
async def lively(quick: Sandbox) -> AsyncIterator[Bank]:
    own = Bank(quick.url)
    yield own
    await own.http.aclose()


@pytest.fixture
async def out(lively: Bank) -> AsyncIterator[IncreaseRail]:
    adapter = lively.rail()
    yield adapter
    await adapter.aclose()


async def reaches(rail: IncreaseRail, reference: str, status: PayoutStatus) -> None:
    """Wait until a payout stands so."""

    async def there() -> bool:
        return (await rail.fetch(reference)).status is status

    await until(there)


@pytest.mark.parametrize("method", [PayoutMethod.ACH, PayoutMethod.RTP, PayoutMethod.WIRE])
async def test_a_transfer_settles_by_itself(lively: Bank, out: IncreaseRail, method: PayoutMethod) -> None:
    sent = await out.send(asked(method, 100))
    await reaches(out, sent.reference, PayoutStatus.SETTLED)
    assert await lively.balance() == START - 100


@pytest.mark.parametrize(
    ("method", "ending", "status"),
    [
        (PayoutMethod.ACH, "0002", PayoutStatus.FAILED),
        (PayoutMethod.RTP, "0002", PayoutStatus.FAILED),
        (PayoutMethod.WIRE, "0002", PayoutStatus.FAILED),
        (PayoutMethod.ACH, "0003", PayoutStatus.RETURNED),
        (PayoutMethod.RTP, "0003", PayoutStatus.FAILED),
        (PayoutMethod.WIRE, "0003", PayoutStatus.RETURNED),
    ],
)
async def test_account_numbers_that_decide_what_happens(
    lively: Bank, out: IncreaseRail, method: PayoutMethod, ending: str, status: PayoutStatus
) -> None:
    sent = await out.send(asked(method, account=f"1234{ending}"))
    await reaches(out, sent.reference, status)
    assert await lively.balance() == START
    balance = await lively.sdk.accounts.balance(await lively.account_id())
    assert balance.available_balance == START


async def test_a_correction_and_a_transfer_that_is_stuck(lively: Bank, out: IncreaseRail) -> None:
    stuck = await out.send(asked(account="12340005"))
    corrected = await out.send(asked(account="12340004"))
    await reaches(out, corrected.reference, PayoutStatus.SETTLED)
    assert (await out.fetch(corrected.reference)).corrections == ("C01",)
    still = await out.fetch(stuck.reference)
    assert (still.status, still.provider_status) == (PayoutStatus.PENDING, "requires_attention")


async def test_nothing_moves_by_itself_in_a_held_bank(bank: Bank, rail: IncreaseRail) -> None:
    ach, wire = await rail.send(asked(units=100)), await rail.send(asked(PayoutMethod.WIRE, 200))
    balance = await bank.sdk.accounts.balance(await bank.account_id())
    assert (balance.current_balance, balance.available_balance) == (START - 100, START - 300)
    assert [(await rail.fetch(each.reference)).status for each in (ach, wire)] == [PayoutStatus.PENDING] * 2


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("settle", {}),
        ("reject", {}),
        ("correct", {"code": "C99"}),
        ("return", {"code": "R99"}),
        ("return", {"code": "no"}),
        ("credit_back", {}),
    ],
)
async def test_acts_that_make_no_sense_are_refused_and_change_nothing(
    bank: Bank, rail: IncreaseRail, act: str, body: dict[str, object]
) -> None:
    sent = await rail.send(asked())
    await bank.acts.increase_settle(sent.reference)
    before, balance = await rail.fetch(sent.reference), await bank.balance()
    with pytest.raises(ProviderRejected):
        await bank.acts.command("POST", f"/control/increase/{act}", {"transfer": sent.reference, **body})
    assert (await rail.fetch(sent.reference), await bank.balance()) == (before, balance)


async def test_a_return_happens_once(bank: Bank, rail: IncreaseRail) -> None:
    sent = await rail.send(asked())
    await bank.acts.increase_return(sent.reference)  # one that has not left leaves first
    with pytest.raises(ProviderRejected):
        await bank.acts.increase_return(sent.reference)
    returned = await bank.sdk.ach_transfers.retrieve(sent.reference)
    assert returned.return_ is not None
    line = await bank.sdk.transactions.retrieve(returned.return_.transaction_id)
    assert (line.amount, line.source.category) == (12_345, "ach_transfer_return")
    assert await bank.balance() == START


async def test_a_return_after_settlement_keeps_the_settlement(bank: Bank, rail: IncreaseRail) -> None:
    sent = await rail.send(asked())
    await bank.acts.increase_settle(sent.reference)
    await bank.acts.increase_return(sent.reference, "R01")
    returned = await bank.sdk.ach_transfers.retrieve(sent.reference)
    assert (returned.status, returned.settlement is not None) == ("returned", True)


async def test_wires_that_were_promised_leave_though_the_account_was_emptied(bank: Bank, rail: IncreaseRail) -> None:
    number = await rail.open_account("fa_1", "Partner One")
    await rail.send(asked(units=START))
    credit = await bank.acts.increase_credit(number.reference, 500, "Mr Sender", "")
    wires = [await rail.send(asked(PayoutMethod.WIRE, cents)) for cents in (200, 300)]
    await bank.acts.command("POST", "/control/increase/credit_back", {"transfer": credit})
    for wire in wires:
        await bank.acts.increase_settle(wire.reference)
    assert await bank.balance() == -500


ACCOUNT = {"routing_number": "110000000", "account_number": "1"}
ACH = {"amount": 1, "statement_descriptor": "x", **ACCOUNT}
WIRE = {
    "amount": 1,
    "creditor": {"name": "x"},
    "remittance": {"category": "unstructured", "unstructured": {"message": "x"}},
    **ACCOUNT,
}


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("ach_transfers", ACH | {"amount": -1}, 400, "invalid_parameters_error"),
        ("ach_transfers", ACH | {"amount": "1"}, 400, "invalid_parameters_error"),
        ("ach_transfers", ACH | {"routing_number": "110000001"}, 400, "invalid_parameters_error"),
        ("ach_transfers", ACH | {"routing_number": "790000051"}, 400, "invalid_parameters_error"),
        ("ach_transfers", ACH | {"account_number": "GB29NWBK"}, 400, "invalid_parameters_error"),
        ("ach_transfers", ACH | {"individual_name": "x" * 23}, 400, "invalid_parameters_error"),
        ("ach_transfers", ACH | {"colour": "red"}, 400, "invalid_parameters_error"),
        ("ach_transfers", {"amount": 1, **ACCOUNT}, 400, "invalid_parameters_error"),
        ("ach_transfers", ACH | {"amount": START + 1}, 409, "invalid_operation_error"),
        ("wire_transfers", WIRE | {"amount": START + 1}, 409, "invalid_operation_error"),
        ("wire_transfers", WIRE | {"creditor": None}, 400, "invalid_parameters_error"),
        ("wire_transfers", WIRE | {"creditor": {"name": "x", "age": 7}}, 400, "invalid_parameters_error"),
        ("ach_transfers", [], 400, "malformed_request_error"),
        ("teapots", {}, 404, "api_method_not_found_error"),
    ],
)
async def test_refusals_have_increases_form(bank: Bank, path: str, body: object, status: int, kind: str) -> None:
    if isinstance(body, dict):
        body = {"account_id": await bank.account_id()} | body
    answer = await bank.post(path, body)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, kind)
    assert problem["title"]
    assert await bank.balance() == START


async def test_keys_open_their_own_books_and_no_others(bank: Bank, rail: IncreaseRail, held: Sandbox) -> None:
    sent = await rail.send(asked())
    other = Bank(held.url)
    theirs = await other.http.get(
        f"/increase/ach_transfers/{sent.reference}", headers={"authorization": f"Bearer {other.api_key}"}
    )
    await other.http.aclose()
    assert (theirs.status_code, theirs.json()["type"]) == (404, "object_not_found_error")
    for headers in ({}, {"authorization": "Bearer sk_test_1"}, {"authorization": "Basic x"}):
        answer = await bank.http.get("/increase/accounts", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "invalid_api_key_error")


async def test_lists_are_cut_in_pages_and_narrowed(bank: Bank, rail: IncreaseRail) -> None:
    sent = [(await rail.send(asked(units=cents))).reference for cents in range(1, 8)]
    seen = [transfer.id async for transfer in bank.sdk.ach_transfers.list(limit=3)]
    assert seen == sent[::-1]
    await bank.acts.increase_settle(sent[0])
    submitted = (await bank.sdk.ach_transfers.list(status={"in": ["submitted", "returned"]})).data
    assert [transfer.id for transfer in submitted] == [sent[0]]
    assert (await bank.sdk.ach_transfers.list(created_at={"before": "2020-01-01T00:00:00Z"})).data == []
    assert len((await bank.sdk.transactions.list(category={"in": ["sample_funds"]})).data) == 1
    events = (await bank.sdk.events.list(associated_object_id=sent[0])).data
    assert [event.category for event in events] == [
        "ach_transfer.updated",
        "ach_transfer.updated",
        "ach_transfer.created",
    ]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "created_at.after=x", "colour=red"])
async def test_lists_that_cannot_be_asked_for(bank: Bank, query: str) -> None:
    headers = {"authorization": f"Bearer {bank.api_key}"}
    answer: httpx.Response = await bank.http.get(f"/increase/ach_transfers?{query}", headers=headers)
    assert answer.status_code == 400
