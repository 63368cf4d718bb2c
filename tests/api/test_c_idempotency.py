"""Bad input, cross-cutting: idempotency keys, If-Match, entity tags (faults.md C-24 to C-27)."""

from __future__ import annotations

import pytest

from tests.api.front import ADDRESS, QUOTE, Caller, Front
from tests.api.refusals import BODIES, POSTS, refused

Where = tuple[str, str]


@pytest.mark.parametrize("where", POSTS, ids=" ".join)
async def test_c_24_no_key(front: Front, caller: Caller, where: Where) -> None:
    sending = caller.http.post(where[1], headers=caller.headers, json=BODIES.get(where, {}))
    await refused(front, sending, 400, "idempotency_key_missing")


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b'""',
        b"a" * 256,
        b'"' + b"a" * 256 + b'"',
        b"a b",
        b"a,b",
        b'"a", "b"',
        b"a;b",
        b'"a',
        b'a"',
        b'"a"b"',
        b'"a\\"b"',
        b"a\x01b",
        b"a\tb",
        "schl\u00fcssel".encode(),
        "\u043a".encode(),
        b"\xff",
        b"4242424242424242",
    ],
)
async def test_c_25_not_a_key(front: Front, caller: Caller, key: bytes) -> None:
    headers = [(name.encode(), value.encode()) for name, value in caller.headers.items()]
    sending = caller.http.post("/v1/quotes", headers=[*headers, (b"Idempotency-Key", key)], json=QUOTE)
    await refused(front, sending, 400, "idempotency_key_invalid")


async def test_c_25_two_keys(front: Front, caller: Caller) -> None:
    headers = [*caller.headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    await refused(front, caller.http.post("/v1/quotes", headers=headers, json=QUOTE), 400, "idempotency_key_invalid")


@pytest.mark.parametrize("key", ["a" * 255, '"' + "b" * 255 + '"', "!#$%&'()*+-./:<=>?@[]^_`{|}~", '"with a space"'])
async def test_c_25_a_key(caller: Caller, key: str) -> None:
    assert (await caller.post("/v1/quotes", QUOTE, key=key)).status_code == 201


async def test_c_26_quoted_or_not_is_the_same_key(caller: Caller) -> None:
    first = await caller.post("/v1/quotes", QUOTE, key="abc")
    again = await caller.post("/v1/quotes", QUOTE, key='"abc"')
    assert again.status_code == 201
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


async def test_a_repetition_gives_the_same_answer(front: Front, caller: Caller) -> None:
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}, "metadata": {"b": "1", "a": "2"}}
    first = await caller.post("/v1/orders", body, key="once")
    before = await front.state()
    # Another spelling of the same document is the same request.
    spelled = b'{ "metadata": {"a":"2", "\\u0062":"1"},\n "destination": {"address": "%b"}, "quote_id": "%b" }' % (
        ADDRESS.encode(),
        str(quote["id"]).encode(),
    )
    again = await caller.post("/v1/orders", spelled, key="once")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert await front.state() == before


async def test_another_body_under_a_used_key(front: Front, caller: Caller) -> None:
    await caller.post("/v1/quotes", QUOTE, key="used")
    other = QUOTE | {"source": {"asset": "EUR", "amount": "100.01"}}
    await refused(front, caller.post("/v1/quotes", other, key="used"), 422, "idempotency_mismatch")


async def test_another_path_under_a_used_key(front: Front, caller: Caller) -> None:
    order = await caller.order()
    await caller.post(f"/v1/orders/{order['id']}/refund", {}, key="path")
    await refused(front, caller.post(f"/v1/orders/{order['id']}/cancel", {}, key="path"), 422, "idempotency_mismatch")


