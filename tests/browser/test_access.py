"""Everybody can use the page: axe-core finds nothing grave on any step, and the keyboard is enough."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.access import grave_findings, press, tab_to
from tests.browser.checkout import DECLINED, SECURE, Checkout, visit
from tests.browser.house import House
from tests.browser.watch import OpenContext
from tests.support.world import CUSTOMER_ADDRESS

LOOKS = {"light": {"mode": "light"}, "dark": {"mode": "dark"}, "ar": {"mode": "light"}}
LOOKED = pytest.mark.parametrize("look", LOOKS)


async def look_at(page: Page, checkout: Checkout, step: str) -> None:
    """This step is shown, and nothing is wrong with it."""
    await checkout.at(step)
    assert await grave_findings(page) == [], step


@LOOKED
async def test_nothing_grave_on_any_step_of_a_purchase(house: House, page: Page, look: str) -> None:
    session = await house.session(locale="ar" if look == "ar" else "en", theme=LOOKS[look])
    checkout = await visit(page, session)
    await checkout.at("amount")
    await expect(checkout.part("fees")).to_be_visible()
    await look_at(page, checkout, "amount")
    await checkout.go_on()
    await look_at(page, checkout, "address")
    await checkout.give_address("bc1qnonsense")
    await checkout.refused("address_invalid")
    await look_at(page, checkout, "address")
    await checkout.give_address()
    await look_at(page, checkout, "review")
    await checkout.confirm()
    await look_at(page, checkout, "payment")
    await checkout.pay(DECLINED)
    await checkout.refused("generic_decline")
    await look_at(page, checkout, "payment")
    await checkout.pay(SECURE)
    await house.becomes(session, "awaiting_action")
    await look_at(page, checkout, "authentication")
    await checkout.part("authenticate-succeed").click()
    await house.becomes(session, "processing")
    await look_at(page, checkout, "status")
    await house.mine(3)
    await checkout.has_status("completed")
    await look_at(page, checkout, "status")


@LOOKED
async def test_nothing_grave_on_any_step_of_a_sale(house: House, page: Page, look: str) -> None:
    session = await house.sell_session(
        external_account_id=None,
        destination={"asset": "EUR"},
        locale="ar" if look == "ar" else "en",
        theme=LOOKS[look],
    )
    checkout = await visit(page, session)
    await checkout.at("amount")
    await checkout.go_on()
    await look_at(page, checkout, "bank")
    await checkout.give_bank()
    await look_at(page, checkout, "review")
    await checkout.confirm()
    await look_at(page, checkout, "deposit")
    await house.deposit(await house.order(session), "0.01000000")
    await look_at(page, checkout, "status")


async def test_nothing_grave_where_there_is_no_way_on(house: House, page: Page) -> None:
    session = await house.session()
    await page.goto(session.bare_url)
    await Checkout(page).over("session_secret_missing")
    assert await grave_findings(page) == []


async def test_the_keyboard_is_enough_to_buy(house: House, page: Page) -> None:
    session = await house.session(source={"asset": "EUR"})
    checkout = await visit(page, session)
    await checkout.at("amount")
    await tab_to(page, "amount-source")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("120.00")
    await press(page, "continue")
    await checkout.at("address")
    await tab_to(page, "address-input")
    await page.keyboard.type(CUSTOMER_ADDRESS)
    await page.keyboard.press("Enter")
    await checkout.at("review")
    await press(page, "review-confirm")
    await checkout.at("payment")
    await tab_to(page, "pay-option-pm_card_visa")
    await page.keyboard.press("Space")
    await press(page, "pay")
    await house.becomes(session, "processing")
    await checkout.at("status")
    await house.mine(3)
    await checkout.has_status("completed")
    order = await house.order(session)
    source = order["source"]
    assert isinstance(source, dict)
    assert (order["status"], source["received"]) == ("completed", "120.00")


async def test_the_keyboard_is_enough_to_sell_and_to_go_back(house: House, page: Page) -> None:
    session = await house.sell_session(external_account_id=None, destination={"asset": "EUR"})
    checkout = await visit(page, session)
    await checkout.at("amount")
    await press(page, "continue")
    await checkout.at("bank")
    await press(page, "back")
    await checkout.at("amount")
    await press(page, "continue")
    await checkout.at("bank")
    await tab_to(page, "holder-input")
    await page.keyboard.type("Ada Lovelace")
    await tab_to(page, "iban-input")
    await page.keyboard.type("DE89370400440532013000")
    await press(page, "continue")
    await checkout.at("review")
    await press(page, "review-confirm")
    await checkout.at("deposit")
    await press(page, "cancel")
    await press(page, "cancel")  # it asks once more
    await checkout.has_status("canceled")


@pytest.mark.parametrize("locale", ["en", "de", "es", "fr", "ar"])
async def test_every_language_fits_into_320_pixels(house: House, open_contexts: OpenContext, locale: str) -> None:
    context = await open_contexts(width=320)
    page = await context.new_page()
    checkout = await visit(page, await house.session(locale=locale))
    for step in ("amount", "address", "review", "payment"):
        await checkout.at(step)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, step
        assert await page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
            locale,
            "rtl" if locale == "ar" else "ltr",
        ]
        if step == "address":
            await checkout.give_address()
        elif step == "review":
            await checkout.confirm()
        elif step == "amount":
            await checkout.go_on()


async def test_whoever_wants_no_motion_sees_none(house: House, page: Page) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_payment()
    await checkout.pay()
    await house.becomes(session, "processing")
    await checkout.at("status")
    moving = "document.getAnimations().filter((one) => one.effect.getTiming().duration > 20).length"
    assert await page.evaluate(moving) == 0
