"""Screening cases: what was stopped by a list, or for want of one, and what a person made of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field

from app.db.columns import moment, text
from app.db.database import Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.screening import CaseKind, CaseState


class ScreeningCase(Table, table=True):
    """Something that was stopped: `subject` is an order, a payout or a deposit."""

    __tablename__ = "screening_cases"

    id: str = Field(sa_column=text(primary_key=True))
    subject: str = Field(sa_column=text())
    partner_id: str = Field(sa_column=text())
    kind: str = Field(sa_column=text())
    address: str = Field(sa_column=text())
    listed_id: int | None = Field(default=None, sa_column=Column(BigInteger(), nullable=True))
    detail: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    opened_at: datetime = Field(sa_column=moment(default_now=True))
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decided_by: str | None = Field(default=None, sa_column=text(nullable=True))
    reason: str | None = Field(default=None, sa_column=text(nullable=True))

    @property
    def case_state(self) -> CaseState:
        """The state as the domain's own value."""
        return CaseState(self.state)

    @property
    def is_match(self) -> bool:
        """Whether an address was found on a list."""
        return self.kind == CaseKind.MATCH


async def open_case(tx: Transaction, case: ScreeningCase) -> bool:
    """Open a case, unless the same one is open or has been confirmed; whether it is new."""
    written = await tx.fetchval(
        """
        INSERT INTO screening_cases (id, subject, partner_id, kind, address, listed_id, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
        """,
        case.id,
        case.subject,
        case.partner_id,
        case.kind,
        case.address,
        case.listed_id,
        case.detail,
    )
    return written is not None


async def lock_case(tx: Transaction, case_id: str) -> ScreeningCase | None:
    """A case, locked until the transaction ends."""
    record = await tx.fetchrow("SELECT * FROM screening_cases WHERE id = $1 FOR UPDATE", case_id)
    return None if record is None else row_of(ScreeningCase, record)


async def peek_case(tx: Transaction, case_id: str) -> ScreeningCase | None:
    """A case as it stands."""
    record = await tx.fetchrow("SELECT * FROM screening_cases WHERE id = $1", case_id)
    return None if record is None else row_of(ScreeningCase, record)


async def decide(tx: Transaction, case: ScreeningCase, state: CaseState, *, actor: str, reason: str) -> None:
    """End a locked case."""
    case.state, case.decided_by, case.reason = state.value, actor, reason
    case.decided_at = await tx.fetchval(
        """
        UPDATE screening_cases SET state = $2, decided_by = $3, reason = $4, decided_at = now() WHERE id = $1
        RETURNING decided_at
        """,
        case.id,
        state.value,
        actor,
        reason,
    )


async def stopping(tx: Transaction, subjects: Sequence[str]) -> list[ScreeningCase]:
    """The cases that stop any of these, or a payout or deposit of an order among them: open or confirmed ones.

    Of an order's other coins and money nothing is stopped by a deposit that stays blocked.
    """
    return rows_of(
        ScreeningCase,
        await tx.fetch(
            """
            SELECT * FROM screening_cases
            WHERE (state = 'open' OR state = 'confirmed' AND NOT starts_with(subject, 'dp_')) AND subject IN (
                SELECT unnest($1::text[])
                UNION ALL SELECT id FROM payouts WHERE order_id = ANY($1)
                UNION ALL SELECT id FROM deposits WHERE order_id = ANY($1)
            ) ORDER BY id
            """,
            list(subjects),
        ),
    )


async def of_subject(tx: Transaction, subject: str, *states: CaseState) -> list[ScreeningCase]:
    """The cases about one subject that stand in one of these states, oldest first."""
    return rows_of(
        ScreeningCase,
        await tx.fetch(
            "SELECT * FROM screening_cases WHERE subject = $1 AND state = ANY($2) ORDER BY id",
            subject,
            [state.value for state in states],
        ),
    )


async def open_cases(tx: Transaction, kind: CaseKind | None = None) -> list[ScreeningCase]:
    """The open cases, oldest first."""
    return rows_of(
        ScreeningCase,
        await tx.fetch(
            "SELECT * FROM screening_cases WHERE state = 'open' AND ($1::text IS NULL OR kind = $1) ORDER BY id", kind
        ),
    )


async def released(tx: Transaction, subjects: Sequence[str]) -> set[tuple[str, int]]:
    """For which subjects a person has found that a listed address is no obstacle: pairs of subject and its row."""
    records = await tx.fetch(
        """
        SELECT subject, listed_id FROM screening_cases
        WHERE subject = ANY($1) AND kind = 'match' AND state = 'released'
        """,
        list(subjects),
    )
    return {(record["subject"], record["listed_id"]) for record in records}
