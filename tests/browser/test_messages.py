"""S-04: messages between windows. The right words of the right window count; the rest is ignored and counted."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Frame, Page

from tests.browser.checkout import FRAME, Checkout, Embedding, embed
from tests.browser.house import House, Session
from tests.browser.watch import Watch

# Said by the right window of the right origin, and still nothing that anybody has agreed upon.
JUNK: Final = """
  null, undefined, 1, "close", true, [], {}, [[1]], {rampwright: 2, type: "close"}, {rampwright: "1", type: "close"},
  {rampwright: 1}, {rampwright: 1, type: ["close"]}, {rampwright: 1, type: {}}, {rampwright: 1, type: "CLOSE"},
  {rampwright: 1, type: "constructor"}, {rampwright: 1, type: "__proto__"}, {rampwright: 1, type: "open"},
  {rampwright: 1, type: "open", id: 7, client_secret: {}},
  {rampwright: 1, type: "step", step: "<img src=x onerror='top.hacked=1'>"},
  {rampwright: 1, type: "<script>top.hacked=1</script>"},
  {rampwright: 1, type: "order", order: {id: "<b>", status: 1}},
  {rampwright: 1, type: "completed", order: "completed"}, {rampwright: 1, type: "resize", height: "100vh"},
  {rampwright: 1, type: "resize", height: NaN}, {rampwright: 1, type: "resize", height: -1},
  JSON.parse('{"__proto__": {"rampwright": 1, "type": "close", "polluted": 1}}'),
  JSON.parse('{"rampwright": 1, "type": "step", "constructor": {"prototype": {"polluted": 1}}}'),
  JSON.parse('{"rampwright": 1, "__proto__": {"type": "close"}}'),
  {rampwright: 1, type: "close" + "x".repeat(1_000_000)},
  {rampwright: 1, type: "step", step: "x".repeat(1_000_000)},
  new Map([["rampwright", 1]]), new Date(), new ArrayBuffer(1_000_000),
