"""Balances as partners see them."""

from __future__ import annotations

from pydantic import Field

from app.schemas.base import ListOut, Moment, Resource


class BalanceOut(Resource):
    """What a partner has of one asset; `network` is null for fiat money."""

    asset: str = Field(examples=["EUR"])
    network: str | None = Field(examples=["bitcoin"])
    available: str = Field(description="What may be paid out", examples=["100.00"])
    pending: str = Field(description="What is the partner's but not to be paid out yet", examples=["0.00"])


class BalanceList(ListOut[BalanceOut]):
    """Every asset's balance at one moment."""

    as_of: Moment
