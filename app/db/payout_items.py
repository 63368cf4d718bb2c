"""The items of payout batches, by position: written in bulk, paid in chunks, shown in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from app.db.bulk import copy
from app.db.columns import Document, json_text
from app.db.database import Transaction

_COLUMNS = (
    "batch_id",
    "position",
    "line",
    "external_account_id",
    "asset",
    "units",
    "method",
    "reference",
    "external_id",
    "errors",
    "warnings",
)
_READ_AT_ONCE = 1000
# Looking through a million items takes longer than a statement of a request may.
_PATIENT = "SET LOCAL statement_timeout = '300s'"


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to write. Its units are whole; what could not be read is None."""

    position: int
    line: int | None
    external_account_id: str | None
    asset: str | None
    units: int | None
    method: str | None
    reference: str | None
    external_id: str | None
    errors: Sequence[Mapping[str, str | int]]
    warnings: Sequence[str]


async def insert_many(tx: Transaction, batch_id: str, items: Sequence[NewItem]) -> None:
    """Write the items of a batch in one stream."""
    rows = (
        (
            batch_id,
            item.position,
            item.line,
            item.external_account_id,
            item.asset,
            item.units,
            item.method,
            item.reference,
            item.external_id,
            json_text(item.errors) if item.errors else None,
            json_text(item.warnings) if item.warnings else None,
        )
        for item in items
    )
    await copy(tx, "payout_items", _COLUMNS, rows)


async def mark_repeated(tx: Transaction, batch_id: str, *, column: str | None) -> None:
    """Give an error to every item whose external_id an earlier item has, and a warning to one that pays the same.

    All of it happens where the items are, so that no memory of ours grows with them. `column` is what a CSV file calls
    the external_id. Safe to repeat.
    """
    await tx.execute(_PATIENT)
    await tx.execute(
        """
        UPDATE payout_items AS item
        SET errors = jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'code', 'duplicate_external_id', 'pointer', '/external_id', 'line', item.line, 'column', $2::text)))
        FROM (
            SELECT position, row_number() OVER (PARTITION BY external_id ORDER BY position) AS place
            FROM payout_items WHERE batch_id = $1 AND external_id IS NOT NULL AND errors IS NULL
        ) AS seen
        WHERE item.batch_id = $1 AND item.position = seen.position AND seen.place > 1
        """,
        batch_id,
        column,
    )
    await tx.execute(
        """
        UPDATE payout_items AS item SET warnings = '["duplicate_item"]'
        FROM (
            SELECT position, row_number() OVER (PARTITION BY external_account_id, asset, units ORDER BY position)
                AS place
            FROM payout_items WHERE batch_id = $1 AND errors IS NULL
        ) AS seen
        WHERE item.batch_id = $1 AND item.position = seen.position AND seen.place > 1
        """,
        batch_id,
    )


async def sums(tx: Transaction, batch_id: str) -> dict[str, tuple[int, int]]:
    """By asset: the units and the number of the items without errors."""
    await tx.execute(_PATIENT)
    records = await tx.fetch(
        """
        SELECT asset, sum(units) AS units, count(*) AS items FROM payout_items
        WHERE batch_id = $1 AND errors IS NULL GROUP BY asset ORDER BY asset
        """,
        batch_id,
    )
    return {record["asset"]: (int(record["units"]), record["items"]) for record in records}


async def with_errors(tx: Transaction, batch_id: str) -> int:
    """How many items have errors."""
    return int(
        await tx.fetchval("SELECT count(*) FROM payout_items WHERE batch_id = $1 AND errors IS NOT NULL", batch_id)
    )


