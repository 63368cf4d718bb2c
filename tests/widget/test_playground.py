"""The playground: there in test mode, and not in live mode."""

from __future__ import annotations

import pytest

from app.dev.home import Instance
from tests.api.front import Front
from tests.widget.pages import BODY, SHOP, Markup, directives, session_id


async def test_the_playground_is_a_page_under_a_strict_policy(front: Front) -> None:
    page = await front.http.get("/playground")
    assert page.status_code == 200
    policy = directives(page.headers["content-security-policy"])
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["frame-src"] == ["'self'"]
    assert page.headers.get_list("cache-control") == ["no-store"]
    assert "/widget/v1/rampwright.js" in Markup(page.text).loaded


async def test_the_playground_needs_no_key_to_be_seen_and_holds_none(front: Front) -> None:
    page = await front.http.get("/playground?key=rmp_sk_test_x")
    assert page.status_code == 200
    assert "rmp_sk_test_x" not in page.text


@pytest.mark.parametrize("path", ["/playground", "/playground/main.js", "/playground/main.css"])
async def test_live_mode_has_no_playground(live_front: Front, path: str) -> None:
    assert (await live_front.http.get(path)).status_code == 404


async def test_live_mode_has_the_checkout(live_front: Front) -> None:
    caller = await live_front.caller(mode="live")
    session = await session_id(caller)
    page = await live_front.http.get(f"/w/{session}")
    assert page.status_code == 200
    assert '"livemode":true' in page.text
    assert directives(page.headers["content-security-policy"])["frame-ancestors"] == [SHOP]
    refused = await caller.post("/v1/sessions", BODY | {"allowed_origins": ["http://127.0.0.1:9000"]})
    assert refused.status_code == 422


async def test_the_link_that_make_run_prints_brings_the_key_and_tells_no_server(front: Front) -> None:
    """A fragment is not part of any request; the page reads it, and takes it away."""
    empty = dict.fromkeys(Instance.model_fields, "")
    told = empty | {"api_url": "http://127.0.0.1:8000", "api_key": "rmp_sk_test_x", "account_keys": {}, "pids": {}}
    link = Instance.model_validate(told).playground_url
    path, mark, fragment = link.removeprefix("http://127.0.0.1:8000").partition("#")
    assert (path, mark, fragment) == ("/playground", "#", "key=rmp_sk_test_x")
    assert (await front.http.get(path)).status_code == 200
