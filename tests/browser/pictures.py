"""Takes the pictures in docs/widget, every step in every look: `python -m tests.browser.pictures`."""

from __future__ import annotations

import argparse
import asyncio
import base64
import logging
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from playwright.async_api import Page, expect

from tests.browser.checkout import FRAME, SECURE, Checkout, embed, visit
from tests.browser.house import House, open_browser, open_house
from tests.support.far_side import FarSide
from tests.support.postgres import SharedPostgres

FOLDER: Final = Path(__file__).parents[2] / "docs" / "widget"
PALETTE: Final = Path(__file__).with_name("palette.js")
_LEAST_HEIGHT: Final = 480
_PATIENCE_MS: Final = 30_000
_MOMENT_MS: Final = 700  # until what moves stands still
Take = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Look:
    """How a set of pictures differs from the others."""

    name: str
    width: int = 480
    mode: str = "light"
    locale: str = "en"


LOOKS: Final = (Look("light"), Look("dark", mode="dark"), Look("narrow", width=320), Look("rtl", locale="ar"))


async def take_page(page: Page, path: Path, width: int, height: int | None = None) -> None:
    """The whole of a page; `height` is in pixels, and that of its content unless said otherwise."""
    await page.mouse.move(0, 0)
    await page.set_viewport_size({"width": width, "height": height or _LEAST_HEIGHT})
    await page.wait_for_timeout(_MOMENT_MS)
    if height is None:  # not a picture of more than the window: what sticks to its foot would hide the middle
        content = await page.evaluate("document.documentElement.scrollHeight")
        await page.set_viewport_size({"width": width, "height": content})
    await page.evaluate("scrollTo(0, 0)")
    await page.wait_for_timeout(_MOMENT_MS)
    whole = base64.b64encode(await page.screenshot()).decode()
    drawing = await page.context.new_page()
    small = await drawing.evaluate(PALETTE.read_text(), whole)
    await drawing.close()
    path.write_bytes(base64.b64decode(small))


async def buying(house: House, page: Page, look: Look, take: Take) -> None:
    """Every step of a purchase."""
    session = await house.session(source={"asset": "EUR"}, locale=look.locale, theme={"mode": look.mode})
    checkout = await visit(page, session)
    await checkout.at("amount")
    await expect(checkout.part("fees")).to_be_visible()
    await take("amount")
    await checkout.go_on()
    await checkout.give_address()
    await checkout.shown("back").click()
    await checkout.at("address")
    await take("address")
    await checkout.go_on()
    await checkout.at("review")
    await take("review")
    await checkout.confirm()
    await checkout.at("payment")
    await take("payment")
    await checkout.pay(SECURE)
    await house.becomes(session, "awaiting_action")
    await checkout.at("authentication")
    await take("authentication")
    await checkout.part("authenticate-succeed").click()
    await house.becomes(session, "processing")
    await checkout.at("status")
    await house.mine(1)
    await take("status")
    await house.mine(2)
    await checkout.has_status("completed")
    await take("completed")


async def selling(house: House, page: Page, look: Look, take: Take) -> None:
    """Those steps of a sale that a purchase has not."""
    session = await house.sell_session(
        external_account_id=None, destination={"asset": "EUR"}, locale=look.locale, theme={"mode": look.mode}
    )
    checkout = await visit(page, session)
    await checkout.at("amount")
    await checkout.go_on()
    await checkout.at("bank")
    await take("bank")
    await checkout.give_bank()
    await checkout.confirm()
    await checkout.at("deposit")
    await expect(checkout.part("deposit-qr").locator("path")).to_be_attached()
    await take("deposit")


async def take_looks(house: House, folder: Path) -> None:
    """Every step in every look."""
    for look in LOOKS:
        for story in (buying, selling):
            context = await house.browser.new_context(
                viewport={"width": look.width, "height": 720}, reduced_motion="reduce"
            )
            page = await context.new_page()

            async def take(step: str, page: Page = page, look: Look = look) -> None:
                await take_page(page, folder / f"{look.name}-{step}.png", look.width)

            await story(house, page, look, take)
            await context.close()


async def take_shop(house: House, folder: Path) -> None:
    """The checkout within somebody else's page."""
    context = await house.browser.new_context(viewport={"width": 640, "height": 720}, reduced_motion="reduce")
    page = await context.new_page()
    shop = await embed(house, page, await house.session())
    await shop.checkout.at("amount")
    await expect(shop.checkout.part("fees")).to_be_visible()
    await take_page(page, folder / "shop.png", 640)
    await context.close()


async def take_playground(house: House, folder: Path) -> None:
    """What a visitor sees first, after a moment."""
    context = await house.browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(f"{house.origin}/playground#key={house.world.partner.key}")
    await page.locator("#create").click()
    checkout = Checkout(page.frame_locator(FRAME))
    await checkout.to_payment()
    await page.get_by_role("tab", name="Webhooks").click()
    await house.work()
    await expect(page.locator("#webhook-list")).to_contain_text("order.created")
    await take_page(page, folder / "playground.png", 1280, 800)
    await context.close()


async def take_all(database_url: str, far_url: str, folder: Path) -> None:
    """Open a house of our own, and take every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rampwright-pictures-") as home:
        async with (
            open_browser() as browser,
            open_house(Path(home) / "home", database_url, far_url, browser) as house,
        ):
            await take_playground(house, folder)  # first: there are no other sessions' events yet
            await take_shop(house, folder)
            await take_looks(house, folder)


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description="Take the pictures of the checkout page.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    expect.set_options(timeout=_PATIENCE_MS)
    postgres, far = SharedPostgres(), FarSide()
    try:
        asyncio.run(take_all(postgres.start(), far.url, folder))
    finally:
        far.stop()
        postgres.stop()


if __name__ == "__main__":
    main()
