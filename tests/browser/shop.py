"""A partner's shop at a port of its own: pages with a strict policy that embed the checkout, and hostile ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.hosting import serving

STYLE: Final = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 30rem; padding: 1rem; background: #ece7df; }
rampwright-widget { background: #fff; border-radius: 16px; overflow: hidden; box-shadow: 0 8px 32px #0002; }
"""
# What the embedding page hears.
LISTEN: Final = """
window.heard = [];
addEventListener("rampwright", (event) => heard.push(event.detail));
"""


@dataclass(slots=True)
class Shop:
    """The same server has two names, and so two origins; only `url` is the one that sessions know."""

    gateway: str
    url: str = ""
    twin: str = ""
    _files: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def policy(self) -> str:
        """What a careful partner's page allows: its own files, the gateway's script and the gateway's frame."""
        return (
            f"default-src 'none'; script-src 'self' {self.gateway}; frame-src {self.gateway}; style-src 'self'; "
            "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
        )

    def put(self, path: str, body: str, *, media_type: str = "text/html", policy: str = "") -> str:
        """Serve a text at a path, and under a policy if one is given; its URL."""
        self._files[path] = (body, media_type, policy)
        return self.url + path

    def embed(self, client_secret: str, *, path: str = "/checkout") -> str:
        """A page that does what the documentation tells; its URL."""
        return self.put(
            path,
            f"""<!doctype html>
            <html lang="en"><head><title>A shop</title><link rel="stylesheet" href="/shop.css">
            <script src="/shop.js"></script><script src="{self.gateway}/widget/v1/rampwright.js"></script></head>
            <body><h1>A shop</h1><p>Add bitcoin to your account with us.</p>
            <rampwright-widget client-secret="{escape(client_secret)}"></rampwright-widget></body></html>""",
            policy=self.policy,
        )

    def scripted(self, script: str, *, path: str = "/scripted", body: str = "") -> str:
        """A page without a policy that does what a script says; its URL."""
        return self.put(
            path, f"<!doctype html><html lang='en'><title>A page</title>{body}<script>{script}</script></html>"
        )

    async def answer(self, request: Request) -> Response:
        """Serve what was put."""
        found = self._files.get(request.url.path)
        if found is None:
            return Response(status_code=404)
        body, media_type, policy = found
        return Response(body, media_type=media_type, headers={"Content-Security-Policy": policy} if policy else {})


@asynccontextmanager
async def open_shop(gateway: str) -> AsyncIterator[Shop]:
    """A shop whose customers pay at `gateway`."""
    shop = Shop(gateway)
    shop.put("/shop.js", LISTEN, media_type="text/javascript")
    shop.put("/shop.css", STYLE, media_type="text/css")
    shop.put("/favicon.ico", "", media_type="image/x-icon")
    app = Starlette(routes=[Route("/{path:path}", shop.answer)])
    async with serving(app) as (_, address):
        shop.url = f"http://localhost:{urlsplit(address).port}"
        shop.twin = address
        yield shop
