"""Payout batches: the row, its lock, its totals and the counts of its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Field, col, select

from app.db.columns import Document, counter, document, json_text, moment, raw_bytes, text, whole_units
from app.db.database import Database, Transaction
from app.db.pages import Bounds, Page, newest_first, within
from app.db.rows import row_of
from app.db.table import Table
from app.domain.payout_batch import BatchMode, BatchState


class PayoutBatch(Table, table=True):
    """Many payouts in one call. `items` counts those that are known, `invalid_items` those of them with errors.

    Payouts have been made of the items before `next_position`; `settled_items` and `failed_items` have ended.
    """

    __tablename__ = "payout_batches"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    external_id: str | None = Field(default=None, sa_column=text(nullable=True))
    mode: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    sequence: int = Field(sa_column=counter())
    file_id: str | None = Field(default=None, sa_column=text(nullable=True))
    items: int = 0
    invalid_items: int = 0
    next_position: int = 1
    settled_items: int = 0
    failed_items: int = 0
    approval_hash: bytes | None = Field(default=None, sa_column=raw_bytes(nullable=True))
    failure: Document | None = Field(default=None, sa_column=document(nullable=True))
    batch_metadata: Document = Field(sa_column=document(name="metadata"))
    created_by: str = Field(sa_column=text())
    request_id: str | None = Field(default=None, sa_column=text(nullable=True))
    livemode: bool
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))

    @property
    def batch_state(self) -> BatchState:
        """The state as the domain's own value."""
        return BatchState(self.state)

    @property
    def batch_mode(self) -> BatchMode:
        """The mode as the domain's own value."""
        return BatchMode(self.mode)


class BatchTotal(Table, table=True):
    """What a batch pays out of one asset: the units that were reserved for so many items."""

    __tablename__ = "payout_batch_totals"

    batch_id: str = Field(sa_column=text(primary_key=True))
    asset: str = Field(sa_column=text(primary_key=True))
    units: int = Field(sa_column=whole_units())
    items: int


async def insert(tx: Transaction, batch: PayoutBatch) -> None:
    """Write a new batch; raises UniqueViolationError for an external_id that the partner has used."""
    await tx.execute(
        """
        INSERT INTO payout_batches (id, partner_id, external_id, mode, state, sequence, file_id, items, invalid_items,
            approval_hash, metadata, created_by, request_id, livemode, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14, $15, $15)
        """,
        batch.id,
        batch.partner_id,
        batch.external_id,
        batch.mode,
        batch.state,
        batch.sequence,
        batch.file_id,
        batch.items,
        batch.invalid_items,
        batch.approval_hash,
        json_text(batch.batch_metadata),
        batch.created_by,
        batch.request_id,
        batch.livemode,
        batch.created_at,
    )


async def bind(tx: Transaction, batch_id: str, digest: bytes) -> None:
    """Keep what an approval of a new batch would be of."""
    await tx.execute("UPDATE payout_batches SET approval_hash = $2 WHERE id = $1", batch_id, digest)


async def insert_totals(tx: Transaction, totals: Sequence[BatchTotal]) -> None:
    """Write what a batch pays out of each asset."""
    await tx.executemany(
        "INSERT INTO payout_batch_totals (batch_id, asset, units, items) VALUES ($1, $2, $3, $4)",
        [(total.batch_id, total.asset, total.units, total.items) for total in totals],
    )


async def totals_of(tx: Transaction, batch_ids: Sequence[str]) -> dict[str, list[BatchTotal]]:
    """What each of the batches pays out, by asset in its order."""
    found: dict[str, list[BatchTotal]] = {batch_id: [] for batch_id in batch_ids}
    for record in await tx.fetch(
        "SELECT * FROM payout_batch_totals WHERE batch_id = ANY($1) ORDER BY batch_id, asset", list(batch_ids)
    ):
        found[record["batch_id"]].append(row_of(BatchTotal, record))
    return found


async def lock(tx: Transaction, batch_id: str) -> PayoutBatch | None:
    """The batch, locked until the transaction ends. Lock the balances that it may free first."""
    record = await tx.fetchrow("SELECT * FROM payout_batches WHERE id = $1 FOR NO KEY UPDATE", batch_id)
    return None if record is None else row_of(PayoutBatch, record)


