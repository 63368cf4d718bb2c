"""Flags: what a provider thinks of a payment before anybody disputes it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from app.db.columns import moment, text
from app.db.database import Transaction
from app.db.table import Table


class PaymentFlag(Table, table=True):
    """An issuer's `warning`, or a `review` that is open, approved or closed for another reason."""

    __tablename__ = "payment_flags"

    provider: str = Field(sa_column=text(primary_key=True))
    reference: str = Field(sa_column=text(primary_key=True))
    payment_id: str = Field(sa_column=text())
    kind: str = Field(sa_column=text())
    status: str = Field(sa_column=text())
    detail: str = Field(sa_column=text())
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


async def put(
    tx: Transaction, *, provider: str, reference: str, payment_id: str, kind: str, status: str, detail: str
) -> bool:
    """Keep how a flag stands; False when it stood so before. What was closed is not opened again."""
    done = await tx.execute(
        """
        INSERT INTO payment_flags (provider, reference, payment_id, kind, status, detail)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (provider, reference) DO UPDATE SET status = $5, detail = $6, updated_at = now()
        WHERE payment_flags.status = 'open' AND $5 <> 'open'
        """,
        provider,
        reference,
        payment_id,
        kind,
        status,
        detail,
    )
    return done.endswith("1")


async def is_warned(tx: Transaction, payment_id: str) -> bool:
    """Whether an issuer has warned of the payment."""
    sql = "SELECT EXISTS (SELECT 1 FROM payment_flags WHERE payment_id = $1 AND kind = 'warning')"
    return bool(await tx.fetchval(sql, payment_id))


async def is_in_review(tx: Transaction, payment_id: str) -> bool:
    """Whether a review of the payment is open, as far as we have been told."""
    sql = "SELECT EXISTS (SELECT 1 FROM payment_flags WHERE payment_id = $1 AND kind = 'review' AND status = 'open')"
    return bool(await tx.fetchval(sql, payment_id))
