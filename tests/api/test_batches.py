"""Batches at the front door: what is accepted, what is refused, and what the answers say (P-01, P-05, P-08)."""

from __future__ import annotations

import orjson
import pytest

from tests.api.front import Caller, Front
from tests.api.refusals import pointers, refused
from tests.support.batches import Json, address, available, give_coins, item, wallet

URL = "/v1/payout_batches"
CARD = "4242 4242 4242 4242"


def batch(*items: object, mode: str = "best_effort", **changes: object) -> Json:
    """A body."""
    return {"mode": mode, "items": list(items), **changes}


async def made(caller: Caller, body: Json) -> Json:
    """A batch that is accepted."""
    response = await caller.post(URL, body)
    assert response.status_code == 201, response.text
    found: Json = response.json()
    return found


@pytest.fixture
async def rich(front: Front, caller: Caller) -> Caller:
    """A partner with a bitcoin."""
    await give_coins(front.context.db, caller.partner_id)
    return caller


async def test_a_batch_takes_its_money_at_once(front: Front, rich: Caller) -> None:
    found = await made(rich, batch(item(1), item(2, "0.50000000"), external_id="run", metadata={"a": "b"}))
    assert (found["status"], found["external_id"], found["metadata"]) == ("processing", "run", {"a": "b"})
    assert found["totals"] == [{"amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.50010000"}, "items": 2}]
    assert await available(front.context.db, rich.partner_id) == 10**8 - 50_010_000
    shown = await rich.get(f"{URL}/{found['id']}")
    assert shown.json() == found
    assert shown.headers["etag"].startswith('"1-')
    listed = (await rich.get(f"{URL}?external_id=run&status=processing&metadata[a]=b")).json()
    assert [one["id"] for one in listed["data"]] == [found["id"]]
    assert (await rich.get(f"{URL}?status=completed")).json()["data"] == []


async def test_the_same_key_gives_the_same_batch(front: Front, rich: Caller) -> None:
    first = await rich.post(URL, batch(item(1)), key="once")
    again = await rich.post(URL, batch(item(1)), key="once")
    assert (first.content, first.status_code) == (again.content, again.status_code)
    assert again.headers["idempotency-replayed"] == "true"
    assert await available(front.context.db, rich.partner_id) == 10**8 - 10_000
    assert (await rich.post(URL, batch(item(2)), key="once")).json()["code"] == "idempotency_mismatch"


async def test_one_place_is_stored_once(front: Front, rich: Caller) -> None:
    known = (await rich.post("/v1/external_accounts", item(1)["external_account"])).json()["id"]
    upper = item(2)
    upper["external_account"] = wallet(2) | {"address": address(2).upper()}
    found = await made(rich, batch(item(1), item(2), upper, {**item(3), "amount": item(3, "0.2")["amount"]}))
    items = (await rich.get(f"{URL}/{found['id']}/items")).json()["data"]
    assert items[0]["external_account_id"] == known
    assert items[1]["external_account_id"] == items[2]["external_account_id"] != known
    assert len((await rich.get("/v1/external_accounts?limit=100")).json()["data"]) == 3
    assert [one["warnings"] for one in items] == [[], [], ["duplicate_item"], []]


async def test_p_01_more_than_there_is(front: Front, rich: Caller) -> None:
    sending = rich.post(URL, batch(item(1, "0.50000000"), item(2, "0.50000001")))
    await refused(front, sending, 422, "insufficient_balance", kept=True)


@pytest.mark.parametrize("count", [0, 10_001])
async def test_p_08_too_few_and_too_many(front: Front, rich: Caller, count: int) -> None:
    response = await refused(front, rich.post(URL, batch(*([{}] * count))), 422, "validation_failed")
    assert pointers(response) == ["/items"]


@pytest.mark.parametrize("mode", ["all_or_nothing", "best_effort"])
async def test_p_08_an_external_id_twice(front: Front, rich: Caller, mode: str) -> None:
    items = [item(n, external_id="same" if n in (1, 3) else f"other-{n}") for n in range(5)]
    response = await refused(front, rich.post(URL, batch(*items, mode=mode)), 422, "validation_failed")
    assert response.json()["errors"] == [{"pointer": "/items/3/external_id", "code": "duplicate_external_id"}]


