"""Writing many rows at once: as a stream, where one statement with lists would spend its time on the lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from app.db.database import Transaction

# From so many rows on the stream's two round trips cost less than lists do: the driver looks at every element of a
# list for whether it is a list itself.
MANY: Final = 50


async def copy(tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Stream rows into a table; columns that are not named get their defaults. Raises what an INSERT would."""
    await tx.copy_records_to_table(table, columns=list(columns), records=rows)
