"""Results of batches as files: every item in its order, read and written a thousand at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.db import files as file_rows
from app.db import payout_items
from app.db.database import Database
from app.domain.payout_batch import BatchState
from app.schemas.payout_batches import BatchItemOut
from app.services.batch_reads import own
from app.services.batch_view import item_out

CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
_AT_ONCE: Final = 1000
_COLUMNS: Final = (
    "line",
    "position",
    "amount",
    "asset",
    "network",
    "external_account_id",
    "method",
    "reference",
    "external_id",
    "status",
    "payout_id",
    "error_codes",
    "error_columns",
    "warnings",
    "provider_reference",
    "tx_hash",
    "failure_code",
    "return_code",
)
# A spreadsheet takes a cell that begins like this for a formula (OWASP, CSV Injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Results:
    """A file that is made while it is read. Items that change meanwhile are shown as they stand when they are read."""

    db: Database
    batch_id: str
    state: BatchState
    media_type: str

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"{self.batch_id}.{'csv' if self.media_type == CSV else 'ndjson'}"

    async def lines(self) -> AsyncIterator[bytes]:
        """The file, some hundred lines at a time; no connection is held while the reader takes its time."""
        if self.media_type == CSV:
            yield _rows([_COLUMNS])
        after = 0
        while True:
            async with self.db.connection() as connection:
                found = await payout_items.page(connection, self.batch_id, after=after, limit=_AT_ONCE)
            if not found:
                return
            after = found[-1]["position"]
            items = [item_out(record, self.state) for record in found]
            if self.media_type == CSV:
                yield _rows([_cells(item) for item in items])
            else:
                yield b"".join(item.model_dump_json().encode() + b"\n" for item in items)


async def open_results(db: Database, partner_id: str, batch_id: str, *, accept: str) -> Results:
    """The results of a batch in the form that was asked for, else in that of its file. Raises NotFound."""
    async with db.connection() as connection:
        batch = await own(connection, partner_id, batch_id)
        file = None if batch.file_id is None else await file_rows.get(connection, partner_id, batch.file_id)
    usual = NDJSON if file is None else file.content_type
    wanted = [name for name in (CSV, NDJSON) if name in accept.lower()]
    return Results(db, batch_id, batch.batch_state, wanted[0] if len(wanted) == 1 else usual)


def _rows(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cells(item: BatchItemOut) -> list[str]:
    amount = item.amount
    cells = (
        item.line,
        item.position,
        None if amount is None else amount.amount,
        None if amount is None else amount.asset,
        None if amount is None else amount.network,
        item.external_account_id,
        item.method,
        item.reference,
        item.external_id,
        item.status,
        item.payout_id,
        " ".join(error.code for error in item.errors),
        " ".join(error.column or error.pointer or "" for error in item.errors),
        " ".join(item.warnings),
        item.provider_reference,
        item.tx_hash,
        None if item.failure is None else item.failure.get("code"),
        None if item.returned is None else item.returned.code,
    )
    return ["" if cell is None else harmless(str(cell)) for cell in cells]


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: such ones get an apostrophe in front."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
