"""Reading: pages, filters, cursors, conditional requests, the log of events and its stream (faults.md G-01 to G-12)."""

from __future__ import annotations

from urllib.parse import quote as quoted

import pytest

from app.services import orders
from tests.api.front import Caller, Front
from tests.api.refusals import OPERATIONS, check, pointers, refused

LISTS = ["/v1/orders", "/v1/events", "/v1/webhook_deliveries"]
GETS = [path for method, path in OPERATIONS if method == "GET" and path != "/v1/events/stream"]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000000000", "abc", "", "1.0", "1e1", "01", "+1", " 1", "\u0661"])
@pytest.mark.parametrize("path", LISTS)
async def test_g_01_limit(front: Front, caller: Caller, path: str, limit: str) -> None:
    response = await refused(front, caller.get(f"{path}?limit={quoted(limit)}"), 422, "validation_failed")
    assert pointers(response) == ["/query/limit"]


@pytest.mark.parametrize("path", LISTS)
async def test_g_01_limit_twice(front: Front, caller: Caller, path: str) -> None:
    await refused(front, caller.get(f"{path}?limit=1&limit=1"), 422, "validation_failed")
    assert (await caller.get(f"{path}?limit=1")).status_code == 200
    assert (await caller.get(f"{path}?limit=100")).status_code == 200


@pytest.mark.parametrize(
    "cursor", ["x", "", "qt_01JD0000000000000000000000", "or_1", "%00", "or_01JD0000000000000000000000'"]
)
@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
async def test_g_02_not_a_cursor(front: Front, caller: Caller, name: str, cursor: str) -> None:
    await refused(front, caller.get(f"/v1/orders?{name}={cursor}"), 422, "validation_failed")


@pytest.mark.parametrize("name", ["starting_after", "ending_before"])
async def test_g_02_a_cursor_of_somebody_else(front: Front, caller: Caller, name: str) -> None:
    theirs = await (await front.caller()).order()
    await refused(front, caller.get(f"/v1/orders?{name}={theirs['id']}"), 404, "not_found")
    await refused(front, caller.get(f"/v1/orders?{name}=or_01JD0000000000000000000000"), 404, "not_found")


async def test_g_03_both_cursors(front: Front, caller: Caller) -> None:
    cursor = "or_01JD0000000000000000000000"
    sending = caller.get(f"/v1/orders?starting_after={cursor}&ending_before={cursor}")
    await refused(front, sending, 422, "validation_failed")


@pytest.mark.parametrize(
    "query",
    ["foo=1", "status[]=completed", "status[ne]=completed", "created_at=2026-01-01", "created_at[eq]=1", "LIMIT=1",
     "order=asc",
     "metadata=x", "metadata[]=x", "metadata[a][b]=x", "=x", "&", "limit", "external_id[$ne]=x", 
     "fields=id", "callback=f",
     "jsonp=f", "customer[reference]=u"],
)  # fmt: skip
async def test_g_04_g_11_unknown_filters(front: Front, caller: Caller, query: str) -> None:
    response = await caller.get(f"/v1/orders?{query}")
    check(response, 422, response.json()["code"])
    assert response.json()["code"] in {"unknown_field", "validation_failed"}


@pytest.mark.parametrize("path", GETS)
async def test_g_11_no_endpoint_takes_a_callback(front: Front, caller: Caller, path: str) -> None:
    await refused(front, caller.get(f"{path}?callback=f"), 422, "unknown_field")


@pytest.mark.parametrize("status", ["Completed", "done", "", "completed,failed", "paid", "' OR 1=1", "completed' --"])
async def test_g_04_no_such_status(front: Front, caller: Caller, status: str) -> None:
    await refused(front, caller.get(f"/v1/orders?status={quoted(status)}"), 422, "validation_failed")


@pytest.mark.parametrize(
    "moment",
    ["2026-11-01", "2026-11-01T12:00:00", "2026-11-01 12:00:00Z", "10000-01-01T00:00:00Z", "2026-02-30T00:00:00Z",
     "2026-11-01T25:00:00Z", "2026-11-01T12:00:60Z", "1793534400", "yesterday", "", "2026-11-01T12:00:00+99:00",
     "0001-01-01T00:00:00+14:00", "2026-11-01T12:00:00.1234567Z"],
)  # fmt: skip
async def test_g_05_not_a_moment(front: Front, caller: Caller, moment: str) -> None:
    await refused(front, caller.get(f"/v1/orders?created_at[gte]={quoted(moment)}"), 422, "validation_failed")


