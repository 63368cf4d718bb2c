"""S-01, S-06, S-10: partners and pages that mean harm: origins, markup in every text, and requests from elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.checkout import Checkout, embed, visit
from tests.browser.house import Document, House
from tests.browser.watch import Watch

MARKUP: Final = """"'><img src=x onerror="top.hacked=1"><script>top.hacked=1</script>&lt;b&gt;{{7*7}}"""
HACKED: Final = "[window.hacked ?? null, document.querySelectorAll('img[src=x]').length]"


@pytest.fixture
async def partner_called_markup(house: House) -> AsyncIterator[None]:
    """The partner's name is an attack."""
    async with house.world.db.transaction() as tx:
        before = await tx.fetchval("SELECT name FROM partners WHERE id = $1", house.world.partner.id)
        await tx.execute("UPDATE partners SET name = $2 WHERE id = $1", house.world.partner.id, MARKUP)
    yield
    async with house.world.db.transaction() as tx:
        await tx.execute("UPDATE partners SET name = $2 WHERE id = $1", house.world.partner.id, before)


async def refused(house: House, **changes: object) -> list[str]:
    """What POST /v1/sessions says is wrong, by pointer."""
    body: Document = {
        "direction": "buy",
        "source": {"asset": "EUR", "amount": "100.00"},
        "destination": {"asset": "BTC", "network": "bitcoin"},
        "allowed_origins": [house.shop.url],
        **changes,
    }
    answer = await house.world.post("/v1/sessions", body)
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json().get("errors", [])]


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "http://shop.example", "https://shop.example/", "https://shop.example/path", "https://*.shop.example",
     "https://shop.example https://evil.example", "https://shop.example; script-src *", "https://user@shop.example",
     "https://shop.example?x", "https://shop.example#x", "HTTPS://SHOP.EXAMPLE/..", "javascript:alert(1)", "",
     "https://good.example\nevil: 1"],
)  # fmt: skip
async def test_s_01_only_exact_origins_may_embed(house: House, origin: str) -> None:
    [pointer] = await refused(house, allowed_origins=[origin])
    assert pointer.startswith("/allowed_origins")


@pytest.mark.parametrize(
    "changes",
    [
        {"theme": {"accent": "red;background:url(//evil.example)"}},
        {"theme": {"accent": "#fff;}*{display:none"}},
        {"theme": {"radius": "8px;x:expression(1)"}},
        {"theme": {"radius": 25}},
        {"theme": {"font": "url(https://evil.example/a.woff)"}},
        {"theme": {"mode": "<script>"}},
        {"theme": {"css": "body{}"}},
        {"theme": {"logo": "https://evil.example/logo.svg"}},
        {"locale": "<script>alert(1)</script>"},
        {"locale": "../../etc/passwd"},
        {"locale": 'de" onload="alert(1)'},
        {"return_url": "javascript:alert(1)"},
        {"return_url": "data:text/html,<script>alert(1)</script>"},
        {"return_url": "//evil.example/"},
        {"return_url": "https://evil.example/"},
        {"return_url": "https://shop.example@evil.example/"},
    ],
)
async def test_s_06_theme_locale_and_return_url_are_of_a_short_list(house: House, changes: Document) -> None:
    [field] = changes
    assert all(pointer.startswith(f"/{field}") for pointer in await refused(house, **changes))


@pytest.mark.usefixtures("partner_called_markup")
async def test_s_06_markup_in_every_text_is_shown_as_text(house: House, page: Page) -> None:
    session = await house.session(
        customer={"reference": MARKUP[:60], "email": "a@b.example"},
        metadata={"note": MARKUP[:100]},
        external_id=MARKUP[:60],
        return_url=f"{house.shop.url}/back?a=%22%3E%3Cscript%3Etop.hacked=1%3C/script%3E",
    )
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    await expect(page.frame_locator("iframe").locator("body")).to_contain_text("onerror")  # the partner's name
    await shop.checkout.pay()
    await house.becomes(session, "processing")
    await house.mine(3)
    await shop.checkout.has_status("completed")
    href = await shop.checkout.part("return").get_attribute("href")
    assert href is not None
    assert href.startswith(f"{house.shop.url}/back")
    for frame in page.frames:
        assert await frame.evaluate(HACKED) == [None, 0]


