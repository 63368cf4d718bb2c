"""Market prices as partners see them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas.base import ListOut, Moment, Resource

DoubtName = Literal["no_fresh_price", "disagreement", "crossed", "jump"]


class RateOut(Resource):
    """The market for one coin in one currency, before any fee. Without a price to believe there are no numbers."""

    object: Literal["rate"] = "rate"
    base: str = Field(examples=["BTC"])
    quote: str = Field(examples=["EUR"])
    mid: str | None = Field(examples=["60990.000"])
    bid: str | None = Field(description="What a whole coin can be sold for", examples=["60980.00"])
    ask: str | None = Field(description="What a whole coin can be bought for", examples=["61000.00"])
    sources: list[str] = Field(description="The venues that agree on it", examples=[["kraken", "binance"]])
    as_of: Moment | None = Field(description="The moment of the oldest book in it")
    age_ms: int | None = Field(description="How old that was when you asked", examples=[180])
    reason: DoubtName | None = Field(description="Why there is no price now", examples=[None])


RateList = ListOut[RateOut]
