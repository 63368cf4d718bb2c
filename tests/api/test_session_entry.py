"""Coming into a session: one browser, one credential, our own pages only (faults.md S-02, S-09, S-10, S-12)."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from app.api.auth import is_page
from app.services.session_entry import MOST_A_MINUTE
from tests.api.front import Caller, Front
from tests.api.refusals import DOCUMENT, ULID, check, refused
from tests.api.visits import Browser, credential, make_old, new_session, visit

PAGE = sorted(
    (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    for method in item
    if is_page(path) and path != "/v1/session/exchange"
)


def sent(front: Front, where: tuple[str, str], headers: dict[str, str]) -> httpx.Request:
    """A request of the page's, right but for its headers."""
    method, path = where
    operation = DOCUMENT["paths"][path][method.lower()]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    return front.http.build_request(method, path, headers={"Idempotency-Key": "k"} | headers, json=body)


async def test_s_02_a_secret_is_used_once_and_by_one_browser(front: Front, caller: Caller) -> None:
    made = await new_session(caller)
    secret = str(made["client_secret"])
    first, second = Browser(front.http), Browser(front.http)
    opened = await first.exchange(secret)
    assert opened.status_code == 200
    assert (await first.exchange(secret)).json()["status"] == "opened", "a lost answer loses nothing"
    check(await second.exchange(secret), 401, "session_already_used", unsaid=[secret])
    check(await second.get(), 401, "unauthenticated")
    assert (await first.view())["id"] == made["id"]


async def test_s_02_two_browsers_at_once(front: Front, caller: Caller) -> None:
    secret = str((await new_session(caller))["client_secret"])
    browsers = [Browser(front.http) for _ in range(6)]
    answers = await asyncio.gather(*(browser.exchange(secret) for browser in browsers))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 5]
    views = [await browser.get() for browser in browsers]
    assert [view.status_code for view in views] == [answer.status_code for answer in answers]


async def test_s_02_expired_and_revoked(front: Front, caller: Caller) -> None:
    expired, revoked = await new_session(caller), await new_session(caller)
    await make_old(front, str(expired["id"]))
    await caller.post(f"/v1/sessions/{revoked['id']}/revoke")
    for made in (expired, revoked):
        sending = Browser(front.http).exchange(str(made["client_secret"]))
        check(await sending, 401, "session_expired")


async def test_s_02_a_page_is_not_admitted_after_its_time(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    await make_old(front, browser.session_id)
    for where in PAGE:
        check(await front.http.send(sent(front, where, browser.headers)), 401, "session_expired")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://rampwright.test.evil.example", ""])
async def test_s_02_s_10_exchanged_from_another_page(front: Front, caller: Caller, origin: str) -> None:
    made = await new_session(caller)
    body = {"client_secret": made["client_secret"], "credential": credential()}
    response = await refused(
        front,
        front.http.post("/v1/session/exchange", json=body, headers={"Origin": origin}),
        403,
        "session_origin_mismatch",
    )
    assert "access-control-allow-origin" not in response.headers


async def test_s_02_garbage_for_a_secret(front: Front) -> None:
    for secret in ("", "x", "a.b.c", "ü", "x" * 2048):
        await refused(front, Browser(front.http).exchange(secret), 401, "session_expired")


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "rmp_ws_test_short", "rmp_ws_test_" + "A" * 44, "rmp_ws_prod_" + "A" * 43],
)
async def test_a_credential_has_its_form(front: Front, caller: Caller, wrong: str) -> None:
    made = await new_session(caller)
    browser = Browser(front.http, credential=wrong)
    response = await browser.exchange(str(made["client_secret"]))
    assert response.status_code == 422
    assert wrong == "" or wrong not in response.text


