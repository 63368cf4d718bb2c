"""Alerts: what a person should look at."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from app.db.columns import moment, text
from app.db.database import Transaction
from app.db.table import Table


class Alert(Table, table=True):
    """Something that the program will not decide by itself."""

    __tablename__ = "alerts"

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(sa_column=text())
    subject: str = Field(sa_column=text())
    detail: str = Field(sa_column=text())
    created_at: datetime = Field(sa_column=moment(default_now=True))
    resolved_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


async def raise_alert(tx: Transaction, kind: str, subject: str, detail: str) -> None:
    """Open an alert, unless the same one is open already."""
    await tx.execute(
        """
        INSERT INTO alerts (kind, subject, detail) VALUES ($1, $2, $3)
        ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO NOTHING
        """,
        kind,
        subject,
        detail,
    )


async def resolve_alert(tx: Transaction, kind: str, subject: str) -> None:
    """Close an open alert, if there is one."""
    await tx.execute(
        "UPDATE alerts SET resolved_at = now() WHERE kind = $1 AND subject = $2 AND resolved_at IS NULL", kind, subject
    )
