"""Webhook endpoints over HTTP: what is refused (faults.md W-01 to W-12), and the life of one."""

from __future__ import annotations

import pytest

from tests.api.front import Caller, Front
from tests.api.refusals import pointers, refused

PATH = "/v1/webhook_endpoints"
GOOD = {"url": "https://shop.example.com/hooks", "event_types": ["order.*"]}
# The 14 of faults.md 5.3 and a selection of the ranges that nothing may connect to, as literals.
LITERALS = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
    "255.255.255.255",
    "224.0.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.3", "224.1.2.3",
    "8.8.8.8", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[2002:7f00:1::]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[fec0::1]", "[ff02::1]",
    "[100::1]", "[2001:4860:4860::8888]", "[fe80::1%25eth0]",
]  # fmt: skip
SPELLINGS = [
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "0",
    "127\u30020\u30020\u30021",
    "\uff11\uff12\uff17.0.0.1",
]


@pytest.mark.parametrize(
    "url",
    ["http://shop.example.com/", "ftp://shop.example.com/", "file:///etc/passwd", "gopher://shop.example.com/",
     "javascript:alert(1)", "shop.example.com",
     "//shop.example.com/", "https:shop.example.com", "https:/shop.example.com",
     "https://", "x", "http://127.0.0.1:8000/", "ws://shop.example.com/", "data:text/plain,x"],
)  # fmt: skip
async def test_w_01_scheme(front: Front, caller: Caller, url: str) -> None:
    response = await refused(front, caller.post(PATH, GOOD | {"url": url}), 422, "webhook_url_forbidden")
    assert pointers(response) == ["/url"]


@pytest.mark.parametrize("host", LITERALS)
async def test_w_02_ip_literals(front: Front, caller: Caller, host: str) -> None:
    await refused(front, caller.post(PATH, GOOD | {"url": f"https://{host}/"}), 422, "webhook_url_forbidden")


@pytest.mark.parametrize("host", SPELLINGS)
async def test_w_03_ip_spellings(front: Front, caller: Caller, host: str) -> None:
    await refused(front, caller.post(PATH, GOOD | {"url": f"https://{host}/"}), 422, "webhook_url_forbidden")


@pytest.mark.parametrize(
    "host",
    ["localhost", "a.localhost", "printer.local", "db.internal", "metadata.google.internal", "intranet", "com", "co.uk",
     "shop.example.com.", "a.invalid", "a.test", "a.onion", "a.home.arpa", 
     "-a.com", "a..com", "a_b.c", "*.example.com"],
)  # fmt: skip
async def test_w_04_names(front: Front, caller: Caller, host: str) -> None:
    await refused(front, caller.post(PATH, GOOD | {"url": f"https://{host}/"}), 422, "webhook_url_forbidden")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://u:p@shop.example.com/", "webhook_url_forbidden"),
        ("https://u@shop.example.com/", "webhook_url_forbidden"),
        ("https://shop.example.com@evil.example/", "webhook_url_forbidden"),
        ("https://shop.example.com\\@evil.example/", "webhook_url_forbidden"),
        ("https://shop.example.com/#a", "webhook_url_forbidden"),
        ("https://shop.example.com /", "webhook_url_forbidden"),
        (" https://shop.example.com/", "webhook_url_forbidden"),
        ("https://shop.example.com/\t", "validation_failed"),
        ("https://shop.example.com/\r\nHost: evil", "validation_failed"),
        ("https://sh\u200bop.example.com/", "validation_failed"),
    ],
)
async def test_w_05_tricks(front: Front, caller: Caller, url: str, code: str) -> None:
    await refused(front, caller.post(PATH, GOOD | {"url": url}), 422, code)


@pytest.mark.parametrize("port", ["22", "25", "80", "6379", "0", "65536", "444", "-1", "x", "0443", ""])
async def test_w_06_ports(front: Front, caller: Caller, port: str) -> None:
    url = f"https://shop.example.com:{port}/"
    await refused(front, caller.post(PATH, GOOD | {"url": url}), 422, "webhook_url_forbidden")


@pytest.mark.parametrize("host", ["mixed.example.com", "inner.example.com", "nowhere.example.com"])
async def test_w_07_where_the_name_leads(front: Front, caller: Caller, host: str) -> None:
    await refused(front, caller.post(PATH, GOOD | {"url": f"https://{host}/"}), 422, "webhook_url_forbidden")


@pytest.mark.parametrize("url", [f"https://{'a.' * 130}example.com/", f"https://shop.example.com/{'x' * 9000}"])
async def test_w_08_too_long(front: Front, caller: Caller, url: str) -> None:
    before = await front.state()
    response = await caller.post(PATH, GOOD | {"url": url})
    assert response.status_code == 422
    assert await front.state() == before


