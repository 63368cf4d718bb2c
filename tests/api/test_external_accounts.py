"""External accounts over HTTP: the life of one, who sees it, and what is told of it (faults.md P-04)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import orjson
import pytest
import structlog
from structlog.testing import LogCapture

from app.db import external_accounts as account_rows
from app.db import moves
from app.domain.external_account import AccountTrigger
from app.main import build_app
from app.services import external_accounts
from tests.api.accounts import ACH, ALL, NUMBER, PATH, SEPA, WALLET, made
from tests.api.front import ADDRESS, Caller, Front, Json
from tests.api.refusals import refused


async def events_of(front: Front, account_id: object) -> list[tuple[str, int, dict[str, Json]]]:
    """What subscribers are told of an account: type, sequence and data."""
    async with front.context.db.connection() as connection:
        records = await connection.fetch(
            "SELECT type, resource_sequence, data::text FROM events WHERE resource_id = $1 ORDER BY position",
            account_id,
        )
    return [(kind, sequence, orjson.loads(data)) for kind, sequence, data in records]


async def decided(front: Front, account_id: object, trigger: AccountTrigger) -> None:
    """Let the operator decide."""
    async with front.context.db.transaction() as tx:
        await external_accounts.decide(tx, str(account_id), trigger, actor="ada", reason="as agreed")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (WALLET, {"type": "wallet", "asset": "BTC", "network": "bitcoin", "scheme": None, "address": ADDRESS}),
        (ACH, {"type": "bank", "scheme": "ach", "asset": "USD", "country": "US", "last4": "7899", "bank_name": None}),
        (SEPA, {"type": "bank", "scheme": "sepa", "asset": "EUR", "country": "DE", "last4": "3000"}),
    ],
    ids=ALL,
)
async def test_an_account_is_verified_by_its_checks(front: Front, caller: Caller, body: Json, shown: Json) -> None:
    account = await made(caller, body, metadata={"supplier": "17"})
    assert account.items() >= shown.items()
    assert (account["object"], account["status"], account["sequence"]) == ("external_account", "verified", 1)
    assert (account["metadata"], account["reason"], account["corrections"]) == ({"supplier": "17"}, None, [])
    [(kind, sequence, data)] = await events_of(front, account["id"])
    assert (kind, sequence) == ("external_account.verified", 1)
    assert data == {"object": account, "previous": {}}
    found = await caller.get(f"{PATH}/{account['id']}")
    assert found.json() == account
    assert found.headers["etag"].startswith('"1-')
    [move] = await moves.of_resource(front.context.db, str(account["id"]))
    assert (move.source, move.trigger, move.target) == ("new", "verified", "verified")


async def test_an_iban_is_normalised_and_its_bank_named(caller: Caller) -> None:
    account = await made(caller, SEPA, iban=" de89 3704 0044 0532 0130 00", bic="cobadeffxxx")
    assert (account["last4"], account["bank_name"]) == ("3000", "Commerzbank")


async def test_an_address_is_kept_in_its_normal_spelling(caller: Caller) -> None:
    assert (await made(caller, WALLET, address=ADDRESS.upper()))["address"] == ADDRESS


async def test_a_repetition_makes_nothing_twice(front: Front, caller: Caller) -> None:
    first = await caller.post(PATH, ACH, key="once")
    before = await front.state()
    again = await caller.post(PATH, ACH, key="once")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert await front.state() == before
    await refused(front, caller.post(PATH, ACH | {"account_number": "1234"}, key="once"), 422, "idempotency_mismatch")


@pytest.mark.parametrize("number", ["1234", "0" * 16 + "1", NUMBER, "4242424242424242", "30569309025904"])
async def test_an_account_number_may_look_like_a_card_number(caller: Caller, number: str) -> None:
    account = await made(caller, ACH, account_number=number, account_type="savings")
    assert account["last4"] == number[-4:]


async def test_numbers_are_nowhere_in_clear(front: Front, caller: Caller) -> None:
    heard = LogCapture()
    settings = structlog.get_config()
    structlog.configure(processors=[heard], wrapper_class=structlog.BoundLogger)
    iban, number = "NL91ABNA0417164300", "98765432109876543"
    try:
        accounts = [await made(caller, SEPA, iban=iban), await made(caller, ACH, account_number=number)]
        closed = await caller.post(f"{PATH}/{accounts[0]['id']}/close", {})
        await caller.post(PATH, ACH | {"account_number": number, "routing_number": "021000022"})
        await caller.post(PATH, SEPA | {"iban": iban[:-1]})
    finally:
        structlog.configure(**settings)
    listed = await caller.get(PATH)
    told = [await events_of(front, account["id"]) for account in accounts]
    everything = [str(heard.entries), closed.text, listed.text, str(accounts), str(told)]
    async with front.context.db.connection() as connection:
        for (table,) in await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ):
            dump = f"SELECT coalesce(string_agg(rows::text, chr(10)), '') FROM \"{table}\" AS rows"  # noqa: S608
            everything.append(await connection.fetchval(dump))
    assert any(str(accounts[0]["id"]) in text for text in everything)
    for text in everything:
        for secret in (iban, iban[4:], number, number[:-4]):
            assert secret not in text
            assert secret.encode().hex() not in text.lower()
    async with front.context.db.connection() as connection:
        rows = await account_rows.get_many(connection, caller.partner_id, [str(account["id"]) for account in accounts])
    details = [external_accounts.bank_details(front.context.sealer, rows[str(account["id"])]) for account in accounts]
    assert (details[0].iban, details[0].holder_name) == (iban, "Ada Lovelace")
    assert (details[1].account_number, details[1].routing_number, details[1].checking) == (number, "021000021", True)


async def test_p_04_another_partners_account(front: Front, caller: Caller) -> None:
    other = await front.caller()
    theirs = await made(other, ACH)
    path = f"{PATH}/{theirs['id']}"
    await refused(front, caller.get(path), 404, "not_found")
    assert (await caller.post(f"{path}/close", {})).status_code == 404
    assert (await caller.get(PATH)).json()["data"] == []
    assert (await other.get(path)).json() == theirs
    async with front.context.db.connection() as connection:
        assert await account_rows.get(connection, caller.partner_id, str(theirs["id"])) is None
        assert await account_rows.get_many(connection, caller.partner_id, [str(theirs["id"])]) == {}


async def test_closing_is_for_good_and_twice_is_once(front: Front, caller: Caller) -> None:
    account = await made(caller, WALLET)
    path = f"{PATH}/{account['id']}"
    closed = (await caller.post(f"{path}/close")).json()
    assert (closed["status"], closed["sequence"]) == ("closed", 2)
    again = await caller.post(f"{path}/close", {})
    assert (again.status_code, again.json()) == (200, closed)
    assert (await caller.get(path)).json() == closed
    told = await events_of(front, account["id"])
    assert [(kind, sequence) for kind, sequence, _ in told] == [
        ("external_account.verified", 1),
        ("external_account.closed", 2),
    ]
    assert told[1][2] == {"object": closed, "previous": {"status": "verified", "sequence": 1}}
    recorded = await moves.of_resource(front.context.db, str(account["id"]))
    assert [(move.source, move.target, move.actor) for move in recorded] == [
        ("new", "verified", None),
        ("verified", "closed", "partner"),
    ]


async def test_c_27_if_match(front: Front, caller: Caller) -> None:
    account = await made(caller, SEPA)
    path = f"{PATH}/{account['id']}"
    for tag in ('"2"', '"0"', '"abc"'):
        stale = await caller.post(f"{path}/close", {}, headers={"If-Match": tag})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    await refused(front, caller.post(f"{path}/close", {}, headers={"If-Match": "x"}), 400, "header_invalid")
    assert (await caller.get(path)).json() == account
    etag = (await caller.get(path)).headers["etag"]
    assert (await caller.get(path, **{"If-None-Match": etag})).status_code == 304
    assert (await caller.post(f"{path}/close", {}, headers={"If-Match": etag})).json()["status"] == "closed"


async def test_lists_are_filtered_and_paged(caller: Caller) -> None:
    made_of = [await made(caller, ALL[kind], metadata={"kind": kind}) for kind in ("wallet", "ach", "sepa", "ach")]
    ids = [account["id"] for account in made_of]
    await caller.post(f"{PATH}/{ids[3]}/close", {})

    async def listed(**query: str) -> list[object]:
        response = await caller.http.get(PATH, params=query, headers=caller.headers)
        assert response.status_code == 200, response.text
        return [item["id"] for item in response.json()["data"]]

    assert await listed() == ids[::-1]
    assert await listed(type="wallet") == [ids[0]]
    assert await listed(type="bank") == [ids[3], ids[2], ids[1]]
    assert await listed(scheme="ach") == [ids[3], ids[1]]
    assert await listed(scheme="ach", status="verified") == [ids[1]]
    assert await listed(status="closed") == [ids[3]]
    assert await listed(**{"metadata[kind]": "sepa"}) == [ids[2]]
    assert await listed(**{"created_at[gt]": str(made_of[0]["created_at"])}) == ids[:0:-1]
    assert await listed(limit="2", starting_after=str(ids[2])) == [ids[1], ids[0]]
    assert await listed(limit="2", ending_before=str(ids[0])) == [ids[2], ids[1]]
    page = (await caller.http.get(PATH, params={"limit": "3"}, headers=caller.headers)).json()
    assert (page["has_more"], len(page["data"])) == (True, 3)


async def test_another_partners_account_is_no_cursor(front: Front, caller: Caller) -> None:
    account, other = await made(caller, ALL["wallet"]), await front.caller()
    for cursor in ("starting_after", "ending_before"):
        await refused(front, other.get(f"{PATH}?{cursor}={account['id']}"), 404, "not_found")


@pytest.fixture
async def careful(front: Front) -> AsyncIterator[Caller]:
    """A partner of an instance where a person looks at every account first."""
    policy = replace(front.context.policy, accounts_verified_by_checks=False)
    app = build_app(replace(front.context, policy=policy))
    partner = await front.caller()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rampwright.test") as http:
        yield replace(partner, http=http)


async def test_by_policy_a_person_looks_first(front: Front, careful: Caller) -> None:
    account = await made(careful, SEPA)
    assert account["status"] == "pending"
    await decided(front, account["id"], AccountTrigger.REJECTED)
    rejected = (await careful.get(f"{PATH}/{account['id']}")).json()
    assert (rejected["status"], rejected["reason"], rejected["sequence"]) == ("rejected", "as agreed", 2)
    await decided(front, account["id"], AccountTrigger.VERIFIED)
    told = await events_of(front, account["id"])
    assert [(kind, sequence) for kind, sequence, _ in told] == [
        ("external_account.created", 1),
        ("external_account.rejected", 2),
        ("external_account.verified", 3),
    ]
    assert told[2][2]["previous"] == {"status": "rejected", "sequence": 2, "reason": "as agreed"}
    assert told[2][2]["object"]["reason"] is None


@pytest.mark.parametrize("trigger", [AccountTrigger.LOCKED, AccountTrigger.REJECTED])
@pytest.mark.parametrize("kind", ALL)
async def test_naming_a_place_again_undoes_no_decision(
    front: Front, caller: Caller, kind: str, trigger: AccountTrigger
) -> None:
    account = await made(caller, ALL[kind])
    await decided(front, account["id"], trigger)
    again = await made(caller, ALL[kind])
    assert again["status"] == "pending"
    await caller.post(f"{PATH}/{account['id']}/close", {})
    assert (await made(caller, ALL[kind]))["status"] == "pending"
    assert (await made(await front.caller(), ALL[kind]))["status"] == "verified"
    await decided(front, again["id"], AccountTrigger.VERIFIED)
    assert (await made(caller, ALL[kind]))["status"] == "verified"
