"""Addresses that only look like older ones, addresses read with a camera, and a browser's word on a broken policy."""

from __future__ import annotations

from asyncio import Queue
from contextlib import suppress
from typing import Final

from playwright.async_api import Error, Page, Route, expect

from app.api.metrics import render
from tests.browser.checkout import Checkout, spaced, visit
from tests.browser.house import House
from tests.browser.watch import Watch
from tests.support.world import CUSTOMER_ADDRESS

# Begins with ten characters of CUSTOMER_ADDRESS and ends with its last four. Made by trying: the witness version and
# the first four characters of the program are kept, the others are taken at random, until the checksum ends like that
# of CUSTOMER_ADDRESS (once in a million tries; twenty seconds).
ALIKE: Final = "bcrt1qw508r99h2nsdz2mehu3zpha5cm2yartqd2t080"

# A browser with a camera that sees one code, `window.seen`. No Chromium on Linux has the detector.
CAMERA: Final = """
window.stopped = 0;
window.BarcodeDetector = class {
  constructor({formats}) { this.formats = formats; }
  async detect(video) {
    const sees = video.isConnected && video.videoWidth > 0 && this.formats.includes("qr_code");
    return sees && window.seen ? [{rawValue: window.seen}] : [];
  }
};
navigator.mediaDevices.getUserMedia = async ({video}) => {
  if (!video) throw new DOMException("nothing was asked for", "NotFoundError");
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d");
  setInterval(() => brush.fillRect(0, 0, canvas.width, canvas.height), 20);
  const stream = canvas.captureStream();
  for (const track of stream.getTracks()) {
    const stop = track.stop.bind(track);
    track.stop = () => { stop(); window.stopped += 1; };
  }
  return stream;
};
"""
NO_CAMERA: Final = """
window.BarcodeDetector = class {};
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("refused", "NotAllowedError"); };
"""
STRANGER: Final = "https://evil.example"
ALIKE_TOO: Final = "bcrt1qw508r99h2nsdz2mehu3zpha5cm2atqnpmkt080"


async def buyer(house: House, reference: str) -> dict[str, object]:
    """A customer of the partner's who has bought coins once, to CUSTOMER_ADDRESS."""
    customer: dict[str, object] = {"reference": reference}
    order = await house.world.order(customer=customer)
    await house.world.pay(order)
    await house.work()
    return customer


async def at_address(house: House, page: Page, **changes: object) -> Checkout:
    """The step that asks where the coins of a purchase go."""
    checkout = await visit(page, await house.session(**changes))
    await checkout.at("amount")
    await checkout.go_on()
    await checkout.at("address")
    return checkout


async def typed(checkout: Checkout, address: str) -> None:
    """An address is typed, and the server finds it right."""
    await checkout.part("address-input").fill(address)
    await expect(checkout.shown("address-groups")).to_have_text(spaced(address))


async def test_an_address_that_only_looks_like_an_older_one_has_to_be_compared(house: House, page: Page) -> None:
    checkout = await at_address(house, page, customer=await buyer(house, "compares"))
    warning, box = checkout.part("address-warning"), checkout.part("address-compared")
    await typed(checkout, ALIKE)
    await expect(warning).to_be_visible()
    await expect(box).not_to_be_checked()
    await checkout.go_on()
    await checkout.refused("address_not_compared")
    await checkout.at("address")
    await box.check()
    # Only this address was compared, and not the next one.
    await typed(checkout, CUSTOMER_ADDRESS)
    await expect(warning).to_have_count(0)
    await typed(checkout, ALIKE)
    await expect(box).not_to_be_checked()
    await box.check()
    await checkout.go_on()
    await checkout.at("review")
    await expect(checkout.shown("address-groups")).to_have_text(spaced(ALIKE))


async def test_an_address_used_before_and_one_like_a_stranger_s_warn_of_nothing(house: House, page: Page) -> None:
    customer = await buyer(house, "comes again")
    for who, address in (({"reference": "never came"}, ALIKE), (customer, CUSTOMER_ADDRESS)):
        checkout = await at_address(house, page, customer=who)
        await typed(checkout, address)
        await expect(checkout.part("address-warning")).to_have_count(0)
        await checkout.go_on()
        await checkout.at("review")


