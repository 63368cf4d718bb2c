"""How often a notification has been tried: counted before each try, so that a try that kills its worker counts."""

from __future__ import annotations

from app.db.database import Transaction
from app.db.notifications import Notification
from app.db.rows import row_of


async def begin(tx: Transaction, stored_id: str) -> Notification | None:
    """Count a try of a notification that waits to be processed; None when it does not."""
    record = await tx.fetchrow(
        "UPDATE notifications SET tries = tries + 1 WHERE id = $1 AND state = 'received' RETURNING *", stored_id
    )
    return None if record is None else row_of(Notification, record)


async def forgive(tx: Transaction, stored_id: str) -> None:
    """Take back the count of a try that failed through no fault of the notification."""
    await tx.execute("UPDATE notifications SET tries = greatest(tries - 1, 0) WHERE id = $1", stored_id)