async def with_destinations(tx: Transaction, batch_id: str) -> AsyncIterator[asyncpg.Record]:
    """Every item, in order, beside where its account leads: what an approval is of. Constant memory."""
    await tx.execute(_PATIENT)
    statement = """
        SELECT item.position, item.external_account_id, item.asset, item.units, item.method, account.address,
               account.fingerprint
        FROM payout_items AS item LEFT JOIN external_accounts AS account ON account.id = item.external_account_id
        WHERE item.batch_id = $1 AND item.errors IS NULL ORDER BY item.position
    """
    async for record in tx.cursor(statement, batch_id, prefetch=_READ_AT_ONCE):
        yield record


async def next_ones(tx: Transaction, batch_id: str, position: int, limit: int) -> list[asyncpg.Record]:
    """The items from a position on, each beside the account that it is paid to."""
    return await tx.fetch(
        """
        SELECT item.*, account.scheme, account.address, account.script, account.status AS account_status
        FROM payout_items AS item LEFT JOIN external_accounts AS account ON account.id = item.external_account_id
        WHERE item.batch_id = $1 AND item.position >= $2 ORDER BY item.position LIMIT $3
        """,
        batch_id,
        position,
        limit,
    )


async def mark_made(tx: Transaction, batch_id: str, made: Mapping[int, str]) -> None:
    """Say which payout was made of each item, by position."""
    await tx.execute(
        """
        UPDATE payout_items SET payout_id = made.payout_id
        FROM unnest($2::integer[], $3::text[]) AS made (position, payout_id)
        WHERE payout_items.batch_id = $1 AND payout_items.position = made.position
        """,
        batch_id,
        list(made),
        list(made.values()),
    )


async def mark_failed(tx: Transaction, batch_id: str, errors: Mapping[int, Document]) -> None:
    """Say why no payout was made of some items, by position."""
    await tx.execute(
        """
        UPDATE payout_items SET errors = jsonb_build_array(failed.error::jsonb)
        FROM unnest($2::integer[], $3::text[]) AS failed (position, error)
        WHERE payout_items.batch_id = $1 AND payout_items.position = failed.position
        """,
        batch_id,
        list(errors),
        [json_text(error) for error in errors.values()],
    )


async def made_sums(tx: Transaction, batch_id: str) -> dict[str, int]:
    """By asset: the units of the payouts that were made of a batch's items."""
    records = await tx.fetch(
        "SELECT asset, sum(units) AS units FROM payouts WHERE batch_id = $1 GROUP BY asset", batch_id
    )
    return {record["asset"]: int(record["units"]) for record in records}


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items to show: those with errors, those that no payout was made of, those by their payout's state."""

    invalid: bool
    unmade: bool
    states: Sequence[str]


async def page(
    tx: Transaction, batch_id: str, *, after: int, limit: int, wanted: ItemFilter | None = None
) -> list[asyncpg.Record]:
    """Items after a position, in order, each with how its payout stands."""
    return await tx.fetch(
        """
        SELECT item.*, payout.state AS payout_state, payout.provider_reference, payout.tx_hash, payout.failure,
               payout.returned
        FROM payout_items AS item LEFT JOIN payouts AS payout ON payout.id = item.payout_id
        WHERE item.batch_id = $1 AND item.position > $2 AND (
            $4::text[] IS NULL OR ($5 AND item.errors IS NOT NULL)
            OR ($6 AND item.errors IS NULL AND item.payout_id IS NULL) OR payout.state = ANY($4)
        )
        ORDER BY item.position LIMIT $3
        """,
        batch_id,
        after,
        limit,
        None if wanted is None else list(wanted.states),
        wanted is not None and wanted.invalid,
        wanted is not None and wanted.unmade,
    )


async def used_external_ids(tx: Transaction, partner_id: str, external_ids: Sequence[str]) -> set[str]:
    """Those of the external ids that a payout of the partner has already."""
    if not external_ids:
        return set()
    records = await tx.fetch(
        "SELECT external_id FROM payouts WHERE partner_id = $1 AND external_id = ANY($2)",
        partner_id,
        list(external_ids),
    )
    return {record["external_id"] for record in records}
