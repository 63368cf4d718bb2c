"""Statements: what changes our balance at a provider besides payments, read there and booked once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from app.db import ledger
from app.db import statement as line_rows
from app.db.alerts import raise_alert, resolve_alert
from app.db.database import Database
from app.domain.bookkeeping_provider import statement_line
from app.ports.records import LineKind, PayinLine, PayinStatement
from app.services.rails import Rails

# Lines may show up late; what was read before is passed over.
_OVERLAP: Final = timedelta(days=2)
_BEGINNING: Final = datetime(2010, 1, 1, tzinfo=UTC)
BELOW_ZERO: Final = "provider_balance_negative"


async def read_all(db: Database, rails: Rails) -> int:
    """Read every provider's statement on; how many new lines there were. Raises ProviderUnavailable."""
    count = 0
    for provider, statement in rails.statements.items():
        count += await read(db, provider, statement)
    return count


async def read(db: Database, provider: str, statement: PayinStatement) -> int:
    """Book the lines that are new, and look whether the balance is below zero."""
    async with db.connection() as connection:
        newest = await line_rows.newest(connection, provider)
    since = _BEGINNING if newest is None else newest - _OVERLAP
    lines = await statement.lines_since(since)
    async with db.connection() as connection:
        new = await line_rows.unread(connection, provider, lines)
    for line in new:
        await _book(db, provider, line)
    await _look_at_balance(db, provider, statement)
    return len(new)


async def _book(db: Database, provider: str, line: PayinLine) -> None:
    async with db.transaction() as tx:
        if not await line_rows.insert(tx, provider, line):
            return
        for entry in statement_line(provider, line.reference, line.kind.value, line.amount, line.fee):
            await ledger.post(tx, entry, subject=line.reference)
        if line.kind is LineKind.OTHER:
            detail = f"{line.amount} changed our balance at {provider}, and nothing that we know of explains it"
            await raise_alert(tx, "unexplained_line", line.reference, detail)


async def _look_at_balance(db: Database, provider: str, statement: PayinStatement) -> None:
    """A processor that takes more than we have there will take it from our bank: a person should know first."""
    for balance in await statement.balances():
        subject = f"{provider}:{balance.asset.id}"
        async with db.transaction() as tx:
            if balance.units < 0:
                await raise_alert(tx, BELOW_ZERO, subject, f"it stands at {balance}")
            else:
                await resolve_alert(tx, BELOW_ZERO, subject)
