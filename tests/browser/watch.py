"""What happens in a browser that no test asked for: requests to strangers, broken policies, errors."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError, WebSocket

_POLICY_BROKEN: Final = "policy broken:"
# In every document, before anything of its own runs.
_REPORT: Final = f"""
addEventListener("securitypolicyviolation", (event) => {{
  console.error("{_POLICY_BROKEN}", event.documentURI, event.violatedDirective, event.blockedURI);
}});
"""
_HARMLESS: Final = "Failed to load resource:"  # the browser says so of every answer from 400 on
_WITHOUT_ORIGIN: Final = ("about:", "data:", "blob:")
OpenContext = Callable[..., Awaitable[BrowserContext]]


class Watch:
    """Looks on at one context, from before its first page."""

    def __init__(self, context: BrowserContext, own: set[str]) -> None:
        """`own` are the origins that may be asked."""
        self._context = context
        self._own = own
        self.requests: list[Request] = []
        self.sockets: list[str] = []
        self.complaints: list[str] = []
        self._answers: list[str] = []
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("requestfailed", self._unanswered)
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        context.on("page", self._opened)

    async def begin(self) -> None:
        """Listen in every page to come."""
        await self._context.add_init_script(_REPORT)

    def allow(self, *origins: str) -> None:
        """Let more origins be asked."""
        self._own |= set(origins)

    @property
    def strangers(self) -> list[str]:
        """Every address that was asked for at an origin that is none of ours."""
        asked = [request.url for request in self.requests if not request.url.startswith(_WITHOUT_ORIGIN)]
        return [url for url in asked if origin_of(url) not in self._own] + self.sockets

    def provoked(self) -> list[str]:
        """What the browser has complained about so far; the test wanted that, and it is forgotten."""
        complaints, self.complaints = self.complaints, []
        return complaints

    def check(self) -> None:
        """Nobody else was asked, and nothing went wrong. What was answered is printed: pytest shows it of a failure."""
        sys.stdout.write("\n".join(self._answers))
        assert not self.strangers, self.strangers
        assert not self.complaints, self.complaints

    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _answered(self, response: Response) -> None:
        self._answers.append(f"{datetime.now(UTC):%H:%M:%S.%f} {response.status} {response.url.partition('#')[0]}")

    def _unanswered(self, request: Request) -> None:
        self._answers.append(f"{datetime.now(UTC):%H:%M:%S.%f} {request.failure} {request.url.partition('#')[0]}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_HARMLESS):
            self.complaints.append(message.text)

    def _failed(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")

    def _opened(self, page: Page) -> None:
        page.on("websocket", self._connected)

    def _connected(self, socket: WebSocket) -> None:
        self.sockets.append(socket.url)


def origin_of(url: str) -> str:
    """A URL's origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
