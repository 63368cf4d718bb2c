"""Orders as partners place them and see them, in answers and in events alike."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from app.schemas.base import (
    AmountText,
    Label,
    ListOut,
    Metadata,
    Moment,
    Network,
    PlainText,
    Request,
    Resource,
)
from app.schemas.quotes import FeeOut

AddressText = Annotated[
    PlainText,
    StringConstraints(min_length=1, max_length=128),
    Field(examples=["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"]),
]


class DestinationIn(Request):
    """Where the coins go: the customer's own address."""

    address: AddressText


class CustomerIn(Request):
    """Whom the partner is serving."""

    reference: Label | None = Field(default=None, examples=["u-17"])
    # One address in plain ASCII: what a mail server would surely take, and nothing that looks like another's.
    email: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
                r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
                max_length=254,
            ),
        ]
        | None
    ) = Field(default=None, examples=["ada@example.com"])


class OrderIn(Request):
    """A quote to carry out."""

    quote_id: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["qt_01JD0000000000000000000000"])
    destination: DestinationIn | None = Field(default=None, description="Where a buy is delivered to")
    external_account_id: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, examples=["xa_01JD0000000000000000000000"], description="Where a sale is paid out to"
    )
    refund_address: AddressText | None = Field(
        default=None, description="Where the coins of a sale go back to, should they have to"
    )
    external_id: Label | None = Field(default=None, examples=["inv-42"])
    customer: CustomerIn | None = None
    metadata: Metadata = Field(default_factory=dict)


class RefundIn(Request):
    """Money to give back: all that is held when no amount is named. The coins of a sale go back whole."""

    amount: AmountText | None = None
    address: AddressText | None = Field(default=None, description="Where the coins of a sale go back to")


class SourceOut(Resource):
    """What comes in."""

    asset: str
    network: Network = None
    amount: str
    received: str
    refunded: str


class DestinationOut(Resource):
    """What goes out."""

    asset: str
    network: Network = None
    amount: str
    delivered: str
    address: str | None = None
    tx_hash: str | None = None
    confirmations: int = 0


class PaymentOut(Resource):
    """The payment behind a buy order. `client_secret` lets the customer's browser finish it."""

    provider: str
    reference: str | None
    client_secret: str | None = None
    publishable_key: str | None = None
    status: str
    failure: dict[str, JsonValue] | None = None


class NextActionOut(Resource):
    """What the customer has still to do for a payment.

    `three_ds`: pass the challenge, with the provider's script and the client secret. `redirect`: go to `url`.
    `bank_transfer`: send `amount_remaining`, naming `reference`, to one of `accounts`. `provider`: see the provider.
    """

    type: str = Field(examples=["bank_transfer"])
    url: str | None = None
    amount_remaining: dict[str, str] | None = Field(default=None, examples=[{"asset": "EUR", "amount": "100.00"}])
    reference: str | None = Field(default=None, examples=["7KQ2XA"])
    accounts: list[dict[str, str]] = Field(
        default_factory=list, examples=[[{"type": "iban", "iban": "DE89370400440532013000", "bic": "TESTDEFF"}]]
    )


class OrderDepositOut(Resource):
    """Where the coins of a sale are awaited, how many of them, and until when."""

    address: str
    network: str
    amount: str
    expires_at: Moment


class OrderOut(Resource):
    """An order. A buy has a `payment`, a sale a `deposit`."""

    id: str = Field(examples=["or_01JD0000000000000000000000"])
    object: Literal["order"] = "order"
    sequence: int
    quote_id: str
    external_id: str | None
    session_id: str | None = Field(default=None, description="The widget session that it was placed in")
    direction: Literal["buy", "sell"]
    status: str
    stage: str
    source: SourceOut
    destination: DestinationOut
    payment: PaymentOut | None
    next_action: NextActionOut | None = None
    deliver_after: Moment | None = Field(
        default=None, description="Not delivered before: the payment can still be returned"
    )
    deposit: OrderDepositOut | None = None
    external_account_id: str | None = None
    refund_address: str | None = None
    fees: list[FeeOut]
    hold: dict[str, JsonValue] | None
    dispute: dict[str, JsonValue] | None
    failure: dict[str, JsonValue] | None
    allowed_actions: list[str]
    customer: dict[str, JsonValue]
    metadata: dict[str, JsonValue]
    expires_at: Moment
    created_at: Moment
    updated_at: Moment
    livemode: bool


class TransitionOut(Resource):
    """One recorded move of an order."""

    object: Literal["transition"] = "transition"
    sequence: int
    source: str
    trigger: str
    target: str
    status: str
    stage: str
    actor: str | None
    reason: str | None
    at: Moment


class PostingOut(Resource):
    """One ledger line: debit positive, credit negative."""

    object: Literal["posting"] = "posting"
    entry_id: str
    kind: str
    reference: str
    account: str
    asset: str
    network: Network = None
    amount: str = Field(examples=["-310.46"])
    created_at: Moment


OrderList = ListOut[OrderOut]
TransitionList = ListOut[TransitionOut]
PostingList = ListOut[PostingOut]
