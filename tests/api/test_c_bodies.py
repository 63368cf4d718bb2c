"""Bad input, cross-cutting: methods, media types, all that is not one JSON object (C-05 to C-13, C-16, C-17)."""

from __future__ import annotations

import gzip
import time
from collections.abc import AsyncIterator

import orjson
import pytest

from tests.api.front import QUOTE, Caller, Front
from tests.api.json_documents import INDETERMINATE, MALFORMED
from tests.api.refusals import BODIES, DOCUMENT, NEEDS_BODY, POSTS, WITH_BODY, pointers, refused
from tests.support.processor import seconds_here

Where = tuple[str, str]


def send(caller: Caller, where: Where, body: bytes, **headers: str) -> object:
    """Send these bytes as a body."""
    sent = caller.headers | {"Idempotency-Key": "k", "Content-Type": "application/json"} | headers
    return caller.http.request(where[0], where[1], content=body, headers=sent)


@pytest.mark.parametrize(
    "path", ["/v1/quotes", "/v1/orders", "/v1/orders/or_01JD0000000000000000000000", "/healthz/live"]
)
@pytest.mark.parametrize("method", ["PUT", "TRACE", "OPTIONS", "PROPFIND"])
async def test_c_05_wrong_method(front: Front, caller: Caller, method: str, path: str) -> None:
    sending = front.http.request(method, path, headers=caller.headers)
    response = await refused(front, sending, 405, "method_not_allowed")
    known = {name.upper() for name in DOCUMENT["paths"].get(path.replace("01JD0000000000000000000000", ""), {})}
    allowed = set(response.headers["allow"].split(", "))
    assert known <= allowed
    assert method not in allowed


async def test_c_05_allow_names_every_method(front: Front, caller: Caller) -> None:
    orders = await front.http.put("/v1/orders", headers=caller.headers)
    assert orders.headers["allow"] == "GET, HEAD, POST"
    endpoint = await front.http.put("/v1/webhook_endpoints/we_01JD0000000000000000000000", headers=caller.headers)
    assert endpoint.headers["allow"] == "DELETE, GET, HEAD, PATCH"


@pytest.mark.parametrize("path", ["/v1/orders/", "/v1/quotes/", "/v1", "/v1/", "/v2/orders", "/", "/healthz/live/"])
async def test_c_05_no_redirects(front: Front, caller: Caller, path: str) -> None:
    await refused(front, caller.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; boundary=x",
        "application/problem+json",
        "application/jsonx",
        "application/json, text/plain",
        "",
    ],
)
@pytest.mark.parametrize("where", WITH_BODY, ids=" ".join)
async def test_c_06_media_type(front: Front, caller: Caller, where: Where, content_type: str) -> None:
    body = orjson.dumps(BODIES[where])
    sending = send(caller, where, body, **{"Content-Type": content_type})
    await refused(front, sending, 415, "unsupported_media_type")


@pytest.mark.parametrize("where", WITH_BODY, ids=" ".join)
async def test_c_06_no_media_type(front: Front, caller: Caller, where: Where) -> None:
    headers = caller.headers | {"Idempotency-Key": "k"}
    sending = caller.http.request(*where, content=orjson.dumps(BODIES[where]), headers=headers)
    await refused(front, sending, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
async def test_c_06_utf_8_said_or_not(caller: Caller, content_type: str) -> None:
    response = await caller.post("/v1/quotes", QUOTE, headers={"Content-Type": content_type})
    assert response.status_code == 201


async def test_c_07_accept_is_not_asked(front: Front, caller: Caller) -> None:
    """Answers are JSON whatever Accept says; the choice is documented in the contract."""
    assert (await caller.get("/v1/assets", Accept="text/html")).headers["content-type"] == "application/json"
    await refused(front, caller.get("/v1/orders/x", Accept="text/html"), 404, "not_found")


@pytest.mark.parametrize("body", [b"", b" ", b"\n\t"])
@pytest.mark.parametrize("where", NEEDS_BODY, ids=" ".join)
async def test_c_08_empty(front: Front, caller: Caller, where: Where, body: bytes) -> None:
    await refused(front, send(caller, where, body), 400, "malformed_json")


@pytest.mark.parametrize("body", [b'{"a":', b"{}x", b"{}{}", b"{}\n{}", b"{} // no", b"/* no */{}", b"{'a':1}"])
@pytest.mark.parametrize("where", WITH_BODY, ids=" ".join)
async def test_c_08_not_one_document(front: Front, caller: Caller, where: Where, body: bytes) -> None:
    await refused(front, send(caller, where, body), 400, "malformed_json")


@pytest.mark.parametrize("name", MALFORMED)
async def test_c_09_must_be_refused(front: Front, caller: Caller, name: str) -> None:
    await refused(front, caller.post("/v1/quotes", MALFORMED[name]), 400, "malformed_json")


@pytest.mark.parametrize("name", INDETERMINATE)
async def test_c_09_may_be_refused_but_never_crash(front: Front, caller: Caller, name: str) -> None:
    before = await front.state()
    response = await caller.post("/v1/quotes", INDETERMINATE[name])
    assert response.status_code in {400, 422}
    assert await front.state() == before


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"null", b"1", b"true", b"[{}]", b"1.5"])
@pytest.mark.parametrize("where", WITH_BODY, ids=" ".join)
async def test_c_10_not_an_object(front: Front, caller: Caller, where: Where, body: bytes) -> None:
    await refused(front, send(caller, where, body), 422, "validation_failed")