"""
FORGED: Final = '{rampwright: 1, type: "completed", order: {id: "or_01ARZ3NDEKTSV4RRFFQ69G5FAV", status: "completed"}}'


def raw_embedding(house: House, session: Session, *, path: str) -> str:
    """A page that shows the checkout without our script, and says what it likes to it; its URL."""
    return house.shop.scripted(
        "window.heard = []; addEventListener('message', (event) => heard.push(event.data));",
        path=path,
        body=f'<iframe id="checkout" src="{session.bare_url}" style="width:100%;height:40rem" title="x"></iframe>',
    )


def hello(session: Session) -> str:
    """The first message, as a JavaScript expression."""
    return f'{{rampwright: 1, type: "open", id: "1", client_secret: "{session.client_secret}"}}'


async def is_untouched(house: House, session: Session) -> bool:
    """Nobody has entered the session."""
    return (await house.world.get(f"/v1/sessions/{session.id}"))["status"] == "created"


async def tell(page: Page, house: House, message: str) -> None:
    """Send the framed page a message from the page around it."""
    script = f"document.querySelector('#checkout').contentWindow.postMessage({message}, '{house.origin}')"
    await page.evaluate(script)


async def test_s_04_junk_from_the_embedding_page_changes_nothing(house: House, page: Page) -> None:
    session = await house.session()
    await page.goto(raw_embedding(house, session, path="/junk"))
    checkout = Checkout(page.frame_locator("#checkout"))
    await page.evaluate(f"window.junk = [{JUNK}]; 0")
    send = (
        f"for (const one of junk) document.querySelector('#checkout').contentWindow.postMessage(one, '{house.origin}')"
    )
    await page.evaluate(send)
    assert await is_untouched(house, session)
    await tell(page, house, hello(session))
    await checkout.at("amount")
    await page.evaluate(send)
    await checkout.to_review()
    inner = next(frame for frame in page.frames if "/w/" in frame.url)
    assert await inner.evaluate("[{}.polluted, {}.type, {}.rampwright, top === self]") == [None, None, None, False]
    assert await page.evaluate("window.hacked") is None
    assert {message["type"] for message in await page.evaluate("heard")} == {"ready", "step", "resize"}


async def test_s_04_a_flood_from_the_embedding_page_does_not_stop_the_customer(house: House, page: Page) -> None:
    session = await house.session()
    await page.goto(raw_embedding(house, session, path="/flood"))
    checkout = Checkout(page.frame_locator("#checkout"))
    await page.wait_for_load_state("load")
    await tell(page, house, hello(session))
    await checkout.at("amount")
    await page.evaluate(
        """([origin, hello]) => {
          const inner = document.querySelector("#checkout").contentWindow;
          for (let n = 0; n < 10_000; n += 1) inner.postMessage({...hello, id: String(n)}, origin);
        }""",
        [house.origin, {"rampwright": 1, "type": "open", "client_secret": session.client_secret}],
    )
    await checkout.to_review()
    inner = next(frame for frame in page.frames if "/w/" in frame.url)
    exchanges = "performance.getEntriesByType('resource').filter(({name}) => name.endsWith('/exchange')).length"
    assert await inner.evaluate(exchanges) == 1


async def test_s_04_strangers_cannot_open_a_session_with_its_own_secret(house: House, page: Page, watch: Watch) -> None:
    """By a window of another origin, of one that looks like ours, and of none."""
    session = await house.session()
    port = house.shop.url.rpartition(":")[2]
    strangers = [house.shop.twin, f"http://localhost.localhost:{port}", f"http://shop.localhost:{port}"]
    watch.allow(*strangers)
    house.shop.scripted("window.heard = []; addEventListener('message', (event) => heard.push(event.data));", path="/s")
    for stranger in strangers:
        await page.goto(f"{stranger}/s")
        async with page.expect_popup() as opening:
            await page.evaluate(f"window.inner = window.open('{session.bare_url}')")
        popup = await opening.value
        await popup.wait_for_load_state("load")
        for target in (house.origin, "*"):
            await page.evaluate(f"inner.postMessage({hello(session)}, '{target}')")
        await popup.evaluate("new Promise((done) => setTimeout(done, 50))")
        assert await page.evaluate("heard") == [], stranger
        await popup.close()
    assert await is_untouched(house, session)


async def test_s_04_a_frame_without_an_origin_is_no_partner(house: House, page: Page) -> None:
    """Beside the checkout, and around it: both say `null` where an origin should be."""
    session = await house.session()
    await page.goto(raw_embedding(house, session, path="/beside"))
    await page.evaluate(
        """(script) => {
          const frame = document.createElement("iframe");
          frame.setAttribute("sandbox", "allow-scripts");
          frame.srcdoc = `<script>${script}<${"/"}script>`;
          document.body.append(frame);
          return new Promise((done) => { frame.onload = done; });
        }""",
        f"parent.frames[0].postMessage({hello(session)}, '*')",
    )
    await page.wait_for_timeout(100)
    assert await is_untouched(house, session)
    await tell(page, house, hello(session))
    await Checkout(page.frame_locator("#checkout")).at("amount")


async def test_s_04_the_second_partner_is_not_heard(house: House, page: Page) -> None:
    """A frame beside the checkout is of an allowed origin too, but it is not the page that shows it."""
    session = await house.session()
    house.shop.scripted("addEventListener('message', (event) => (window.got = event.data));", path="/sibling")
    await page.goto(raw_embedding(house, session, path="/siblings"))
    await tell(page, house, hello(session))
    checkout = Checkout(page.frame_locator("#checkout"))
    await checkout.at("amount")
    await page.evaluate(
        """(url) => {
          const frame = document.createElement("iframe");
          frame.src = url; frame.id = "sibling";
          document.body.append(frame);
          return new Promise((done) => { frame.onload = done; });
        }""",
        f"{house.shop.url}/sibling",
    )
    sibling = next(frame for frame in page.frames if frame.url.endswith("/sibling"))
    for message in (hello(session), '{rampwright: 1, type: "close"}'):
        await sibling.evaluate(f"parent.frames[0].postMessage({message}, '{house.origin}')")
    await checkout.go_on()
    await checkout.at("address")
    assert await sibling.evaluate("window.got") is None


async def forge(frame: Frame, target: str, times: int = 1) -> None:
    """Say to another window that everything is paid."""
    await frame.evaluate(f"for (let n = 0; n < {times}; n += 1) {target}.postMessage({FORGED}, '*')")


async def test_s_04_the_embedding_page_believes_nobody_but_its_own_frame(
    house: House, page: Page, watch: Watch
) -> None:
    session = await house.session()
    watch.allow(house.shop.twin)
    shop = await embed(house, page, session)
    await shop.checkout.at("amount")
    before = await page.evaluate("document.querySelector('rampwright-widget').ignored")
    async with page.expect_popup() as opening:
        await page.evaluate(f"void window.open('{house.shop.twin}/shop.css')")
    stranger = await opening.value
    await stranger.wait_for_load_state("load")
    await forge(stranger.main_frame, "opener", times=10_000)
    await forge(page.main_frame, "window")
    # Of the right origin, in another window than ours.
    await stranger.goto(f"{house.origin}/widget/v1/rampwright.js")
    await forge(stranger.main_frame, "opener")
    await page.evaluate(f"window.junk = [{JUNK}]; for (const one of junk) window.postMessage(one, '*')")
    await page.wait_for_function(
        "(least) => document.querySelector('rampwright-widget').ignored >= least", arg=before + 10_002
    )
    assert await shop.heard() == ["ready", "step amount"]
    await shop.checkout.to_review()


async def test_s_04_the_embedding_page_does_not_believe_everything_its_frame_says(house: House, page: Page) -> None:
    """Even from the right window: only the agreed shapes come through, and nothing of them as HTML."""
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.at("amount")
    inner = next(frame for frame in page.frames if "/w/" in frame.url)
    await inner.evaluate(f"for (const one of [{JUNK}]) parent.postMessage(one, '*')")
    await shop.checkout.go_on()
    await shop.checkout.at("address")
    await page.wait_for_function("() => heard.at(-1).step === 'address'")
    assert await shop.heard() == ["ready", "step amount", "step address"]
    assert await page.evaluate("[window.hacked, {}.polluted, {}.type]") == [None, None, None]
    assert await page.locator(FRAME).count() == 1


async def test_closing_from_outside_is_heard_inside_and_told(house: House, page: Page) -> None:
    session = await house.session()
    await embed(house, page, session)
    shop = Embedding(page)
    await shop.checkout.at("amount")
    await page.evaluate("document.querySelector('rampwright-widget').close()")
    await shop.hears("ready", "step amount", "closed")
    assert await page.locator(FRAME).count() == 0
