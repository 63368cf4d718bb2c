"""Bad input, cross-cutting: ids that are not yours, not ours, or not ids at all (faults.md C-18)."""

from __future__ import annotations

import pytest

from tests.api.front import Caller, Front
from tests.api.refusals import refused

ORDER_PATHS = ["", "/timeline", "/ledger"]
ORDER_ACTIONS = ["/cancel", "/refund"]


@pytest.mark.parametrize("path", ORDER_PATHS)
async def test_c_18_another_partners_order(front: Front, caller: Caller, path: str) -> None:
    theirs = await (await front.caller()).order()
    unknown = f"/v1/orders/or_01JD0000000000000000000000{path}"
    foreign = await refused(front, caller.get(f"/v1/orders/{theirs['id']}{path}"), 404, "not_found")
    missing = await refused(front, caller.get(unknown), 404, "not_found")
    # Nothing tells a foreign object from one that does not exist.
    assert _without_ids(foreign.json()) == _without_ids(missing.json())


@pytest.mark.parametrize("path", ORDER_ACTIONS)
async def test_c_18_acting_on_another_partners_order(front: Front, caller: Caller, path: str) -> None:
    other = await front.caller()
    theirs = await other.order()
    response = await caller.post(f"/v1/orders/{theirs['id']}{path}", {})
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert (await other.get(f"/v1/orders/{theirs['id']}")).json() == theirs


async def test_c_18_another_partners_quote(front: Front, caller: Caller) -> None:
    theirs = await (await front.caller()).quote()
    await refused(front, caller.get(f"/v1/quotes/{theirs['id']}"), 404, "not_found")


async def test_c_18_another_partners_endpoint(front: Front, caller: Caller) -> None:
    other = await front.caller()
    body = {"url": "https://shop.example.com/hooks", "event_types": ["*"]}
    theirs = (await other.post("/v1/webhook_endpoints", body)).json()
    path = f"/v1/webhook_endpoints/{theirs['id']}"
    await refused(front, caller.get(path), 404, "not_found")
    await refused(front, caller.http.delete(path, headers=caller.headers), 404, "not_found")
    changing = caller.http.patch(path, headers=caller.headers, json={"event_types": ["order.*"]})
    await refused(front, changing, 404, "not_found")
    for verb in ("enable", "disable", "rotate_secret", "test"):
        assert (await caller.post(f"{path}/{verb}", {})).status_code == 404
    assert (await caller.get("/v1/webhook_endpoints")).json()["data"] == []


async def test_c_18_another_partners_key(front: Front, caller: Caller) -> None:
    other = await front.caller()
    await other.post("/v1/quotes", {}, key="theirs")
    quote = {
        "direction": "buy",
        "source": {"asset": "EUR", "amount": "10.00"},
        "destination": {"asset": "BTC", "network": "bitcoin"},
    }
    assert (await other.post("/v1/quotes", quote, key="theirs")).status_code == 201
    assert (await other.get("/v1/idempotency/theirs")).status_code == 200
    await refused(front, caller.get("/v1/idempotency/theirs"), 404, "not_found")
    # The same words are another key when another partner uses them.
    assert (await caller.post("/v1/quotes", quote, key="theirs")).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        "x",
        "or_",
        "or_01JD000000000000000000000",
        "or_01JD00000000000000000000000",
        "or_01JD000000000000000000000I",
        "or_81JD0000000000000000000000",
        "OR_01JD0000000000000000000000",
        "or_01jd0000000000000000000000",
        "qt_01JD0000000000000000000000",
        "or-01JD0000000000000000000000",
        "or_01JD0000000000000000000000%00",
        "or_01JD0000000000000000000000%0A",
        "%00",
        "..%2Fassets",
        "or_01JD0000000000000000000000%20",
        "or_%D9%A01JD000000000000000000000",
        "%FF%FE",
        "or_' OR 1=1--",
        "x" * 10_000,
        "{{7*7}}",
    ],
)
@pytest.mark.parametrize("path", [*ORDER_PATHS, *ORDER_ACTIONS])
async def test_c_18_not_an_id(front: Front, caller: Caller, wrong: str, path: str) -> None:
    url = f"/v1/orders/{wrong}{path}"
    sending = caller.post(url, {}) if path in ORDER_ACTIONS else caller.get(url)
    await refused(front, sending, 404, "not_found", unsaid=[wrong] if len(wrong) > 5 else [])


@pytest.mark.parametrize("collection", ["quotes", "events", "webhook_endpoints", "idempotency"])
@pytest.mark.parametrize("wrong", ["or_01JD0000000000000000000000", "%00", "x" * 10_000, "a%0Ab", "%C3%A9"])
async def test_c_18_not_an_id_of_this_kind(front: Front, caller: Caller, collection: str, wrong: str) -> None:
    await refused(front, caller.get(f"/v1/{collection}/{wrong}"), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/v1/orders/%2e%2e%2fassets", "/v1/orders/%2e%2e/assets", "/v1//orders", "/v1/orders/a/b/c"]
)
async def test_c_18_paths_that_wander(front: Front, caller: Caller, path: str) -> None:
    url = caller.http.base_url.copy_with(raw_path=path.encode())
    await refused(front, caller.http.get(url, headers=caller.headers), 404, "not_found")


def _without_ids(problem: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in problem.items() if name not in {"request_id", "instance"}}
