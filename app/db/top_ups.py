"""Top-ups: money that came in at a bank by itself, and the numbers that partners were given to send it to."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, col, select

from app.db.columns import counter, moment, raw_bytes, text, whole_units
from app.db.database import Database, Transaction
from app.db.pages import Page, newest_first
from app.db.rows import row_of, rows_of
from app.db.table import Table


class VirtualAccount(Table, table=True):
    """A number, or a reference, that is one partner's alone. `details` is what is shown of it, sealed."""

    __tablename__ = "virtual_accounts"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    provider: str = Field(sa_column=text())
    reference: str = Field(sa_column=text())
    details: bytes = Field(sa_column=raw_bytes(), repr=False)
    last4: str = Field(sa_column=text())
    created_at: datetime = Field(sa_column=moment(default_now=True))


class TopUp(Table, table=True):
    """Money that came in. Held ones belong to nobody we know, until a person says to whom."""

    __tablename__ = "top_ups"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str | None = Field(default=None, sa_column=text(nullable=True))
    virtual_account_id: str | None = Field(default=None, sa_column=text(nullable=True))
    provider: str = Field(sa_column=text())
    reference: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    status: str = Field(sa_column=text())
    reason: str | None = Field(default=None, sa_column=text(nullable=True))
    sender_name: str = Field(sa_column=text())
    message: str = Field(sa_column=text())
    sequence: int = Field(default=1, sa_column=counter())
    livemode: bool
    received_at: datetime = Field(sa_column=moment())
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


async def insert_account(tx: Transaction, account: VirtualAccount) -> VirtualAccount:
    """Keep a partner's number; the one that is kept, which is another one when it has a number of this asset."""
    await tx.execute(
        """
        INSERT INTO virtual_accounts (id, partner_id, asset, provider, reference, details, last4)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
        """,
        account.id,
        account.partner_id,
        account.asset,
        account.provider,
        account.reference,
        account.details,
        account.last4,
    )
    kept = await account_of(tx, account.partner_id, account.asset)
    assert kept is not None  # noqa: S101 - no two partners are given one reference
    return kept


async def account_of(tx: Transaction, partner_id: str, asset: str) -> VirtualAccount | None:
    """A partner's number for an asset."""
    record = await tx.fetchrow("SELECT * FROM virtual_accounts WHERE partner_id = $1 AND asset = $2", partner_id, asset)
    return None if record is None else row_of(VirtualAccount, record)


async def accounts_of(db: Database, partner_id: str) -> list[VirtualAccount]:
    """All of a partner's numbers."""
    async with db.session() as session:
        found = await session.exec(
            select(VirtualAccount).where(col(VirtualAccount.partner_id) == partner_id).order_by(col(VirtualAccount.id))
        )
        return list(found)


async def account_by_references(tx: Transaction, provider: str, references: list[str]) -> VirtualAccount | None:
    """The number that one of these references names; None when several are named."""
    found = rows_of(
        VirtualAccount,
        await tx.fetch(
            "SELECT * FROM virtual_accounts WHERE provider = $1 AND reference = ANY($2)", provider, references
        ),
    )
    return found[0] if len(found) == 1 else None


async def insert(tx: Transaction, top_up: TopUp) -> bool:
    """Keep a top-up; False when it is known."""
    return (
        await tx.fetchval(
            """
            INSERT INTO top_ups (id, partner_id, virtual_account_id, provider, reference, asset, units, status, reason,
                                 sender_name, message, livemode, received_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (provider, reference) DO NOTHING RETURNING id
            """,
            top_up.id,
            top_up.partner_id,
            top_up.virtual_account_id,
            top_up.provider,
            top_up.reference,
            top_up.asset,
            top_up.units,
            top_up.status,
            top_up.reason,
            top_up.sender_name,
            top_up.message,
            top_up.livemode,
            top_up.received_at,
        )
        is not None
    )


async def has_received(tx: Transaction, account_id: str) -> bool:
    """Whether money has ever come in on this number."""
    return bool(await tx.fetchval("SELECT EXISTS (SELECT 1 FROM top_ups WHERE virtual_account_id = $1)", account_id))


async def lock_by_reference(tx: Transaction, provider: str, reference: str) -> TopUp | None:
    """A top-up by the bank's id, locked."""
    record = await tx.fetchrow(
        "SELECT * FROM top_ups WHERE provider = $1 AND reference = $2 FOR UPDATE", provider, reference
    )
    return None if record is None else row_of(TopUp, record)


async def lock(tx: Transaction, top_up_id: str) -> TopUp | None:
    """A top-up, locked."""
    record = await tx.fetchrow("SELECT * FROM top_ups WHERE id = $1 FOR UPDATE", top_up_id)
    return None if record is None else row_of(TopUp, record)


async def store(tx: Transaction, top_up: TopUp) -> None:
    """Write the changed columns of a locked top-up."""
    await tx.execute(
        """
        UPDATE top_ups SET partner_id = $2, status = $3, reason = $4, sequence = $5, updated_at = now() WHERE id = $1
        """,
        top_up.id,
        top_up.partner_id,
        top_up.status,
        top_up.reason,
        top_up.sequence,
    )


async def held(db: Database) -> list[TopUp]:
    """Every top-up that belongs to nobody yet, oldest first."""
    async with db.connection() as connection:
        return rows_of(TopUp, await connection.fetch("SELECT * FROM top_ups WHERE status = 'held' ORDER BY id"))


async def page(db: Database, partner_id: str, page: Page) -> tuple[list[TopUp], bool]:
    """A partner's top-ups, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(TopUp.partner_id) == partner_id
    return await newest_first(db, select(TopUp).where(mine), mine, col(TopUp.id), page)


async def get(db: Database, partner_id: str, top_up_id: str) -> TopUp | None:
    """A partner's own top-up."""
    async with db.session() as session:
        found = await session.exec(select(TopUp).where(col(TopUp.id) == top_up_id, col(TopUp.partner_id) == partner_id))
        return found.first()