@pytest.mark.parametrize(
    "body",
    [
        b'{"direction":"buy","direction":"buy"}',
        b'{"direction":"buy","\\u0064irection":"sell"}',
        b'{"source":{"asset":"EUR","asset":"USD"}}',
        b'{"metadata":{"a":"1","a":"2"}}',
        b'{"a":[{"b":1,"b":1}]}',
        b'{"":1,"":2}',
    ],
)
@pytest.mark.parametrize("where", WITH_BODY, ids=" ".join)
async def test_c_11_duplicate_keys(front: Front, caller: Caller, where: Where, body: bytes) -> None:
    await refused(front, send(caller, where, body), 400, "duplicate_key")


@pytest.mark.parametrize("name", ["Direction", "DIRECTION", "__proto__", "constructor", "", "source.asset"])
async def test_c_11_almost_a_key(front: Front, caller: Caller, name: str) -> None:
    await refused(front, caller.post("/v1/quotes", QUOTE | {name: "buy"}), 422, "unknown_field")


async def test_c_12_one_byte_too_many(front: Front, caller: Caller) -> None:
    filler = 64 * 1024 - len(orjson.dumps(QUOTE)) + 1
    sending = caller.post("/v1/quotes", orjson.dumps(QUOTE) + b" " * filler)
    response = await refused(front, sending, 413, "payload_too_large")
    assert response.headers["connection"] == "close"
    assert (await caller.post("/v1/quotes", orjson.dumps(QUOTE) + b" " * (filler - 1))).status_code == 201


