"""Reconciliation: its runs, the lines that were matched, the breaks, and everything that was done about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Field, col, select

from app.db.columns import Document, counter, document, json_text, moment, text, whole_units
from app.db.database import Database, Transaction
from app.db.pages import Page, newest_first
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.reconciliation import BreakKind, Identity

# Two runs over one source would each open what the other resolves.
_RUN_LOCK = 7_240_008


class ReconciliationRun(Table, table=True):
    """One source held against the ledger. `balances` are whole units by asset: theirs, ours, pending, broken."""

    __tablename__ = "reconciliation_runs"

    id: str = Field(sa_column=text(primary_key=True))
    source: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    night: str | None = Field(default=None, sa_column=text(nullable=True))
    at_block: str | None = Field(default=None, sa_column=text(nullable=True))
    lines: int = Field(default=0, sa_column=counter())
    matched: int = Field(default=0, sa_column=counter())
    pending: int = Field(default=0, sa_column=counter())
    breaks: int = Field(default=0, sa_column=counter())
    balances: Document = Field(sa_column=document())
    error: str | None = Field(default=None, sa_column=text(nullable=True))
    started_at: datetime = Field(sa_column=moment())
    finished_at: datetime = Field(sa_column=moment(default_now=True))


class ReconciliationLine(Table, table=True):
    """A line of theirs, and the entry that it is."""

    __tablename__ = "reconciliation_lines"

    source: str = Field(sa_column=text(primary_key=True))
    reference: str = Field(sa_column=text(primary_key=True))
    thing: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    entry_id: str = Field(sa_column=text())
    run_id: str = Field(sa_column=text())
    matched_at: datetime = Field(sa_column=moment(default_now=True))


class ReconciliationBreak(Table, table=True):
    """Something that is not explained. `units` is what they have and the books have not, on `account`."""

    __tablename__ = "reconciliation_breaks"

    id: str = Field(sa_column=text(primary_key=True))
    source: str = Field(sa_column=text())
    account: str = Field(sa_column=text())
    kind: str = Field(sa_column=text())
    thing: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    line_reference: str | None = Field(default=None, sa_column=text(nullable=True))
    entry_id: str | None = Field(default=None, sa_column=text(nullable=True))
    line_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    detail: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    sequence: int = Field(default=1, sa_column=counter())
    opened_at: datetime = Field(sa_column=moment(default_now=True))
    seen_in: str = Field(sa_column=text())
    resolution: str | None = Field(default=None, sa_column=text(nullable=True))
    resolved_by: str | None = Field(default=None, sa_column=text(nullable=True))
    resolved_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    note: str | None = Field(default=None, sa_column=text(nullable=True))
    correction_id: str | None = Field(default=None, sa_column=text(nullable=True))

    @property
    def identity(self) -> Identity:
        """What makes it the same break in another run."""
        return self.line_reference, self.entry_id, self.asset, self.kind if self.kind == BreakKind.BALANCE else ""


class ReconciliationAction(Table, table=True):
    """Something that was done about a break."""

    __tablename__ = "reconciliation_actions"

    break_id: str = Field(sa_column=text(primary_key=True))
    sequence: int = Field(sa_column=counter(primary_key=True))
    action: str = Field(sa_column=text())
    actor: str = Field(sa_column=text())
    reason: str = Field(sa_column=text())
    account: str | None = Field(default=None, sa_column=text(nullable=True))
    entry_id: str | None = Field(default=None, sa_column=text(nullable=True))
    at: datetime = Field(sa_column=moment(default_now=True))


async def take_turn(tx: Transaction, source: str) -> None:
    """Wait until no other run over the source is writing."""
    await tx.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _RUN_LOCK, source)


async def insert_run(tx: Transaction, run: ReconciliationRun) -> bool:
    """Keep a run; False when this night's is there already."""
    finished: datetime | None = await tx.fetchval(
        """
        INSERT INTO reconciliation_runs (id, source, state, night, at_block, lines, matched, pending, breaks, balances,
                                         error, started_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12) ON CONFLICT DO NOTHING RETURNING finished_at
        """,
        run.id,
        run.source,
        run.state,
        run.night,
        run.at_block,
        run.lines,
        run.matched,
        run.pending,
        run.breaks,
        json_text(run.balances),
        run.error,
        run.started_at,
    )
    if finished is None:
        return False
    run.finished_at = finished
    return True


async def was_run(tx: Transaction, source: str, night: str) -> bool:
    """Whether the source has had its run of this night."""
    return bool(
        await tx.fetchval(
            """
            SELECT EXISTS (SELECT 1 FROM reconciliation_runs WHERE source = $1 AND night = $2 AND state = 'done')
            """,
            source,
            night,
        )
    )


