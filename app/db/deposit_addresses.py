"""Deposit addresses: where coins may be sent to us, and what becomes of what arrives there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Field, col, select

from app.db.columns import Document, counter, document, json_text, moment, text
from app.db.database import Database, Transaction
from app.db.pages import Bounds, Page, newest_first, within
from app.db.rows import row_of
from app.db.table import Table


class DepositAddress(Table, table=True):
    """An address of ours that was given out: for one order, or standing for a partner's balance or for sales."""

    __tablename__ = "deposit_addresses"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    network: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    address: str = Field(sa_column=text())
    script: str = Field(sa_column=text())
    route: str = Field(sa_column=text())
    order_id: str | None = Field(default=None, sa_column=text(nullable=True, unique=True))
    external_account_id: str | None = Field(default=None, sa_column=text(nullable=True))
    sell_asset: str | None = Field(default=None, sa_column=text(nullable=True))
    status: str = Field(sa_column=text())
    sequence: int = Field(default=1, sa_column=counter())
    address_metadata: Document = Field(sa_column=document(name="metadata"))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


@dataclass(frozen=True, slots=True)
class AddressFilter:
    """What an address must be to be listed; everything that is named must hold."""

    route: str | None = None
    status: str | None = None
    created_at: Bounds = ()
    metadata: Mapping[str, str] | None = None


async def next_index(tx: Transaction) -> int:
    """The place of the next address on the wallet's receive branch; never given twice."""
    return int(await tx.fetchval("SELECT nextval('deposit_address_index')"))


async def insert(tx: Transaction, row: DepositAddress) -> None:
    """Write a new address; its script is one of the wallet's."""
    await tx.execute(
        """
        INSERT INTO deposit_addresses (id, partner_id, network, asset, address, script, route, order_id,
                                       external_account_id, sell_asset, status, metadata, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13, $13)
        """,
        row.id,
        row.partner_id,
        row.network,
        row.asset,
        row.address,
        row.script,
        row.route,
        row.order_id,
        row.external_account_id,
        row.sell_asset,
        row.status,
        json_text(row.address_metadata),
        row.created_at,
    )


_OF_ID = "SELECT * FROM deposit_addresses WHERE id = $1"
_LOCKED = _OF_ID + " FOR UPDATE"


async def of_id(tx: Transaction, address_id: str, *, locked: bool = False) -> DepositAddress | None:
    """An address by its id, whoever's; `locked` until the transaction ends."""
    query = _LOCKED if locked else _OF_ID
    record = await tx.fetchrow(query, address_id)
    return None if record is None else row_of(DepositAddress, record)


async def to_sell(tx: Transaction, deposit_id: str) -> DepositAddress | None:
    """The address of a deposit that is to be sold and has no order yet."""
    record = await tx.fetchrow(
        """
        SELECT deposit_addresses.* FROM deposits JOIN deposit_addresses ON deposit_addresses.id = deposit_address_id
        WHERE deposits.id = $1 AND deposits.order_id IS NULL AND route = 'sell'
        """,
        deposit_id,
    )
    return None if record is None else row_of(DepositAddress, record)


async def deactivate(tx: Transaction, row: DepositAddress) -> None:
    """Give an address out no longer."""
    row.status, row.sequence = "deactivated", row.sequence + 1
    row.updated_at = await tx.fetchval(
        """
        UPDATE deposit_addresses SET status = $2, sequence = $3, updated_at = now() WHERE id = $1 RETURNING updated_at
        """,
        row.id,
        row.status,
        row.sequence,
    )


async def get(db: Database, partner_id: str, address_id: str) -> DepositAddress | None:
    """A partner's own address."""
    async with db.session() as session:
        found = await session.exec(
            select(DepositAddress).where(
                col(DepositAddress.id) == address_id, col(DepositAddress.partner_id) == partner_id
            )
        )
        return found.first()


async def of_order(db: Database, partner_id: str, order_id: str) -> DepositAddress | None:
    """The address that a partner's order was given."""
    async with db.connection() as connection:
        record = await connection.fetchrow(
            "SELECT * FROM deposit_addresses WHERE order_id = $1 AND partner_id = $2", order_id, partner_id
        )
    return None if record is None else row_of(DepositAddress, record)


async def page(db: Database, partner_id: str, wanted: AddressFilter, page: Page) -> tuple[list[DepositAddress], bool]:
    """A partner's addresses, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(DepositAddress.partner_id) == partner_id
    query = select(DepositAddress).where(mine)
    if wanted.route is not None:
        query = query.where(col(DepositAddress.route) == wanted.route)
    if wanted.status is not None:
        query = query.where(col(DepositAddress.status) == wanted.status)
    query = within(query, col(DepositAddress.created_at), wanted.created_at)
    if wanted.metadata:
        query = query.where(col(DepositAddress.address_metadata).contains(dict(wanted.metadata)))
    return await newest_first(db, query, mine, col(DepositAddress.id), page)
