"""Sessions to look at, and how what is served is read."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.api.front import Caller

SHOP = "https://shop.example.com"
BODY = {
    "direction": "buy",
    "source": {"asset": "EUR", "amount": "100.00"},
    "destination": {"asset": "BTC", "network": "bitcoin"},
    "payment_method": "card",
    "allowed_origins": [SHOP],
}


async def session_id(caller: Caller, **changes: object) -> str:
    """A new session's id."""
    made = await caller.post("/v1/sessions", BODY | changes)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def directives(policy: str) -> dict[str, list[str]]:
    """A Content-Security-Policy, read."""
    parts = [part.split() for part in policy.split(";")]
    found = {name: sources for name, *sources in parts}
    assert len(found) == len(parts), "a directive is there twice; browsers read the first only"
    return found


class Markup(HTMLParser):
    """What a page consists of: its elements with their attributes, and the text of its scripts."""

    def __init__(self, html: str) -> None:
        """Read the whole page."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._script = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.elements.append((tag, dict(attrs)))
        self._script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self._script = False

    def handle_data(self, data: str) -> None:
        """Remember a script's text."""
        if self._script:
            self.scripts.append(data)

    @property
    def loaded(self) -> list[str]:
        """What the page loads, by address."""
        names = {"script": "src", "link": "href", "img": "src", "iframe": "src"}
        found = [have.get(names.get(tag, "")) for tag, have in self.elements]
        return [address for address in found if address and not address.startswith("data:")]
