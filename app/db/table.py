"""What every table class is: SQLModel for schema and reads, but cheap to make one by one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlmodel import SQLModel


class Table(SQLModel):
    """The base of every table class."""

    if not TYPE_CHECKING:  # the checker knows the fields from the class; see what a constructor costs below

        def __init__(self, **values: object) -> None:
            """Take the values as they are.

            SQLModel's own constructor sends every column through two layers of change tracking, a quarter of a
            millisecond for an order. What we write goes out in plain SQL, and nothing tracks it.
            """
            fields, defaults = _fields(type(self))
            unknown = values.keys() - fields
            if unknown:
                raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
            self.__dict__.update(defaults)
            self.__dict__.update(values)


@cache
def _fields(model: type[SQLModel]) -> tuple[frozenset[str], dict[str, object]]:
    """The names of a table's fields, and the defaults of those that have one."""
    fields = model.model_fields
    defaults = {name: field.default for name, field in fields.items() if not field.is_required()}
    return frozenset(fields), defaults
