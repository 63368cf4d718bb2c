"""Widget sessions as the page in the customer's browser uses and sees them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from app.schemas.base import AmountText, Moment, Request, Resource
from app.schemas.external_accounts import HolderName
from app.schemas.orders import AddressText, OrderOut
from app.schemas.quotes import QuoteOut
from app.schemas.sessions import (
    Locale,
    MethodName,
    SessionDestinationOut,
    SessionSideOut,
    StatusName,
    ThemeOut,
)

_ULID = "01JD0000000000000000000000"


class ExchangeIn(Request):
    """The secret that the page was handed, and a credential that its browser has made for itself."""

    client_secret: Annotated[str, StringConstraints(max_length=2048)] = Field(
        repr=False, examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.signature"]
    )
    credential: Annotated[str, StringConstraints(pattern=r"^rmp_ws_(test|live)_[A-Za-z0-9_-]{43}$")] = Field(
        repr=False, description="256 random bits", examples=["rmp_ws_test_" + "A" * 43]
    )


class SessionQuoteIn(Request):
    """What the customer has typed. What is bound is not named here: that would void the session."""

    amount: AmountText | None = None
    side: Literal["source", "destination"] | None = Field(default=None, examples=["source"])
    payment_method: MethodName | None = Field(default=None, examples=["card"])


class SessionAddressIn(Request):
    """An address to look at."""

    address: AddressText


class SessionAddressOut(Resource):
    """Whether an address can be used. `look_alike`: this customer has used another that ends and begins the same."""

    object: Literal["address"] = "address"
    valid: bool
    normalised: str | None = None
    look_alike: bool = False
    code: Literal["address_invalid", "network_mismatch", "address_blocked"] | None = None


class SessionBankIn(Request):
    """A bank account to be paid to: an IBAN, or a routing and an account number of the United States."""

    holder_name: HolderName
    iban: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z ]{5,70}$")] | None = Field(
        default=None, examples=["DE89370400440532013000"], repr=False
    )
    routing_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] | None = None
    account_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,17}$")] | None = Field(default=None, repr=False)


class SessionOrderIn(Request):
    """A quote to carry out, and what the partner has not bound."""

    quote_id: Annotated[str, StringConstraints(max_length=64)] = Field(examples=[f"qt_{_ULID}"])
    address: AddressText | None = Field(default=None, description="Where a buy is delivered to")
    refund_address: AddressText | None = Field(default=None, description="Where the coins of a sale would go back to")
    bank: SessionBankIn | None = Field(default=None, description="Where a sale is paid out to")


class SessionPayIn(Request):
    """One of Stripe's published test payment methods; no card number is ever typed here."""

    payment_method: Annotated[str, StringConstraints(pattern=r"^pm_card_[A-Za-z0-9_]{1,60}$")] = Field(
        examples=["pm_card_visa"]
    )


class SessionAuthenticateIn(Request):
    """How the 3-D Secure challenge of a test card ends."""

    outcome: Literal["succeeded", "failed"] = Field(examples=["succeeded"])


class TestPaymentOut(Resource):
    """What became of a test card at once; the order follows when the provider tells us."""

    object: Literal["test_payment"] = "test_payment"
    status: Literal["succeeded", "requires_action", "declined", "processing"]
    code: str | None = Field(default=None, examples=["insufficient_funds"])


class PartnerNameOut(Resource):
    """Whose customer this is."""

    name: str


class SessionAccountOut(Resource):
    """The bank account that is bound, by what may be shown of it."""

    id: str
    label: str = Field(examples=["Commerzbank ••3000"])


class SessionLimitsOut(Resource):
    """What one order may be of, in money."""

    min: str
    max: str
    asset: str


class AssetNameOut(Resource):
    """How an asset is called."""

    name: str
    decimals: int
    symbol: str | None = None
    network_name: str | None = None


class TestMethodOut(Resource):
    """A test card to choose from, and what it does."""

    payment_method: str
    label: str
    outcome: Literal["succeeds", "declined", "three_ds"]


class CheckoutOut(Resource):
    """How the page takes the payment."""

    kind: Literal["sandbox", "stripe"]
    publishable_key: str | None
    payment_methods: list[TestMethodOut]


class QrOut(Resource):
    """A QR code as the path of an SVG of `size` by `size`, its quiet zone included."""

    size: int
    path: str


class DepositRequestOut(Resource):
    """Where the coins are awaited, for a wallet to read."""

    uri: str = Field(examples=["bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080?amount=0.00160000"])
    qr: QrOut
    tx_hash: str | None = None
    confirmations: int = 0


class StageOut(Resource):
    """When the order came to a stage."""

    status: str
    stage: str
    at: Moment


class SessionViewOut(Resource):
    """All that the page shows, in one document."""

    id: str = Field(examples=[f"ss_{_ULID}"])
    object: Literal["session"] = "session"
    status: StatusName
    livemode: bool
    now: Moment
    expires_at: Moment
    opened_at: Moment | None
    partner: PartnerNameOut
    direction: Literal["buy", "sell"]
    source: SessionSideOut
    destination: SessionDestinationOut
    refund_address: str | None
    payment_method: MethodName | None
    external_account: SessionAccountOut | None
    locale: Locale
    theme: ThemeOut
    return_url: str | None
    allowed_origins: list[str]
    customer: dict[str, JsonValue] | None
    limits: SessionLimitsOut | None
    payment_methods: list[str]
    assets: dict[str, AssetNameOut]
    checkout: CheckoutOut
    confirm_in_window: bool
    explorer: str | None = Field(description="A pattern with `{tx_hash}`")
    confirmations_needed: int
    quote: QuoteOut | None
    order: OrderOut | None
    deposit: DepositRequestOut | None
    timeline: list[StageOut]
