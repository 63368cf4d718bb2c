"""Deposits and the addresses they arrive at, as partners ask for them and see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from app.schemas.base import AssetCode, ListOut, Metadata, Moment, MoneyOut, NetworkName, Request, Resource

_EXAMPLE = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


class DepositAddressIn(Request):
    """An address that stays: what arrives is credited to your balance, or sold and paid out."""

    asset: AssetCode = Field(examples=["BTC"])
    network: NetworkName
    route: Literal["balance", "sell"] = Field(examples=["balance"])
    external_account_id: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, examples=["xa_01JD0000000000000000000000"], description="Where sales are paid out to"
    )
    destination_asset: AssetCode | None = Field(default=None, examples=["USD"], description="What sales are paid in")
    metadata: Metadata = Field(default_factory=dict)


class DepositAddressOut(Resource):
    """An address to send coins to. One of an order serves that order alone."""

    id: str = Field(examples=["da_01JD0000000000000000000000"])
    object: Literal["deposit_address"] = "deposit_address"
    sequence: int
    asset: str
    network: str
    address: str = Field(examples=[_EXAMPLE])
    route: Literal["balance", "sell", "order"]
    order_id: str | None
    external_account_id: str | None
    destination_asset: str | None
    status: Literal["active", "deactivated"]
    metadata: dict[str, JsonValue]
    created_at: Moment
    updated_at: Moment


class DepositOut(Resource):
    """Coins of one output of a transaction. They count once they are `confirmations_needed` blocks deep."""

    id: str = Field(examples=["dp_01JD0000000000000000000000"])
    object: Literal["deposit"] = "deposit"
    sequence: int
    status: Literal["detected", "confirmed", "credited", "held", "blocked", "orphaned"]
    deposit_address_id: str
    order_id: str | None
    amount: MoneyOut
    tx_hash: str
    output_index: int
    confirmations: int
    confirmations_needed: int
    hold: dict[str, JsonValue] | None
    created_at: Moment
    updated_at: Moment
    livemode: bool


DepositAddressList = ListOut[DepositAddressOut]
DepositList = ListOut[DepositOut]
