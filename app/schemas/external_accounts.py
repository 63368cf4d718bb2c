"""External accounts as partners name them and see them, in answers and in events alike."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, PlainValidator, StringConstraints

from app.schemas.base import (
    AssetCode,
    ListOut,
    Metadata,
    Moment,
    Network,
    NetworkName,
    PlainText,
    Request,
    Resource,
)


def _without_edges(value: str) -> str:
    """Refuse white space around a name: it would have to be cut, or be paid to somebody called ' '."""
    if value != value.strip():
        raise ValueError("a name neither begins nor ends with white space")
    return value


HolderName = Annotated[
    PlainText,
    StringConstraints(min_length=1, max_length=140),
    AfterValidator(_without_edges),
    Field(examples=["Ada Lovelace"], description="Whose account it is, as the bank knows them"),
]


class WalletIn(Request):
    """An address of somebody else's wallet."""

    type: Literal["wallet"]
    asset: AssetCode = Field(examples=["BTC"])
    network: NetworkName
    address: Annotated[PlainText, StringConstraints(min_length=1, max_length=128)] = Field(
        examples=["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"]
    )
    metadata: Metadata = Field(default_factory=dict)


class AchAccountIn(Request):
    """A bank account in the United States."""

    type: Literal["bank"]
    scheme: Literal["ach"]
    routing_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] = Field(
        examples=["021000021"], description="Nine digits, the last of them a check digit"
    )
    account_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,17}$")] = Field(
        examples=["1234567890"], repr=False
    )
    holder_name: HolderName
    account_type: Literal["checking", "savings"] = "checking"
    metadata: Metadata = Field(default_factory=dict)


class SepaAccountIn(Request):
    """A bank account in the Single Euro Payments Area."""

    type: Literal["bank"]
    scheme: Literal["sepa"]
    iban: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z ]{5,70}$")] = Field(
        examples=["DE89370400440532013000"],
        description="As printed or as typed: spaces and case do not count",
        repr=False,
    )
    holder_name: HolderName
    bic: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{8}([0-9A-Za-z]{3})?$")] | None = Field(
        default=None, examples=["COBADEFFXXX"], description="Not needed; must be of the IBAN's country"
    )
    metadata: Metadata = Field(default_factory=dict)


class _Typed(Request):
    """What kind of account a body is of."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["wallet", "bank"]


class _Schemed(Request):
    """By which scheme a bank account is named."""

    model_config = ConfigDict(extra="ignore")

    scheme: Literal["ach", "sepa"]


AnyAccountIn: TypeAlias = AchAccountIn | SepaAccountIn | WalletIn


def _read(value: object) -> AnyAccountIn:
    """Read a body as what its `type` and `scheme` say it is.

    A discriminated union of pydantic's would do the same, but put the names of its members into the places of errors:
    `/bank/sepa/iban` for what stands at `/iban`.
    """
    if isinstance(value, dict) and value.get("type") == "wallet":
        return WalletIn.model_validate(value)  # thousands of them come in one body
    if isinstance(value, AnyAccountIn):
        return value
    if _Typed.model_validate(value).type == "wallet":
        return WalletIn.model_validate(value)
    if _Schemed.model_validate(value).scheme == "ach":
        return AchAccountIn.model_validate(value)
    return SepaAccountIn.model_validate(value)


ExternalAccountIn: TypeAlias = Annotated[AnyAccountIn, PlainValidator(_read, json_schema_input_type=AnyAccountIn)]


class ExternalAccountOut(Resource):
    """Where payouts may go. Of a bank account's number only the end is ever shown."""

    id: str = Field(examples=["xa_01JD0000000000000000000000"])
    object: Literal["external_account"] = "external_account"
    sequence: int
    type: Literal["bank", "wallet"]
    status: Literal["pending", "verified", "rejected", "locked", "closed"]
    asset: str = Field(examples=["EUR"])
    network: Network = None
    scheme: Literal["ach", "sepa"] | None
    address: str | None
    holder_name: str | None
    bank_name: str | None = Field(description="As far as it is known")
    country: str | None
    last4: str | None
    reason: str | None = Field(description="Why it was rejected or locked")
    corrections: list[str] = Field(description="What its bank has asked to be changed, by the scheme's own codes")
    metadata: dict[str, JsonValue]
    created_at: Moment
    updated_at: Moment


ExternalAccountList = ListOut[ExternalAccountOut]
