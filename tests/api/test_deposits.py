"""Deposits and sell orders at the front door: what is taken, what is refused and where, what is shown to whom."""

from __future__ import annotations

import pytest

from tests.support.coins import deposit, deposits_of, sell_order, sell_quote, standing_address
from tests.support.partners import make_partner
from tests.support.world import CUSTOMER_ADDRESS, World

BALANCE = {"asset": "BTC", "network": "bitcoin", "route": "balance"}
UNKNOWN = "00000000000000000000000000"


async def refusal(world: World, path: str, body: object) -> tuple[int, str, list[str]]:
    """A refusal's status, code, and the places that it points to."""
    response = await world.post(path, body)
    said = response.json()
    return response.status_code, said["code"], [error["pointer"] for error in said.get("errors", [])]


async def test_an_address_as_it_is_shown(world: World) -> None:
    made = await standing_address(world, metadata={"miner": "7"})
    assert made["id"].startswith("da_")
    assert {name: made[name] for name in ("object", "asset", "network", "route", "status", "sequence")} == {
        "object": "deposit_address", "asset": "BTC", "network": "bitcoin", "route": "balance", "status": "active",
        "sequence": 1,
    }  # fmt: skip
    assert world.rails.chains["bitcoin"].parse(made["address"]).text == made["address"]
    assert await world.get(f"/v1/deposit_addresses/{made['id']}") == made
    assert (await world.get("/v1/deposit_addresses"))["data"] == [made]
    assert (await world.get("/v1/deposit_addresses?metadata%5Bminer%5D=7&status=active"))["data"] == [made]
    assert (await world.get("/v1/deposit_addresses?route=sell"))["data"] == []


async def test_a_repeated_request_gets_the_same_address(world: World) -> None:
    first = await world.post("/v1/deposit_addresses", BALANCE, key="same")
    again = await world.post("/v1/deposit_addresses", BALANCE, key="same")
    assert again.content == first.content
    other = await world.post("/v1/deposit_addresses", BALANCE)
    assert other.json()["address"] != first.json()["address"]


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"asset": "DOGE"}, 422, "validation_failed", "/asset"),
        ({"network": "ethereum"}, 422, "validation_failed", "/asset"),
        ({"asset": "ETH", "network": "ethereum"}, 422, "route_unavailable", None),
        ({"route": "order"}, 422, "validation_failed", "/route"),
        ({"route": "sell", "destination_asset": "USD"}, 422, "validation_failed", "/external_account_id"),
        ({"route": "sell", "external_account_id": f"xa_{UNKNOWN}"}, 422, "validation_failed", "/destination_asset"),
        ({"external_account_id": f"xa_{UNKNOWN}"}, 422, "validation_failed", "/external_account_id"),
        ({"destination_asset": "USD"}, 422, "validation_failed", "/destination_asset"),
        (
            {"route": "sell", "destination_asset": "USD", "external_account_id": f"xa_{UNKNOWN}"},
            404, "not_found", "/external_account_id",
        ),
        ({"callback": "x"}, 422, "unknown_field", "/callback"),
    ],
)  # fmt: skip
async def test_an_address_that_cannot_be(
    shared_world: World, changes: dict[str, object], status: int, code: str, pointer: str | None
) -> None:
    answer = await refusal(shared_world, "/v1/deposit_addresses", {**BALANCE, **changes})
    assert answer == (status, code, [] if pointer is None else [pointer])


async def test_an_account_in_another_currency_is_refused(world: World) -> None:
    body = {**BALANCE, "route": "sell", "destination_asset": "EUR", "external_account_id": await world.account()}
    assert await refusal(world, "/v1/deposit_addresses", body) == (
        422, "validation_failed", ["/external_account_id"],
    )  # fmt: skip


