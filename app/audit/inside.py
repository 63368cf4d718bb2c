"""Reading our own database as an auditor: one snapshot of the primary, as a role that can only read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from app.audit.invariant import Invariant
from app.audit.report import Finding
from app.db.database import Database, Transaction

ROLE = "rampwright_auditor"

_LONGEST_STATEMENT = "10min"


class AuditImpossibleError(RuntimeError):
    """The database cannot be audited: it is a replica, or the auditor's role is not to be had."""


@asynccontextmanager
async def reading(db: Database) -> AsyncIterator[Transaction]:
    """One REPEATABLE READ READ ONLY transaction as the auditor's own role; raises AuditImpossibleError.

    The role ends with the transaction, so the connection goes back to the pool as it came.
    """
    async with db.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        if await connection.fetchval("SELECT pg_is_in_recovery()"):
            raise AuditImpossibleError("this is a replica, which may be behind: audit the primary")
        if not await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", ROLE):
            raise AuditImpossibleError(f"there is no role {ROLE}: the migrations make it")
        try:
            await connection.execute(f"SET LOCAL ROLE {ROLE}")
        except asyncpg.InsufficientPrivilegeError:
            raise AuditImpossibleError(f"this account may not read as {ROLE}: GRANT {ROLE} to it") from None
        await connection.execute(f"SET LOCAL statement_timeout = '{_LONGEST_STATEMENT}'")
        yield connection


async def check(connection: Transaction, invariant: Invariant) -> Finding:
    """Run one invariant's query."""
    rows = await connection.fetch(invariant.sql)
    return Finding(invariant.id, invariant.statement, tuple(dict(row) for row in rows))
