"""/control: the customer's acts, the bank's acts, the faults, and what an auditor reads. Loopback only, no key."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field, StringConstraints

from providers.sandbox import control_stripe
from providers.sandbox.control_stripe import Body
from providers.sandbox.faults import Fault, FaultKind, Faults
from providers.sandbox.increase.books import owner_named
from providers.sandbox.requests import LoggedRequest, RequestLog
from providers.sandbox.store import Store
from providers.sandbox.stripe.accounts import account_named
from providers.sandbox.stripe.acts import Acts
from providers.sandbox.venue import VENUES, Mood, PairBook, Venue, pair_named

Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,10})?$")]
VenueName = Literal["kraken", "binance"]


class FaultIn(Body):
    """An order to misbehave; see faults.FaultKind."""

    kind: FaultKind
    times: int = Field(default=1, ge=1, le=100_000)
    target: Literal["stripe", "increase", "bitcoin", "kraken", "binance"] | None = None
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
    """The first levels of a pair, best first, as [price, quantity]; a side left out stays as it is.

    Without `venue` every venue publishes this.
    """

    venue: VenueName | None = None
    asks: list[tuple[Amount, Amount]] | None = None
    bids: list[tuple[Amount, Amount]] | None = None
    tail: bool = True
    mood: Mood = Mood.NORMAL
    shift_bps: int = Field(default=0, gt=-10_000, le=100_000_000)


def router(*, store: Store, faults: Faults, log: RequestLog, venue: Venue, acts: Acts) -> APIRouter:
    """Every control."""
    routes = APIRouter(prefix="/control")
    routes.include_router(control_stripe.router(store, acts))
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
        for place in VENUES if body.venue is None else (body.venue,):
            now = venue.book(name, place)
            asks = now.asks if body.asks is None else tuple(body.asks)
            bids = now.bids if body.bids is None else tuple(body.bids)
            venue.put(name, PairBook(asks, bids, body.tail, body.mood, body.shift_bps), place)
        return {"pair": name, **dataclasses.asdict(venue.book(name, body.venue or VENUES[0]))}

    @routes.delete("/{pair}")
    async def reset(pair: str) -> dict[str, object]:
        name = _pair(pair)
        for place in VENUES:
            venue.reset(name, place)
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
