"""What does not hold for ever: a quote, an order's window, a session."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from playwright.async_api import Page, Route, expect

from tests.browser.checkout import embed, visit
from tests.browser.house import House


async def quote_ids(house: House) -> list[str]:
    """The quotes of the instance, newest first."""
    async with house.world.db.connection() as connection:
        return [row["id"] for row in await connection.fetch("SELECT id FROM quotes ORDER BY id DESC")]


async def test_a_quote_counts_down_and_is_renewed(house: House, page: Page) -> None:
    session = await house.session()
    asked = 0

    async def shorten(route: Route) -> None:
        """The first price holds for three seconds only."""
        nonlocal asked
        asked += 1
        answer = await route.fetch()
        quote = await answer.json()
        if asked == 1:
            ends = datetime.fromisoformat(quote["created_at"]) + timedelta(seconds=3)
            quote["expires_at"] = ends.isoformat().replace("+00:00", "Z")
        await route.fulfill(response=answer, json=quote)

    await page.route("**/v1/session/quotes", shorten)
    checkout = await visit(page, session)
    countdown = checkout.part("quote-countdown")
    await expect(countdown).to_contain_text(re.compile("0:0[0-3]"))
    await expect(countdown).to_contain_text("0:5")  # some fifty seconds, for a new price
    assert asked == 2
    await checkout.go_on()
    await checkout.at("address")


async def test_a_price_that_is_missing_for_a_while_comes_by_itself(house: House, page: Page) -> None:
    problem = {"code": "route_unavailable", "retryable": True, "retry_after": 1}
    asked = 0

    async def refuse(route: Route) -> None:
        """There is no price, and none when the page asks once more at once."""
        nonlocal asked
        asked += 1
        if asked <= 2:
            await route.fulfill(status=503, json=problem)
        else:
            await route.continue_()

    await page.route("**/v1/session/quotes", refuse)
    checkout = await visit(page, await house.session())  # the amount is bound: nothing but a price can help
    await checkout.at("amount")
    await checkout.refused("route_unavailable")
    await checkout.go_on()
    await checkout.at("address")
    assert asked == 3


async def test_a_quote_that_has_passed_is_asked_for_again_before_anything_is_bound(house: House, page: Page) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_review()
    [newest, *_] = await quote_ids(house)
    await house.pass_quote(newest)
    await checkout.part("review-confirm").click()
    await checkout.refused("quote_expired")
    assert await house.orders(session) == []
    await checkout.shown("requote").click()
    await checkout.at("review")
    await checkout.confirm()
    await checkout.pay()
    order = await house.becomes(session, "processing")
    await checkout.at("status")
    assert order["quote_id"] != newest


async def test_an_order_whose_window_has_closed_says_that_nothing_was_paid(house: House, page: Page) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    async with house.world.db.transaction() as tx:
        await tx.execute("UPDATE orders SET expires_at = now() - interval '1 second' WHERE session_id = $1", session.id)
    await house.world.sweep()
    await house.work()
    await shop.checkout.has_status("expired")
    assert (await house.order(session))["status"] == "expired"


async def test_s_02_a_session_that_has_passed_cannot_be_entered(house: House, page: Page) -> None:
    session = await house.session()
    await house.pass_session(session)
    checkout = await visit(page, session)
    await checkout.over("session_expired")
