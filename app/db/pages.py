"""Pages of a list: newest first, next to an id, and made within a span of time."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Mapped
from sqlmodel.sql.expression import SelectOfScalar

from app.db.database import Database

Row = TypeVar("Row")
Bounds = Sequence[tuple[str, datetime]]  # (`gte`, `gt`, `lte` or `lt`, moment)

_COMPARED = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt}


def within(query: SelectOfScalar[Row], column: Mapped[datetime], bounds: Bounds) -> SelectOfScalar[Row]:
    """Only what was made within the bounds."""
    for name, moment in bounds:
        query = query.where(_COMPARED[name](column, moment))
    return query


async def newest_first(
    db: Database,
    query: SelectOfScalar[Row],
    identity: Mapped[str],
    *,
    older_than: str | None,
    newer_than: str | None,
    limit: int,
) -> list[Row]:
    """What the query finds, newest first: `limit` of those next to an id, on either side."""
    if older_than is not None:
        query = query.where(identity < older_than)
    if newer_than is not None:
        # The neighbours of the cursor, not the newest of all: read upwards, then turn round.
        query = query.where(identity > newer_than).order_by(identity)
    else:
        query = query.order_by(identity.desc())
    async with db.session() as session:
        found = list(await session.exec(query.limit(limit)))
    return found[::-1] if newer_than is not None else found