async def test_a_credential_of_the_other_mode_or_of_another_session(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    made = await new_session(caller)
    check(await browser.exchange(str(made["client_secret"])), 401, "session_already_used")
    live = Browser(front.http, credential="rmp_ws_live_" + "A" * 43)
    check(await live.exchange(str(made["client_secret"])), 401, "session_already_used")
    assert (await Browser(front.http).exchange(str(made["client_secret"]))).status_code == 200


async def test_s_09_guessed_ids(front: Front, caller: Caller) -> None:
    await refused(front, caller.get(f"/v1/sessions/ss_{ULID}"), 404, "not_found")
    for guess in ("ss_1", f"ss_{ULID}0", f"or_{ULID}", "ss_%2e%2e"):
        assert (await caller.get(f"/v1/sessions/{guess}")).status_code == 404
    unknown = Browser(front.http)
    for where in PAGE:
        await refused(front, front.http.send(sent(front, where, unknown.headers)), 401, "unauthenticated")


async def test_s_09_f_147_guesses_at_an_exchange_are_counted(front: Front, caller: Caller) -> None:
    secret = str((await new_session(caller))["client_secret"])
    owner = Browser(front.http)
    await owner.exchange(secret)
    for _ in range(MOST_A_MINUTE["exchange"] - 1):
        check(await Browser(front.http).exchange(secret), 401, "session_already_used")
    limited = await Browser(front.http).exchange(secret)
    check(limited, 429, "rate_limited")
    assert 1 <= int(limited.headers["retry-after"]) <= 60
    assert (await owner.view())["status"] == "opened", "who is in stays in"


@pytest.mark.parametrize("where", PAGE, ids=" ".join)
async def test_s_10_requests_of_other_pages(front: Front, caller: Caller, where: tuple[str, str]) -> None:
    browser = await visit(caller)
    for headers in (
        {"Origin": "https://shop.example"},  # may frame the page, may not speak for it
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "strange"},
        {"Origin": "http://rampwright.test", "Sec-Fetch-Site": "cross-site"},
    ):
        request = sent(front, where, browser.headers | headers)
        response = await refused(front, front.http.send(request), 403, "session_origin_mismatch")
        assert not [name for name in response.headers if name.startswith("access-control")]


async def test_s_10_our_own_page_and_those_who_have_none(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    for headers in (
        {"Origin": "http://rampwright.test", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://rampwright.test"},
        {"Sec-Fetch-Site": "none"},
        {},
    ):
        bearer = {"Authorization": f"Bearer {browser.credential}"}
        assert (await front.http.get("/v1/session", headers=bearer | headers)).status_code == 200


async def test_s_10_forms_preflights_and_reading_methods_do_nothing(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    for path in ("/v1/session/exchange", "/v1/session/orders"):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await front.http.post(path, content=b"a=b", headers=browser.headers | form | {"Idempotency-Key": "k"})
        check(answer, 415, "unsupported_media_type")
        assert (await front.http.get(path, headers=browser.headers)).status_code == 405
        preflight = await front.http.options(
            path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        )
        assert preflight.status_code == 403
        assert not [name for name in preflight.headers if name.startswith("access-control")]
    check(await front.http.options("/v1/session/exchange"), 405, "method_not_allowed")


async def test_a_page_has_its_own_paths_and_no_other(front: Front, caller: Caller) -> None:
    browser = await visit(caller)
    for path in ("/v1/assets", "/v1/orders", f"/v1/sessions/{browser.session_id}", "/v1/balances", "/v1/sessions"):
        await refused(front, front.http.get(path, headers=browser.headers), 403, "scope_missing")
    headers = browser.headers | {"Idempotency-Key": "k"}
    await refused(front, front.http.post("/v1/orders", json={}, headers=headers), 403, "scope_missing")
    for where in PAGE:
        await refused(front, front.http.send(sent(front, where, caller.headers)), 401, "unauthenticated")
    in_query = front.http.get(f"/v1/session?c={browser.credential}", headers=browser.headers)
    await refused(front, in_query, 401, "unauthenticated", unsaid=[browser.credential])


async def test_s_12_nothing_of_a_session_is_cached(front: Front, caller: Caller) -> None:
    made = await new_session(caller)
    browser = Browser(front.http)
    for answer in (await browser.exchange(str(made["client_secret"])), await browser.get()):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_no_secret_is_ever_logged(front: Front, caller: Caller) -> None:
    heard = LogCapture()
    settings = structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, heard], wrapper_class=structlog.BoundLogger
    )
    try:
        made = await new_session(caller)
        secret = str(made["client_secret"])
        browser = Browser(front.http)
        await browser.exchange(secret)
        await Browser(front.http).exchange(secret)
        await browser.view()
        await front.http.get(f"/v1/session/{browser.credential}", headers=browser.headers)
        await front.http.get(f"/v1/session?x={secret}", headers=browser.headers)
    finally:
        structlog.configure(**settings)
    lines = [entry for entry in heard.entries if entry["event"] == "request.answered"]
    assert [entry["status"] for entry in lines] == [201, 200, 401, 200, 404, 422]
    assert lines[3]["key_id"] == made["id"]
    for text in (secret, secret.rpartition(".")[2], browser.credential):
        assert text not in str(heard.entries)
