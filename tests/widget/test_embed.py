"""S-04: the embed script between a shop under the strictest policy and a gateway that is played."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.browser.house import open_browser
from tests.widget.shop import GATEWAY, ORDER, SECRET, SESSION, SHOP, STRANGER, Shop, secret_of

TAG = f'<rampwright-widget client-secret="{SECRET}"></rampwright-widget>'
FRAME = "rampwright-widget iframe"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with open_browser() as opened:
        yield opened


@pytest.fixture
async def shop(browser: Browser) -> AsyncIterator[Shop]:
    """A shop; no test breaks a policy, unless it says so."""
    context = await browser.new_context()
    context.set_default_timeout(10_000)
    yield Shop(await context.new_page())
    await context.close()


def message(kind: str, **more: object) -> dict[str, object]:
    """One of the checkout's messages."""
    return {"rampwright": 1, "type": kind, **more}


async def test_the_tag_shows_the_checkout_and_tells_what_happens(shop: Shop) -> None:
    await shop.open(TAG)
    await shop.say(message("step", step="review"), message("order", order=ORDER), message("completed", order=ORDER))
    told = [{"by": "rampwright-widget", **event} for event in (
        {"type": "ready", "session": SESSION},
        {"type": "step", "step": "review"},
        {"type": "order", "order": ORDER},
        {"type": "completed", "order": ORDER},
    )]  # fmt: skip
    assert await shop.heard(4) == told
    frame = shop.page.locator(FRAME)
    assert await frame.get_attribute("src") == f"{GATEWAY}/w/{SESSION}"
    assert await frame.get_attribute("allow") == "payment; camera; clipboard-write"
    assert await frame.get_attribute("title") == "Checkout"
    assert await shop.page.evaluate("broken") == []
    assert shop.complaints == []


async def test_the_secret_goes_to_the_gateway_alone_and_in_no_address(shop: Shop) -> None:
    asked: list[str] = []
    shop.page.context.on("request", lambda request: asked.append(request.url))
    await shop.open(TAG)
    checkout = await shop.checkout()
    [opening] = await checkout.evaluate("told")
    assert opening.pop("id")
    assert opening == {"rampwright": 1, "type": "open", "client_secret": SECRET, "origin": SHOP}
    assert [url for url in asked if SECRET in url or SECRET.split(".")[1] in url] == []
    assert {url.partition("/w/")[0] for url in asked if "/w/" in url} == {GATEWAY}


async def test_a_page_that_is_reloaded_is_told_again(shop: Shop) -> None:
    await shop.open(TAG)
    checkout = await shop.checkout()
    await checkout.evaluate("location.reload()")
    assert [event["type"] for event in await shop.heard(2)] == ["ready", "ready"]


async def test_the_frame_is_as_high_as_it_says_within_reason(shop: Shop) -> None:
    await shop.open(TAG)
    frame = shop.page.locator(FRAME)
    for said, shown in ((700.2, "701px"), (1, "240px"), (10**9, "4000px")):
        await shop.say(message("resize", height=said))
        await expect(frame).to_have_css("height", shown)
    assert [event["type"] for event in await shop.heard(1)] == ["ready"]


@pytest.mark.parametrize(
    "junk",
    [
        message("nothing"),
        message("ready", re="1"),
        message("ready"),
        message("open", id="1", client_secret="x"),
        message("step"),
        message("step", step="constructor"),
        message("step", step="<img src=x onerror=alert(1)>"),
        message("step", step=["review"]),
        message("resize", height="700"),
        message("resize", height=-1),
        message("resize", height=None),
        message("order"),
        message("order", order=[]),
        message("order", order={**ORDER, "id": "or_1"}),
        message("order", order={**ORDER, "id": ORDER["id"] + "<b>"}),
        message("order", order={**ORDER, "status": 1}),
        message("order", order={**ORDER, "status": ""}),
        message("order", order={**ORDER, "stage": "x" * 65}),
        message("completed", order={**ORDER, "status": "x" * 1_000_000}),
        message("closed") | {"rampwright": "1"},
        {"type": "closed"},
        {"__proto__": message("closed")},
        "closed",
        None,
        1,
        [message("closed")],
    ],
    ids=lambda junk: f"{junk!r}"[:60],
)
async def test_s_04_what_has_none_of_the_shapes_is_ignored_and_counted(shop: Shop, junk: object) -> None:
    await shop.open(TAG)
    await shop.say(junk, message("step", step="amount"))
    assert [event["type"] for event in await shop.heard(2)] == ["ready", "step"]
    assert await shop.page.evaluate("document.querySelector('rampwright-widget').ignored") == 1