async def test_a_code_is_read_with_the_camera_and_checked(house: House, page: Page) -> None:
    await page.add_init_script(CAMERA)
    checkout = await at_address(house, page)
    await checkout.part("scan").click()
    await expect(checkout.scene.locator("video")).to_be_visible()
    await page.evaluate("(text) => { window.seen = text; }", f"bitcoin:{CUSTOMER_ADDRESS.upper()}?amount=0.1")
    await expect(checkout.part("address-input")).to_have_value(CUSTOMER_ADDRESS.upper())
    await expect(checkout.shown("address-groups")).to_have_text(spaced(CUSTOMER_ADDRESS))
    await expect(checkout.scene.locator("video")).to_have_count(0)
    assert await page.evaluate("window.stopped") == 1
    await checkout.go_on()
    await checkout.at("review")
    await expect(checkout.shown("address-groups")).to_have_text(spaced(CUSTOMER_ADDRESS))


async def test_a_code_that_holds_no_address_is_refused(house: House, page: Page) -> None:
    await page.add_init_script(CAMERA + f'window.seen = "{CUSTOMER_ADDRESS[:-1]}q";')
    checkout = await at_address(house, page)
    await typed(checkout, CUSTOMER_ADDRESS)
    await checkout.part("scan").click()
    await checkout.refused("address_invalid")
    await checkout.go_on()
    await checkout.refused("address_invalid")
    await checkout.at("address")


async def test_a_customer_who_refuses_the_camera_can_still_type(house: House, page: Page) -> None:
    await page.add_init_script(NO_CAMERA)
    checkout = await at_address(house, page)
    await checkout.part("scan").click()
    await checkout.refused("camera_refused")
    await checkout.give_address()
    await checkout.at("review")


async def test_a_browser_that_reads_no_codes_offers_no_camera(house: House, page: Page) -> None:
    checkout = await at_address(house, page)
    assert not await page.evaluate("'BarcodeDetector' in window")
    await expect(checkout.part("scan")).to_have_count(0)


async def without_report_to(route: Route) -> None:
    """The page as a browser sees it that does not know `report-to`: Chromium does, and then reports over https only."""
    answer = await route.fetch()
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("; report-to csp")
    await route.fulfill(
        response=answer, headers={**answer.headers, "content-security-policy": policy.removesuffix("; report-to csp")}
    )


def scripts_reported(house: House) -> float:
    """How many scripts of strangers have been reported so far."""
    wanted = 'rampwright_csp_reports_total{directive="script-src-elem"} '
    lines = render(house.world.context.board).decode().splitlines()
    return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


async def test_a_browser_reports_the_script_of_a_stranger(house: House, page: Page, watch: Watch) -> None:
    watch.allow(STRANGER)
    before = scripts_reported(house)
    await page.route("**/w/*", without_report_to)
    checkout = await visit(page, await house.session())
    await checkout.at("amount")
    async with page.expect_response(f"{house.origin}/widget/v1/csp-reports") as reporting:
        await page.evaluate(
            """(src) => document.head.append(Object.assign(document.createElement("script"), {src}))""",
            f"{STRANGER}/skim.js",
        )
    assert (await reporting.value).status == 204
    assert scripts_reported(house) == before + 1
    assert any("script-src-elem" in complaint for complaint in watch.provoked())
    await checkout.go_on()
    await checkout.at("address")


async def test_a_tick_is_not_for_the_address_that_is_scanned_next(house: House, page: Page) -> None:
    await page.add_init_script(CAMERA + f'window.seen = "{ALIKE_TOO}";')
    checkout = await at_address(house, page, customer=await buyer(house, "ticks and scans"))
    await typed(checkout, ALIKE)
    await checkout.part("address-compared").check()
    await checkout.part("scan").click()
    await expect(checkout.shown("address-groups")).to_have_text(spaced(ALIKE_TOO))
    await expect(checkout.part("address-compared")).not_to_be_checked()
    await checkout.go_on()
    await checkout.refused("address_not_compared")


async def test_an_answer_about_what_the_field_no_longer_holds_counts_for_nothing(house: House, page: Page) -> None:
    asked: Queue[Route] = Queue()
    checkout = await at_address(house, page)
    field = checkout.part("address-input")
    await page.route("**/v1/session/addresses", asked.put, times=1)
    await field.fill(CUSTOMER_ADDRESS)
    slow = await asked.get()
    answer = await slow.fetch()
    # In one go, before the page asks anew by itself: another character, the old answer, and the way on.
    await field.press("x")
    with suppress(Error):  # the page may have given it up already
        await slow.fulfill(response=answer)
    await checkout.shown("continue").dispatch_event("click")
    await checkout.refused("address_invalid")
    await checkout.at("address")
