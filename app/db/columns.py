"""Column kinds used by every table, said once: text ids, whole units, UTC times, JSON documents."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from pydantic import JsonValue
from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, Numeric, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeDecorator
from ulid import ULID

Document = dict[str, JsonValue]


def new_id(prefix: str) -> str:
    """A new public id: the prefix, an underscore and a ULID, so that ids sort by the time they were made."""
    return f"{prefix}_{ULID()}"


class Units(TypeDecorator[int]):
    """Whole smallest units: `numeric(78,0)` in the database (wei overflow 64 bits), `int` in Python."""

    impl = Numeric(78, 0)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: object) -> Decimal | None:
        """Hand the driver a Decimal, which it can send without rounding."""
        return None if value is None else Decimal(value)

    def process_result_value(self, value: Any | None, dialect: object) -> int | None:
        """Give back a whole number."""
        return None if value is None else int(value)


def text(*, primary_key: bool = False, nullable: bool = False, unique: bool = False) -> Column[str]:
    """A text column."""
    return Column(Text(), primary_key=primary_key, nullable=nullable, unique=unique)


def whole_units(*, nullable: bool = False) -> Column[int]:
    """An amount in whole units."""
    return Column(Units(), nullable=nullable)


def moment(*, nullable: bool = False, default_now: bool = False) -> Column[datetime]:
    """A point in time, with its zone."""
    return Column(DateTime(timezone=True), nullable=nullable, server_default=func.now() if default_now else None)


def document(*, nullable: bool = False, name: str | None = None) -> Column[Document]:
    """A JSON document; `name` where the column is not called like the attribute."""
    return Column(name, JSONB(none_as_null=True), nullable=nullable)


def texts() -> Column[list[str]]:
    """A list of texts."""
    return Column(ARRAY(Text()), nullable=False)


def counter(*, primary_key: bool = False) -> Column[int]:
    """A 64-bit whole number."""
    return Column(BigInteger(), primary_key=primary_key, nullable=False)


def raw_bytes(*, nullable: bool = False) -> Column[bytes]:
    """Bytes, as they are."""
    return Column(LargeBinary(), nullable=nullable)


def json_text(value: object) -> str:
    """A value as the JSON text that the raw statements send."""
    return orjson.dumps(value).decode()
