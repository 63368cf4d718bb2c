"""S-03, S-12 and clickjacking: who may show the page, and what covers it."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Frame, Page, expect

from tests.browser.checkout import FRAME, Checkout, embed, visit
from tests.browser.house import House, Session
from tests.browser.watch import Watch

REFUSED = "chrome-error://chromewebdata/"


async def innermost(page: Page) -> Frame:
    """The deepest frame of a page, once all have settled."""
    await page.wait_for_load_state("load")
    return page.frames[-1]


async def opened(house: House, session: Session) -> bool:
    """Whether anybody has entered the session."""
    return (await house.world.get(f"/v1/sessions/{session.id}"))["status"] != "created"


def framing(url: str) -> str:
    """A page's body that shows another page."""
    return f'<iframe src="{url}" title="framed"></iframe>'


@pytest.mark.parametrize("way", ["foreign", "foreign_within_allowed", "allowed_within_foreign", "nobody_allowed"])
async def test_s_03_a_page_in_another_ancestor_is_refused(house: House, page: Page, watch: Watch, way: str) -> None:
    shop = house.shop
    watch.allow(shop.twin)
    session = await house.session(allowed_origins=[] if way == "nobody_allowed" else [shop.url])
    shop.put("/inner", framing(session.url))
    shop.put("/around_the_twin", framing(f"{shop.twin}/inner"))
    shop.put("/around_the_shop", framing(f"{shop.url}/inner"))
    await page.goto(
        {
            "foreign": f"{shop.twin}/inner",
            "foreign_within_allowed": f"{shop.url}/around_the_twin",
            "allowed_within_foreign": f"{shop.twin}/around_the_shop",
            "nobody_allowed": f"{shop.url}/inner",
        }[way]
    )
    assert (await innermost(page)).url == REFUSED
    assert any("frame-ancestors" in complaint for complaint in watch.provoked())
    assert not await opened(house, session)


async def test_s_03_an_allowed_page_within_an_allowed_page_is_shown(house: House, page: Page) -> None:
    session = await house.session()
    house.shop.put("/inner", framing(session.url))
    await page.goto(house.shop.put("/outer", framing(f"{house.shop.url}/inner")))
    frame = page.frame_locator("iframe").frame_locator("iframe")
    await Checkout(frame).at("amount")


async def test_s_03_a_shop_whose_frame_is_refused_is_told_and_says_so(house: House, page: Page, watch: Watch) -> None:
    session = await house.session(allowed_origins=["https://other.example"])
    await page.clock.install()
    await page.goto(house.shop.embed(session.client_secret))
    await page.wait_for_load_state("load")
    await page.clock.run_for(25_000)
    await expect(page.get_by_role("alert")).to_be_visible()
    assert (await page.evaluate("heard.map((event) => event.code)"))[-1] == "not_shown"
    assert any("frame-ancestors" in complaint for complaint in watch.provoked())


async def test_s_12_nothing_of_the_page_is_kept_and_nobody_else_runs_in_it(
    house: House, page: Page, watch: Watch
) -> None:
    session = await house.session()
    answer = await page.goto(session.url)
    assert answer is not None
    assert answer.headers["cache-control"] == "no-store"
    await Checkout(page).at("amount")
    scripts = await page.evaluate("Array.from(document.scripts, (script) => script.src || script.type)")
    assert all(script.startswith(house.origin) or script == "application/json" for script in scripts)
    # Not even a file of ours can be made to stand between the page and the server.
    refused = await page.evaluate(
        """(url) => navigator.serviceWorker.register(url).then(() => "registered", (error) => error.name)""",
        f"{house.origin}/widget/v1/checkout/main.js",
    )
    assert refused == "SecurityError"
    assert await page.evaluate("navigator.serviceWorker.getRegistrations().then((found) => found.length)") == 0
    watch.provoked()


async def test_a_click_that_comes_at_once_confirms_nothing(house: House, page: Page) -> None:
    """Whoever moves the page under a hurried finger: the button wants to be seen for a while first."""
    session = await house.bound_session()
    shop = await embed(house, page, session)
    await shop.checkout.at("amount")
    frame = next(frame for frame in page.frames if "/w/" in frame.url)
    await frame.evaluate(
        """() => {
          let first = 0;
          window.clicked = 0;
          const seen = new MutationObserver(() => {
            const button = document.querySelector("[data-testid=review-confirm]");
            if (!button) return;
            first ||= performance.now();
            if (performance.now() - first < 400) { button.click(); clicked += 1; }
          });
          seen.observe(document.body, {subtree: true, childList: true, attributes: true});
        }"""
    )
    await shop.checkout.go_on()
    await shop.checkout.at("address")
    await shop.checkout.go_on()
    await shop.checkout.at("review")
    assert await frame.evaluate("window.clicked") > 0
    assert await house.orders(session) == []
    await shop.checkout.confirm()
    await shop.checkout.at("payment")


async def test_a_button_that_something_lies_over_confirms_nothing(house: House, page: Page) -> None:
    session = await house.bound_session()
    shop = await embed(house, page, session)
    await shop.checkout.at("amount")
    await shop.checkout.go_on()
    await shop.checkout.at("address")
    await shop.checkout.go_on()
    await page.evaluate(
        """() => {
          const cover = document.createElement("div");
          cover.id = "cover";
          cover.style.cssText = "position:fixed;inset:0;background:#fff;opacity:.9;pointer-events:none;z-index:9";
          document.body.append(cover);
        }"""
    )
    await shop.checkout.at("review")
    await asyncio.sleep(1.0)  # twice as long as it would take
    box = await shop.checkout.part("review-confirm").bounding_box()
    assert box is not None
    await page.locator(FRAME).scroll_into_view_if_needed()
    await shop.checkout.part("review-confirm").evaluate("(button) => button.click()")
    await asyncio.sleep(0.3)
    assert await house.orders(session) == []
    await page.evaluate("document.querySelector('#cover').remove()")
    await shop.checkout.confirm()
    await shop.checkout.at("payment")


async def test_s_03_at_top_level_the_page_is_shown_to_anybody_who_has_the_link(house: House, page: Page) -> None:
    checkout = await visit(page, await house.session(allowed_origins=[]))
    await checkout.at("amount")


async def test_a_large_sum_is_confirmed_in_a_window_of_its_own(house: House, page: Page) -> None:
    """Where no page can lie over the button; the frame then follows."""
    session = await house.session(source={"asset": "EUR", "amount": "1500.00"})
    shop = await embed(house, page, session)
    await shop.checkout.to_review()
    async with page.expect_popup() as opening:
        await shop.checkout.press_confirm()
    window = await opening.value
    await Checkout(window).at("review")
    assert await house.orders(session) == []
    assert session.client_secret not in window.url
    async with window.expect_event("close"):
        await Checkout(window).confirm()
    await shop.checkout.at("payment")
    assert len(await house.orders(session)) == 1
