"""Quotes: a firm price from the book in memory, stored for one partner."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.db import idempotency
from app.db import quotes as quote_rows
from app.db.columns import Document, new_id
from app.db.database import Database
from app.db.partners import Caller
from app.db.quotes import Quote
from app.domain.assets import asset_by_id, asset_of
from app.domain.depth import finer_places
from app.domain.errors import AmountAboveMax, AmountBelowMin, NotFound, RouteUnsupported, ValidationFailed
from app.domain.money import Asset, Money, format_units, parse_units
from app.domain.order import Direction
from app.domain.quote import AmountSide, Priced, price
from app.schemas.base import MoneyOut, format_moment
from app.schemas.quotes import MidRateOut, QuoteIn, QuoteOut
from app.services.idempotent import Answer, IdempotentRequest, replay
from app.services.order_view import fees_out
from app.services.policy import Limits, Policy
from app.services.prices import Merged, PriceBoard
from app.services.rails import Rails


@dataclass(frozen=True, slots=True)
class Wanted:
    """A quote request, read: the two assets, which amount is fixed, and how many units of it."""

    direction: Direction
    source: Asset
    destination: Asset
    side: AmountSide
    units: int

    @property
    def fiat(self) -> Asset:
        """The fiat side."""
        return self.source if self.direction is Direction.BUY else self.destination

    @property
    def coin(self) -> Asset:
        """The crypto side."""
        return self.destination if self.direction is Direction.BUY else self.source


async def create(
    db: Database,
    rails: Rails,
    board: PriceBoard,
    policy: Policy,
    caller: Caller,
    body: QuoteIn,
    request: IdempotentRequest,
) -> Answer:
    """Price the request and hold the price. One statement stores the quote and the answer.

    Raises ValidationFailed, RouteUnsupported, RouteUnavailable without a fresh price, InsufficientLiquidity,
    AmountBelowMin and AmountAboveMax; nothing is stored then.
    """
    wanted = read(body)
    rails.chain(wanted.coin.network)
    method = body.payment_method or "card"
    if wanted.direction is Direction.BUY:
        rails.require_open(method)
        payable(method, wanted, policy)
    quote = priced(
        wanted,
        board,
        policy,
        partner_id=caller.partner_id,
        at=caller.now,
        now=time.monotonic(),
        livemode=rails.livemode,
    )
    if wanted.direction is Direction.BUY:
        payable(method, replace(wanted, side=AmountSide.SOURCE, units=quote.source_units), policy)
    if wanted.direction is Direction.BUY and policy.floats is not None:
        await policy.floats.require(db, Money(quote.destination_units, wanted.destination))
    quote.payment_method = method if wanted.direction is Direction.BUY else "deposit"
    quote.country, quote.session_id = body.country, caller.session_id
    answer = quote_out(quote, caller.now).model_dump_json().encode()
    return await _store(db, quote, request, answer)


def payable(method: str, wanted: Wanted, policy: Policy) -> None:
    """Raise RouteUnsupported for a currency that cannot be paid in this way, AmountAboveMax for too much of it."""
    limits = policy.limits_of(method, wanted.fiat.code)
    if limits is None:
        raise RouteUnsupported("This currency is not paid in this way.", pointer="/payment_method")
    if wanted.side is AmountSide.SOURCE and wanted.units > limits.most:
        raise AmountAboveMax(f"The most is {Money(limits.most, wanted.fiat)}.", pointer="/source/amount")


def priced(
    wanted: Wanted, board: PriceBoard, policy: Policy, *, partner_id: str, at: datetime, now: float, livemode: bool
) -> Quote:
    """The price of an exchange as a quote's row, not written and without a payment method.

    `at` is the database's clock, `now` the monotonic one. Raises RouteUnsupported, RouteUnavailable without a fresh
    price, InsufficientLiquidity, AmountBelowMin and AmountAboveMax.
    """
    limits = policy.limits.get(wanted.fiat.code)
    if limits is None:
        raise RouteUnsupported
    check_fixed(wanted, limits)
    book = board.merged(wanted.coin.code, wanted.fiat.code, now=now)
    made = price_from(book, wanted, policy)
    check(made.fiat_units, limits, wanted)
    return _row(partner_id, at, wanted, made, book, policy, age=now - book.taken_at, livemode=livemode)


def price_from(book: Merged, wanted: Wanted, policy: Policy) -> Priced:
    """What an exchange comes to on a book; raises InsufficientLiquidity and AmountBelowMin."""
    return price(
        wanted.units,
        direction=wanted.direction,
        amount_side=wanted.side,
        asks=book.asks,
        bids=book.bids,
        terms=policy.terms,
        base_decimals=wanted.coin.decimals,
        price_places=finer_places(wanted.coin.code),
    )


async def _store(db: Database, quote: Quote, request: IdempotentRequest, answer: bytes) -> Answer:
    """Store the quote with its answer, or find the answer that the key has got before."""
    async with db.connection() as connection:
        stored = await quote_rows.insert(
            connection, quote, key=request.key, request_hash=request.fingerprint, response=answer
        )
        if stored:
            return Answer(201, answer)
        earlier = await idempotency.find(connection, request.partner_id, request.key)
    assert earlier is not None  # noqa: S101 - the key is there, else the quote would have been stored
    return replay(earlier, request)


def read(body: QuoteIn) -> Wanted:
    """Read a request; raises ValidationFailed or RouteUnsupported with a pointer to what is wrong."""
    direction = Direction(body.direction)
    source = asset_of(body.source.asset, body.source.network, pointer="/source/asset")
    destination = asset_of(body.destination.asset, body.destination.network, pointer="/destination/asset")
    check_sides(direction, source, destination)
    amounts = [side for side in (body.source, body.destination) if side.amount is not None]
    if len(amounts) != 1:
        raise ValidationFailed("Exactly one of the two sides has an amount.", pointer="/source/amount")
    [fixed] = amounts
    side = AmountSide.SOURCE if fixed is body.source else AmountSide.DESTINATION
    asset = source if side is AmountSide.SOURCE else destination
    pointer = f"/{side.value}/amount"
    units = parse_units(fixed.amount or "", asset.decimals, pointer=pointer)
    if units == 0:
        raise ValidationFailed("The amount must be above zero.", pointer=pointer)
    return Wanted(direction, source, destination, side, units)


def check_sides(direction: Direction, source: Asset, destination: Asset) -> None:
    """Raise ValidationFailed or RouteUnsupported, with a pointer, for two assets that are not exchanged this way."""
    if source == destination:
        raise ValidationFailed("The two sides are the same asset.", pointer="/destination/asset")
    if source.is_fiat is not (direction is Direction.BUY) or destination.is_fiat is source.is_fiat:
        raise RouteUnsupported("A buy goes from fiat to coins, a sell from coins to fiat.", pointer="/direction")


def _fiat_side(direction: Direction) -> AmountSide:
    return AmountSide.SOURCE if direction is Direction.BUY else AmountSide.DESTINATION


def check_fixed(wanted: Wanted, limits: Limits) -> None:
    """Raise AmountBelowMin or AmountAboveMax when the amount that is fixed is money, and outside the limits."""
    if wanted.side is _fiat_side(wanted.direction):
        check(wanted.units, limits, wanted)


def check(units: int, limits: Limits, wanted: Wanted) -> None:
    """Raise AmountBelowMin or AmountAboveMax when so many units of the fiat side are outside the limits."""
    pointer = f"/{wanted.side.value}/amount"
    if units < limits.least:
        raise AmountBelowMin(f"The least is {Money(limits.least, wanted.fiat)}.", pointer=pointer)
    if units > limits.most:
        raise AmountAboveMax(f"The most is {Money(limits.most, wanted.fiat)}.", pointer=pointer)


def _row(
    partner_id: str,
    at: datetime,
    wanted: Wanted,
    made: Priced,
    book: Merged,
    policy: Policy,
    *,
    age: float,
    livemode: bool,
) -> Quote:
    """The quote's row. Its times are of the database's clock, which the caller's authentication has read."""
    return Quote(
        id=new_id("qt"),
        partner_id=partner_id,
        direction=wanted.direction.value,
        amount_side=wanted.side.value,
        status="open",
        source_asset=wanted.source.id,
        source_units=made.source_units,
        destination_asset=wanted.destination.id,
        destination_units=made.destination_units,
        venue_units=made.venue_value,
        spread_units=made.spread_units,
        processing_units=made.processing_units,
        partner_units=made.partner_units,
        network_units=made.network_units,
        payment_method="",
        terms=_terms(wanted, made, book, policy, at - timedelta(seconds=max(0.0, age))),
        livemode=livemode,
        expires_at=at + policy.quote_lifetime,
        created_at=at,
    )


