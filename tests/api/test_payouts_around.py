"""What is done with payouts that are there, and what is never shown of them."""

from __future__ import annotations

from app.db import payouts as payout_rows
from app.domain.payout import PayoutTrigger
from app.services import payouts
from app.services.payouts import PayoutFact
from tests.api.accounts import IBAN, NUMBER, SEPA
from tests.api.payouts import PATH, Desk, account, body_of, payout
from tests.api.refusals import refused


async def test_p_12_nothing_is_done_to_a_settled_payout(desk: Desk) -> None:
    caller = await desk.maker()
    checker = await desk.colleague(caller)
    made = await payout(caller)
    async with desk.db.transaction() as tx:
        row = await payout_rows.lock(tx, str(made["id"]))
        assert row is not None
        for trigger in (PayoutTrigger.PREPARED, PayoutTrigger.SUBMITTED, PayoutTrigger.SETTLED):
            await payouts.move(tx, row, PayoutFact(trigger, "c", provider_reference="ach_transfer_1"))
    shown = (await caller.get(f"{PATH}/{made['id']}")).json()
    assert (shown["status"], shown["allowed_actions"]) == ("settled", [])
    assert shown["submitted_at"] <= shown["settled_at"] <= shown["updated_at"]
    told = [data["object"] for _, data in await desk.events(made["id"])]
    assert told[-1] == shown  # an event is the whole payout as it stands
    assert (told[-2]["status"], told[-2]["submitted_at"]) == ("submitted", shown["submitted_at"])
    for who, verb in ((caller, "cancel"), (checker, "approve"), (checker, "reject")):
        sending = who.post(f"{PATH}/{made['id']}/{verb}")
        await refused(desk.front, sending, 409, "conflict_state", kept=True)


async def test_calling_off_frees_the_money_and_twice_is_once(desk: Desk) -> None:
    caller = await desk.maker()
    made = await payout(caller)
    path = f"{PATH}/{made['id']}/cancel"
    first, second = await caller.post(path), await caller.post(path)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert (first.json()["status"], first.json()["allowed_actions"]) == ("canceled", [])
    assert await desk.available(caller) == 100_00
    assert [kind for kind, _ in await desk.events(made["id"])] == ["payout.created", "payout.canceled"]


async def test_checking_a_payout_writes_nothing(desk: Desk) -> None:
    caller = await desk.maker(USD=2_000_00)
    account_id = await account(caller)
    before = await desk.front.state()
    for amount, valid, approval, errors in (
        ("25.00", True, False, []),
        ("1000.01", True, True, []),
        ("2000.01", False, True, [{"pointer": "/amount/amount", "code": "insufficient_balance"}]),
    ):
        found = (await caller.post(f"{PATH}/validate", body_of(account_id, amount))).json()
        assert (found["valid"], found["approval_required"], found["errors"]) == (valid, approval, errors)
        assert found["available"]["amount"] == "2000.00"
    found = (await caller.post(f"{PATH}/validate", body_of("xa_01JD0000000000000000000000"))).json()
    assert (found["valid"], found["method"]) == (False, None)
    assert found["errors"] == [{"pointer": "/external_account_id", "code": "not_found"}]
    assert await desk.front.state() == before


async def test_bank_numbers_are_nowhere_to_be_read(desk: Desk) -> None:
    caller = await desk.maker(USD=100_00, EUR=100_00)
    await payout(caller)
    await payout(caller, asset="EUR", external_account_id=await account(caller, SEPA))
    for path in (PATH, "/v1/events", "/v1/external_accounts"):
        text = (await caller.get(path)).text
        assert NUMBER not in text
        assert IBAN not in text
    async with desk.db.connection() as connection:
        for table in ("payouts", "moves", "events", "idempotency_keys", "entries", "external_accounts"):
            rows = await connection.fetchval(f"SELECT string_agg(t::text, '') FROM {table} AS t")  # noqa: S608
            for number in (NUMBER, IBAN):
                assert number not in rows
                assert number.encode().hex() not in rows
