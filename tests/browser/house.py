"""A whole instance with a browser before it: sessions, the worker's turn, and what became of the money."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from app.db.database import Database
from app.settings import Settings
from tests.browser.install import chromium_path
from tests.browser.shop import Shop, open_shop
from tests.support import coins
from tests.support.opening import open_world
from tests.support.postgres import create_database, drop_database
from tests.support.world import CUSTOMER_ADDRESS, World

Document = dict[str, object]
IBAN = "DE89370400440532013000"  # the example in the standard's own registry
# It finds nobody but this machine.
_FLAGS = [
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
]


@dataclass(frozen=True, slots=True)
class Session:
    """What POST /v1/sessions answered."""

    id: str
    url: str
    client_secret: str
    document: Document

    @property
    def bare_url(self) -> str:
        """Without the secret."""
        return self.url.partition("#")[0]


@dataclass(slots=True)
class House:
    """Everything that a browser's test needs."""

    world: World
    shop: Shop
    browser: Browser

    @property
    def origin(self) -> str:
        """The gateway's own origin."""
        return self.world.api_url

    async def session(self, **changes: object) -> Session:
        """A session to buy bitcoin for 100 euros by card, or as the changes say; None leaves a field out."""
        body = {
            "direction": "buy",
            "source": {"asset": "EUR", "amount": "100.00"},
            "destination": {"asset": "BTC", "network": "bitcoin"},
            "payment_method": "card",
            "allowed_origins": [self.shop.url],
            **changes,
        }
        response = await self.world.post("/v1/sessions", {n: v for n, v in body.items() if v is not None})
        assert response.status_code == 201, response.text
        made = response.json()
        return Session(made["id"], made["url"], made["client_secret"], made)

    async def bound_session(self, **changes: object) -> Session:
        """A session to buy in which the partner has bound everything."""
        destination = {"asset": "BTC", "network": "bitcoin", "address": CUSTOMER_ADDRESS}
        return await self.session(destination=destination, **changes)

    async def sell_session(self, amount: str | None = "0.01000000", **changes: object) -> Session:
        """A session to sell bitcoin for dollars to a bank account of the partner's choice."""
        body: Document = {
            "direction": "sell",
            "source": {"asset": "BTC", "network": "bitcoin", **({"amount": amount} if amount else {})},
            "destination": {"asset": "USD"},
            "payment_method": None,
            "external_account_id": await self.world.account(),
        }
        return await self.session(**{**body, **changes})

    async def orders(self, session: Session) -> list[Document]:
        """Every order of a session, oldest first."""
        async with self.world.db.connection() as connection:
            rows = await connection.fetch("SELECT id FROM orders WHERE session_id = $1 ORDER BY id", session.id)
        return [await self.world.get(f"/v1/orders/{row['id']}") for row in rows]

    async def order(self, session: Session) -> Document:
        """The only order of a session."""
        [order] = await self.orders(session)
        return order

    async def becomes(self, session: Session, status: str) -> Document:
        """Let the worker work until the session's order has a status, which is after what the page has just sent."""

        async def it_has() -> bool:
            return (await self.order(session))["status"] == status

        await self.world.eventually(it_has, f"the order is {status}")
        return await self.order(session)

    async def work(self) -> None:
        """Let the worker do all that there is to do."""
        await self.world.drain()

    async def mine(self, blocks: int) -> None:
        """Mine blocks, and let the worker do what follows."""
        await self.world.far.mine("bitcoin", blocks)
        await self.world.drain()

    async def deposit(self, order: Document, amount: str) -> None:
        """Send coins to a sell order, as its customer does."""
        await coins.deposit(self.world, order, amount)

    async def pass_quote(self, quote_id: str) -> None:
        """Let a quote's price be held no longer."""
        async with self.world.db.transaction() as tx:
            await tx.execute("UPDATE quotes SET expires_at = now() - interval '1 second' WHERE id = $1", quote_id)

    async def pass_session(self, session: Session, by: timedelta = timedelta(hours=1)) -> None:
        """Let a session have been made so much earlier."""
        async with self.world.db.transaction() as tx:
            await tx.execute("ALTER TABLE sessions DISABLE TRIGGER sessions_bound")
            await tx.execute("UPDATE sessions SET expires_at = expires_at - $2::interval WHERE id = $1", session.id, by)
            await tx.execute("ALTER TABLE sessions ENABLE TRIGGER sessions_bound")


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Debian's Chromium; raises BrowserMissing."""
    program = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def open_house(
    home: Path,
    database_url: str,
    far_url: str,
    browser: Browser,
    change: Callable[[Settings], Settings] = lambda usual: usual,
) -> AsyncIterator[House]:
    """An instance with coins to sell, and a shop that embeds it; `change` makes other settings."""
    url = await create_database(database_url)
    database = Database(url)
    async with open_world(home, database, far_url, change) as world, open_shop(world.api_url) as shop:
        await world.fund()
        yield House(world, shop, browser)
    await database.close()
    await drop_database(url)
