"""What every schema shares: strict reading, money as strings, times in UTC with microseconds, lists."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from app.domain.money import AMOUNT_PATTERN, Asset, Money

AmountText = Annotated[
    str,
    StringConstraints(pattern=AMOUNT_PATTERN, max_length=40),
    Field(examples=["100.00"], description="Plain decimal"),
]
AssetCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,5}$"), Field(examples=["EUR"])]
NetworkName = Annotated[str, StringConstraints(pattern=r"^[a-z]{3,16}$"), Field(examples=["bitcoin"])]

# Letters, marks, digits, punctuation and symbols; no control characters, no bidirectional overrides, no zero width.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain_text(value: str) -> str:
    """Refuse text that could hide or break something: control and format characters, or not in NFC form."""
    if value.isascii() and value.isprintable():  # what nearly all text is, without a look at every character
        return value
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in value):
        raise ValueError("control and invisible characters are not allowed")
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError("the text is not in Unicode's NFC form")
    return value


PlainText = Annotated[str, AfterValidator(plain_text)]
Label = Annotated[PlainText, StringConstraints(min_length=1, max_length=200)]
MetadataKey = Annotated[PlainText, StringConstraints(min_length=1, max_length=40)]
MetadataValue = Annotated[PlainText, StringConstraints(max_length=500)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50, examples=[{"cart": "9"}])]


def format_moment(value: datetime) -> str:
    """RFC 3339 in UTC with microseconds: `2026-11-01T12:00:00.000000Z`."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Moment = Annotated[datetime, PlainSerializer(format_moment, return_type=str)]


class Request(BaseModel):
    """What partners send us: no guessing of types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(Request):
    """A body without fields."""


class Resource(BaseModel):
    """What partners get from us."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _absent(value: object) -> bool:
    return value is None


Network = Annotated[str | None, Field(default=None, exclude_if=_absent, examples=["bitcoin"])]


class MoneyOut(Resource):
    """An amount with its asset; `network` is there for coins only."""

    asset: str = Field(examples=["EUR"])
    network: Network = None
    amount: str = Field(examples=["100.00"])

    @classmethod
    def of(cls, money: Money) -> MoneyOut:
        """Write an amount out with exactly its asset's decimals."""
        return cls(asset=money.asset.code, network=money.asset.network, amount=money.decimal)


def decimal_of(units: int, asset: Asset) -> str:
    """Whole units as the decimal string of an asset."""
    return Money(units, asset).decimal


Item = TypeVar("Item", bound=Resource)


class ListOut(Resource, Generic[Item]):
    """A page of anything."""

    object: str = "list"
    data: list[Item]
    has_more: bool = False
