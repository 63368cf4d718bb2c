"""The ledger tables. Rows are inserted and summed, never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity
from sqlmodel import Field, col, select

from app.db.columns import moment, new_id, text, whole_units
from app.db.database import Database, Transaction
from app.db.table import Table
from app.domain.chart import SUSPENSE, kind_of, partner_available, partner_pending
from app.domain.ledger import Entry


class LedgerAccount(Table, table=True):
    """A named bucket of one asset."""

    __tablename__ = "ledger_accounts"

    id: str = Field(sa_column=text(primary_key=True))
    asset: str = Field(sa_column=text(primary_key=True))
    kind: str = Field(sa_column=text())


class EntryRow(Table, table=True):
    """The head of a balanced set of postings."""

    __tablename__ = "entries"

    id: str = Field(sa_column=text(primary_key=True))
    reference: str = Field(sa_column=text(unique=True))
    kind: str = Field(sa_column=text())
    order_id: str | None = Field(default=None, sa_column=text(nullable=True))
    subject: str | None = Field(default=None, sa_column=text(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))


class PostingRow(Table, table=True):
    """One line: debit positive, credit negative."""

    __tablename__ = "postings"

    id: int | None = Field(default=None, sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    entry_id: str = Field(sa_column=text())
    account: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())


# What a partner may pay out is kept beside its postings, by the same statement: its row is what payouts lock.
_POST = """
WITH line AS (
    SELECT account, asset, units, kind
    FROM unnest($5::text[], $6::text[], $7::numeric[], $8::text[]) AS given (account, asset, units, kind)
), named AS (
    INSERT INTO ledger_accounts (id, asset, kind) SELECT DISTINCT account, asset, kind FROM line
    ORDER BY account, asset
    ON CONFLICT DO NOTHING
), head AS (
    INSERT INTO entries (id, reference, kind, order_id, subject) VALUES ($1, $2, $3, $4, $9)
), kept AS (
    INSERT INTO balances AS stood (account, asset, units)
    SELECT account, asset, -sum(units) FROM line WHERE account LIKE 'partner:%:available'
    GROUP BY account, asset ORDER BY account, asset
    ON CONFLICT (account, asset) DO UPDATE SET units = stood.units + excluded.units
)
INSERT INTO postings (entry_id, account, asset, units) SELECT $1, account, asset, units FROM line
"""


async def post(tx: Transaction, entry: Entry, order_id: str | None = None, *, subject: str | None = None) -> str:
    """Write an entry and its postings in one statement, and the balances that it changes.

    `subject` is the payout, batch, lineage, deposit or top-up that it is about. Raises UniqueViolationError when its
    reference exists, CheckViolationError when a balance would stand below zero.
    """
    entry_id = new_id("le")
    await tx.execute(
        _POST,
        entry_id,
        entry.reference,
        entry.kind,
        order_id,
        [posting.account for posting in entry.postings],
        [posting.asset.id for posting in entry.postings],
        [posting.units for posting in entry.postings],
        [kind_of(posting.account).value for posting in entry.postings],
        subject,
    )
    return entry_id


async def lock_available(tx: Transaction, partner_id: str, asset: str) -> int:
    """What a partner has available, its row locked until the transaction ends.

    Locked in one order wherever there are several: by asset.
    """
    return int(
        await tx.fetchval(
            "SELECT coalesce((SELECT units FROM balances WHERE account = $1 AND asset = $2 FOR UPDATE), 0)",
            partner_available(partner_id),
            asset,
        )
    )


async def has_entry(tx: Transaction, reference: str) -> bool:
    """Whether a business fact has been booked."""
    return bool(await tx.fetchval("SELECT EXISTS (SELECT 1 FROM entries WHERE reference = $1)", reference))


async def has_account(tx: Transaction, account: str) -> bool:
    """Whether anything has ever been booked to an account, in whatever asset."""
    return bool(await tx.fetchval("SELECT EXISTS (SELECT 1 FROM ledger_accounts WHERE id = $1)", account))


async def balance(tx: Transaction, account: str, asset: str) -> int:
    """What stands on an account. Lock the row that guards the account first, when the answer decides something."""
    return int(
        await tx.fetchval(
            "SELECT coalesce(sum(units), 0) FROM postings WHERE account = $1 AND asset = $2", account, asset
        )
    )


async def free_at_banks(tx: Transaction, asset: str) -> int:
    """What stands at all banks together and is owed to nobody: no partner, no customer, no payout, nobody unknown."""
    return int(
        await tx.fetchval(
            """
            SELECT coalesce(sum(units), 0) FROM postings JOIN ledger_accounts AS account USING (asset)
            WHERE account.id = postings.account AND asset = $1
              AND (account.kind = 'liability' OR account.id LIKE 'bank:%' OR account.id = $2)
            """,
            asset,
            SUSPENSE,
        )
    )


async def partner_balances(db: Database, partner_id: str) -> dict[tuple[str, str], int]:
    """A partner's balances by (asset, `available` or `pending`), as what we owe: positive is the partner's."""
    async with db.connection() as connection:
        records = await connection.fetch(
            """
            SELECT account, asset, units AS owed FROM balances WHERE account = $1
            UNION ALL
            SELECT account, asset, -sum(units) FROM postings WHERE account = $2 GROUP BY account, asset
            """,
            partner_available(partner_id),
            partner_pending(partner_id),
        )
    return {(record["asset"], record["account"].rpartition(":")[2]): int(record["owed"]) for record in records}


async def of_order(db: Database, order_id: str) -> list[tuple[EntryRow, PostingRow]]:
    """Every posting of an order with its entry, in the order of booking."""
    async with db.session() as session:
        found = await session.exec(
            select(EntryRow, PostingRow)
            .join(PostingRow, col(PostingRow.entry_id) == col(EntryRow.id))
            .where(col(EntryRow.order_id) == order_id)
            .order_by(col(PostingRow.id))
        )
        return list(found)


async def booked_under(tx: Transaction, reference: str, account: str) -> int:
    """What stands on an account by the entry of a fact and those that have followed it (`reference:...`)."""
    return int(
        await tx.fetchval(
            """
            SELECT coalesce(sum(units), 0) FROM postings JOIN entries ON entries.id = entry_id
            WHERE account = $2 AND (reference = $1 OR starts_with(reference, $1 || ':'))
            """,
            reference,
            account,
        )
    )


async def count_entries(tx: Transaction, reference_prefix: str) -> int:
    """How many entries have been booked for a fact that can happen, be undone, and happen again."""
    return int(
        await tx.fetchval("SELECT count(*) FROM entries WHERE starts_with(reference, $1)", f"{reference_prefix}:")
    )