BAD: list[tuple[Json, str, str]] = [
    ({"amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.000000001"}}, "/amount/amount",
     "validation_failed"),
    ({"amount": {"asset": "BTC", "network": "bitcoin", "amount": "0.00000999"}}, "/amount/amount", "amount_below_min"),
    ({"amount": {"asset": "BTC", "network": "bitcoin", "amount": "0"}}, "/amount/amount", "amount_below_min"),
    ({"amount": {"asset": "BTC", "network": "bitcoin", "amount": "21000000.00000001"}}, "/amount/amount",
     "amount_above_max"),
    ({"amount": {"asset": "BTC", "network": "bitcoin", "amount": "-1"}}, "/amount/amount", "invalid_format"),
    ({"amount": {"asset": "BTC", "network": "bitcoin", "amount": 1}}, "/amount/amount", "wrong_type"),
    ({"amount": {"asset": "BTC", "amount": "1"}}, "/amount/asset", "validation_failed"),
    ({"amount": {"asset": "EUR", "amount": "1.00"}}, "/external_account", "validation_failed"),
    ({"external_account": {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": "x"}},
     "/external_account/address", "address_invalid"),
    ({"external_account": {"type": "card"}}, "/external_account/type", "not_allowed"),
    ({"external_account_id": "xa_01JD0000000000000000000000"}, "/external_account_id", "exactly_one"),
    ({"external_account": None}, "/external_account_id", "exactly_one"),
    ({"external_account": None, "external_account_id": "xa_01JD0000000000000000000000"}, "/external_account_id",
     "not_found"),
    ({"method": "wire"}, "/method", "route_unavailable"),
    ({"status": "paid"}, "/status", "unknown_field"),
    ({"reference": "x" * 141}, "/reference", "too_many"),
    ({"reference": ""}, "/reference", "too_few"),
    ({"external_id": 7}, "/external_id", "wrong_type"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "pointer", "code"), BAD)
async def test_p_08_one_bad_item(front: Front, rich: Caller, changes: Json, pointer: str, code: str) -> None:
    """All or nothing refuses it with its place; best effort keeps it as an item that is never paid."""
    items = [item(1), item(2) | changes]
    response = await refused(front, rich.post(URL, batch(*items, mode="all_or_nothing")), 422, "validation_failed")
    assert response.json()["errors"] == [{"pointer": f"/items/1{pointer}", "code": code}]
    found = await made(rich, batch(*items))
    assert found["items"] == {"total": 2, "invalid": 1, "started": 0, "settled": 0, "failed": 0}
    [bad] = (await rich.get(f"{URL}/{found['id']}/items?status=invalid")).json()["data"]
    assert (bad["position"], bad["status"]) == (2, "invalid")
    assert bad["errors"] == [{"code": code, "pointer": pointer}]
    assert await available(front.context.db, rich.partner_id) == 10**8 - 10_000


async def test_p_08_only_bad_items(front: Front, rich: Caller) -> None:
    response = await refused(front, rich.post(URL, batch(*([7] * 20))), 422, "validation_failed")
    assert pointers(response) == [f"/items/{n}" for n in range(16)]


async def test_p_08_an_account_of_somebody_else(front: Front, rich: Caller) -> None:
    other = await front.caller()
    theirs = (await other.post("/v1/external_accounts", item(1)["external_account"])).json()["id"]
    one = {"amount": item(1)["amount"], "external_account_id": theirs}
    response = await refused(front, rich.post(URL, batch(one, mode="all_or_nothing")), 422, "validation_failed")
    assert response.json()["errors"] == [{"pointer": "/items/0/external_account_id", "code": "not_found"}]


async def test_p_08_an_account_that_is_closed(front: Front, rich: Caller) -> None:
    account = (await rich.post("/v1/external_accounts", item(1)["external_account"])).json()["id"]
    await rich.post(f"/v1/external_accounts/{account}/close")
    one = {"amount": item(1)["amount"], "external_account_id": account}
    response = await refused(front, rich.post(URL, batch(one, mode="all_or_nothing")), 422, "validation_failed")
    assert response.json()["errors"][0]["code"] == "external_account_unverified"


@pytest.mark.parametrize(
    "body", [{"mode": "best_effort"}, batch(item(1)) | {"file_id": "fi_01JD0000000000000000000000"}]
)
async def test_items_or_a_file(front: Front, rich: Caller, body: Json) -> None:
    await refused(front, rich.post(URL, body), 422, "validation_failed")
    await refused(front, rich.post(f"{URL}/validate", body), 422, "validation_failed")


async def test_a_used_external_id(front: Front, rich: Caller) -> None:
    await made(rich, batch(item(1), external_id="run"))
    await refused(front, rich.post(URL, batch(item(1), external_id="run")), 409, "conflict_state", kept=True)


async def test_c_12_a_batch_may_be_larger_than_other_bodies(front: Front, rich: Caller) -> None:
    large = orjson.dumps(batch(item(1)))
    filled = large + b" " * (8 * 1024 * 1024 - len(large))
    assert (await rich.post(URL, filled)).status_code == 201
    await refused(front, rich.post(URL, filled + b" "), 413, "payload_too_large")
    cancel = f"{URL}/pb_01JD0000000000000000000000/cancel"
    await refused(front, rich.post(cancel, b" " * 65_537), 413, "payload_too_large")


async def test_c_11_and_c_29_in_the_last_of_many_items(front: Front, rich: Caller) -> None:
    many = [item(1, external_id=f"p-{n}") for n in range(2_000)]
    twice = orjson.dumps(batch(*many, {"z": 1})).replace(b'"z":1', b'"z":1,"z":1')
    await refused(front, rich.post(URL, twice), 400, "duplicate_key")
    many[-1]["reference"] = CARD
    response = await refused(front, rich.post(URL, batch(*many)), 422, "forbidden_data", unsaid=[CARD])
    assert pointers(response) == ["/items/1999/reference"]


async def test_validate_says_what_would_become_of_it(front: Front, rich: Caller) -> None:
    items = [item(1), item(1), item(2) | {"method": "wire"}, item(3, "2.00000000", external_id="a")]
    before = await front.state(but_keys=True)
    checked = (await rich.post(f"{URL}/validate", batch(*items))).json()
    assert await front.state(but_keys=True) == before
    assert (checked["valid"], checked["sufficient"], checked["total"], checked["invalid"]) == (False, False, 4, 1)
    assert checked["totals"] == [
        {
            "amount": {"asset": "BTC", "network": "bitcoin", "amount": "2.00020000"},
            "items": 3,
            "available": {"asset": "BTC", "network": "bitcoin", "amount": "1.00000000"},
            "sufficient": False,
        }
    ]
    assert checked["items"] == [
        {"position": 2, "errors": [], "warnings": ["duplicate_item"]},
        {"position": 3, "errors": [{"code": "route_unavailable", "pointer": "/method"}], "warnings": []},
    ]
    assert (await rich.post(f"{URL}/validate", batch(item(1)))).json()["valid"] is True
    assert (await rich.post(f"{URL}/validate", batch(items[0], items[2], mode="all_or_nothing"))).json()[
        "valid"
    ] is False


async def test_items_are_paged_by_position(rich: Caller) -> None:
    found = await made(rich, batch(*(item(n) for n in range(7))))
    seen: list[int] = []
    after, more = 0, True
    while more:
        page = (await rich.get(f"{URL}/{found['id']}/items?limit=3&starting_after={after}")).json()
        seen += [one["position"] for one in page["data"]]
        after, more = seen[-1], page["has_more"]
    assert seen == list(range(1, 8))


@pytest.mark.parametrize("query", ["starting_after=-1", "starting_after=x", "status=paid", "limit=0", "after=1"])
async def test_items_with_a_query_that_is_wrong(front: Front, rich: Caller, query: str) -> None:
    found = await made(rich, batch(item(1)))
    response = await rich.get(f"{URL}/{found['id']}/items?{query}")
    assert response.status_code == 422


async def test_c_18_batches_of_somebody_else(front: Front, rich: Caller) -> None:
    found, other = await made(rich, batch(item(1))), await front.caller()
    for path in ("", "/items", "/results"):
        await refused(front, other.get(f"{URL}/{found['id']}{path}"), 404, "not_found")
    for cursor in ("starting_after", "ending_before"):
        await refused(front, other.get(f"{URL}?{cursor}={found['id']}"), 404, "not_found")
    await refused(front, other.post(f"{URL}/{found['id']}/cancel"), 404, "not_found", kept=True)


async def test_results_as_lines_and_as_csv(rich: Caller) -> None:
    """P-09: what a spreadsheet would take for a formula is quoted on the way out."""
    found = await made(rich, batch(item(1, reference="=HYPERLINK(1)", external_id='a "b", c'), item(2) | {"x": 1}))
    lines = await rich.get(f"{URL}/{found['id']}/results")
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    first, second = (orjson.loads(line) for line in lines.text.splitlines())
    assert (first["position"], first["status"], first["reference"]) == (1, "pending", "=HYPERLINK(1)")
    assert (second["position"], second["status"], second["errors"][0]["code"]) == (2, "invalid", "unknown_field")
    table = await rich.get(f"{URL}/{found['id']}/results", Accept="text/csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = table.text.split("\r\n")
    assert rows[0].startswith("line,position,amount,asset,network,")
    assert rows[1].startswith(",1,0.00010000,BTC,bitcoin,xa_")
    assert rows[1].split(",")[7] == "'=HYPERLINK(1)"
    assert '"a ""b"", c"' in rows[1]
    assert rows[2].startswith(",2,,,,,,,,invalid,,unknown_field,/x")