async def peek(tx: Transaction, batch_id: str) -> PayoutBatch | None:
    """The batch, not locked."""
    record = await tx.fetchrow("SELECT * FROM payout_batches WHERE id = $1", batch_id)
    return None if record is None else row_of(PayoutBatch, record)


async def store_moved(tx: Transaction, batch: PayoutBatch) -> PayoutBatch:
    """Write what moves of a locked batch change; the row as it stands then."""
    record = await tx.fetchrow(
        """
        UPDATE payout_batches SET state = $2, sequence = $3, items = $4, invalid_items = $5, approval_hash = $6,
            failure = $7::jsonb, updated_at = now()
        WHERE id = $1 RETURNING *
        """,
        batch.id,
        batch.state,
        batch.sequence,
        batch.items,
        batch.invalid_items,
        batch.approval_hash,
        None if batch.failure is None else json_text(batch.failure),
    )
    assert record is not None  # noqa: S101 - the row is locked
    return row_of(PayoutBatch, record)


async def grow(tx: Transaction, batch_id: str, *, known: int, more: int, invalid: int) -> bool:
    """Count items that were read; False when somebody else has read on, or the batch is not being read any more."""
    done = await tx.execute(
        """
        UPDATE payout_batches SET items = items + $3, invalid_items = invalid_items + $4, updated_at = now()
        WHERE id = $1 AND items = $2 AND state = 'validating'
        """,
        batch_id,
        known,
        more,
        invalid,
    )
    return bool(done.endswith("1"))


async def move_on(tx: Transaction, batch_id: str, next_position: int, *, invalid: int) -> bool:
    """Payouts have been made of the items before a position, but for `invalid` ones; whether every item has ended."""
    return bool(
        await tx.fetchval(
            """
            UPDATE payout_batches SET next_position = $2, invalid_items = invalid_items + $3, updated_at = now()
            WHERE id = $1 RETURNING settled_items + failed_items + invalid_items >= items
            """,
            batch_id,
            next_position,
            invalid,
        )
    )


async def count_ended(tx: Transaction, batch_id: str, *, settled: int, failed: int) -> bool:
    """Add to the counts of items that have ended; whether that was the last of them.

    An item that no payout has been made of yet has neither ended nor an error, so that the last one is the last.
    """
    return bool(
        await tx.fetchval(
            """
            UPDATE payout_batches SET settled_items = settled_items + $2, failed_items = failed_items + $3,
                updated_at = now()
            WHERE id = $1 RETURNING settled_items + failed_items + invalid_items >= items
            """,
            batch_id,
            settled,
            failed,
        )
    )


async def standing(tx: Transaction, states: Sequence[str], limit: int) -> list[PayoutBatch]:
    """Batches in these states that nothing has moved for a while although there is something to do, oldest first."""
    records = await tx.fetch(
        """
        SELECT * FROM payout_batches WHERE state = ANY($1) AND updated_at < now() - interval '2 minutes'
          AND (state <> 'processing' OR next_position <= items
               OR settled_items + failed_items + invalid_items >= items)
        ORDER BY updated_at LIMIT $2
        """,
        list(states),
        limit,
    )
    return [row_of(PayoutBatch, record) for record in records]


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """What a batch must be to be listed; everything that is named must hold. Bounds are (operator, moment)."""

    status: str | None = None
    external_id: str | None = None
    created_at: Bounds = ()
    metadata: Mapping[str, str] | None = None


async def page(db: Database, partner_id: str, wanted: BatchFilter, page: Page) -> tuple[list[PayoutBatch], bool]:
    """A partner's batches, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(PayoutBatch.partner_id) == partner_id
    query = select(PayoutBatch).where(mine)
    if wanted.status is not None:
        query = query.where(col(PayoutBatch.state) == wanted.status)
    if wanted.external_id is not None:
        query = query.where(col(PayoutBatch.external_id) == wanted.external_id)
    query = within(query, col(PayoutBatch.created_at), wanted.created_at)
    if wanted.metadata:
        query = query.where(col(PayoutBatch.batch_metadata).contains(dict(wanted.metadata)))
    return await newest_first(db, query, mine, col(PayoutBatch.id), page)
