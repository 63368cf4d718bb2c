"""Approvals: which key approved or rejected what, bound by a hash to what was shown. Rows are inserted only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Field

from app.db.columns import moment, raw_bytes, text
from app.db.database import Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table


class Approval(Table, table=True):
    """One key's verdict on one payout or batch."""

    __tablename__ = "approvals"

    resource_id: str = Field(sa_column=text(primary_key=True))
    key_id: str = Field(sa_column=text(primary_key=True))
    verdict: str = Field(sa_column=text())
    hash: bytes = Field(sa_column=raw_bytes())
    reason: str | None = Field(default=None, sa_column=text(nullable=True))
    at: datetime = Field(sa_column=moment(default_now=True))


async def insert(
    tx: Transaction, resource_id: str, key_id: str, verdict: str, digest: bytes, reason: str | None
) -> None:
    """Record a verdict; raises UniqueViolationError when this key has given one."""
    await tx.execute(
        "INSERT INTO approvals (resource_id, key_id, verdict, hash, reason) VALUES ($1, $2, $3, $4, $5)",
        resource_id,
        key_id,
        verdict,
        digest,
        reason,
    )


async def find(tx: Transaction, resource_id: str, key_id: str) -> Approval | None:
    """What a key has said of a resource."""
    record = await tx.fetchrow("SELECT * FROM approvals WHERE resource_id = $1 AND key_id = $2", resource_id, key_id)
    return None if record is None else row_of(Approval, record)


async def approved(tx: Transaction, resource_ids: Sequence[str]) -> dict[str, Approval]:
    """The approval of each resource that has one."""
    found = rows_of(
        Approval,
        await tx.fetch(
            "SELECT * FROM approvals WHERE resource_id = ANY($1) AND verdict = 'approved' ORDER BY at", resource_ids
        ),
    )
    return {approval.resource_id: approval for approval in found}
