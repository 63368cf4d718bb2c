"""What this instance offers, as partners see it: assets, payment methods, state machines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas.base import ListOut, Resource


class DepthStepOut(Resource):
    """Payments below `below` (any, when null) are final after so many blocks."""

    below: str | None = Field(examples=["0.00100000"])
    confirmations: int = Field(examples=[1])


class AssetOut(Resource):
    """An asset on a network: the pair is its identity."""

    id: str = Field(examples=["BTC.bitcoin"])
    object: Literal["asset"] = "asset"
    asset: str = Field(examples=["BTC"])
    network: str | None = Field(examples=["bitcoin"])
    decimals: int = Field(examples=[8])
    caip19: str | None = Field(
        description="The chain-agnostic id; null for fiat money",
        examples=["bip122:000000000019d6689c085ae165831e93/slip44:0"],
    )
    confirmations: list[DepthStepOut]
    routable: bool = Field(description="Whether it can be exchanged here now")


class MethodLimitOut(Resource):
    """What one order may exchange of a currency."""

    asset: str = Field(examples=["EUR"])
    min: str = Field(examples=["1.00"])
    max: str = Field(examples=["1000000.00"])


class PaymentMethodOut(Resource):
    """A way customers can pay."""

    id: str = Field(examples=["card"])
    object: Literal["payment_method"] = "payment_method"
    direction: Literal["buy", "sell"] = Field(examples=["buy"])
    provider: str = Field(examples=["stripe"])
    limits: list[MethodLimitOut] = Field(description="Of each currency that can be paid so")
    payment_window: str = Field(
        description="How long the money is waited for, and the price held (ISO 8601)", examples=["PT900S"]
    )
    settlement_time: str = Field(
        description="From the customer's consent to the money being ours, as a rule at most", examples=["P4D"]
    )
    reversal_window: str = Field(
        description="For how long the customer or a bank can take the money back", examples=["P60D"]
    )
    delivery_hold: str = Field(
        description="How long an order waits, at most, between being paid and being delivered", examples=["P10D"]
    )


class EdgeOut(Resource):
    """One edge of a state machine, with the event that it emits; null where the public sees no difference."""

    source: str = Field(examples=["paid"])
    trigger: str = Field(examples=["send_prepared"])
    target: str = Field(examples=["sending"])
    event: str | None = Field(examples=["order.stage_changed"])


class StateOut(Resource):
    """One state, and what the public sees of it. In a terminal one nothing more happens by our own doing."""

    state: str = Field(examples=["sending"])
    status: str = Field(examples=["processing"])
    stage: str | None = Field(description="Of orders only", examples=["broadcast"])
    terminal: bool


class MachineOut(Resource):
    """The states and edges of one table; orders have one for each direction."""

    direction: Literal["buy", "sell"] | None = Field(examples=["buy"])
    states: list[StateOut]
    edges: list[EdgeOut]


class StateMachineOut(Resource):
    """How a kind of resource moves: the very tables that the program reads."""

    object: Literal["state_machine"] = "state_machine"
    resource: str = Field(examples=["order"])
    machines: list[MachineOut]


AssetList = ListOut[AssetOut]
PaymentMethodList = ListOut[PaymentMethodOut]
