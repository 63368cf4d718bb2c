"""Moves of payouts, batches and deposits: which fact brought what from where to where. Rows are inserted only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlmodel import Field, col, select

from app.db.bulk import MANY, copy
from app.db.columns import counter, moment, text
from app.db.database import Database, Transaction
from app.db.table import Table


class MoveRow(Table, table=True):
    """A recorded move. `cause` names the fact behind it, so that the same fact moves a resource once."""

    __tablename__ = "moves"

    resource_id: str = Field(sa_column=text(primary_key=True))
    sequence: int = Field(sa_column=counter(primary_key=True))
    source: str = Field(sa_column=text())
    trigger: str = Field(sa_column=text())
    target: str = Field(sa_column=text())
    cause: str = Field(sa_column=text())
    actor: str | None = Field(default=None, sa_column=text(nullable=True))
    reason: str | None = Field(default=None, sa_column=text(nullable=True))
    at: datetime = Field(sa_column=moment(default_now=True))


@dataclass(frozen=True, slots=True)
class Move:
    """One move to record."""

    resource_id: str
    sequence: int
    source: str
    trigger: str
    target: str
    cause: str
    actor: str | None = None
    reason: str | None = None


_WRITTEN = ("resource_id", "sequence", "source", "trigger", "target", "cause", "actor", "reason")
_columns = attrgetter(*_WRITTEN)


async def record(tx: Transaction, moves: Sequence[Move]) -> None:
    """Write moves, of as many resources as there are, in one statement."""
    if len(moves) > MANY:
        await copy(tx, "moves", _WRITTEN, map(_columns, moves))
        return
    await tx.execute(
        """
        INSERT INTO moves (resource_id, sequence, source, trigger, target, cause, actor, reason)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[])
        """,
        [move.resource_id for move in moves],
        [move.sequence for move in moves],
        [move.source for move in moves],
        [move.trigger for move in moves],
        [move.target for move in moves],
        [move.cause for move in moves],
        [move.actor for move in moves],
        [move.reason for move in moves],
    )


async def has(tx: Transaction, resource_id: str, trigger: str, cause: str) -> bool:
    """Whether this fact has moved the resource before."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM moves WHERE resource_id = $1 AND trigger = $2 AND cause = $3)",
            resource_id,
            trigger,
            cause,
        )
    )


async def of_resource(db: Database, resource_id: str) -> list[MoveRow]:
    """Every move of a resource, in order."""
    async with db.session() as session:
        found = await session.exec(
            select(MoveRow).where(col(MoveRow.resource_id) == resource_id).order_by(col(MoveRow.sequence))
        )
        return list(found)
