"""A shop under the strictest policy, and a gateway that a test plays: the embed script between the two, alone."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import ConsoleMessage, Frame, Page, Route

from app.widget.files import load

SHOP: Final = "https://shop.example"
GATEWAY: Final = "https://pay.example"
STRANGER: Final = "https://stranger.example"
SESSION: Final = "ss_01ARZ3NDEKTSV4RRFFQ69G5FAV"
_PATIENCE_SECONDS: Final = 10
ORDER: Final = {"id": "or_01ARZ3NDEKTSV4RRFFQ69G5FAV", "status": "processing", "stage": "confirmation"}
# What docs/widget.md asks of a partner's page, and nothing more; the shop's own script is the one of `shop.js`.
POLICY: Final = (
    f"default-src 'none'; script-src 'self' {GATEWAY}; frame-src {GATEWAY}; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_SHOP_SCRIPT: Final = """
window.heard = [];
addEventListener("rampwright", ({ target, detail }) => heard.push({ by: target.localName, ...detail }));
window.broken = [];
addEventListener("securitypolicyviolation", ({ violatedDirective }) => broken.push(violatedDirective));
"""
# The page in the frame: answers as the checkout does, and tells what it was told.
_CHECKOUT: Final = """<!doctype html><title>checkout</title><script>
window.told = [];
addEventListener("message", ({ data, source, origin }) => {
  told.push({ ...data, origin });
  if (data.type !== "open" || window.isSilent) return;
  source.postMessage({ rampwright: 1, type: "ready", re: data.id }, origin);
});
</script><p>checkout</p>"""


_STRANGER: Final = """<!doctype html><title>stranger</title><script>
window.told = [];
addEventListener("message", ({ data }) => told.push(data));
for (const type of ["completed", "closed"])
  parent.postMessage({ rampwright: 1, type, order: { id: "or_01ARZ3NDEKTSV4RRFFQ69G5FAV", status: "completed" } }, "*");
</script>"""


def secret_of(subject: object) -> str:
    """A client secret in its outer form, of whatever is said to be its session."""
    payload = base64.urlsafe_b64encode(json.dumps({"sub": subject, "name": "grüß?>"}).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2lnbmF0dXJl"


SECRET: Final = secret_of(SESSION)


@dataclass
class Shop:
    """The shop's page, and what happens in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    also_framed: str = ""

    async def open(self, body: str = "", *, lang: str = "en") -> None:
        """Go to the shop, whose page has this body and the embed script."""
        html = (
            f'<!doctype html><html lang="{lang}"><title>shop</title><script src="/shop.js"></script>'
            f'<script src="{GATEWAY}/widget/v1/rampwright.js"></script><button id="pay">Pay</button>{body}'
        )

        policy = POLICY.replace("frame-src", f"frame-src {self.also_framed}")

        async def serve(route: Route) -> None:
            origin, _, path = route.request.url.partition("://")[2].partition("/")
            if origin == "shop.example" and path == "":
                headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
                await route.fulfill(body=html, headers=headers)
            elif origin == "stranger.example":
                await route.fulfill(body=_STRANGER, content_type="text/html; charset=utf-8")
            elif path == "shop.js":
                await route.fulfill(body=_SHOP_SCRIPT, content_type="text/javascript")
            elif path == "widget/v1/rampwright.js":
                await route.fulfill(body=load("rampwright.js").body, content_type="text/javascript; charset=utf-8")
            elif path.partition("?")[0] == f"w/{SESSION}":
                await route.fulfill(body=_CHECKOUT, content_type="text/html; charset=utf-8")
            else:
                await route.fulfill(status=404)

        self.page.on("console", self._complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await self.page.context.route("**/*", serve)
        await self.page.goto(f"{SHOP}/")

    async def call(self, options: str = "") -> None:
        """Have the shop's own script show the checkout, with these options besides."""
        await self.page.evaluate(
            "void (window.handle = Rampwright.open({"
            f"clientSecret: '{SECRET}', onEvent: (event) => {{ heard.push(event); }}, {options}}}))"
        )

    def _complain(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "favicon" not in message.text:
            self.complaints.append(message.text)

    async def until(self, condition: str) -> None:
        """Wait for something in the shop's page. Playwright's own way needs eval, which the policy forbids."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await self.page.evaluate(condition):
                await asyncio.sleep(0.02)

    async def heard(self, least: int) -> list[dict[str, object]]:
        """What the shop was told, as soon as it is so much."""
        await self.until(f"heard.length >= {least}")
        found: list[dict[str, object]] = await self.page.evaluate("heard")
        return found

    async def checkout(self) -> Frame:
        """The checkout's own document, within the shop's, once the two have met."""
        await self.until("heard.some(({ type }) => type === 'ready')")
        return next(frame for frame in self.page.frames if frame.url.endswith(f"/w/{SESSION}"))

    async def say(self, *messages: object) -> None:
        """Have the checkout say this to the shop."""
        checkout = await self.checkout()
        await checkout.evaluate("(all) => { for (const one of all) parent.postMessage(one, '*') }", list(messages))