async def test_w_09_our_own_host(front: Front, caller: Caller) -> None:
    url = "https://rampwright.example.com/hooks/stripe"
    await refused(front, caller.post(PATH, GOOD | {"url": url}), 422, "webhook_url_forbidden")


async def test_w_10_too_many_endpoints(front: Front, caller: Caller) -> None:
    for _ in range(20):
        assert (await caller.post(PATH, GOOD)).status_code == 201
    await refused(front, caller.post(PATH, GOOD), 422, "validation_failed")


@pytest.mark.parametrize(
    "event_types",
    [[], ["order.*"] * 101, ["order.unknown"], ["unknown.*"], ["*.created"], ["order"], [""], [1], "order.*",
     ["ORDER.*"],
     None],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
async def test_w_10_event_types(front: Front, caller: Caller, event_types: object) -> None:
    body = GOOD | {"event_types": event_types}
    response = await refused(front, caller.post(PATH, body), 422, "validation_failed")
    assert all(pointer.startswith("/event_types") for pointer in pointers(response))


async def test_w_10_all_events(caller: Caller) -> None:
    made = await caller.post(PATH, GOOD | {"event_types": ["*"]})
    assert (made.status_code, made.json()["event_types"]) == (201, ["*"])


@pytest.mark.parametrize("name", ["headers", "custom_headers", "secret", "status", "method"])
async def test_w_11_no_headers_of_their_own(front: Front, caller: Caller, name: str) -> None:
    body = GOOD | {name: {"webhook-id": "x"}}
    await refused(front, caller.post(PATH, body), 422, "unknown_field")


@pytest.mark.parametrize("overlap", ["P8D", "PT169H", "P7DT1S", "-PT1H", "1 day", "P", "PT", "24h", 3600, "P1W"])
async def test_w_12_overlap(front: Front, caller: Caller, overlap: object) -> None:
    endpoint = (await caller.post(PATH, GOOD)).json()
    sending = caller.post(f"{PATH}/{endpoint['id']}/rotate_secret", {"overlap": overlap})
    response = await refused(front, sending, 422, "validation_failed")
    assert pointers(response) == ["/overlap"]


async def test_w_12_too_many_rotations(front: Front, caller: Caller) -> None:
    endpoint = (await caller.post(PATH, GOOD)).json()
    seen = {endpoint["secret"]}
    for _ in range(10):
        answer = await caller.post(f"{PATH}/{endpoint['id']}/rotate_secret", {"overlap": "P7D"})
        assert answer.status_code == 200
        seen.add(answer.json()["secret"])
    assert len(seen) == 11
    await refused(front, caller.post(f"{PATH}/{endpoint['id']}/rotate_secret"), 422, "validation_failed")


async def test_the_life_of_an_endpoint(front: Front, caller: Caller) -> None:
    made = await caller.post(PATH, GOOD | {"description": "Shop", "metadata": {"a": "b"}}, key="made")
    endpoint = made.json()
    assert (made.status_code, endpoint["status"], endpoint["secret"][:6]) == (201, "disabled", "whsec_")
    assert (
        await caller.post(PATH, GOOD | {"description": "Shop", "metadata": {"a": "b"}}, key="made")
    ).json() == endpoint
    path = f"{PATH}/{endpoint['id']}"
    shown = (await caller.get(path)).json()
    assert shown == {name: value for name, value in endpoint.items() if name != "secret"}
    assert (await caller.get(PATH)).json()["data"] == [shown]
    assert (await caller.post(f"{path}/enable")).json()["status"] == "enabled"
    changed = await caller.http.patch(path, headers=caller.headers, json={"event_types": ["order.completed"]})
    assert (changed.status_code, changed.json()["event_types"]) == (200, ["order.completed"])
    assert changed.json()["description"] == "Shop"
    tested = await caller.post(f"{path}/test", {})
    assert (tested.status_code, tested.json()["endpoint_id"]) == (202, endpoint["id"])
    assert (await caller.get("/v1/webhook_deliveries")).json()["data"] == []
    assert (await caller.post(f"{path}/disable", {})).json()["status"] == "disabled"
    gone = await caller.http.delete(path, headers=caller.headers)
    assert gone.json() == {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}
    await refused(front, caller.get(path), 404, "not_found")
    assert (await caller.get(PATH)).json()["data"] == []


@pytest.mark.parametrize("query", ["endpoint_id=x", "event_id=or_01JD0000000000000000000000", "starting_after=1"])
async def test_deliveries_of_nothing(front: Front, caller: Caller, query: str) -> None:
    await refused(front, caller.get(f"/v1/webhook_deliveries?{query}"), 422, "validation_failed")
