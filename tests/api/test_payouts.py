"""Payouts over HTTP: asking, looking, and everything that cannot be asked (faults.md P-01 to P-12, F-140)."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from app.db.jobs import JobName
from app.domain.external_account import AccountTrigger
from app.services import external_accounts
from tests.api.accounts import ACH, SEPA, WALLET
from tests.api.front import Json
from tests.api.payouts import PATH, Desk, account, body_of, payout
from tests.api.refusals import check, pointers, refused

COINS = {"BTC_bitcoin": 10**9}


async def test_a_payout_is_made_at_once(desk: Desk) -> None:
    caller = await desk.maker()
    account_id = await account(caller)
    asked = body_of(account_id, reference="Invoice 42", external_id="pay-42", metadata={"cart": "9"})
    response = await caller.post(PATH, asked)
    assert response.status_code == 201
    made = response.json()
    assert made.items() >= {
        "object": "payout", "kind": "payout", "status": "queued", "sequence": 1, "method": "ach",
        "provider": "increase", "external_account_id": account_id, "external_id": "pay-42", "reference": "Invoice 42",
        "metadata": {"cart": "9"}, "approval": None, "hold": None, "failure": None, "returned": None,
        "allowed_actions": ["cancel"], "order_id": None, "batch_id": None, "tx_hash": None, "livemode": False,
    }.items()  # fmt: skip
    assert made["amount"] == {"asset": "USD", "amount": "25.00"}
    assert await desk.available(caller) == 75_00
    found = await caller.get(f"{PATH}/{made['id']}")
    assert found.json() == made
    assert found.headers["etag"].startswith('"1-')
    assert await desk.events(made["id"]) == [("payout.created", {"object": made, "previous": {}})]
    [move] = (await caller.get(f"{PATH}/{made['id']}/timeline")).json()["data"]
    assert (move["source"], move["trigger"], move["target"], move["actor"]) == (
        "created", "created", "queued", caller.key_id,
    )  # fmt: skip
    async with desk.db.connection() as connection:
        jobs = await connection.fetchval(
            "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1 AND payload = convert_to($2, 'UTF8')",
            JobName.PAY_BANK.value,
            made["id"],
        )
    assert jobs == 1


@pytest.mark.parametrize("method", ["ach", "rtp", "wire"])
async def test_a_us_account_is_paid_as_was_asked(desk: Desk, method: str) -> None:
    caller = await desk.maker()
    assert (await payout(caller, method=method))["method"] == method


@pytest.mark.parametrize(
    ("body", "asset", "amount", "method", "provider"),
    [(SEPA, "EUR", "25.00", "sepa", "sepa"), (WALLET, "BTC", "0.00010000", "chain", "bitcoin")],
    ids=["sepa", "wallet"],
)
async def test_other_accounts_have_one_way(
    desk: Desk, body: Json, asset: str, amount: str, method: str, provider: str
) -> None:
    caller = await desk.maker(EUR=100_00, **COINS)
    made = await payout(caller, amount, asset, external_account_id=await account(caller, body))
    assert (made["method"], made["provider"], made["address"]) == (method, provider, body.get("address"))


async def test_p_01_parallel_payouts_that_each_fit_never_overdraw(desk: Desk) -> None:
    caller = await desk.maker(USD=1_000_00)
    body = body_of(await account(caller), "30.00")
    answers = await asyncio.gather(*(caller.post(PATH, body, key=f"p01-{number}") for number in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 33, 422: 17}
    for number, answer in enumerate(answers):
        if answer.status_code == 422:
            check(answer, 422, "insufficient_balance")
            assert pointers(answer) == ["/amount/amount"]
            again = await caller.post(PATH, body, key=f"p01-{number}")
            assert (again.status_code, again.content) == (422, answer.content)
    assert await desk.available(caller) == 10_00
    listed = (await caller.get(f"{PATH}?limit=100")).json()["data"]
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert {one["id"] for one in listed} == made


async def test_p_01_one_key_fifty_times_is_one_payout(desk: Desk) -> None:
    caller = await desk.maker()
    body = body_of(await account(caller), "100.00")  # all there is: the second would not fit
    answers = await asyncio.gather(*(caller.post(PATH, body, key="once") for _ in range(50)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 49
    assert len((await caller.get(PATH)).json()["data"]) == 1
    assert await desk.available(caller) == 0
    other = await caller.post(PATH, body | {"reference": "other"}, key="once")
    check(other, 422, "idempotency_mismatch")


async def test_p_01_one_external_id_is_one_payout(desk: Desk) -> None:
    caller = await desk.maker(USD=1_000_00)
    body = body_of(await account(caller), external_id="pay-1")
    answers = await asyncio.gather(*(caller.post(PATH, body, key=f"ext-{number}") for number in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert await desk.available(caller) == 975_00
    for answer in answers:
        if answer.status_code == 409:
            check(answer, 409, "conflict_state")
            assert pointers(answer) == ["/external_id"]
    other = await desk.maker()
    await payout(other, external_id="pay-1")  # another partner's is another name


async def test_p_01_more_than_there_is(desk: Desk) -> None:
    caller = await desk.maker()
    body = body_of(await account(caller), "100.01")
    response = await refused(desk.front, caller.post(PATH, body), 422, "insufficient_balance", kept=True)
    assert pointers(response) == ["/amount/amount"]
    euros = body_of(await account(caller, SEPA), "0.01", "EUR")
    await refused(desk.front, caller.post(PATH, euros), 422, "insufficient_balance", kept=True)


async def test_p_04_an_account_that_is_not_yours_or_is_none(desk: Desk) -> None:
    caller = await desk.maker()
    theirs = await account(await desk.maker())
    for wrong in (theirs, "xa_01JD0000000000000000000000", "po_01JD0000000000000000000000", "x", ""):
        response = await refused(desk.front, caller.post(PATH, body_of(wrong)), 404, "not_found", kept=True)
        assert pointers(response) == ["/external_account_id"]


@pytest.mark.parametrize("trigger", [AccountTrigger.LOCKED, AccountTrigger.REJECTED, None])
async def test_p_04_an_account_that_is_not_verified(desk: Desk, trigger: AccountTrigger | None) -> None:
    caller = await desk.maker()
    account_id = await account(caller)
    if trigger is None:
        assert (await caller.post(f"/v1/external_accounts/{account_id}/close")).status_code == 200
    else:
        async with desk.db.transaction() as tx:
            if trigger is AccountTrigger.REJECTED:
                await tx.execute("UPDATE external_accounts SET status = 'pending' WHERE id = $1", account_id)
            await external_accounts.decide(tx, account_id, trigger, actor="ada", reason="as agreed")
    sending = caller.post(PATH, body_of(account_id))
    response = await refused(desk.front, sending, 422, "external_account_unverified", kept=True)
    assert pointers(response) == ["/external_account_id"]


async def test_a_repetition_gives_the_first_answer_though_the_account_was_closed_since(desk: Desk) -> None:
    caller = await desk.maker()
    account_id = await account(caller)
    first = await caller.post(PATH, body_of(account_id), key="before")
    assert first.status_code == 201
    assert (await caller.post(f"/v1/external_accounts/{account_id}/close")).status_code == 200
    again = await caller.post(PATH, body_of(account_id), key="before")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert await desk.available(caller) == 75_00


@pytest.mark.parametrize(
    ("method", "reference", "takes"),
    [
        ("ach", "A" * 80, True),
        ("ach", "A" * 81, False),
        ("ach", "Rechnung für März", False),
        ("rtp", "A" * 140, True),
        ("rtp", "A" * 141, False),
        ("wire", "Danke 😀", False),
        ("sepa", "RF18 5390 0754 7034 (2026/11): +1,50-?'.", True),
        ("sepa", "A" * 140, True),
        ("sepa", "A" * 141, False),
        ("sepa", "Größe", False),
        ("sepa", "50 % & more", False),
        ("sepa", "a_b", False),
        ("ach", "", False),
        ("ach", "two\nlines", False),
        ("ach", "\u202egnp.exe", False),
    ],
)
async def test_p_05_a_reference_is_carried_whole_or_refused(
    desk: Desk, method: str, reference: str, takes: bool
) -> None:
    caller = await desk.maker(USD=100_00, EUR=100_00)
    if method == "sepa":
        body = body_of(await account(caller, SEPA), asset="EUR", reference=reference)
    else:
        body = body_of(await account(caller), reference=reference, method=method)
    if takes:
        assert (await caller.post(PATH, body)).json()["reference"] == reference
        return
    response = await refused(desk.front, caller.post(PATH, body), 422, "validation_failed")
    assert pointers(response) == ["/reference"]


@pytest.mark.parametrize("field", ["scheduled_for", "execute_on", "status", "partner_id", "fees", "approval"])
async def test_p_07_no_date_and_no_field_that_is_not_yours(desk: Desk, field: str) -> None:
    caller = await desk.maker()
    body = body_of(await account(caller), **{field: "2026-02-30"})
    response = await refused(desk.front, caller.post(PATH, body), 422, "unknown_field")
    assert pointers(response) == [f"/{field}"]


@pytest.mark.parametrize(
    ("kind", "asset", "changes", "pointer"),
    [
        (ACH, "EUR", {}, "/external_account_id"),
        (SEPA, "USD", {}, "/external_account_id"),
        (WALLET, "USD", {}, "/external_account_id"),
        (ACH, "BTC", {}, "/external_account_id"),
        (SEPA, "EUR", {"method": "wire"}, "/method"),
        (WALLET, "BTC", {"method": "ach"}, "/method"),
        (ACH, "USD", {"method": "sepa"}, "/method"),
        (ACH, "USD", {"method": "chain"}, "/method"),
    ],
)
async def test_p_10_what_the_account_cannot_take(
    desk: Desk, kind: Json, asset: str, changes: Json, pointer: str
) -> None:
    caller = await desk.maker(USD=100_00, EUR=100_00, **COINS)
    body = body_of(await account(caller, kind), "10.00", asset, **changes)
    response = await caller.post(PATH, body)
    assert response.status_code == 422
    assert response.json()["code"] in {"validation_failed", "route_unavailable"}
    assert pointers(response) == [pointer]


@pytest.mark.parametrize(
    ("amount", "asset", "code"),
    [
        *((amount, "USD", "validation_failed") for amount in ("0.001", "-1", "+1", "1e2", " 1", "00.1", ".5", "")),
        ("0", "USD", "amount_below_min"),
        ("0.00", "USD", "amount_below_min"),
        ("100000000.00", "USD", "amount_above_max"),  # an ACH entry has ten digits
        ("0.00000293", "BTC", "amount_below_min"),  # dust for a witness output is below 294
        ("0.000000001", "BTC", "validation_failed"),
        ("21000000.00000001", "BTC", "amount_above_max"),
        ("9" * 22, "USD", "validation_failed"),
    ],
)
async def test_amounts_that_cannot_be_paid_out(desk: Desk, amount: str, asset: str, code: str) -> None:
    caller = await desk.maker(USD=10**12, **COINS)
    account_id = await account(caller, WALLET if asset == "BTC" else ACH)
    response = await refused(desk.front, caller.post(PATH, body_of(account_id, amount, asset)), 422, code)
    assert pointers(response) == ["/amount/amount"]
