"""A small card provider that keeps the truth about its payments, and an order of ours that is paid there."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from app.db import quotes
from app.db.columns import new_id
from app.db.database import Database
from app.db.partners import Caller, insert_partner
from app.db.quotes import Quote
from app.domain.errors import DomainError
from app.domain.quote import Terms
from app.ports.chain import Destination
from app.schemas.orders import DestinationIn, OrderIn
from app.services import placing
from app.services.idempotent import IdempotentRequest
from app.services.policy import Policy
from app.services.rails import Rails
from providers.stripe.notifications import StripeNotifications
from tests.webhooks.truth import EUR, CardTruth

__all__ = ["EUR", "CardTruth"]

SECRET = "whsec_of_these_tests"
TOTAL = 10_000


class Addresses:
    """As much of a chain rail as placing an order needs."""

    network = "bitcoin"

    def parse(self, text: str) -> Destination:
        """Take any address."""
        return Destination(text, "0014" + "00" * 20)


def event(kind: str, subject: dict[str, object], event_id: str | None = None, **changes: object) -> bytes:
    """An event in Stripe's form."""
    document = {
        "id": event_id or f"evt_{new_id('x')}",
        "object": "event",
        "type": kind,
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": subject},
        **changes,
    }
    return orjson.dumps(document)


def signed(body: bytes, *, secret: str = SECRET, at: int | None = None) -> dict[str, str]:
    """Stripe's signature header."""
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}"}


def rails_on(truth: CardTruth, *, livemode: bool = False) -> Rails:
    """Rails whose card provider is the double; its notifications are read by the real adapter."""
    return Rails(
        livemode=livemode,
        payin={"stripe": truth},
        methods={"card": "stripe"},
        chains={"bitcoin": Addresses()},
        notifications={"stripe": StripeNotifications([SECRET])},
        publishable_keys={},
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """An order with its payment."""

    id: str
    payment_id: str
    reference: str
    partner_id: str


async def place_order(db: Database, rails: Rails, truth: CardTruth) -> Placed:
    """A buy of 100.00 EUR, placed through the service; when the provider is down its payment has no reference yet."""
    partner_id, now = new_id("pt"), datetime.now(UTC)
    quote = Quote(
        id=new_id("qt"),
        partner_id=partner_id,
        direction="buy",
        amount_side="source",
        status="open",
        source_asset="EUR",
        source_units=TOTAL,
        destination_asset="BTC.bitcoin",
        destination_units=161_068,
        venue_units=9_851,
        spread_units=49,
        processing_units=100,
        partner_units=0,
        network_units=0,
        payment_method="card",
        terms={},
        livemode=False,
        expires_at=now + timedelta(minutes=1),
        created_at=now,
    )
    async with db.transaction() as tx:
        await insert_partner(tx, partner_id, "Test partner")
        await quotes.insert(tx, quote, key="quote", request_hash=b"q", response=b"{}")
    caller = Caller(partner_id, "key", "test", frozenset({"*"}), now, expired=False, revoked=False, used_recently=True)
    policy = Policy(Terms(26, 50, 100, 0, 0), timedelta(minutes=1), timedelta(minutes=15), {})
    body = OrderIn(quote_id=quote.id, destination=DestinationIn(address="bcrt1qexample"))
    request = IdempotentRequest(partner_id, "order", b"o", _render)
    answer = await placing.place(db, rails, policy, caller, body, request, "req_1")
    order = orjson.loads(answer.body)
    async with db.connection() as connection:
        payment_id = await connection.fetchval("SELECT id FROM payments WHERE order_id = $1", order["id"])
    return Placed(order["id"], payment_id, order["payment"]["reference"] or "", partner_id)


def _render(refusal: DomainError) -> tuple[int, bytes]:
    return 409, refusal.code.encode()


async def state_of(db: Database, order_id: str) -> str:
    """The order's state."""
    async with db.connection() as connection:
        return str(await connection.fetchval("SELECT state FROM orders WHERE id = $1", order_id))


async def ledger_of(db: Database, placed: Placed, *more: str) -> list[tuple[str, str, str, int]]:
    """Every posting of the order (reference, account, asset, units), with the ids that differ from run to run named."""
    names = {placed.id: "ORDER", placed.payment_id: "PAYMENT", placed.reference: "PI"}
    names |= {value: f"REFUND{number}" for number, value in enumerate(more)}
    async with db.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT entries.reference, account, asset, units FROM postings JOIN entries ON entries.id = entry_id
            WHERE entries.order_id = $1
            """,
            placed.id,
        )

    def named(text: str) -> str:
        for value, name in names.items():
            text = text.replace(value, name)
        return text

    return sorted((named(r["reference"]), named(r["account"]), r["asset"], int(r["units"])) for r in rows)


async def column(db: Database, sql: str, *values: object) -> Sequence[object]:
    """The first column of a query."""
    async with db.connection() as connection:
        return [row[0] for row in await connection.fetch(sql, *values)]
