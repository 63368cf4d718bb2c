"""The playground: the first thing that a visitor opens, from a key to coins in a wallet."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.access import grave_findings
from tests.browser.checkout import FRAME, Checkout, Embedding
from tests.browser.house import House


async def enter(house: House, page: Page) -> None:
    """Open it as `make run` says, with the key in the fragment."""
    await page.goto(f"{house.origin}/playground#key={house.world.partner.key}")
    await expect(page.locator("#options")).to_be_visible()


async def create(page: Page) -> Checkout:
    """Ask for a session, and see it."""
    await page.locator("#create").click()
    checkout = Checkout(page.frame_locator(FRAME))
    await checkout.at("amount")
    return checkout


async def test_a_visitor_buys_coins_and_sees_every_side_of_it(house: House, page: Page) -> None:
    await enter(house, page)
    assert house.world.partner.key not in page.url
    checkout = await create(page)
    await checkout.to_payment()
    await page.locator("#scenarios").get_by_role("button", name="Good card").click()
    await expect(page.locator("#order-line")).to_contain_text("awaiting_funds")
    await house.work()
    await checkout.at("status")
    await page.locator("#scenarios").get_by_role("button", name="Mine 6 blocks").click()
    await expect(page.locator("#session-status")).to_have_text("ordered")
    await house.work()
    await checkout.has_status("completed")
    await expect(page.locator("#session-status")).to_have_text("completed")
    await page.get_by_role("tab", name="Events").click()
    await expect(page.locator("#event-list")).to_contain_text("completed")
    await page.get_by_role("tab", name="Webhooks").click()
    for told in ("session.created", "session.opened", "order.created", "order.completed"):
        await expect(page.locator("#webhook-list")).to_contain_text(told)


async def test_the_code_that_it_shows_works_in_an_empty_page(house: House, page: Page) -> None:
    """What a new partner does: one session, one file, one purchase."""
    await enter(house, page)
    await page.get_by_role("tab", name="Code").click()
    code = await page.locator("#client").inner_text()
    assert "rampwright-widget" in code
    session = await house.session()
    body = f"<script>const showThanks = (order) => (document.title = order);</script>{code}"
    await page.goto(house.shop.put("/first", body.replace("…", session.client_secret)))
    shop = Embedding(page)
    await shop.checkout.to_payment()
    await shop.checkout.pay()
    await house.becomes(session, "processing")
    await house.mine(3)
    await expect(page).to_have_title(str((await house.order(session))["id"]))


async def test_without_a_good_key_it_asks_for_one(house: House, page: Page) -> None:
    await page.goto(f"{house.origin}/playground")
    await expect(page.locator("#key")).to_be_visible()
    await page.locator("#key").fill("rmp_sk_test_" + "A" * 49)
    await page.locator("#key-form button").click()
    await expect(page.locator("#key-problem")).not_to_be_empty()
    await page.locator("#key").fill(house.world.partner.key)
    await page.locator("#key-form button").click()
    await expect(page.locator("#options")).to_be_visible()
    await page.reload()
    await expect(page.locator("#options")).to_be_visible()
    assert await page.evaluate("Object.keys(localStorage).length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_grave_in_the_playground(house: House, page: Page, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.goto(f"{house.origin}/playground")
    await expect(page.locator("#key")).to_be_visible()
    assert await grave_findings(page) == []
    await enter(house, page)
    for tab in ("Code", "Events", "Webhooks", "Test data"):
        await page.get_by_role("tab", name=tab).click()
        assert await grave_findings(page) == [], tab
