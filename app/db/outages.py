"""What a database that is away, busy or locked looks like: failures after which the same request may be sent again."""

from __future__ import annotations

from typing import Final

import asyncpg
from sqlalchemy import exc

TRANSIENT: Final[tuple[type[Exception], ...]] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    exc.TimeoutError,
    exc.OperationalError,
    exc.InterfaceError,
    ConnectionError,
    TimeoutError,
)
