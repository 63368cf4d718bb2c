"""Notifications that wait for a person: having them processed again."""

from __future__ import annotations

from app.db import notifications
from app.db.alerts import resolve_alert
from app.db.database import Transaction
from app.db.jobs import Job, JobName, enqueue
from app.domain.errors import ConflictState, NotFound

PARKED = "notification_parked"  # the kind of alert that parking raises


async def retry(tx: Transaction, stored_id: str, *, actor: str, reason: str) -> None:
    """Process a parked or ignored notification again. Raises NotFound, or ConflictState for any other.

    A quarantined one stays where it is: it is of another mode or account, and no try makes it ours.
    """
    found = await notifications.get(tx, stored_id)
    if found is None:
        raise NotFound(f"There is no notification {stored_id}.")
    if not await notifications.reopen(tx, stored_id, actor=actor, reason=reason):
        raise ConflictState(f"A notification that is {found.state} is not tried again.")
    await resolve_alert(tx, PARKED, stored_id)
    await enqueue(tx, [Job(JobName.PROCESS_NOTIFICATION, stored_id)])