async def test_a_definitive_refusal_is_repeated(front: Front, caller: Caller) -> None:
    """What was decided under lock is the answer for good, even when it would be decided otherwise now."""
    quote = await caller.quote()
    body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}}
    assert (await caller.post("/v1/orders", body, key="first")).status_code == 201
    first = await caller.post("/v1/orders", body, key="second")
    assert (first.status_code, first.json()["code"]) == (409, "quote_used")
    again = await refused(front, caller.post("/v1/orders", body, key="second"), 409, "quote_used")
    assert again.content == first.content
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), (b"{", 400), (QUOTE | {"x": 1}, 422), (QUOTE | {"destination": {"asset": "EUR"}}, 422)],
)
async def test_an_invalid_request_does_not_use_its_key(caller: Caller, body: object, status: int) -> None:
    assert (await caller.post("/v1/quotes", body, key="kept")).status_code == status
    assert (await caller.get("/v1/idempotency/kept")).status_code == 404
    assert (await caller.post("/v1/quotes", QUOTE, key="kept")).status_code == 201


async def test_looking_a_key_up(caller: Caller) -> None:
    made = await caller.post("/v1/quotes", QUOTE, key="a/b?c")
    found = await caller.get("/v1/idempotency/a%2Fb%3Fc")
    assert found.status_code == 200
    assert found.json() == {
        "object": "idempotency_key",
        "key": "a/b?c",
        "status": "completed",
        "response_status": 201,
        "response": made.json(),
        "resource_id": made.json()["id"],
    }


async def test_a_signing_secret_is_not_shown_by_its_key(caller: Caller) -> None:
    body = {"url": "https://shop.example.com/hooks", "event_types": ["*"]}
    made = await caller.post("/v1/webhook_endpoints", body, key="hook")
    assert made.json()["secret"].startswith("whsec_")
    found = (await caller.get("/v1/idempotency/hook")).json()
    assert found["response"]["id"] == made.json()["id"]
    assert "secret" not in found["response"]


@pytest.mark.parametrize("tag", ["abc", "1", '"1', "W/1", '"1" "2"', '"a b"', ""])
async def test_c_27_garbage(front: Front, caller: Caller, tag: str) -> None:
    order = await caller.order()
    sending = caller.post(f"/v1/orders/{order['id']}/cancel", {}, headers={"If-Match": tag})
    await refused(front, sending, 400, "header_invalid")


@pytest.mark.parametrize("tag", ['"0"', '"2"', '"abc"', 'W/"1"', '"999999999999999999999999"', '"2", "3"'])
@pytest.mark.parametrize("verb", ["cancel", "refund"])
async def test_c_27_stale(caller: Caller, tag: str, verb: str) -> None:
    order = await caller.order()
    response = await caller.post(f"/v1/orders/{order['id']}/{verb}", {}, headers={"If-Match": tag})
    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert (await caller.get(f"/v1/orders/{order['id']}")).json() == order


@pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"', "{etag}"])
async def test_c_27_fresh(caller: Caller, tag: str) -> None:
    order = await caller.order()
    etag = (await caller.get(f"/v1/orders/{order['id']}")).headers["etag"]
    headers = {"If-Match": tag.format(etag=etag)}
    response = await caller.post(f"/v1/orders/{order['id']}/cancel", {}, headers=headers)
    assert (response.status_code, response.json()["status"]) == (200, "canceled")


async def test_c_27_on_endpoints(caller: Caller) -> None:
    body = {"url": "https://shop.example.com/hooks", "event_types": ["*"]}
    endpoint = (await caller.post("/v1/webhook_endpoints", body)).json()
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    stale = caller.headers | {"If-Match": '"7"'}
    assert (await caller.http.patch(path, headers=stale, json={"description": "x"})).status_code == 412
    assert (await caller.http.delete(path, headers=stale)).status_code == 412
    for verb in ("enable", "disable"):
        assert (await caller.post(f"{path}/{verb}", {}, headers={"If-Match": '"7"'})).status_code == 412
    fresh = caller.headers | {"If-Match": (await caller.get(path)).headers["etag"]}
    assert (await caller.http.patch(path, headers=fresh, json={"description": "x"})).status_code == 200
    assert (await caller.http.delete(path, headers=fresh)).status_code == 412
