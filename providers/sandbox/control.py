"""/control: the customer's acts, the bank's acts, the faults, and what an auditor reads. Loopback only, no key."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from providers.sandbox.faults import Fault, FaultKind, Faults
from providers.sandbox.increase.books import owner_named
from providers.sandbox.requests import LoggedRequest, RequestLog
from providers.sandbox.store import Store
from providers.sandbox.stripe.accounts import account_named
from providers.sandbox.stripe.acts import Act, Acts
from providers.sandbox.stripe.errors import Document, Refusal, carry_out
from providers.sandbox.venue import Mood, PairBook, Venue, pair_named

Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,10})?$")]


class Body(BaseModel):
    """A request body that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Pay(Body):
    """What the customer's browser would do: confirm with this card. `hold` leaves it processing, as bank debits are."""

    payment_intent: str
    card: str
    hold: bool = False


class Authenticate(Body):
    """How the open 3-D Secure challenge ends."""

    payment_intent: str
    outcome: Literal["succeeded", "failed"]


class Payment(Body):
    """Which payment."""

    payment_intent: str


class Dispute(Body):
    """Open a dispute over a payment, or close the open one."""

    payment_intent: str
    reason: str = "fraudulent"
    amount: int | None = Field(default=None, ge=1)
    outcome: Literal["won", "lost"] | None = None


class RefundFail(Body):
    """Let an accepted refund fail."""

    refund: str
    reason: str = "expired_or_canceled_card"


class RollSecret(Body):
    """Make a new webhook secret; the old one signs beside it for a day."""

    webhook_endpoint: str


class FaultIn(Body):
    """An order to misbehave; see faults.FaultKind."""

    kind: FaultKind
    times: int = Field(default=1, ge=1, le=100_000)
    target: Literal["stripe", "increase", "bitcoin", "kraken"] | None = None
    method: str | None = None
    path: str | None = None
    account: str | None = None
    event: str | None = None
    status: int = Field(default=500, ge=200, le=599)
    retry_after: str | None = None
    sticky: bool = False
    seconds: float = Field(default=1.0, ge=0, le=600)
    copies: int = Field(default=3, ge=1, le=50)
    body: str | None = None


class BookIn(Body):
    """The first levels of a pair, best first, as [price, quantity]; a side left out stays as it is."""

    asks: list[tuple[Amount, Amount]] | None = None
    bids: list[tuple[Amount, Amount]] | None = None
    tail: bool = True
    mood: Mood = Mood.NORMAL


def router(*, store: Store, faults: Faults, log: RequestLog, venue: Venue, acts: Acts) -> APIRouter:
    """Every control."""
    routes = APIRouter(prefix="/control")
    routes.include_router(_stripe(store, acts))
    routes.include_router(_faults(faults))
    routes.include_router(_venue(venue))

    @routes.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/requests")
    async def requests(account: str | None = None, after: int = 0, limit: int = 1000) -> dict[str, object]:
        known = _account(account) if account is not None else None
        lines: list[LoggedRequest] = log.list(account=known, after=after, limit=limit + 1)
        return {"data": [dataclasses.asdict(line) for line in lines[:limit]], "has_more": len(lines) > limit}

    return routes


def _stripe(store: Store, acts: Acts) -> APIRouter:
    routes = APIRouter(prefix="/stripe")

    @routes.post("/pay")
    async def pay(body: Pay) -> Document:
        return _done(store, lambda: acts.pay(body.payment_intent, body.card, hold=body.hold))

    @routes.post("/authenticate")
    async def authenticate(body: Authenticate) -> Document:
        return _done(store, lambda: acts.authenticate(body.payment_intent, succeeded=body.outcome == "succeeded"))

    @routes.post("/settle")
    async def settle(body: Payment) -> Document:
        """End a payment that was left processing."""
        return _done(store, lambda: acts.settle(body.payment_intent))

    @routes.post("/expire")
    async def expire(body: Payment) -> Document:
        """Let an uncaptured authorisation run out."""
        return _done(store, lambda: acts.expire(body.payment_intent))

    @routes.post("/dispute")
    async def dispute(body: Dispute) -> Document:
        if body.outcome is None:
            return _done(store, lambda: acts.open_dispute(body.payment_intent, body.amount, body.reason))
        return _done(store, lambda: acts.close_dispute(body.payment_intent, won=body.outcome == "won"))

    @routes.post("/refund_fail")
    async def refund_fail(body: RefundFail) -> Document:
        return _done(store, lambda: acts.fail_refund(body.refund, body.reason))

    @routes.post("/roll_secret")
    async def roll_secret(body: RollSecret) -> Document:
        return _done(store, lambda: acts.roll_secret(body.webhook_endpoint))

    @routes.delete("/idempotency")
    async def forget_keys(account: str) -> Document:
        return {"forgotten": acts.forget_keys(account_named(account))}

    return routes


def _faults(faults: Faults) -> APIRouter:
    routes = APIRouter(prefix="/faults")

    @routes.post("", status_code=201)
    async def arm(body: FaultIn) -> dict[str, object]:
        words = body.model_dump()
        words["account"] = _account(body.account) if body.account is not None else None
        try:
            return dataclasses.asdict(faults.arm(Fault(**words)))
        except re.error as error:
            raise HTTPException(422, f"not a regular expression: {error}") from None

    @routes.get("")
    async def armed() -> dict[str, object]:
        return {"data": [dataclasses.asdict(fault) for fault in faults.armed]}

    @routes.delete("")
    async def clear(account: str | None = None) -> dict[str, int]:
        return {"cleared": faults.clear(_account(account) if account is not None else None)}

    return routes


def _venue(venue: Venue) -> APIRouter:
    routes = APIRouter(prefix="/venue")

    @routes.put("/{pair}")
    async def put(pair: str, body: BookIn) -> dict[str, object]:
        name = _pair(pair)
        now = venue.book(name)
        asks = now.asks if body.asks is None else tuple(body.asks)
        bids = now.bids if body.bids is None else tuple(body.bids)
        venue.put(name, PairBook(asks, bids, body.tail, body.mood))
        return {"pair": name, **dataclasses.asdict(venue.book(name))}

    @routes.delete("/{pair}")
    async def reset(pair: str) -> dict[str, object]:
        name = _pair(pair)
        venue.reset(name)
        return {"pair": name, **dataclasses.asdict(venue.book(name))}

    return routes


def _account(text: str) -> str:
    """Whose requests are meant: an account's id, or the key of Stripe's or Increase's that opens it."""
    return owner_named(account_named(text))


def _pair(text: str) -> str:
    name = pair_named(text)
    if name is None:
        raise HTTPException(404, "no such pair")
    return name


def _done(store: Store, act: Act) -> Document:
    """Do one act; a declined card is an answer of 200 with Stripe's error, for the customer's browser sees it too."""
    outcome = carry_out(store, act)
    if not isinstance(outcome, Refusal):
        return outcome
    if outcome.keeps:
        return {"error": outcome.document}
    raise HTTPException(outcome.status, outcome.document)
