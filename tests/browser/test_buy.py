"""Coins are bought in a shop's page: each ends as it should in the order, in the books, and in what the shop hears."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.checkout import DECLINED, GOOD, SECURE, Checkout, Embedding, embed, spaced, visit
from tests.browser.house import Document, House, Session
from tests.support.world import CUSTOMER_ADDRESS

TO_PAYMENT = ("ready", "step amount", "step address", "step review", "order awaiting_funds", "step payment")


@pytest.fixture(autouse=True)
async def audited(house: House) -> AsyncIterator[None]:
    """After every test the books are right."""
    yield
    await house.work()
    await house.world.audit()


async def delivered(house: House, session: Session) -> Document:
    """The coins of the session's order are in the customer's wallet."""
    await house.becomes(session, "processing")
    await house.mine(3)
    order = await house.order(session)
    assert order["status"] == "completed"
    destination = order["destination"]
    assert isinstance(destination, dict)
    assert (destination["address"], destination["delivered"]) == (CUSTOMER_ADDRESS, destination["amount"])
    return order


async def asked_by_bank(house: House, session: Session, checkout: Checkout) -> None:
    """The card is one whose bank wants to be sure, and the page asks."""
    await checkout.pay(SECURE)
    await house.becomes(session, "awaiting_action")
    await checkout.at("authentication")


async def bought(house: House, session: Session, checkout: Checkout) -> Document:
    """The coins arrive, and the page says so."""
    order = await delivered(house, session)
    await checkout.has_status("completed")
    await expect(checkout.part("step-status")).to_contain_text(str(order["id"]))  # the receipt
    return order


async def states(house: House, order: Document) -> list[str]:
    """What the order went through."""
    data = (await house.world.get(f"/v1/orders/{order['id']}/timeline"))["data"]
    assert isinstance(data, list)
    return [step["target"] for step in data]


async def charged(house: House, order: Document) -> str:
    """What the customer's card has paid for an order, as the books say."""
    data = (await house.world.get(f"/v1/orders/{order['id']}/ledger"))["data"]
    assert isinstance(data, list)
    return ", ".join(line["amount"] for line in data if line["account"] == "psp:stripe" and line["amount"] == "100.00")


async def test_a_good_card_buys_coins(house: House, page: Page) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    await shop.checkout.pay(GOOD)
    order = await bought(house, session, shop.checkout)
    assert await states(house, order) == ["awaiting_payment", "authorised", "paid", "sending", "sent", "completed"]
    assert await charged(house, order) == "100.00"
    heard = await shop.hears_of_the_end()
    assert heard[:6] == list(TO_PAYMENT)


async def test_a_declined_card_moves_nothing_and_another_one_pays(house: House, page: Page) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    await shop.checkout.pay(DECLINED)
    await shop.checkout.refused("generic_decline")
    await house.work()
    await shop.checkout.at("payment")
    declined = await house.order(session)
    assert (declined["status"], await charged(house, declined)) == ("awaiting_funds", "")
    await shop.checkout.pay(GOOD)
    order = await bought(house, session, shop.checkout)
    assert order["id"] == declined["id"]
    assert await charged(house, order) == "100.00"


async def test_authentication_that_succeeds_pays(house: House, page: Page) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    await asked_by_bank(house, session, shop.checkout)
    await shop.checkout.part("authenticate-succeed").click()
    order = await bought(house, session, shop.checkout)
    assert await charged(house, order) == "100.00"
    heard = await shop.hears_of_the_end()
    assert "step authentication" in heard


async def test_authentication_that_fails_moves_nothing_and_can_be_repeated(house: House, page: Page) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    await asked_by_bank(house, session, shop.checkout)
    await shop.checkout.part("authenticate-fail").click()
    await house.becomes(session, "awaiting_funds")
    await shop.checkout.at("payment")
    await shop.checkout.refused("payment_intent_authentication_failure")
    failed = await house.order(session)
    assert (failed["status"], await charged(house, failed)) == ("awaiting_funds", "")
    await asked_by_bank(house, session, shop.checkout)
    await shop.checkout.part("authenticate-succeed").click()
    order = await bought(house, session, shop.checkout)
    assert await charged(house, order) == "100.00"


async def test_what_the_partner_has_bound_is_not_asked_for(house: House, page: Page) -> None:
    session = await house.bound_session()
    shop = await embed(house, page, session)
    await shop.checkout.at("amount")
    await expect(shop.checkout.scene.locator("input[data-testid^=amount-]")).to_have_count(0)
    await shop.checkout.go_on()
    await shop.checkout.at("address")
    await expect(shop.checkout.part("address-input")).to_have_count(0)
    await shop.checkout.go_on()
    await shop.checkout.at("review")
    await expect(shop.checkout.shown("address-groups")).to_have_text(spaced(CUSTOMER_ADDRESS))
    await shop.checkout.confirm()
    await shop.checkout.pay()
    await bought(house, session, shop.checkout)


async def test_the_review_shows_what_will_be_paid_and_where_it_goes(house: House, page: Page) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_review()
    review = checkout.part("step-review")
    await expect(review).to_contain_text("100.00")
    await expect(checkout.shown("address-groups")).to_have_text(spaced(CUSTOMER_ADDRESS))
    await checkout.confirm()
    await checkout.at("payment")
    order = await house.order(session)
    destination = order["destination"]
    assert isinstance(destination, dict)
    assert destination["address"] == CUSTOMER_ADDRESS


async def test_a_window_of_its_own_does_what_the_frame_does(house: House, page: Page) -> None:
    session = await house.session()
    script = f"""
      const heard = window.heard = [];
      document.querySelector("button").onclick = () =>
        Rampwright.open({{clientSecret: "{session.client_secret}", mode: "popup", onEvent: (e) => heard.push(e)}});
    """
    house.shop.put("/popup.js", script, media_type="text/javascript")
    await page.goto(
        house.shop.put(
            "/popup",
            f"""<!doctype html><html lang="en"><title>A shop</title><button>Buy</button>
            <script src="{house.origin}/widget/v1/rampwright.js"></script><script src="/popup.js"></script></html>""",
            policy=house.shop.policy,
        )
    )
    async with page.expect_popup() as opening:
        await page.get_by_role("button").click()
    popup = await opening.value
    checkout = Checkout(popup)
    await checkout.to_payment()
    await checkout.pay()
    await bought(house, session, checkout)
    await Embedding(page).hears_of_the_end()
    await popup.close()
    await page.wait_for_function("() => heard.at(-1).type === 'closed'")


async def test_an_order_can_be_given_up(house: House, page: Page) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    await shop.checkout.give_up()
    await shop.checkout.has_status("canceled")
    assert (await house.order(session))["status"] == "canceled"
    assert (await shop.heard())[-2:] == ["order canceled", "step status"]