def _terms(wanted: Wanted, made: Priced, book: Merged, policy: Policy, as_of: datetime) -> Document:
    """What a quote tells of how its price came about; `as_of` is the moment of the book."""
    places, coin = wanted.fiat.decimals + made.price_places, wanted.coin
    return {
        "rate": format_units(made.rate_units, places),
        # The middle of two whole prices may end in half a unit: one more decimal writes it exactly.
        "mid": format_units(int(made.mid * 10 ** (made.price_places + 1)), places + 1),
        "sources": list(book.sources),
        "as_of": format_moment(as_of),
        "spread_bps": policy.terms.spread_bps,
        "total_cost_bps": made.total_cost_bps,
        "levels": [
            [format_units(level, places), format_units(quantity, coin.decimals)] for level, quantity in made.levels
        ],
    }


async def get(db: Database, caller: Caller, quote_id: str) -> QuoteOut:
    """A partner's own quote; raises NotFound."""
    quote = await quote_rows.get(db, caller.partner_id, quote_id)
    if quote is None:
        raise NotFound
    return quote_out(quote, caller.now)


def quote_out(quote: Quote, now: datetime) -> QuoteOut:
    """The quote as the public sees it; `now` is the database's clock."""
    source, destination = asset_by_id(quote.source_asset), asset_by_id(quote.destination_asset)
    terms = quote.terms
    expired = quote.status == "open" and quote.expires_at <= now
    return QuoteOut.model_validate(
        {
            "id": quote.id,
            "direction": quote.direction,
            "status": "expired" if expired else quote.status,
            "amount_side": quote.amount_side,
            "source": MoneyOut.of(Money(quote.source_units, source)),
            "destination": MoneyOut.of(Money(quote.destination_units, destination)),
            "rate": terms["rate"],
            "mid_rate": MidRateOut.model_validate(
                {"value": terms["mid"], "sources": terms["sources"], "as_of": terms["as_of"]}
            ),
            "spread_bps": terms["spread_bps"],
            "fees": fees_out(
                source if source.is_fiat else destination,
                processing=quote.processing_units,
                network=quote.network_units,
                partner=quote.partner_units,
            ),
            "total_cost_bps": terms["total_cost_bps"],
            "levels": terms["levels"],
            "payment_method": quote.payment_method,
            "country": quote.country,
            "order_id": quote.order_id,
            "expires_at": quote.expires_at,
            "created_at": quote.created_at,
            "livemode": quote.livemode,
        }
    )
