"""Coins are sold in a shop's page: the deposit is seen live, whether it is right, too little or too much."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.checkout import Checkout, Embedding, embed, spaced, visit
from tests.browser.house import Document, House, Session
from tests.support.paying import at_bank
from tests.support.world import CUSTOMER_ADDRESS


@pytest.fixture(autouse=True)
async def audited(house: House) -> AsyncIterator[None]:
    """After every test the books are right."""
    yield
    await house.work()
    await house.world.audit()


async def to_deposit(house: House, page: Page, session: Session) -> tuple[Embedding, Document]:
    """From the beginning of a sale to its deposit address."""
    shop = await embed(house, page, session)
    await shop.checkout.at("amount")
    await shop.checkout.go_on()
    await shop.checkout.confirm()
    await shop.checkout.at("deposit")
    return shop, await house.order(session)


async def paid_out(house: House, session: Session, checkout: Checkout) -> None:
    """The bank pays, and the page says so."""
    await house.work()
    order = await house.order(session)
    data = (await house.world.get(f"/v1/payouts?order_id={order['id']}"))["data"]
    assert isinstance(data, list)
    [payout] = [one for one in data if one["kind"] == "sale"]
    await house.world.far.increase_settle(await at_bank(house.world, payout["id"]))

    async def completed() -> bool:
        return (await house.order(session))["status"] == "completed"

    await house.world.eventually(completed, "the sale is completed")
    await checkout.has_status("completed")


async def events_of(house: House, order: Document) -> list[str]:
    """What the partner's servers are told of an order."""
    async with house.world.db.connection() as connection:
        rows = await connection.fetch("SELECT type FROM events WHERE resource_id = $1 ORDER BY position", order["id"])
    return [row["type"] for row in rows]


def received(order: Document) -> str:
    """What has come in for an order."""
    source = order["source"]
    assert isinstance(source, dict)
    return str(source["received"])


async def test_an_exact_deposit_is_sold(house: House, page: Page) -> None:
    session = await house.sell_session()
    shop, order = await to_deposit(house, page, session)
    given = order["deposit"]
    assert isinstance(given, dict)
    await expect(shop.checkout.part("deposit-address")).to_have_text(spaced(str(given["address"])))
    await expect(shop.checkout.part("deposit-amount")).to_have_text("0.01 BTC")
    await expect(shop.checkout.part("deposit-qr")).to_be_visible()
    await house.deposit(order, "0.01000000")
    await shop.checkout.at("status")
    await expect(shop.checkout.part("confirmations")).to_be_visible()
    await house.mine(3)
    await paid_out(house, session, shop.checkout)
    assert received(await house.order(session)) == "0.01000000"
    heard = await shop.hears_of_the_end()
    assert heard[:4] == ["ready", "step amount", "step review", "order awaiting_funds"]
    assert "step deposit" in heard


async def test_too_little_waits_for_the_rest(house: House, page: Page) -> None:
    session = await house.sell_session()
    shop, order = await to_deposit(house, page, session)
    await house.deposit(order, "0.00400000")
    await house.mine(2)
    await expect(shop.checkout.steps).to_contain_text("0.006 BTC is still missing")  # what is still to come
    part = await house.order(session)
    assert (part["status"], received(part)) == ("awaiting_funds", "0.00400000")
    assert "order.underpaid" in await events_of(house, order)
    await house.deposit(part, "0.00600000")
    await house.mine(3)
    await paid_out(house, session, shop.checkout)
    await shop.hears_of_the_end()


async def test_too_much_is_sold_as_agreed_and_the_rest_goes_back(house: House, page: Page) -> None:
    session = await house.sell_session(refund_address=CUSTOMER_ADDRESS)
    shop, order = await to_deposit(house, page, session)
    await house.deposit(order, "0.01300000")
    await house.mine(3)
    await paid_out(house, session, shop.checkout)
    assert received(await house.order(session)) == "0.01300000"
    assert "order.overpaid" in await events_of(house, order)
    async with house.world.db.connection() as connection:
        back = await connection.fetchrow(
            "SELECT units, address FROM payouts WHERE kind = 'refund' AND order_id = $1", order["id"]
        )
    assert back is not None
    assert (back["units"], back["address"]) == (300_000, CUSTOMER_ADDRESS)


async def test_a_bank_account_is_typed_where_the_partner_has_bound_none(house: House, page: Page) -> None:
    session = await house.sell_session(external_account_id=None, destination={"asset": "EUR"})
    checkout = await visit(page, session)
    await checkout.at("amount")
    await checkout.go_on()
    await checkout.give_bank("DE89370400440532013001")
    await checkout.at("bank")
    await expect(checkout.part("iban-input")).to_have_attribute("aria-invalid", "true")
    await checkout.give_bank()
    await checkout.confirm()
    await checkout.at("deposit")
    assert (await house.order(session))["status"] == "awaiting_funds"
