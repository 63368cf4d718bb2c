"""Tolerance: of many things done in turn, one that cannot be done stops none of the others; a person is told."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

import structlog

from app.db.alerts import raise_alert
from app.db.database import Database
from app.ports.errors import ProviderError

log = structlog.get_logger(__name__)

NOT_SETTLED: Final = "send_not_settled"


async def tolerate(db: Database, kind: str, subject: str, work: Awaitable[None]) -> None:
    """Do it. A provider's failure waits for the next turn; any other raises an alert of this kind."""
    try:
        await work
    except ProviderError as error:
        log.warning("turn.provider_failed", kind=kind, subject=subject, error=str(error))
    except Exception as error:
        await tell(db, kind, subject, error)


async def tell(db: Database, kind: str, subject: str, error: Exception) -> None:
    """Log what went wrong with something, and raise an alert."""
    said = f"{type(error).__name__}: {error}"
    log.error("turn.failed", kind=kind, subject=subject, error=said, exc_info=error)
    async with db.transaction() as tx:
        await raise_alert(tx, kind, subject, said)
