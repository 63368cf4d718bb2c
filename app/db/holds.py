"""Holds: what stops an order, a payout or a deposit where it stands, as it is kept on its row."""

from __future__ import annotations

from app.db.columns import Document
from app.db.database import Transaction


async def document(tx: Transaction, reason: str) -> Document:
    """A hold for a reason, since now by the database's clock."""
    since = await tx.fetchval("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    return {"reason": reason, "since": since, "requirement": None}
