"""Bad input, cross-cutting: keys, scopes, versions, and headers that pretend (faults.md C-01 to C-04, C-21, C-23)."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from app.db.database import Database
from app.services import keys
from tests.api.front import Caller, Front, open_front
from tests.api.refusals import BODIES, OPERATIONS, SCOPES, refused
from tests.support.far_side import FarSide


def request(front: Front, where: tuple[str, str], headers: dict[str, str]) -> httpx.Request:
    """A request that is right but for its headers."""
    method, path = where
    sent = headers | ({"Idempotency-Key": "k"} if method == "POST" else {})
    return front.http.build_request(method, path, headers=sent, json=BODIES.get(where))


@pytest.mark.parametrize("where", OPERATIONS, ids=" ".join)
async def test_c_01_no_key(front: Front, where: tuple[str, str]) -> None:
    await refused(front, front.http.send(request(front, where, {})), 401, "unauthenticated")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer rmp_sk_test_short",
        "Token {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {key} ",
        "Bearer  {key}",
        "Bearer {typo}",
        "Bearer {key}, Bearer {key}",
    ],
)
async def test_c_01_malformed_authorization(front: Front, caller: Caller, value: str) -> None:
    typo = caller.key[:-1] + ("a" if caller.key[-1] != "a" else "b")
    sent = value.format(key=caller.key, typo=typo)
    header = [(b"Authorization", sent.encode())]
    await refused(front, front.http.get("/v1/assets", headers=header), 401, "unauthenticated", unsaid=[caller.key])


async def test_c_01_two_headers(front: Front, caller: Caller) -> None:
    twice = [("Authorization", f"Bearer {caller.key}")] * 2
    await refused(front, front.http.get("/v1/assets", headers=twice), 401, "unauthenticated")


async def test_c_01_the_scheme_has_any_case(front: Front, caller: Caller) -> None:
    assert (await front.http.get("/v1/assets", headers={"Authorization": f"bearer {caller.key}"})).status_code == 200


async def test_c_02_unknown_key(front: Front) -> None:
    headers = {"Authorization": f"Bearer {keys.new_key('test').key}"}
    await refused(front, front.http.get("/v1/assets", headers=headers), 401, "unauthenticated")


async def test_c_02_revoked_key(front: Front, caller: Caller) -> None:
    assert (await caller.get("/v1/assets")).status_code == 200
    await keys.revoke(front.context.db, caller.key_id)
    await refused(front, caller.get("/v1/assets"), 401, "unauthenticated")


async def test_c_02_expired_key(front: Front) -> None:
    expired = await front.caller(expires_in=timedelta(seconds=-1))
    await refused(front, expired.get("/v1/assets"), 401, "key_expired")
    lasting = await front.caller(expires_in=timedelta(hours=1))
    assert (await lasting.get("/v1/assets")).status_code == 200


async def test_c_02_live_key_on_a_test_instance(front: Front) -> None:
    live = await front.caller(mode="live")
    await refused(front, live.get("/v1/assets"), 401, "unauthenticated")


async def test_c_02_test_key_on_a_live_instance(db: Database, far_side: FarSide) -> None:
    async with open_front(db, far_side.url, livemode=True) as front:
        test, live = await front.caller(), await front.caller(mode="live")
        await refused(front, test.get("/v1/assets"), 401, "unauthenticated")
        assert (await live.get("/v1/assets")).status_code == 200
        # What moves play money does not exist there.
        body = {"network": "bitcoin", "blocks": 1}
        await refused(front, live.post("/v1/simulate/chain/mine", body), 404, "not_found")


@pytest.mark.parametrize("query", ["api_key={key}", "access_token={key}", "limit={key}"])
@pytest.mark.parametrize("with_header", [False, True])
async def test_c_03_key_in_the_query(front: Front, caller: Caller, query: str, with_header: bool) -> None:
    headers = caller.headers if with_header else {}
    sending = front.http.get(f"/v1/orders?{query.format(key=caller.key)}", headers=headers)
    await refused(front, sending, 401, "unauthenticated", unsaid=[caller.key])


async def test_c_03_key_in_the_body(front: Front, caller: Caller) -> None:
    body = {"api_key": caller.key}
    sending = front.http.post("/v1/quotes", json=body, headers={"Idempotency-Key": "k"})
    await refused(front, sending, 401, "unauthenticated", unsaid=[caller.key])
    kept = {"quote_id": "qt_x", "metadata": {"note": f"our key is {caller.key}"}}
    await refused(front, caller.post("/v1/orders", kept), 401, "unauthenticated", unsaid=[caller.key])


async def test_c_03_no_key_is_ever_logged(front: Front, caller: Caller) -> None:
    heard = LogCapture()
    settings = structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, heard], wrapper_class=structlog.BoundLogger
    )
    try:
        await caller.get(f"/v1/orders?api_key={caller.key}")
        await caller.get(f"/v1/{caller.key}")
        await caller.post("/v1/quotes", {"api_key": caller.key})
        await caller.quote()
    finally:
        structlog.configure(**settings)
    assert [entry["status"] for entry in heard.entries if entry["event"] == "request.answered"] == [401, 404, 401, 201]
    assert heard.entries[-1]["key_id"] == caller.key_id
    assert caller.key not in str(heard.entries)


@pytest.mark.parametrize("where", SCOPES, ids=" ".join)
async def test_c_04_missing_scope(front: Front, where: tuple[str, str]) -> None:
    """Each operation refuses a key that may do all but that, and lets in a key that may do that alone."""
    needed = SCOPES[where]
    without = await front.caller(scopes=sorted({*SCOPES.values()} - {needed}))
    await refused(front, front.http.send(request(front, where, without.headers)), 403, "scope_missing")
    if where[1] != "/v1/events/stream":
        alone = await front.caller(scopes=[needed])
        assert (await front.http.send(request(front, where, alone.headers))).status_code != 403


async def test_c_04_wildcards(front: Front) -> None:
    for scopes, status in ((["orders:*"], 200), (["*"], 200), (["quotes:*"], 403), ([], 403), (["order:*"], 403)):
        caller = await front.caller(scopes=scopes)
        assert (await caller.get("/v1/orders")).status_code == status, scopes


async def test_c_21_forged_headers_are_ignored(front: Front, caller: Caller) -> None:
    forged = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Real-IP": "1.2.3.4",
        "X-HTTP-Method-Override": "DELETE",
        "X-Request-Id": "req_forged",
        "Request-Id": "req_forged",
        "Host": "evil.example",
    }
    heard = LogCapture()
    settings = structlog.get_config()
    structlog.configure(processors=[heard], wrapper_class=structlog.BoundLogger)
    try:
        response = await caller.get("/v1/orders", **forged)
    finally:
        structlog.configure(**settings)
    assert response.status_code == 200
    assert "evil" not in response.text + str(response.headers)
    assert response.headers["request-id"] != "req_forged"
    assert [entry["peer"] for entry in heard.entries] == ["127.0.0.1"]


@pytest.mark.parametrize("version", ["2025-01-01", "2026-11-02", "", "latest", "2026-11-01, 2026-11-01"])
async def test_c_23_unknown_version(front: Front, caller: Caller, version: str) -> None:
    sending = caller.get("/v1/assets", **{"Rampwright-Version": version})
    await refused(front, sending, 400, "unsupported_version")


async def test_c_23_the_version_that_there_is(caller: Caller) -> None:
    response = await caller.get("/v1/assets", **{"Rampwright-Version": "2026-11-01"})
    assert response.status_code == 200
    assert response.headers["rampwright-version"] == "2026-11-01"


async def test_every_request_has_an_id_of_its_own(caller: Caller) -> None:
    seen = {(await caller.get("/v1/assets")).headers["request-id"] for _ in range(5)}
    assert len(seen) == 5
    assert all(request_id.startswith("req_") for request_id in seen)