async def test_s_04_other_windows_are_not_believed(shop: Shop) -> None:
    """Neither the shop's own, nor an empty one, nor one of the gateway's that nobody opened for this."""
    other = f'<iframe name="other" src="{GATEWAY}/w/{SESSION}?other"></iframe><iframe name="empty"></iframe>'
    await shop.open(f"{TAG}{other}")
    await shop.checkout()
    forged = message("completed", order=ORDER)
    await shop.page.evaluate("(forged) => postMessage(forged)", forged)
    for name in ("other", "empty"):
        frame = shop.page.frame(name=name)
        assert frame
        await frame.evaluate("(forged) => parent.postMessage(forged, '*')", forged)
    await shop.until("document.querySelector('rampwright-widget').ignored === 3")
    assert [event["type"] for event in await shop.heard(1)] == ["ready"]


async def test_s_04_the_right_window_is_not_believed_once_it_is_of_another_origin(shop: Shop) -> None:
    """Before its page has loaded even, while the frame still counts as ready."""
    shop.also_framed = STRANGER
    await shop.open(TAG)
    checkout = await shop.checkout()
    await checkout.evaluate(f"location.replace('{STRANGER}/')")
    await shop.until("document.querySelector('rampwright-widget').ignored >= 1")
    assert [event["type"] for event in await shop.heard(1)] == ["ready"]
    stranger = next(frame for frame in shop.page.frames if frame.url.startswith(STRANGER))
    await stranger.wait_for_load_state("load")
    await shop.page.wait_for_timeout(500)
    assert await stranger.evaluate("told") == [], "it has heard the secret"


async def test_s_04_what_hangs_on_a_prototype_is_not_read(shop: Shop) -> None:
    await shop.open(TAG)
    await shop.checkout()
    await shop.page.evaluate("Object.prototype.stage = Object.prototype.step = 'review'")
    await shop.say(message("step"), message("order", order={"id": ORDER["id"], "status": "x"}))
    assert (await shop.heard(2))[1]["order"] == {"id": ORDER["id"], "status": "x", "stage": None}


async def test_s_04_only_the_known_fields_of_an_order_come_through(shop: Shop) -> None:
    await shop.open(TAG)
    checkout = await shop.checkout()
    await checkout.evaluate(
        """(order) => parent.postMessage({rampwright: 1, type: "order", extra: 1, order: Object.assign(
             JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 1}'), order, {secret: 1})}, "*")""",
        ORDER,
    )
    assert (await shop.heard(2))[1] == {"by": "rampwright-widget", "type": "order", "order": ORDER}
    assert await shop.page.evaluate("({}).polluted") is None


async def test_s_04_a_flood_is_dropped(shop: Shop) -> None:
    await shop.open(TAG)
    checkout = await shop.checkout()
    await checkout.evaluate(
        "for (let n = 0; n < 10000; n += 1) parent.postMessage({rampwright: 1, type: 'step', step: 'amount'}, '*')"
    )
    await shop.until(
        "heard.length + document.querySelector('rampwright-widget').ignored === 10001"  # the ready among them
    )
    assert await shop.page.evaluate("heard.length") <= 1001
    await shop.page.wait_for_timeout(1100)
    before = await shop.page.evaluate("heard.length")
    await shop.say(message("closed"))
    assert (await shop.heard(before + 1))[-1]["type"] == "closed"


