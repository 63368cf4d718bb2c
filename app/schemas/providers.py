"""Providers as partners see them: who serves what, and whether it works."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas.base import ListOut, Moment, Resource

Status = Literal["operational", "degraded", "down"]
Reason = Literal[
    "no_answer",
    "unusable_book",
    "crossed_book",
    "stale",
    "disagreement",
    "crossed",
    "jump",
    "stopped",
]


class ProviderPairOut(Resource):
    """How a price source stands for one pair."""

    base: str = Field(examples=["BTC"])
    quote: str = Field(examples=["EUR"])
    status: Status
    reason: Reason | None
    since: Moment
    streaming: bool = Field(description="Whether its book is kept by a stream; else it is asked for")


class ProviderOut(Resource):
    """One provider. What is wrong with it is told in a word; `since` is when it began, or when it was last so."""

    object: Literal["provider"] = "provider"
    name: str = Field(examples=["kraken"])
    kind: Literal["prices", "payments", "bank", "chain"]
    status: Status
    reason: Reason | None = Field(description="The worst that is wrong with it", examples=[None])
    since: Moment | None = Field(description="Since when it is so, where that is known")
    capabilities: list[str] = Field(examples=[["BTC/EUR", "BTC/USD"]])
    pairs: list[ProviderPairOut] = Field(description="Of price sources only")


ProviderList = ListOut[ProviderOut]
