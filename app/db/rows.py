"""Turning what the driver returns into table objects: whole numbers for amounts, dicts for documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import TypeVar

import asyncpg
import orjson
from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

from app.db.columns import Units

Row = TypeVar("Row", bound=SQLModel)


def _units(value: object) -> object:
    return int(value) if isinstance(value, Decimal) else value


def _document(value: object) -> object:
    return orjson.loads(value) if isinstance(value, str) else value


def _as_it_is(value: object) -> object:
    return value


@cache
def _attributes(model: type[SQLModel]) -> dict[str, tuple[str, Callable[[object], object]]]:
    """By column: the attribute it belongs to, and how its value is read."""
    found: dict[str, tuple[str, Callable[[object], object]]] = {}
    for attribute in inspect(model).column_attrs:
        [column] = attribute.columns
        convert = _as_it_is
        if isinstance(column.type, Units):
            convert = _units
        elif isinstance(column.type, JSONB):
            convert = _document
        found[str(column.name)] = (attribute.key, convert)
    return found


def row_of(model: type[Row], record: asyncpg.Record) -> Row:
    """One record as an object of its table; columns that the table class does not name are left out."""
    attributes = _attributes(model)
    values = {}
    for name, value in record.items():
        if name in attributes:
            attribute, convert = attributes[name]
            values[attribute] = convert(value)
    return model(**values)


def rows_of(model: type[Row], records: Iterable[asyncpg.Record]) -> list[Row]:
    """Several records as objects of their table."""
    return [row_of(model, record) for record in records]