async def test_the_dialog_holds_the_focus_and_gives_it_back(shop: Shop) -> None:
    await shop.open(lang="de-AT")
    await shop.page.focus("#pay")
    await shop.call()
    await shop.checkout()
    dialog = shop.page.get_by_role("dialog", name="Kasse")
    await expect(dialog).to_be_visible()
    await expect(dialog.get_by_role("button", name="Schließen")).to_have_css("width", "44px")
    await shop.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert [event["type"] for event in await shop.heard(2)] == ["ready", "closed"]
    await expect(shop.page.locator("#pay")).to_be_focused()
    assert await shop.page.evaluate("broken") == []


async def test_a_container_gets_the_frame_and_loses_it_again(shop: Shop) -> None:
    await shop.open('<div id="here"></div>')
    throwing = "onEvent: (event) => { heard.push(event); throw new Error(`the shop's own`); }"
    await shop.call(f"container: document.querySelector('#here'), {throwing}")
    await shop.checkout()
    await shop.page.evaluate("handle.close(); handle.close()")
    assert [event["type"] for event in await shop.heard(2)] == ["ready", "closed"]
    assert await shop.page.evaluate("document.querySelector('#here').childElementCount") == 0
    assert all("the shop's own" in complaint for complaint in shop.complaints)


async def test_a_window_of_its_own_speaks_with_its_opener(shop: Shop) -> None:
    await shop.open()
    async with shop.page.expect_popup() as opening:
        await shop.call("mode: 'popup'")
    popup = await opening.value
    assert [event["type"] for event in await shop.heard(1)] == ["ready"]
    assert popup.url == f"{GATEWAY}/w/{SESSION}"
    await popup.evaluate("opener.postMessage({rampwright: 1, type: 'step', step: 'payment'}, '*')")
    await shop.heard(2)
    await popup.close()
    assert [event["type"] for event in await shop.heard(3)] == ["ready", "step", "closed"]
    assert shop.complaints == []


@pytest.mark.parametrize("subject", ["ss_1", "or_01ARZ3NDEKTSV4RRFFQ69G5FAV", f"{SESSION}/../..", None, [SESSION]])
async def test_what_is_no_secret_opens_nothing(shop: Shop, subject: object) -> None:
    await shop.open(f'<rampwright-widget client-secret="{secret_of(subject)}"></rampwright-widget>')
    assert await shop.heard(1) == [{"by": "rampwright-widget", "type": "error", "code": "client_secret_invalid"}]
    assert await shop.page.locator("iframe").count() == 0


async def test_a_new_secret_is_a_new_checkout_and_a_removed_tag_is_none(shop: Shop) -> None:
    await shop.open("<rampwright-widget></rampwright-widget>")
    assert await shop.page.locator("iframe").count() == 0
    await shop.page.evaluate(f"document.querySelector('rampwright-widget').clientSecret = '{SECRET}'")
    await shop.checkout()
    await shop.page.evaluate("window.tag = document.querySelector('rampwright-widget'); tag.remove()")
    await shop.page.evaluate("postMessage({rampwright: 1, type: 'step', step: 'amount'}, '*')")
    assert await shop.page.evaluate("[tag.shadowRoot.childElementCount, tag.ignored]") == [0, 0]


async def test_a_checkout_that_does_not_answer_is_said_to_be_missing(shop: Shop) -> None:
    await shop.page.context.add_init_script("window.isSilent = location.host === 'pay.example'")
    await shop.page.clock.install()
    await shop.open(TAG)
    await shop.page.wait_for_load_state("load")
    await shop.page.clock.run_for(25_000)
    assert (await shop.heard(1))[-1] == {"by": "rampwright-widget", "type": "error", "code": "not_shown"}
    await expect(shop.page.get_by_role("alert")).to_contain_text("Nothing was paid")


async def test_loading_the_script_twice_is_loading_it_once(shop: Shop) -> None:
    await shop.open(f'{TAG}<script src="{GATEWAY}/widget/v1/rampwright.js"></script>')
    await shop.checkout()
    assert await shop.page.evaluate("Object.isFrozen(Rampwright) && heard.length") == 1
    assert shop.complaints == []
