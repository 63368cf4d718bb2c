"""What a customer does with the checkout page, wherever it is shown."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Final

from playwright.async_api import FrameLocator, Locator, Page, TimeoutError, expect

from tests.browser.house import IBAN, House, Session
from tests.support.world import CUSTOMER_ADDRESS

_MOVED: Final = 0.7  # seconds; after half a second a frame has not moved any more
_PRESSES: Final = 3
_PATIENCE_MS: Final = 3_000
FRAME: Final = "rampwright-widget iframe"
GOOD, DECLINED, SECURE = "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_threeDSecure2Required"


class Checkout:
    """The page's steps; everything waits until the page is there."""

    def __init__(self, scene: Page | FrameLocator) -> None:
        """`scene` shows the page: a tab, or a frame in one."""
        self.scene = scene

    def part(self, name: str) -> Locator:
        """What the page calls so."""
        return self.scene.get_by_test_id(name)

    def shown(self, name: str) -> Locator:
        """The same, of those that more than one step has: that of the step which is shown."""
        return self.scene.locator(f"[data-testid={name}]:visible")

    @property
    def steps(self) -> Locator:
        """The step that is shown."""
        return self.scene.locator("section[data-testid^=step-]:visible")

    async def at(self, step: str) -> None:
        """This step is shown, and no other."""
        await expect(self.part(f"step-{step}")).to_be_visible()
        await expect(self.steps).to_have_count(1)

    async def go_on(self) -> None:
        """To the next step."""
        await self.shown("continue").click()

    async def refused(self, code: str) -> None:
        """The page says what is wrong, in words."""
        problem = self.scene.locator(f"[data-testid=error][data-code={code}]:visible").first
        await expect(problem).to_be_visible()
        await expect(problem).not_to_contain_text(code)

    async def over(self, *codes: str) -> None:
        """There is no way on, and the page says why."""
        await self.at("status")
        problem = self.scene.locator("[data-testid=error][data-code]:visible")
        await expect(problem).to_have_count(1)
        assert await problem.get_attribute("data-code") in codes

    async def give_address(self, address: str = CUSTOMER_ADDRESS) -> None:
        """Fill the second step, and leave it."""
        await self.at("address")
        await self.part("address-input").fill(address)
        await self.go_on()

    async def give_bank(self, iban: str = IBAN) -> None:
        """Fill the step that a sale has in its place, and leave it."""
        await self.at("bank")
        await self.part("holder-input").fill("Ada Lovelace")
        await self.part("iban-input").fill(iban)
        await self.go_on()

    async def confirm(self) -> None:
        """Say yes to everything that the review shows."""
        await self.at("review")
        for _ in range(_PRESSES):
            await self.press_confirm()
            if isinstance(self.scene, Page):
                return
            with suppress(TimeoutError):  # a person would press once more; it is one order all the same
                await self.part("step-review").wait_for(state="hidden", timeout=_PATIENCE_MS)
                return

    async def press_confirm(self) -> None:
        """Press the button that counts, as a person would: a while after it has come into sight.

        Chromium drops what is pressed in a frame that has just moved and that watches what covers it.
        """
        button = self.part("review-confirm")
        await button.scroll_into_view_if_needed()
        if not isinstance(self.scene, Page):
            await asyncio.sleep(_MOVED)
        await button.click()

    async def to_review(self) -> None:
        """From the beginning of a purchase to its review."""
        await self.at("amount")
        await self.go_on()
        await self.give_address()
        await self.at("review")

    async def to_payment(self) -> None:
        """From the beginning of a purchase to its payment."""
        await self.to_review()
        await self.confirm()
        await self.at("payment")

    async def give_up(self) -> None:
        """Cancel the order; one press alone does not."""
        await self.shown("cancel").click()
        await self.shown("cancel").click()

    async def pay(self, method: str = GOOD) -> None:
        """Pay with one of the far side's cards."""
        await self.at("payment")
        await self.part(f"pay-option-{method}").check()
        await self.part("pay").click()

    async def has_status(self, status: str) -> None:
        """The last step shows an order of this status."""
        await self.at("status")
        await expect(self.part("step-status")).to_have_attribute("data-status", status)


class Embedding:
    """A shop's page that shows the checkout in a frame."""

    def __init__(self, page: Page) -> None:
        """The shop's page is open in `page`."""
        self.page = page
        self.checkout = Checkout(page.frame_locator(FRAME))

    async def heard(self) -> list[str]:
        """What the page has been told, each in two words, without repetitions."""
        events = await self.page.evaluate("heard")
        words = [" ".join([event["type"], *_object_of(event)]) for event in events]
        return [word for n, word in enumerate(words) if n == 0 or words[n - 1] != word]

    async def hears_of_the_end(self) -> list[str]:
        """What it has been told by the time it knows that the order is completed; that is told once."""
        await self.page.wait_for_function("() => heard.some((event) => event.type === 'completed')")
        heard = await self.heard()
        assert heard.count("completed completed") == 1, heard
        return heard

    async def hears(self, *wanted: str) -> None:
        """In the end it has been told exactly this."""
        await self.page.wait_for_function(
            "(last) => heard.some((event) => event.type === last)", arg=wanted[-1].split()[0]
        )
        assert await self.heard() == list(wanted)


def _object_of(event: dict[str, object]) -> list[str]:
    order = event.get("order")
    if isinstance(order, dict):
        return [str(order["status"])]
    return [str(event["step"])] if event["type"] == "step" else []


async def embed(house: House, page: Page, session: Session) -> Embedding:
    """Open the shop's page that shows a session."""
    await page.goto(house.shop.embed(session.client_secret))
    return Embedding(page)


async def visit(page: Page, session: Session) -> Checkout:
    """Open a session at top level."""
    await page.goto(session.url)
    return Checkout(page)


def spaced(text: str) -> re.Pattern[str]:
    """A text in whatever groups it is shown."""
    return re.compile(r"\s*".join(map(re.escape, text)))
