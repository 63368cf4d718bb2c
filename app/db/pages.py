"""Pages of a list of a partner's: newest first, next to an id, and made within a span of time."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.database import Database
from app.domain.errors import NotFound

Row = TypeVar("Row")
Bounds = Sequence[tuple[str, datetime]]  # (`gte`, `gt`, `lte` or `lt`, moment)

_COMPARED = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: `limit` items next to an id, on either side of it or on none."""

    limit: int
    starting_after: str | None = None
    ending_before: str | None = None


def within(query: SelectOfScalar[Row], column: Mapped[datetime], bounds: Bounds) -> SelectOfScalar[Row]:
    """Only what was made within the bounds."""
    for name, moment in bounds:
        query = query.where(_COMPARED[name](column, moment))
    return query


async def newest_first(
    db: Database, query: SelectOfScalar[Row], mine: ColumnElement[bool], identity: Mapped[str], page: Page
) -> tuple[list[Row], bool]:
    """A page of what the query finds, newest first, and whether there is more of it on that side.

    Raises NotFound for a cursor that is not one of the partner's, which `mine` says; filters do not matter to it.
    """
    cursor = page.starting_after or page.ending_before
    upwards = page.ending_before is not None
    # Upwards: the neighbours of the cursor, not the newest of all. So they are read from it, and turned round.
    query = query.order_by(identity if upwards else identity.desc()).limit(page.limit + 1)
    if cursor is not None:
        query = query.where(identity > cursor if upwards else identity < cursor)
    async with db.session() as session:
        if cursor is not None:
            known = await session.exec(select(identity).where(mine, identity == cursor))
            if known.first() is None:
                raise NotFound
        found = list(await session.exec(query))
    shown = found[: page.limit]
    return (shown[::-1] if upwards else shown), len(found) > page.limit