async def test_ending_an_address_is_safe_to_repeat_and_minds_its_version(world: World) -> None:
    made = await standing_address(world)
    path = f"/v1/deposit_addresses/{made['id']}/deactivate"
    stale = await world.client.post(path, json={}, headers={"Idempotency-Key": "a", "If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    ended = await world.post(path)
    assert (ended.json()["status"], ended.json()["sequence"]) == ("deactivated", 2)
    again = await world.post(path)
    assert (again.status_code, again.json()["sequence"]) == (200, 2)
    order = await sell_order(world)
    [of_order] = (await world.get("/v1/deposit_addresses?route=order"))["data"]
    assert of_order["order_id"] == order["id"]
    assert (await refusal(world, f"/v1/deposit_addresses/{of_order['id']}/deactivate", {}))[:2] == (
        409, "conflict_state",
    )  # fmt: skip


async def test_deposits_are_paged_filtered_and_tagged(world: World) -> None:
    address = await standing_address(world)
    for amount in ("0.00010000", "0.00020000", "0.00030000"):
        await deposit(world, address, amount, confirmations=1)
    order = await sell_order(world)
    await deposit(world, order)
    oldest = await deposits_of(world)
    assert [one["amount"]["amount"] for one in oldest] == ["0.00010000", "0.00020000", "0.00030000", "0.01000000"]
    page = await world.get("/v1/deposits?limit=2")
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([oldest[3]["id"], oldest[2]["id"]], True)
    rest = await world.get(f"/v1/deposits?limit=2&starting_after={oldest[2]['id']}")
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == ([oldest[1]["id"], oldest[0]["id"]], False)
    newer = await world.get(f"/v1/deposits?limit=1&ending_before={oldest[1]['id']}")
    assert ([one["id"] for one in newer["data"]], newer["has_more"]) == ([oldest[2]["id"]], True)
    assert [one["id"] for one in await deposits_of(world, status="detected")] == [oldest[3]["id"]]
    assert [one["id"] for one in await deposits_of(world, order_id=order["id"])] == [oldest[3]["id"]]
    at_address = await world.get(f"/v1/deposit_addresses/{address['id']}/deposits?status=credited")
    assert len(at_address["data"]) == 3
    shown = await world.client.get(f"/v1/deposits/{oldest[0]['id']}")
    assert shown.headers["ETag"].startswith(f'"{oldest[0]["sequence"]}-')
    refused = await world.client.get("/v1/deposits?status=new")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/status")


async def test_nobody_sees_what_belongs_to_another_partner(world: World) -> None:
    address = await standing_address(world)
    await deposit(world, address, confirmations=1)
    [seen] = await deposits_of(world)
    stranger = await make_partner(world.db)
    for path in (
        f"/v1/deposits/{seen['id']}", f"/v1/deposits?starting_after={seen['id']}",
        f"/v1/deposit_addresses/{address['id']}", f"/v1/deposit_addresses/{address['id']}/deposits",
        f"/v1/deposit_addresses?starting_after={address['id']}",
    ):  # fmt: skip
        response = await world.client.get(path, headers=stranger.headers)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), path
    for path in ("/v1/deposits", "/v1/deposit_addresses"):
        assert (await world.client.get(path, headers=stranger.headers)).json()["data"] == []
    ended = await world.client.post(
        f"/v1/deposit_addresses/{address['id']}/deactivate",
        json={},
        headers={**stranger.headers, "Idempotency-Key": "k"},
    )
    assert ended.status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/deposits"), ("POST", "/v1/deposit_addresses")])
async def test_a_key_needs_the_scope(shared_world: World, method: str, path: str) -> None:
    limited = await make_partner(shared_world.db, scopes=["orders:*"])
    headers = {**limited.headers, "Idempotency-Key": "k"}
    response = await shared_world.client.request(
        method, path, json=BALANCE if method == "POST" else None, headers=headers
    )
    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"external_account_id": None}, 422, "validation_failed", "/external_account_id"),
        ({"external_account_id": f"xa_{UNKNOWN}"}, 404, "not_found", "/external_account_id"),
        ({"destination": {"address": CUSTOMER_ADDRESS}}, 422, "validation_failed", "/destination"),
        ({"refund_address": "nonsense"}, 422, "address_invalid", "/refund_address"),
        ({"refund_address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}, 422, "network_mismatch", "/refund_address"),
    ],
)
async def test_a_sale_that_cannot_be(
    shared_world: World, changes: dict[str, object], status: int, code: str, pointer: str
) -> None:
    quote = await sell_quote(shared_world)
    body = {"quote_id": quote["id"], "external_account_id": await shared_world.account(), **changes}
    body = {name: value for name, value in body.items() if value is not None}
    assert await refusal(shared_world, "/v1/orders", body) == (status, code, [pointer])
    assert (await shared_world.get(f"/v1/quotes/{quote['id']}"))["status"] == "open"


