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


# Stripe's published test accounts: https://docs.stripe.com/testing. They decide how the debit ends.
TestAccount = Literal[
    "000123456789",
    "000111111113",
    "000111111116",
    "000222222227",
    "000333333335",
    "000444444440",
    "000555555559",
    "DE89370400440532013000",
    "DE62370400440532013001",
    "DE35370400440532013002",
    "DE65370400440002222227",
]
OrderId = Annotated[str, StringConstraints(max_length=64)]


class AuthenticateIn(Request):
    """End the 3-D Secure challenge of an order's card as the customer does."""

    order_id: OrderId = Field(examples=["or_01JD0000000000000000000000"])
    outcome: Literal["succeeded", "failed"] = Field(default="succeeded", examples=["succeeded"])


class ChargebackIn(Request):
    """Let the customer's bank take an order's payment back, all of it unless an amount is named; or end the dispute."""

    order_id: OrderId = Field(examples=["or_01JD0000000000000000000000"])
    amount: AmountText | None = None
    outcome: Literal["won", "lost"] | None = Field(default=None, description="Ends the dispute that is open")


class DebitIn(Request):
    """Give a mandate for one of Stripe's published test accounts, which decides how the debit ends."""

    order_id: OrderId = Field(examples=["or_01JD0000000000000000000000"])
    account: TestAccount = Field(examples=["000123456789"])


class DebitSettleIn(Request):
    """Let the customer's bank answer to a debit."""

    order_id: OrderId = Field(examples=["or_01JD0000000000000000000000"])


class DebitReturnIn(DebitSettleIn):
    """Let the customer's bank return a debit, before it has succeeded or after."""

    code: Annotated[str, StringConstraints(pattern=r"^(R[0-9]{2}|[A-Z]{2}[0-9]{2})$")] = Field(
        default="R01", examples=["R01"], description="One of Nacha's or the SEPA rulebook's reason codes"
    )


class TransferIn(Request):
    """Let a bank transfer arrive for an order: exact, too little or too much."""

    order_id: OrderId = Field(examples=["or_01JD0000000000000000000000"])
    amount: AmountText


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


class PaymentActOut(Resource):
    """Done at the processor; the order follows as soon as it tells us."""

    object: Literal["simulation"] = "simulation"
    act: Literal[
        "card.authenticate",
        "card.chargeback",
        "debit.authorize",
        "debit.settle",
        "debit.return",
        "transfer.credit",
    ] = Field(examples=["debit.return"])
    order_id: str = Field(examples=["or_01JD0000000000000000000000"])


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