async def test_c_12_a_stream_without_end(front: Front, caller: Caller) -> None:
    """A body that does not say how long it is, is read no further than we take."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 2**30:
            sent += 8192
            yield b" " * 8192

    headers = caller.headers | {"Idempotency-Key": "k", "Content-Type": "application/json"}
    sending = caller.http.post("/v1/quotes", content=endless(), headers=headers)
    await refused(front, sending, 413, "payload_too_large")
    assert sent <= 128 * 1024


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity", "x"])
async def test_c_12_compressed(front: Front, caller: Caller, coding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    sending = caller.post("/v1/quotes", bomb, headers={"Content-Encoding": coding})
    await refused(front, sending, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 60_000, 400),
        (b"[" * 30_000 + b"]" * 30_000, 400),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
        (b"[" * 100_000, 413),
        (b'{"a":"' + b"x" * 10_000_000 + b'"}', 413),
        (b"{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}", 413),
        (b"{" + b",".join(b'"%d":1' % number for number in range(6_000)) + b"}", 422),
        (b'{"a":[' + b"0," * 30_000 + b"0]}", 422),
        (b'{"a":' + b"9" * 60_000 + b"}", 400),
        (b'{"metadata":{"a":"' + b"1 " * 30_000 + b'"}}', 422),
        (b'{"metadata":{"a":"' + b"4 " * 30_000 + b'"}}', 422),
        (b'{"metadata":{' + b",".join(b'"%d":"%b"' % (n, b"5 1" * 300) for n in range(60)) + b"}}", 422),
        (b'{"metadata":{"a":"' + b"abandon " * 8_000 + b'"}}', 422),
        (b'{"metadata":{"a":"' + b'\\"' * 30_000 + b'"}}', 422),
        (b'{"a":"' + b"[" * 60_000 + b'"}', 422),
    ],
)
async def test_c_13_too_much_of_everything(front: Front, caller: Caller, body: bytes, status: int) -> None:
    before = await front.state()
    spent: list[float] = []
    for _ in range(3):
        started = time.process_time()
        response = await caller.post("/v1/quotes", body)
        spent.append(time.process_time() - started)
        assert response.status_code == status, response.text
        assert len(response.content) <= 8192
    assert min(spent) < seconds_here(0.05)
    assert await front.state() == before


async def test_c_13_nesting_up_to_32_is_json(front: Front, caller: Caller) -> None:
    deep: dict[str, object] = {}
    for _ in range(30):
        deep = {"a": deep}
    await refused(front, caller.post("/v1/quotes", QUOTE | {"a": deep}), 422, "unknown_field")
    await refused(front, caller.post("/v1/quotes", QUOTE | {"a": {"a": deep}}), 400, "malformed_json")


WRONG_TYPES: list[object] = [1, 1.5, True, [], {}, ["EUR"], {"a": "b"}]


@pytest.mark.parametrize("wrong", WRONG_TYPES, ids=repr)
@pytest.mark.parametrize("name", ["direction", "payment_method", "country", "source", "destination"])
async def test_c_16_wrong_type_in_a_quote(front: Front, caller: Caller, name: str, wrong: object) -> None:
    response = await refused(front, caller.post("/v1/quotes", QUOTE | {name: wrong}), 422, "validation_failed")
    assert any(pointer.startswith(f"/{name}") for pointer in pointers(response))


@pytest.mark.parametrize("wrong", [100, 100.0, True, [], {}, ["100.00"]], ids=repr)
async def test_c_16_an_amount_is_a_text(front: Front, caller: Caller, wrong: object) -> None:
    body = QUOTE | {"source": {"asset": "EUR", "amount": wrong}}
    response = await refused(front, caller.post("/v1/quotes", body), 422, "validation_failed")
    assert pointers(response) == ["/source/amount"]


@pytest.mark.parametrize("name", ["direction", "source", "destination"])
@pytest.mark.parametrize("how", ["null", "missing"])
async def test_c_16_required_fields_of_a_quote(front: Front, caller: Caller, name: str, how: str) -> None:
    body = {key: value for key, value in QUOTE.items() if key != name} | ({name: None} if how == "null" else {})
    response = await refused(front, caller.post("/v1/quotes", body), 422, "validation_failed")
    assert pointers(response) == [f"/{name}"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"quote_id": 1}, "/quote_id"),
        ({"quote_id": None}, "/quote_id"),
        ({}, "/quote_id"),
        ({"quote_id": "x", "destination": "x"}, "/destination"),
        ({"quote_id": "x", "destination": {}}, "/destination/address"),
        ({"quote_id": "x", "destination": {"address": 1}}, "/destination/address"),
        ({"quote_id": "x", "external_id": 1}, "/external_id"),
        ({"quote_id": "x", "customer": []}, "/customer"),
        ({"quote_id": "x", "customer": {"email": 1}}, "/customer/email"),
        ({"quote_id": "x", "metadata": "x"}, "/metadata"),
        ({"quote_id": "x", "metadata": {"a": 1}}, "/metadata/a"),
        ({"quote_id": "x", "metadata": None}, "/metadata"),
    ],
)
async def test_c_16_wrong_type_in_an_order(front: Front, caller: Caller, body: object, pointer: str) -> None:
    response = await refused(front, caller.post("/v1/orders", body), 422, "validation_failed")
    assert pointers(response) == [pointer]


# A file is no JSON; that a break is not there is said before anything else.
MINDFUL = ("/v1/files", "/v1/reconciliation/breaks/{break_id}/resolve")


@pytest.mark.parametrize("where", [where for where in POSTS if where[1] not in MINDFUL], ids=" ".join)
@pytest.mark.parametrize("name", ["status", "partner_id", "id", "sequence", "fees", "created_at", "livemode"])
async def test_c_17_mass_assignment(front: Front, caller: Caller, where: Where, name: str) -> None:
    body = BODIES.get(where, {})
    assert isinstance(body, dict)
    response = await refused(front, caller.post(where[1], body | {name: "x"}), 422, "unknown_field")
    assert pointers(response) == [f"/{name}"]


async def test_a_list_of_errors_stays_short(front: Front, caller: Caller) -> None:
    body = QUOTE | {f"field_{number}_{'x' * 300}": 1 for number in range(100)}
    response = await refused(front, caller.post("/v1/quotes", body), 422, "unknown_field")
    assert len(pointers(response)) <= 16