async def test_g_05_an_empty_period(front: Front, caller: Caller) -> None:
    query = "created_at[gte]=2026-11-02T00:00:00Z&created_at[lt]=2026-11-01T00:00:00Z"
    await refused(front, caller.get(f"/v1/orders?{query}"), 422, "validation_failed")


@pytest.mark.parametrize("many", [11, 49, 1000])
async def test_g_06_too_many_metadata_filters(front: Front, caller: Caller, many: int) -> None:
    query = "&".join(f"metadata[k{number}]=v" for number in range(many))
    await refused(front, caller.get(f"/v1/orders?{query}"), 422, "validation_failed")


async def test_g_07_filters_together_are_their_intersection(front: Front, caller: Caller) -> None:
    made = []
    for number in range(8):
        metadata = {"even": str(number % 2 == 0), "half": str(number // 4)}
        made.append(await caller.order(external_id=f"inv-{number}", metadata=metadata))
    for order in made[2:5]:
        await caller.post(f"/v1/orders/{order['id']}/cancel", {})
    async with front.context.db.connection() as connection:
        cut = await connection.fetchval("SELECT created_at FROM orders WHERE id = $1", made[3]["id"])
    moment = cut.isoformat().replace("+00:00", "Z")
    filters = {
        "status=canceled": {2, 3, 4},
        "status=awaiting_funds": {0, 1, 5, 6, 7},
        "status=completed": set(),
        "metadata[even]=True": {0, 2, 4, 6},
        "metadata[half]=0": {0, 1, 2, 3},
        "metadata[half]=2": set(),
        f"created_at[gte]={moment}": {3, 4, 5, 6, 7},
        f"created_at[gt]={moment}": {4, 5, 6, 7},
        f"created_at[lte]={moment}": {0, 1, 2, 3},
        f"created_at[lt]={moment}": {0, 1, 2},
        "external_id=inv-3": {3},
    }
    for one, first in filters.items():
        for other, second in filters.items():
            query = one if one == other else f"{one}&{other}"
            if one != other and one.partition("=")[0] == other.partition("=")[0]:
                continue
            response = await caller.get(f"/v1/orders?{query.replace('+', '%2B')}")
            if response.status_code == 422:
                assert not first & second
                continue
            found = [item["external_id"] for item in response.json()["data"]]
            assert found == [f"inv-{number}" for number in sorted(first & second, reverse=True)], query


async def test_pages_are_complete_both_ways(caller: Caller) -> None:
    made = [(await caller.order())["id"] for _ in range(7)][::-1]
    seen, cursor = [], ""
    while True:
        page = (await caller.get(f"/v1/orders?limit=3{cursor}")).json()
        seen += [order["id"] for order in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&starting_after={seen[-1]}"
    assert seen == made
    back = (await caller.get(f"/v1/orders?limit=3&ending_before={made[-1]}")).json()
    assert ([order["id"] for order in back["data"]], back["has_more"]) == (made[3:6], True)
    back = (await caller.get(f"/v1/orders?limit=3&ending_before={made[3]}")).json()
    assert ([order["id"] for order in back["data"]], back["has_more"]) == (made[:3], False)


async def test_g_08_pages_while_orders_come_in(caller: Caller) -> None:
    old = [(await caller.order())["id"] for _ in range(6)][::-1]
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await caller.get(f"/v1/orders?limit=2{cursor}")).json()
        seen += [order["id"] for order in page["data"]]
        cursor = f"&starting_after={seen[-1]}"
        await caller.order()
    assert seen == old


@pytest.mark.parametrize(
    "path", ["/v1/assets", "/v1/orders", "/v1/balances", "/healthz/live", "/openapi.json", "/docs"]
)
async def test_g_09_head(caller: Caller, path: str) -> None:
    whole = await caller.get(path)
    head = await caller.http.head(path, headers=caller.headers)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_g_09_conditional_and_range(caller: Caller) -> None:
    quote = await caller.quote()
    path = f"/v1/quotes/{quote['id']}"
    whole = await caller.get(path)
    tag = whole.headers["etag"]
    for value, status in ((tag, 304), (f'"x", {tag}', 304), (f"W/{tag}", 304), ("*", 304), ('"x"', 200), ("x", 200)):
        assert (await caller.get(path, **{"If-None-Match": value})).status_code == status
    ranged = await caller.get(path, Range="bytes=0-3")
    assert (ranged.status_code, ranged.content) == (200, whole.content)


@pytest.mark.parametrize("path", [*GETS, "/healthz/live", "/healthz/ready", "/openapi.json", "/docs", "/nowhere"])
async def test_g_12_nothing_is_kept_on_the_way(caller: Caller, path: str) -> None:
    for response in (await caller.get(path), await caller.http.get(path)):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert "access-control-allow-origin" not in response.headers


async def test_balances_name_every_asset(caller: Caller) -> None:
    answer = (await caller.get("/v1/balances")).json()
    assert (answer["object"], answer["has_more"]) == ("list", False)
    assert {"asset": "USD", "network": None, "available": "0.00", "pending": "0.00"} in answer["data"]
    assert {"asset": "BTC", "network": "bitcoin", "available": "0.00000000", "pending": "0.00000000"} in answer["data"]
    assert answer["as_of"].endswith("Z")


async def test_the_state_machine_is_the_table(caller: Caller) -> None:
    answer = (await caller.get("/v1/state_machines/order")).json()
    buy = next(machine for machine in answer["machines"] if machine["direction"] == "buy")
    assert {"source": "paid", "trigger": "send_prepared", "target": "sending", "event": "order.stage_changed"} in buy[
        "edges"
    ]
    assert {"state": "completed", "status": "completed", "stage": "completed", "terminal": True} in buy["states"]


@pytest.mark.parametrize(
    ("resource", "edge"),
    [
        ("payout", {"source": "settled", "trigger": "returned", "target": "returned", "event": "payout.returned"}),
        ("payout", {"source": "queued", "trigger": "prepared", "target": "sending", "event": None}),
        ("batch", {"source": "validating", "trigger": "refused", "target": "invalid", "event": "payout_batch.refused"}),
        ("deposit", {"source": "held", "trigger": "released", "target": "credited", "event": "deposit.credited"}),
        (
            "external_account",
            {
                "source": "locked",
                "trigger": "unlocked",
                "target": "verified",
                "event": "external_account.verified",
            },
        ),
    ],
)
async def test_every_resource_shows_its_table(caller: Caller, resource: str, edge: dict[str, object]) -> None:
    answer = (await caller.get(f"/v1/state_machines/{resource}")).json()
    [machine] = answer["machines"]
    assert (answer["resource"], machine["direction"]) == (resource, None)
    assert edge in machine["edges"]
    named = {state["state"] for state in machine["states"]}
    assert named == {one[end] for one in machine["edges"] for end in ("source", "target")}


async def test_a_resource_without_a_table_is_not_found(front: Front, caller: Caller) -> None:
    await refused(front, caller.get("/v1/state_machines/customer"), 404, "not_found")


async def test_confirmations_are_counted_from_the_tip(front: Front, caller: Caller) -> None:
    order = await caller.order()
    async with front.context.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO blocks (network, height, hash) VALUES ('bitcoin', 100, 'a'), ('bitcoin', 102, 'b')"
        )
        await tx.execute(
            """
            INSERT INTO sends (id, order_id, purpose, network, asset, address, script, units, lineage_id, state,
                               confirmations_needed)
            VALUES ('sd_1', $1, 'deliver', 'bitcoin', 'BTC.bitcoin', 'a', '00', 1, 'ln_1', 'broadcast', 3)
            """,
            order["id"],
        )
        await tx.execute(
            """
            INSERT INTO chain_transactions (txid, network, lineage_id, raw, fee_units, vsize, height)
            VALUES ('aa', 'bitcoin', 'ln_1', '', 1, 1, 100)
            """
        )
        await tx.execute("UPDATE orders SET tx_hash = 'aa' WHERE id = $1", order["id"])
    path = f"/v1/orders/{order['id']}"
    shown = await caller.get(path)
    assert shown.json()["destination"]["confirmations"] == 3
    async with front.context.db.transaction() as tx:
        await tx.execute("INSERT INTO blocks (network, height, hash) VALUES ('bitcoin', 103, 'c')")
    # The sequence is the same, but what is shown is not: the tag says so.
    again = await caller.get(path, **{"If-None-Match": shown.headers["etag"]})
    assert (again.status_code, again.json()["destination"]["confirmations"]) == (200, 4)
    async with front.context.db.transaction() as tx:
        await tx.execute("UPDATE chain_transactions SET height = NULL WHERE txid = 'aa'")
    assert (await caller.get(path)).json()["destination"]["confirmations"] == 0
    async with front.context.db.transaction() as tx:
        await tx.execute("DELETE FROM blocks")
        await orders.expire(tx, str(order["id"]))
