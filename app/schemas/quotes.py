"""Quotes as partners ask for them and see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.schemas.base import AmountText, AssetCode, Moment, MoneyOut, NetworkName, Request, Resource


class QuoteSide(Request):
    """One side of an exchange; exactly one of the two sides has an amount."""

    asset: AssetCode
    network: NetworkName | None = None
    amount: AmountText | None = None


class QuoteIn(Request):
    """A price to be held."""

    direction: Literal["buy", "sell"] = Field(examples=["buy"])
    source: QuoteSide
    destination: QuoteSide
    payment_method: Literal["card", "ach_debit", "sepa_debit", "bank_transfer"] | None = Field(
        default=None, examples=["card"], description="How the customer pays a buy; a sell is paid by its deposit"
    )
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(default=None, examples=["DE"])


class FeeOut(Resource):
    """One fee, spelled out. The lines and what is exchanged add up to the total exactly."""

    type: Literal["processing", "network", "partner"]
    amount: str
    asset: str
    payer: Literal["customer"] = "customer"
    recipient: Literal["operator", "partner", "network"]


class MidRateOut(Resource):
    """The middle of the market that the quote was made from."""

    value: str = Field(examples=["60990.00"])
    sources: list[str]
    as_of: Moment


class QuoteOut(Resource):
    """A firm price, for one order, until it expires."""

    id: str = Field(examples=["qt_01JD0000000000000000000000"])
    object: Literal["quote"] = "quote"
    direction: Literal["buy", "sell"]
    status: Literal["open", "used", "expired"]
    amount_side: Literal["source", "destination"]
    source: MoneyOut
    destination: MoneyOut
    rate: str = Field(description="Fiat per whole coin, over the levels taken")
    mid_rate: MidRateOut
    spread_bps: int
    fees: list[FeeOut]
    total_cost_bps: int
    levels: list[tuple[str, str]] = Field(description="The market levels taken: price, quantity")
    payment_method: str | None
    country: str | None = None
    order_id: str | None = None
    expires_at: Moment
    created_at: Moment
    livemode: bool


class OfferOut(Resource):
    """What one route would give, or why it gives nothing. The amounts are those that a quote would have."""

    rank: int | None = Field(description="1 is the best for the customer; null for a route that is not available")
    venues: list[str] = Field(description="Whose books the price is from", examples=[["kraken", "binance"]])
    payment_method: str = Field(examples=["card"])
    available: bool
    source: MoneyOut | None
    destination: MoneyOut | None
    rate: str | None = Field(description="Fiat per whole coin, over the levels taken", examples=["61000.00"])
    fees: list[FeeOut]
    total_cost_bps: int | None
    behind_bps: int | None = Field(description="How much worse than the best, in basis points, rounded up")
    code: str | None = Field(description="Why it is not available", examples=[None])
    reason: str = Field(examples=["The best price."])


class ComparisonOut(Resource):
    """Every route for one exchange, the best first. Nothing is held: `POST /v1/quotes` does that."""

    object: Literal["quote_comparison"] = "quote_comparison"
    direction: Literal["buy", "sell"]
    amount_side: Literal["source", "destination"]
    offers: list[OfferOut]
    as_of: Moment
    livemode: bool