async def test_a_sale_does_not_send_coins_back_to_ourselves_nor_pays_a_wallet(world: World) -> None:
    ours = await standing_address(world)
    quote = await sell_quote(world)
    body = {"quote_id": quote["id"], "external_account_id": await world.account()}
    assert await refusal(world, "/v1/orders", {**body, "refund_address": ours["address"]}) == (
        422, "address_invalid", ["/refund_address"],
    )  # fmt: skip
    wallet = await world.account(type="wallet", asset="BTC", network="bitcoin", address=CUSTOMER_ADDRESS)
    assert await refusal(world, "/v1/orders", {**body, "external_account_id": wallet}) == (
        422, "validation_failed", ["/external_account_id"],
    )  # fmt: skip


@pytest.mark.parametrize("field", ["external_account_id", "refund_address"])
async def test_what_belongs_to_a_sale_is_refused_in_a_buy(world: World, field: str) -> None:
    quote = await world.quote()
    value = CUSTOMER_ADDRESS if field == "refund_address" else await world.account()
    body = {"quote_id": quote["id"], "destination": {"address": CUSTOMER_ADDRESS}, field: value}
    assert await refusal(world, "/v1/orders", body) == (422, "validation_failed", [f"/{field}"])
    order = await world.order()
    assert await refusal(world, f"/v1/orders/{order['id']}/refund", {"address": CUSTOMER_ADDRESS}) == (
        422, "validation_failed", ["/address"],
    )  # fmt: skip


async def test_an_expired_quote_is_not_sold(world: World) -> None:
    quote, account = await sell_quote(world), await world.account()
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE quotes SET expires_at = now() - interval '1 second'")
    body = {"quote_id": quote["id"], "external_account_id": account}
    first = await world.post("/v1/orders", body, key="late")
    again = await world.post("/v1/orders", body, key="late")
    assert (first.json()["code"], again.content) == ("quote_expired", first.content)
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"amount": "0.01"}, 422, "/order_id"),
        ({"amount": "0.01", "order_id": f"or_{UNKNOWN}", "deposit_address_id": f"da_{UNKNOWN}"}, 422, "/order_id"),
        ({"amount": "0.01", "order_id": f"or_{UNKNOWN}"}, 404, "/order_id"),
        ({"amount": "0.01", "deposit_address_id": f"da_{UNKNOWN}"}, 404, "/deposit_address_id"),
    ],
)
async def test_a_simulated_deposit_that_cannot_be(
    shared_world: World, body: dict[str, object], status: int, pointer: str
) -> None:
    answer = await refusal(shared_world, "/v1/simulate/chain/deposit", body)
    assert (answer[0], answer[2]) == (status, [pointer])


async def test_a_simulated_deposit_too_small_or_too_precise(world: World) -> None:
    address = await standing_address(world)
    for amount, code in (("0.00000545", "amount_below_min"), ("0.000000001", "validation_failed")):
        body = {"deposit_address_id": address["id"], "amount": amount}
        assert await refusal(world, "/v1/simulate/chain/deposit", body) == (422, code, ["/amount"])


async def test_the_catalogue_shows_how_deep_payments_must_be(world: World) -> None:
    [bitcoin] = [one for one in (await world.get("/v1/assets"))["data"] if one["id"] == "BTC.bitcoin"]
    assert bitcoin["confirmations"] == [
        {"below": "0.00100000", "confirmations": 1}, {"below": "0.01000000", "confirmations": 2},
        {"below": "0.10000000", "confirmations": 3}, {"below": None, "confirmations": 6},
    ]  # fmt: skip
