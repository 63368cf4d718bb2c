"""S-11: reloads, tabs, networks that go away, impatient fingers, wrong clocks: there is one order, and it goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.checkout import SECURE, Checkout, embed, spaced, visit
from tests.browser.house import House, Session
from tests.support.world import CUSTOMER_ADDRESS


async def again(page: Page, checkout: Checkout, step: str) -> None:
    """Reload, and find the same step."""
    await page.reload()
    await checkout.at(step)


async def finished(house: House, session: Session, checkout: Checkout) -> None:
    """One order, and it ends well."""
    await house.becomes(session, "processing")
    await checkout.at("status")
    await house.mine(3)
    await checkout.has_status("completed")
    assert (await house.order(session))["status"] == "completed"


async def test_s_11_a_reload_at_every_step_loses_nothing(house: House, page: Page) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    checkout = shop.checkout
    await checkout.at("amount")
    await again(page, checkout, "amount")
    await checkout.go_on()
    await checkout.at("address")
    await again(page, checkout, "address")
    await checkout.give_address()
    await checkout.at("review")
    await again(page, checkout, "review")
    await expect(checkout.shown("address-groups")).to_have_text(spaced(CUSTOMER_ADDRESS))
    await checkout.confirm()
    await checkout.at("payment")
    await again(page, checkout, "payment")
    await checkout.pay(SECURE)
    await house.becomes(session, "awaiting_action")
    await checkout.at("authentication")
    await again(page, checkout, "authentication")
    await checkout.part("authenticate-succeed").click()
    await house.becomes(session, "processing")
    await checkout.at("status")
    await again(page, checkout, "status")
    await finished(house, session, checkout)
    await again(page, checkout, "status")
    await checkout.has_status("completed")


async def test_s_11_a_reload_of_a_sale_finds_the_same_deposit_address(house: House, page: Page) -> None:
    session = await house.sell_session()
    checkout = await visit(page, session)
    await checkout.at("amount")
    await checkout.go_on()
    await checkout.confirm()
    await checkout.at("deposit")
    address = await checkout.part("deposit-address").text_content()
    await again(page, checkout, "deposit")
    assert await checkout.part("deposit-address").text_content() == address
    assert len(await house.orders(session)) == 1


async def test_s_11_two_tabs_are_one_order(house: House, page: Page, context: BrowserContext) -> None:
    """Both have a price of their own, and both orders are on their way before either is answered."""
    session = await house.session()
    first = await visit(page, session)
    await first.to_review()
    other_page = await context.new_page()
    await other_page.goto(session.bare_url)
    second = Checkout(other_page)
    await second.to_review()
    sent: list[Route] = []
    both = asyncio.Event()

    async def keep(route: Route) -> None:
        if both.is_set():
            await route.continue_()
            return
        sent.append(route)
        if len(sent) == 2:
            both.set()

    await context.route("**/v1/session/orders", keep)
    for tab in (page, other_page):
        await tab.bring_to_front()
        async with tab.expect_request("**/v1/session/orders"):
            await Checkout(tab).confirm()
    async with asyncio.timeout(30):
        await both.wait()
    await asyncio.gather(*(route.continue_() for route in sent))
    for one in (first, second):
        await one.at("payment")
    order = await house.order(session)
    await second.pay()
    await finished(house, session, first)
    await second.has_status("completed")
    assert (await house.order(session))["id"] == order["id"]


async def test_s_11_the_network_goes_away_and_comes_back(house: House, page: Page, context: BrowserContext) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_review()
    await context.set_offline(True)
    await expect(checkout.shown("offline")).to_be_visible()
    await context.set_offline(False)
    await expect(checkout.shown("offline")).to_have_count(0)
    await checkout.confirm()
    await checkout.pay()
    await house.becomes(session, "processing")
    await checkout.at("status")
    await context.set_offline(True)
    await house.mine(3)
    await expect(checkout.shown("offline")).to_be_visible()
    await context.set_offline(False)
    await checkout.has_status("completed")


async def test_s_11_an_answer_that_was_lost_is_asked_for_again(house: House, page: Page) -> None:
    """The order is placed, the browser never hears of it, and the customer presses once more."""
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_review()
    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        lost += 1
        if lost == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/v1/session/orders", lose)
    await checkout.confirm()
    await checkout.part("step-payment").or_(checkout.shown("error").first).wait_for()
    if not await checkout.part("step-payment").is_visible():
        await checkout.part("review-confirm").click()
    await checkout.at("payment")
    assert len(await house.orders(session)) == 1


async def test_s_11_back_and_forward_stay_within_what_is_open(house: House, page: Page) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_review()
    await page.go_back()
    await checkout.at("address")
    await page.go_back()
    await checkout.at("amount")
    await page.go_forward()
    await checkout.at("address")
    await checkout.shown("back").click()
    await checkout.at("amount")
    await checkout.to_payment()
    await page.go_back()
    await checkout.at("payment")  # an order exists: there is no way back to before it
    assert len(await house.orders(session)) == 1


async def test_s_11_two_clicks_are_one_payment(house: House, page: Page) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_review()
    await checkout.part("review-confirm").dblclick()
    await checkout.at("payment")
    await checkout.part("pay-option-pm_card_visa").check()
    await checkout.part("pay").dblclick()
    await finished(house, session, checkout)
    async with house.world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders WHERE session_id = $1", session.id) == 1


async def test_s_11_a_clock_that_is_a_day_off_changes_nothing(house: House, page: Page) -> None:
    session = await house.session()
    await page.clock.set_system_time(datetime.now(UTC) + timedelta(days=1))
    checkout = await visit(page, session)
    await checkout.to_payment()
    await checkout.pay()
    await finished(house, session, checkout)


async def test_s_11_a_proxy_that_cuts_every_stream_is_not_asked_without_end(house: House, page: Page) -> None:
    session = await house.session()
    asked = 0

    async def cut(route: Route) -> None:
        nonlocal asked
        asked += 1
        await route.fulfill(status=200, content_type="text/event-stream", body=": nothing\n\n")

    await page.route("**/v1/session/stream", cut)
    checkout = await visit(page, session)
    await checkout.at("amount")
    await asyncio.sleep(2)
    assert 1 <= asked <= 4
