"""S-03, S-06, S-07, S-09, S-10, S-12: the page of a session, as it is served."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from app.services.sessions import Frame
from app.widget.files import load_site
from app.widget.pages import CHECKOUT, written
from tests.api.front import Caller, Front
from tests.widget.pages import SHOP, Markup, directives, session_id

OTHER_SHOP = "https://other.example.com"
HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028&quot;'\""


async def test_s_03_only_the_session_s_origins_may_frame_it(front: Front, caller: Caller) -> None:
    page = await front.http.get(f"/w/{await session_id(caller, allowed_origins=[SHOP, OTHER_SHOP])}")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    [policy] = page.headers.get_list("content-security-policy")
    assert directives(policy)["frame-ancestors"] == [SHOP, OTHER_SHOP]
    assert "x-frame-options" not in page.headers
    assert page.headers["reporting-endpoints"] == 'csp="/widget/v1/csp-reports"'
    assert page.headers["cross-origin-resource-policy"] == "same-origin"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "camera=(self)" in page.headers["permissions-policy"]


async def test_s_03_without_origins_it_is_for_the_top_level(front: Front, caller: Caller) -> None:
    page = await front.http.get(f"/w/{await session_id(caller, allowed_origins=[])}")
    assert directives(page.headers["content-security-policy"])["frame-ancestors"] == ["'none'"]
    assert page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/openapi.json",
        "/playground",
        "/playground/main.js",
        "/widget/v1/rampwright.js",
        "/widget/v1/checkout/main.js",
        "/widget/v1/nothing",
        "/w/ss_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "/v1/assets",
        "/healthz/live",
        "/",
    ],
)
async def test_s_03_nothing_else_may_be_framed(front: Front, path: str) -> None:
    answer = await front.http.get(path)
    [policy] = answer.headers.get_list("content-security-policy")
    assert directives(policy)["frame-ancestors"] == ["'none'"]
    assert answer.headers.get_list("x-frame-options") == ["DENY"]


async def test_s_12_the_page_is_never_kept(front: Front, caller: Caller) -> None:
    page = await front.http.get(f"/w/{await session_id(caller)}")
    assert page.headers.get_list("cache-control") == ["no-store"]
    assert "set-cookie" not in page.headers
    assert all(address.startswith("/widget/v1/") for address in Markup(page.text).loaded)


async def test_the_page_is_told_who_may_speak_to_it_and_no_more(front: Front, caller: Caller) -> None:
    session = await session_id(caller, locale="de", customer={"email": "ada@example.com"})
    page = await front.http.get(f"/w/{session}")
    [told] = [script for script in Markup(page.text).scripts if script.strip()]
    assert json.loads(told) == {"session": session, "livemode": False, "locale": "de", "allowed_origins": [SHOP]}
    assert "ada@example.com" not in page.text


@pytest.mark.parametrize(("locale", "start"), [("de", 'lang="de" dir="ltr"'), ("ar", 'lang="ar" dir="rtl"')])
async def test_the_page_begins_in_its_language(front: Front, caller: Caller, locale: str, start: str) -> None:
    page = await front.http.get(f"/w/{await session_id(caller, locale=locale)}")
    assert page.text.startswith("<!doctype html>")
    assert f"<html {start}>" in page.text


async def test_s_06_what_the_partner_chose_is_not_in_the_html(front: Front, caller: Caller) -> None:
    """Name, look and return URL come as JSON, later; two sessions' pages differ in nothing but their ids."""
    async with front.context.db.transaction() as tx:
        await tx.execute("UPDATE partners SET name = $2 WHERE id = $1", caller.partner_id, HOSTILE)
    theme = {"mode": "dark", "accent": "#ff0000", "radius": 0, "font": "mono"}
    loud = await session_id(caller, theme=theme, return_url=f"{SHOP}/thanks?a='b';c=d")
    quiet = await session_id(await front.caller())
    pages = [(await front.http.get(f"/w/{session}")).text.replace(session, "") for session in (loud, quiet)]
    assert pages[0] == pages[1]


def test_s_06_nothing_can_end_the_element_that_carries_what_was_chosen() -> None:
    """No such locale or origin can be stored; should one ever be, it is still only text."""
    template = load_site("checkout", CHECKOUT).page
    plain = Markup(written(template, "ss_1", Frame((SHOP,), "en", True), livemode=False))
    hostile = Markup(written(template, "ss_1", Frame((HOSTILE,), HOSTILE, True), livemode=False))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    assert ("html", {"lang": "en", "dir": "ltr"}) in hostile.elements
    [told] = [script for script in hostile.scripts if script.strip()]
    assert json.loads(told)["locale"] == HOSTILE
    assert json.loads(told)["allowed_origins"] == [HOSTILE]
    assert re.search(r"[<>&\u2028\u2029]", told) is None


async def test_s_07_what_stands_in_the_address_changes_nothing(front: Front, caller: Caller) -> None:
    path = f"/w/{await session_id(caller)}"
    plain = await front.http.get(path)
    forged = await front.http.get(f"{path}?status=success&redirect_status=succeeded&x=<script>alert(1)</script>")
    assert forged.status_code == 200
    assert forged.content == plain.content
    assert forged.headers["content-security-policy"] == plain.headers["content-security-policy"]


@pytest.mark.parametrize(
    "found",
    [
        "ss_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "ss_01arz3ndektsv4rrffq69g5fav",
        "or_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "ss_",
        "1",
        "%00",
        "ss_01ARZ3NDEKTSV4RRFFQ69G5FA%00",
        "..%2f..%2fetc%2fpasswd",
        "<script>alert(1)</script>",
        "%F0%9F%98%80",
        "a" * 10_000,
    ],
)
async def test_s_09_a_guessed_session_is_not_there(front: Front, found: str) -> None:
    answer = await front.http.get(f"/w/{found}")
    assert answer.status_code == 404
    assert "alert" not in answer.text
    assert directives(answer.headers["content-security-policy"])["frame-ancestors"] == ["'none'"]


async def test_s_09_the_page_of_a_guess_says_what_to_do(front: Front) -> None:
    answer = await front.http.get("/w/ss_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert "There is no such checkout" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    for address in Markup(answer.text).loaded:
        assert (await front.http.get(address)).status_code == 200


async def test_s_10_looking_changes_nothing_and_nothing_else_is_possible(front: Front, caller: Caller) -> None:
    path = f"/w/{await session_id(caller)}"
    before = await front.state()
    assert (await front.http.get(path)).status_code == 200
    head = await front.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await front.http.request(method, path, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert "access-control-allow-origin" not in answer.headers
    assert await front.state() == before


async def test_a_revoked_session_s_page_can_still_say_so(front: Front, caller: Caller) -> None:
    session = await session_id(caller)
    assert (await caller.post(f"/v1/sessions/{session}/revoke")).status_code == 200
    page = await front.http.get(f"/w/{session}")
    assert page.status_code == 200
    assert directives(page.headers["content-security-policy"])["frame-ancestors"] == [SHOP]


async def test_the_page_is_compressed_for_who_can_read_that(front: Front, caller: Caller) -> None:
    path = f"/w/{await session_id(caller)}"
    async with front.http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    plain = await front.http.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
