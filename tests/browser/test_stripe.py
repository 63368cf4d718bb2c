"""Stripe mode: the card is typed into Stripe's own form; the page asks Stripe for nothing else, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
from playwright.async_api import Browser, Page, Route, expect

from app.settings import Settings
from tests.browser.checkout import visit
from tests.browser.house import House, Session, open_house
from tests.browser.watch import Watch, origin_of
from tests.support.far_side import FarSide

STRIPE: Final = "https://js.stripe.com"
# What our page uses of Stripe.js. It is told by the test what its server would have answered.
SCRIPT: Final = """
window.asked = [];
window.answers = [];
window.Stripe = (key, options) => ({
  elements: ({clientSecret}) => ({
    create: (kind) => {
      asked.push(["create", key, options.locale, kind, clientSecret]);
      const waiting = [];
      return {
        on: (event, act) => waiting.push(act),
        mount: (place) => { place.append("Stripe's own fields"); for (const act of waiting) setTimeout(act); },
        destroy: () => {},
      };
    },
  }),
  confirmPayment: async ({redirect}) => { asked.push(["confirm", redirect]); return answers.shift() ?? {}; },
  handleNextAction: async ({clientSecret}) => { asked.push(["next", clientSecret]); return answers.shift() ?? {}; },
});
"""


def without_sandbox(usual: Settings) -> Settings:
    """An instance that does not know that its Stripe is played."""
    return usual.model_copy(update={"process": usual.process.model_copy(update={"sandbox_url": None})})


@pytest.fixture(scope="module")
async def stripe_house(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, far_side: FarSide, browser: Browser
) -> AsyncIterator[House]:
    """An instance in Stripe's own test mode."""
    home = tmp_path_factory.mktemp("stripe") / "home"
    async with open_house(home, database_url, far_side.url, browser, without_sandbox) as house:
        yield house


async def to_stripe(house: House, page: Page, watch: Watch) -> Session:
    """To the payment; Stripe's script comes from the test."""
    watch.allow(house.origin, house.shop.url, STRIPE)

    async def answer(route: Route) -> None:
        await route.fulfill(body=SCRIPT, content_type="text/javascript")

    await page.route(f"{STRIPE}/**", answer)
    session = await house.session(locale="de")
    checkout = await visit(page, session)
    await checkout.to_review()
    assert {origin_of(request.url) for request in watch.requests} == {house.origin}  # not before it is needed
    await checkout.confirm()
    await checkout.at("payment")
    await expect(checkout.part("step-payment")).to_contain_text("Stripe's own fields")
    return session


async def test_the_card_is_typed_into_stripes_form(stripe_house: House, page: Page, watch: Watch) -> None:
    house = stripe_house
    session = await to_stripe(house, page, watch)
    order = await house.order(session)
    payment = order["payment"]
    assert isinstance(payment, dict)
    [created] = await page.evaluate("asked")
    assert created == ["create", payment["publishable_key"], "de", "payment", payment["client_secret"]]
    assert {origin_of(request.url) for request in watch.requests} == {house.origin, STRIPE}
    assert [request.url for request in watch.requests if origin_of(request.url) == STRIPE] == [f"{STRIPE}/v3/"]
    await page.get_by_test_id("pay").click()
    await page.wait_for_function("() => asked.length === 2")
    assert (await page.evaluate("asked"))[1] == ["confirm", "if_required"]
    await house.world.far.pay(payment["reference"], "4242424242424242")
    await house.becomes(session, "processing")
    await house.mine(3)
    await expect(page.get_by_test_id("step-status")).to_have_attribute("data-status", "completed")


async def test_what_stripe_refuses_is_said_and_nothing_has_moved(stripe_house: House, page: Page, watch: Watch) -> None:
    session = await to_stripe(stripe_house, page, watch)
    await page.evaluate("answers.push({error: {type: 'card_error', code: 'card_declined', decline_code: 'lost_card'}})")
    await page.get_by_test_id("pay").click()
    problem = page.locator("[data-testid=error]:visible")
    await expect(problem).to_have_count(1)
    assert (await stripe_house.order(session))["status"] == "awaiting_funds"
    await expect(page.get_by_test_id("pay")).to_be_enabled()


async def test_a_stripe_that_cannot_be_reached_is_said(stripe_house: House, page: Page, watch: Watch) -> None:
    house = stripe_house
    watch.allow(house.origin, STRIPE)

    async def fail(route: Route) -> None:
        await route.abort()

    await page.route(f"{STRIPE}/**", fail)
    checkout = await visit(page, await house.session())
    await checkout.to_payment()
    await checkout.refused("stripe_unavailable")


async def test_there_are_no_test_cards_where_there_is_no_sandbox(stripe_house: House, page: Page, watch: Watch) -> None:
    session = await to_stripe(stripe_house, page, watch)
    await expect(page.locator("[data-testid^=pay-option-]")).to_have_count(0)
    status = await page.evaluate(
        """(session) => fetch("/v1/session/pay", {
          method: "POST", body: '{"payment_method": "pm_card_visa"}',
          headers: {
            "Authorization": `Bearer ${localStorage.getItem("rampwright:" + session)}`,
            "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID(),
          },
        }).then((answer) => answer.status)""",
        session.id,
    )
    assert status == 404
