"""Numbers to send money to, and what came in on them, over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from app.domain.assets import EUR, USD
from app.domain.money import Money
from app.ports.payout import CreditReceipt, CreditStatus
from app.services import top_ups
from tests.api.front import Caller, Json
from tests.api.payouts import OUR_IBAN, Desk
from tests.api.refusals import ULID, check, pointers, refused

ACCOUNTS = "/v1/virtual_accounts"
PATH = "/v1/top_ups"


async def opened(caller: Caller, asset: str) -> Json:
    response = await caller.post(ACCOUNTS, {"asset": asset})
    assert response.status_code == 201, response.text
    found: Json = response.json()
    return found


async def credited(desk: Desk, caller: Caller, units: int, reference: str) -> None:
    """Let the SEPA bank tell of money for a partner."""
    account = await opened(caller, "EUR")
    receipt = CreditReceipt(
        reference=reference,
        status=CreditStatus.CREDITED,
        provider_status="BOOK",
        amount=Money(units, EUR),
        account_reference=OUR_IBAN,
        sender_name="Ada Lovelace",
        message=f"float {account['reference']}",
        at=datetime.now(UTC),
    )
    async with desk.db.transaction() as tx:
        await top_ups.observe(tx, "sepa", receipt, livemode=False)


async def test_a_number_of_ones_own_for_dollars(desk: Desk) -> None:
    caller, other = await desk.maker(), await desk.maker()
    account = await opened(caller, "USD")
    assert (account["asset"], account["provider"], account["reference"]) == (USD.id, "increase", None)
    assert str(account["account_number"]).isdigit()
    assert len(str(account["routing_number"])) == 9
    assert await opened(caller, "USD") == account
    assert (await opened(other, "USD"))["account_number"] != account["account_number"]
    assert (await caller.get(ACCOUNTS)).json()["data"] == [account]


async def test_a_reference_of_ones_own_for_euros(desk: Desk) -> None:
    caller, other = await desk.maker(), await desk.maker()
    account = await opened(caller, "EUR")
    assert (account["iban"], account["provider"], account["account_number"]) == (OUR_IBAN, "sepa", None)
    assert str(account["reference"]).startswith("RMP")
    assert (await opened(other, "EUR"))["reference"] != account["reference"]


@pytest.mark.parametrize("asset", ["USD", "EUR"])
async def test_many_requests_at_once_open_one_number(desk: Desk, asset: str) -> None:
    caller = await desk.maker()
    answers = await asyncio.gather(*(caller.post(ACCOUNTS, {"asset": asset}, key=f"va-{n}") for n in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await caller.get(ACCOUNTS)).json()["data"]) == 1


async def test_no_number_where_no_bank_takes_it(desk: Desk) -> None:
    caller = await desk.maker()
    for asset, code in (("BTC", "validation_failed"), ("GBP", "route_unavailable"), ("XXX", None)):
        response = await caller.post(ACCOUNTS, {"asset": asset})
        assert response.status_code == 422, response.text
        assert pointers(response) == ["/asset"]
        if code is not None:
            assert response.json()["code"] in {code, "route_unavailable"}
    await refused(desk.front, caller.post(ACCOUNTS, {"asset": "USD", "iban": OUR_IBAN}), 422, "unknown_field")


async def test_what_came_in_is_listed_and_is_the_partners_alone(desk: Desk) -> None:
    caller, other = await desk.maker(), await desk.maker()
    for number in range(3):
        await credited(desk, caller, 10_00 + number, f"bk-{caller.partner_id}-{number}")
    await credited(desk, other, 99_00, f"bk-{other.partner_id}")
    shown = (await caller.get(PATH)).json()
    assert [one["amount"]["amount"] for one in shown["data"]] == ["10.02", "10.01", "10.00"]
    newest = shown["data"][0]
    assert newest.items() >= {"object": "top_up", "status": "credited", "provider": "sepa", "sequence": 1}.items()
    assert (newest["sender_name"], newest["message"].startswith("float RMP")) == ("Ada Lovelace", True)
    found = await caller.get(f"{PATH}/{newest['id']}")
    assert found.json() == newest
    page = (await caller.get(f"{PATH}?limit=1&starting_after={newest['id']}")).json()
    assert ([one["amount"]["amount"] for one in page["data"]], page["has_more"]) == (["10.01"], True)
    back = (await caller.get(f"{PATH}?limit=5&ending_before={page['data'][0]['id']}")).json()
    assert [one["id"] for one in back["data"]] == [newest["id"]]
    assert await desk.available(caller, "EUR") == 30_03
    for path in (f"{PATH}/{newest['id']}", f"{PATH}/tu_{ULID}", f"{PATH}?starting_after={newest['id']}"):
        await refused(desk.front, other.get(path), 404, "not_found")


async def test_c_04_money_coming_in_has_scopes_of_its_own(desk: Desk) -> None:
    caller = await desk.maker()
    reader, nobody = await desk.colleague(caller, "deposits:read"), await desk.colleague(caller, "payouts:read")
    assert (await reader.get(PATH)).status_code == (await reader.get(ACCOUNTS)).status_code == 200
    check(await reader.post(ACCOUNTS, {"asset": "USD"}), 403, "scope_missing")
    check(await nobody.get(PATH), 403, "scope_missing")


@pytest.mark.parametrize("query", ["limit=0", "status=held", "starting_after=x", f"starting_after=po_{ULID}"])
async def test_g_04_a_query_that_cannot_be_asked(desk: Desk, query: str) -> None:
    response = await (await desk.maker()).get(f"{PATH}?{query}")
    assert response.status_code == 422
