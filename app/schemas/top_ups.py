"""Top-ups and the numbers they come to, as partners see them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas.base import AssetCode, ListOut, Moment, MoneyOut, Request, Resource


class VirtualAccountIn(Request):
    """Ask for a number to send money to; there is one for each asset."""

    asset: AssetCode = Field(examples=["USD"])


class VirtualAccountOut(Resource):
    """Where to send money that tops the balance up. Name `reference` in the transfer where one is given."""

    id: str = Field(examples=["va_01JD0000000000000000000000"])
    object: Literal["virtual_account"] = "virtual_account"
    asset: str = Field(examples=["USD"])
    provider: str = Field(examples=["increase"])
    holder_name: str
    bank_name: str
    routing_number: str | None = None
    account_number: str | None = None
    iban: str | None = None
    reference: str | None = Field(default=None, description="Without it nobody knows whose the money is")
    created_at: Moment


class VirtualAccountList(ListOut[VirtualAccountOut]):
    """Every number of yours."""


class TopUpOut(Resource):
    """Money that came in for you."""

    id: str = Field(examples=["tu_01JD0000000000000000000000"])
    object: Literal["top_up"] = "top_up"
    sequence: int
    status: Literal["credited", "held", "reversed"]
    amount: MoneyOut
    provider: str
    sender_name: str
    message: str
    received_at: Moment
    created_at: Moment
    livemode: bool


class TopUpList(ListOut[TopUpOut]):
    """A page of top-ups, newest first."""
