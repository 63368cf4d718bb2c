"""Widget sessions as partners make and see them, in answers and in events alike."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from app.schemas.base import (
    AmountText,
    AssetCode,
    Label,
    ListOut,
    Metadata,
    Moment,
    Network,
    NetworkName,
    PlainText,
    Request,
    Resource,
)
from app.schemas.orders import AddressText, CustomerIn

MethodName = Literal["card", "ach_debit", "sepa_debit", "bank_transfer"]
Locale = Literal["en", "de", "es", "fr", "ar"]
StatusName = Literal["created", "opened", "ordered", "completed", "expired", "revoked"]
_ULID = "01JD0000000000000000000000"


class SessionSource(Request):
    """What the customer gives."""

    asset: AssetCode
    network: NetworkName | None = None
    amount: AmountText | None = None


class SessionDestination(Request):
    """What the customer gets. An address that is named here cannot be changed in the browser."""

    asset: AssetCode
    network: NetworkName | None = None
    amount: AmountText | None = None
    address: AddressText | None = None
    memo: Annotated[PlainText, StringConstraints(max_length=100)] | None = Field(
        default=None, description="No network that is served here knows memos"
    )


class ThemeIn(Request):
    """How the page looks: a few values of a closed set, never style sheets."""

    mode: Literal["auto", "light", "dark"] = "auto"
    accent: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")] | None = Field(
        default=None, examples=["#0a7c55"]
    )
    radius: Annotated[int, Field(ge=0, le=24)] | None = Field(default=None, examples=[12], description="In pixels")
    font: Literal["system", "serif", "mono"] = "system"


class SessionIn(Request):
    """What is bound for one customer. Whatever is left out, the customer decides."""

    direction: Literal["buy", "sell"] = Field(examples=["buy"])
    source: SessionSource
    destination: SessionDestination
    payment_method: MethodName | None = Field(default=None, examples=["card"])
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(default=None, examples=["DE"])
    external_account_id: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="Where a sale is paid out to; else the customer names a bank account"
    )
    refund_address: AddressText | None = Field(
        default=None, description="Where the coins of a sale go back to, should they have to"
    )
    external_id: Label | None = Field(default=None, examples=["inv-42"], description="Given to the order")
    customer: CustomerIn | None = None
    metadata: Metadata = Field(default_factory=dict)
    locale: Locale = Field(default="en", examples=["de"])
    theme: ThemeIn = Field(default_factory=ThemeIn)
    allowed_origins: Annotated[list[Annotated[str, StringConstraints(max_length=300)]], Field(max_length=10)] = Field(
        default_factory=list,
        examples=[["https://shop.example"]],
        description="The pages that may embed the widget, exactly; none: it opens in a window of its own only",
    )
    return_url: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        default=None, examples=["https://shop.example/thanks"], description="Of one of the allowed origins"
    )


class SessionSideOut(Resource):
    """One side as far as it is bound."""

    asset: str = Field(examples=["EUR"])
    network: Network = None
    amount: str | None = None


class SessionDestinationOut(SessionSideOut):
    """What the customer gets, as far as it is bound."""

    address: str | None = None
    memo: str | None = None


class ThemeOut(Resource):
    """How the page looks."""

    mode: Literal["auto", "light", "dark"]
    accent: str | None
    radius: int | None
    font: Literal["system", "serif", "mono"]


class SessionOut(Resource):
    """A session as its partner sees it. What it has bound never changes."""

    id: str = Field(examples=[f"ss_{_ULID}"])
    object: Literal["session"] = "session"
    sequence: int
    status: StatusName
    direction: Literal["buy", "sell"]
    source: SessionSideOut
    destination: SessionDestinationOut
    payment_method: MethodName | None
    country: str | None
    external_account_id: str | None
    refund_address: str | None
    external_id: str | None
    customer: dict[str, JsonValue]
    metadata: dict[str, JsonValue]
    locale: Locale
    theme: ThemeOut
    allowed_origins: list[str]
    return_url: str | None
    order_id: str | None = Field(description="The order that was placed last")
    revoked_reason: Literal["partner", "tampered"] | None = Field(
        description="`tampered`: the browser sent something that is bound"
    )
    opened_at: Moment | None
    revoked_at: Moment | None
    expires_at: Moment
    created_at: Moment
    updated_at: Moment
    livemode: bool


class SessionWithSecretOut(SessionOut):
    """A new session. The client secret is shown here only."""

    url: str = Field(description="The page, with the client secret in its fragment, which no server is ever sent")
    client_secret: str = Field(repr=False)


SessionList = ListOut[SessionOut]