async def test_s_06_markup_in_an_account_and_in_the_address_bar_is_shown_as_text(house: House, page: Page) -> None:
    account = await house.world.account(
        type="bank",
        scheme="ach",
        routing_number="021000021",
        account_number="9876543210",
        holder_name="<img src=x onerror=top.hacked=1>",
    )
    session = await house.sell_session(external_account_id=account)
    await page.goto(f"{session.bare_url}?x={'%3Cscript%3Etop.hacked=1%3C/script%3E'}#{session.client_secret}")
    checkout = Checkout(page)
    await checkout.at("amount")
    await checkout.go_on()
    await checkout.at("review")
    assert await page.evaluate(HACKED) == [None, 0]


async def test_s_06_what_the_customer_types_is_shown_as_text(house: House, page: Page) -> None:
    checkout = await visit(page, await house.session())
    await checkout.at("amount")
    await checkout.go_on()
    await checkout.give_address(MARKUP)
    await checkout.at("address")
    await checkout.refused("address_invalid")
    assert await page.evaluate(HACKED) == [None, 0]


@pytest.mark.parametrize("where", ["foreign", "the shop itself"])
async def test_s_10_no_other_page_can_speak_to_the_session(house: House, page: Page, watch: Watch, where: str) -> None:
    """With the right secret, in a request that needs no preflight, and in one that does."""
    origin = house.shop.twin if where == "foreign" else house.shop.url
    watch.allow(origin)
    session = await house.session()
    body = f'{{"client_secret": "{session.client_secret}", "credential": "rmp_ws_test_{"A" * 43}"}}'
    house.shop.scripted("", path="/forge")
    await page.goto(f"{origin}/forge")
    for content_type in ("text/plain", "application/json"):
        heard = await page.evaluate(
            """([url, body, type]) => fetch(url, {method: "POST", body, headers: {"Content-Type": type}})
                 .then((answer) => answer.text(), (error) => error.name)""",
            [f"{house.origin}/v1/session/exchange", body, content_type],
        )
        assert heard == "TypeError"  # the browser tells the page nothing
    assert any("CORS" in complaint for complaint in watch.provoked())
    assert (await house.world.get(f"/v1/sessions/{session.id}"))["status"] == "created"


async def test_s_10_a_form_elsewhere_changes_nothing(house: House, page: Page, watch: Watch) -> None:
    watch.allow(house.shop.twin)
    session = await house.session()
    house.shop.scripted("", path="/form", body="")
    await page.goto(f"{house.shop.twin}/form")
    name = f'{{"client_secret": "{session.client_secret}", "credential": "rmp_ws_test_{"A" * 43}", "x": "'
    async with page.expect_navigation():
        await page.evaluate(
            """([action, name]) => {
              const form = Object.assign(document.createElement("form"), {action, method: "post"});
              form.enctype = "text/plain";
              form.append(Object.assign(document.createElement("input"), {name, value: '"}'}));
              document.body.append(form);
              form.submit();
            }""",
            [f"{house.origin}/v1/session/exchange", name],
        )
    assert '"session_origin_mismatch"' in await page.content()
    assert (await house.world.get(f"/v1/sessions/{session.id}"))["status"] == "created"


async def test_s_10_a_get_has_no_effects(house: House, page: Page) -> None:
    session = await house.session()
    for path in ("exchange", "orders", "quotes", "cancel", "pay"):
        answer = await page.goto(f"{house.origin}/v1/session/{path}?client_secret={session.client_secret}")
        assert answer is not None
        assert answer.status in (401, 405)
    answer = await page.goto(session.bare_url)
    assert answer is not None
    assert (await house.world.get(f"/v1/sessions/{session.id}"))["status"] == "created"