async def keep_matches(tx: Transaction, lines: Sequence[ReconciliationLine]) -> None:
    """Write which line is which entry; a line that is another one than before is moved."""
    await tx.execute(
        """
        INSERT INTO reconciliation_lines AS known (source, reference, thing, asset, units, at, entry_id, run_id)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::timestamptz[],
                             $7::text[], $8::text[])
        ON CONFLICT (source, reference) DO UPDATE SET thing = excluded.thing, asset = excluded.asset,
            units = excluded.units, at = excluded.at, entry_id = excluded.entry_id, run_id = excluded.run_id,
            matched_at = now()
        WHERE (known.entry_id, known.units, known.asset) IS DISTINCT FROM
              (excluded.entry_id, excluded.units, excluded.asset)
        """,
        [line.source for line in lines],
        [line.reference for line in lines],
        [line.thing for line in lines],
        [line.asset for line in lines],
        [line.units for line in lines],
        [line.at for line in lines],
        [line.entry_id for line in lines],
        [line.run_id for line in lines],
    )


async def breaks_of(tx: Transaction, source: str) -> list[ReconciliationBreak]:
    """Every break of a source that there ever was; the caller has taken its turn."""
    return rows_of(
        ReconciliationBreak,
        await tx.fetch("SELECT * FROM reconciliation_breaks WHERE source = $1 ORDER BY id FOR UPDATE", source),
    )


async def lock_break(tx: Transaction, break_id: str) -> ReconciliationBreak | None:
    """A break, locked until the transaction ends."""
    record = await tx.fetchrow("SELECT * FROM reconciliation_breaks WHERE id = $1 FOR UPDATE", break_id)
    return None if record is None else row_of(ReconciliationBreak, record)


async def insert_break(tx: Transaction, made: ReconciliationBreak) -> None:
    """Write a new break."""
    await tx.execute(
        """
        INSERT INTO reconciliation_breaks (id, source, kind, thing, asset, units, line_reference, entry_id, line_at,
                                           detail, seen_in, account)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        made.id,
        made.source,
        made.kind,
        made.thing,
        made.asset,
        made.units,
        made.line_reference,
        made.entry_id,
        made.line_at,
        made.detail,
        made.seen_in,
        made.account,
    )


async def store_break(tx: Transaction, changed: ReconciliationBreak) -> None:
    """Write the changed columns of a locked break."""
    await tx.execute(
        """
        UPDATE reconciliation_breaks SET kind = $2, units = $3, detail = $4, state = $5, sequence = $6, seen_in = $7,
            resolution = $8, resolved_by = $9, note = $10, correction_id = $11,
            resolved_at = CASE WHEN $5 = 'resolved' THEN coalesce(resolved_at, now()) END
        WHERE id = $1
        """,
        changed.id,
        changed.kind,
        changed.units,
        changed.detail,
        changed.state,
        changed.sequence,
        changed.seen_in,
        changed.resolution,
        changed.resolved_by,
        changed.note,
        changed.correction_id,
    )


async def record(tx: Transaction, done: ReconciliationAction) -> None:
    """Write what was done about a break."""
    await tx.execute(
        """
        INSERT INTO reconciliation_actions (break_id, sequence, action, actor, reason, account, entry_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        done.break_id,
        done.sequence,
        done.action,
        done.actor,
        done.reason,
        done.account,
        done.entry_id,
    )


async def last_action(tx: Transaction, break_id: str) -> ReconciliationAction | None:
    """What was done about a break last."""
    record_ = await tx.fetchrow(
        "SELECT * FROM reconciliation_actions WHERE break_id = $1 ORDER BY sequence DESC LIMIT 1", break_id
    )
    return None if record_ is None else row_of(ReconciliationAction, record_)


@dataclass(frozen=True, slots=True)
class BreakFilter:
    """Which breaks; None for any."""

    source: str | None = None
    kind: str | None = None
    state: str | None = None


async def page_of_breaks(db: Database, wanted: BreakFilter, page: Page) -> tuple[list[ReconciliationBreak], bool]:
    """A page of breaks, newest first, and whether there are more. Raises NotFound for an unknown cursor."""
    query = select(ReconciliationBreak)
    for column, value in (
        (col(ReconciliationBreak.source), wanted.source),
        (col(ReconciliationBreak.kind), wanted.kind),
        (col(ReconciliationBreak.state), wanted.state),
    ):
        if value is not None:
            query = query.where(column == value)
    everybody = col(ReconciliationBreak.id).is_not(None)
    return await newest_first(db, query, everybody, col(ReconciliationBreak.id), page)


async def page_of_runs(db: Database, source: str | None, page: Page) -> tuple[list[ReconciliationRun], bool]:
    """A page of runs, newest first, and whether there are more. Raises NotFound for an unknown cursor."""
    query = select(ReconciliationRun)
    if source is not None:
        query = query.where(col(ReconciliationRun.source) == source)
    everybody = col(ReconciliationRun.id).is_not(None)
    return await newest_first(db, query, everybody, col(ReconciliationRun.id), page)


async def open_breaks(db: Database) -> list[ReconciliationBreak]:
    """Every open break, oldest first."""
    async with db.connection() as connection:
        return rows_of(
            ReconciliationBreak,
            await connection.fetch("SELECT * FROM reconciliation_breaks WHERE state = 'open' ORDER BY id"),
        )
