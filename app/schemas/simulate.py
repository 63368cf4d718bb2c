"""What test mode can be told to do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.schemas.base import AmountText, NetworkName, Request, Resource

# Stripe's published test numbers, https://docs.stripe.com/testing. A real card's number is none of them.
TestCard = Literal[
    "4242424242424242",
    "4000056655665556",
    "5555555555554444",
    "378282246310005",
    "4000000000000002",
    "4000000000009995",
    "4000000000009987",
    "4000000000009979",
    "4000000000000069",
    "4000000000000127",
    "4000000000000119",
    "4000000000006975",
    "4100000000000019",
    "4000002500003155",
    "4000002760003184",
    "4000000000003220",
    "4000008400001629",
    "4000000000000259",
    "4000000000002685",
    "4000000000005423",
    "4000000000007726",
    "4000000000005126",
]


class PayIn(Request):
    """Pay an order with one of Stripe's published test cards, whose number decides the outcome."""

    order_id: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["or_01JD0000000000000000000000"])
    card: TestCard = Field(examples=["4242424242424242"])


class MineIn(Request):
    """Mine blocks at the far side."""

    network: NetworkName = Field(examples=["bitcoin"])
    blocks: Annotated[int, Field(ge=1, le=100)] = Field(default=1, examples=[1])


class DepositIn(Request):
    """Send coins to an order's address, or to a standing one: exactly one of the two is named."""

    order_id: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, examples=["or_01JD0000000000000000000000"]
    )
    deposit_address_id: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, examples=["da_01JD0000000000000000000000"]
    )
    amount: AmountText
    confirmations: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0, examples=[3], description="How many blocks are mined at once"
    )


class AchSettleIn(Request):
    """Let an ACH payout settle now."""

    payout_id: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["po_01JD0000000000000000000000"])


class AchReturnIn(AchSettleIn):
    """Let the receiving bank send an ACH payout back."""

    code: Annotated[str, StringConstraints(pattern=r"^R[0-9]{2}$")] = Field(
        default="R03", examples=["R03"], description="One of Nacha's return reason codes"
    )


class CardPaidOut(Resource):
    """The card was presented; the order follows as soon as the provider tells us."""

    object: Literal["simulation"] = "simulation"
    act: Literal["card.pay"] = "card.pay"
    order_id: str = Field(examples=["or_01JD0000000000000000000000"])


class AchActOut(Resource):
    """Done at the bank; the payout follows as soon as the bank tells us."""

    object: Literal["simulation"] = "simulation"
    act: Literal["ach.settle", "ach.return"] = Field(examples=["ach.return"])
    payout_id: str = Field(examples=["po_01JD0000000000000000000000"])


class DepositedOut(Resource):
    """The coins are on their way; what follows is seen on the chain, as in life."""

    object: Literal["simulation"] = "simulation"
    act: Literal["chain.deposit"] = "chain.deposit"
    network: str = Field(examples=["bitcoin"])
    tx_hash: str


class MinedOut(Resource):
    """The hashes of the new blocks, oldest first."""

    object: Literal["simulation"] = "simulation"
    act: Literal["chain.mine"] = "chain.mine"
    network: str = Field(examples=["bitcoin"])
    blocks: list[str]
