"""An instance to knock at the door of: behind it a database, and the far side's venue and card provider."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import httpx
import orjson
from cryptography.fernet import Fernet

from app.api.context import Context
from app.db.columns import new_id
from app.db.database import Database
from app.db.partners import insert_partner
from app.domain.quote import Terms
from app.main import build_app
from app.services import keys
from app.services.endpoints import HookRules
from app.services.policy import Limits, Policy
from app.services.prices import PriceBoard, PriceRules
from app.services.rails import Rails
from app.services.sealing import Sealer
from app.services.session_rules import SessionRules
from app.services.session_tokens import SessionTokens
from providers.bitcoin.building import FeePolicy
from providers.bitcoin.networks import NETWORKS
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.wallet import Wallet
from providers.rates.kraken import KrakenRates
from providers.sandbox.client import SandboxClient
from providers.stripe.rail import StripeRail

# BIP-173's example key hash on regtest.
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
QUOTE = {
    "direction": "buy",
    "source": {"asset": "EUR", "amount": "100.00"},
    "destination": {"asset": "BTC", "network": "bitcoin"},
    "payment_method": "card",
}
Json = dict[str, object]
_counter = itertools.count(1)


class Names:
    """A name service of our own: two hosts with a public address, and some that lead astray."""

    _KNOWN: ClassVar[dict[str, list[str]]] = {
        "shop.example.com": ["93.184.216.34"],
        "other.example.com": ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"],
        "mixed.example.com": ["93.184.216.34", "10.0.0.1"],
        "inner.example.com": ["fd00::1"],
        "rampwright.example.com": ["93.184.216.34"],
    }

    async def resolve(self, host: str) -> list[str]:
        """The addresses of a host."""
        return self._KNOWN.get(host, [])


@dataclass(slots=True)
class Caller:
    """A partner with a key, and its requests."""

    partner_id: str
    key_id: str
    key: str = field(repr=False)
    http: httpx.AsyncClient

    @property
    def headers(self) -> dict[str, str]:
        """What authenticates a request."""
        return {"Authorization": f"Bearer {self.key}"}

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """GET."""
        return await self.http.get(path, headers=self.headers | headers)

    async def post(
        self, path: str, body: object = None, *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """POST, `body` as JSON unless it is bytes already, under a new Idempotency-Key unless one is named."""
        sent = {"Idempotency-Key": key or f"key-{next(_counter)}"}
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        if content:
            sent["Content-Type"] = "application/json"
        return await self.http.post(path, content=content, headers=self.headers | sent | (headers or {}))

    async def quote(self, **changes: object) -> Json:
        """A quote."""
        response = await self.post("/v1/quotes", QUOTE | changes)
        assert response.status_code == 201, response.text
        found: Json = response.json()
        return found

    async def order(self, **changes: object) -> Json:
        """An order on a new quote."""
        quote = await self.quote()
        body = {"quote_id": quote["id"], "destination": {"address": ADDRESS}, **changes}
        response = await self.post("/v1/orders", body)
        assert response.status_code == 201, response.text
        found: Json = response.json()
        return found


@dataclass(slots=True)
class Front:
    """The door, and what stands behind it."""

    context: Context
    http: httpx.AsyncClient
    _tables: list[str] = field(default_factory=list)

    async def caller(
        self, *, scopes: list[str] | None = None, mode: str = "test", expires_in: timedelta | None = None
    ) -> Caller:
        """A new partner with a key."""
        partner_id = new_id("pt")
        async with self.context.db.transaction() as tx:
            await insert_partner(tx, partner_id, "Partner")
            expires_at = None if expires_in is None else await tx.fetchval("SELECT now()") + expires_in
        key_id, key = await keys.issue(self.context.db, partner_id, mode, scopes, expires_at, maker_and_checker=True)
        return Caller(partner_id, key_id, key, self.http)

    async def state(self, *, but_keys: bool = False) -> str:
        """What changes with every write to the database, but for when an API key was last used.

        `but_keys` leaves the idempotency keys out as well, for refusals that are kept under theirs.
        """
        async with self.context.db.connection() as connection:
            if not self._tables:
                tables = await connection.fetch(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
                )
                self._tables = [table for (table,) in tables]
            wanted = [_state_of(table) for table in self._tables if not (but_keys and table == "idempotency_keys")]
            found: str = await connection.fetchval(f"SELECT concat_ws(' ', {', '.join(wanted)})")
        return found


def _state_of(table: str) -> str:
    """How many rows there are, and the sum of the transactions that wrote them.

    A row that is written carries its transaction's number, which is above all earlier ones: no two states are alike.
    """
    if table == "api_keys":
        return "(SELECT md5(string_agg(row(id, revoked_at)::text, '' ORDER BY id)) FROM api_keys)"
    return f"(SELECT count(*) || ':' || coalesce(sum(xmin::text::bigint), 0) FROM \"{table}\")"  # noqa: S608


@asynccontextmanager
async def open_front(db: Database, far_url: str, *, livemode: bool = False) -> AsyncIterator[Front]:
    """An instance whose prices do not grow old."""
    async with httpx.AsyncClient(trust_env=False) as outward:
        node = Node(outward, f"{far_url}/bitcoin", user="sandbox", password="sandbox")
        wallet = Wallet(secrets.token_bytes(32), NETWORKS["regtest"])
        bitcoin = BitcoinRail(wallet=wallet, signer=wallet, node=node, fees=FeePolicy(), start_height=0)
        stripe = StripeRail(f"sk_test_{secrets.token_hex(16)}", livemode=False, api_base=f"{far_url}/stripe")
        board = PriceBoard(
            [KrakenRates(outward, base_url=f"{far_url}/kraken")], [("BTC", "EUR")], PriceRules(stale_after=3600)
        )
        await board.refresh()
        context = Context(
            db=db,
            rails=Rails(
                livemode=livemode,
                payin={"stripe": stripe},
                methods={"card": "stripe"},
                chains={"bitcoin": bitcoin},
                notifications={},
                publishable_keys={"stripe": "pk_test_1"},
            ),
            board=board,
            policy=Policy(
                Terms(taker_bps=26, spread_bps=50, processing_bps=100),
                timedelta(seconds=60),
                timedelta(minutes=15),
                {"EUR": Limits(100, 10**8)},
            ),
            sealer=Sealer([Fernet.generate_key()]),
            simulator=SandboxClient(outward, far_url),
            hooks=HookRules(Names(), own_hosts=frozenset({"rampwright.example.com"})),
            sessions=SessionRules(SessionTokens([secrets.token_bytes(32)]), test_cards=True),
        )
        transport = httpx.ASGITransport(build_app(context))
        async with httpx.AsyncClient(transport=transport, base_url="http://rampwright.test") as http:
            yield Front(context, http)
        await stripe.aclose()
