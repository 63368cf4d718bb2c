"""External accounts. Bank numbers are sealed; what is found by them is found by a keyed hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Field, col, select

from app.db.bulk import copy
from app.db.columns import Document, counter, document, json_text, moment, raw_bytes, text, texts
from app.db.database import Database, Transaction
from app.db.pages import Bounds, Page, newest_first, within
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.external_account import AccountState


class ExternalAccount(Table, table=True):
    """Where payouts may go.

    `reason` is why it was rejected or locked, and stays when such an account is closed. `details` are a bank account's
    numbers, sealed. `fingerprint` is the same for two accounts that lead to the same place.
    """

    __tablename__ = "external_accounts"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    type: str = Field(sa_column=text())
    scheme: str | None = Field(default=None, sa_column=text(nullable=True))
    asset: str = Field(sa_column=text())
    address: str | None = Field(default=None, sa_column=text(nullable=True))
    script: str | None = Field(default=None, sa_column=text(nullable=True))
    holder_name: str | None = Field(default=None, sa_column=text(nullable=True))
    bank_name: str | None = Field(default=None, sa_column=text(nullable=True))
    country: str | None = Field(default=None, sa_column=text(nullable=True))
    last4: str | None = Field(default=None, sa_column=text(nullable=True))
    details: bytes | None = Field(default=None, sa_column=raw_bytes(nullable=True), repr=False)
    fingerprint: bytes = Field(sa_column=raw_bytes(), repr=False)
    status: str = Field(sa_column=text())
    reason: str | None = Field(default=None, sa_column=text(nullable=True))
    corrections: list[str] = Field(sa_column=texts())
    account_metadata: Document = Field(sa_column=document(name="metadata"))
    sequence: int = Field(default=1, sa_column=counter())
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))

    @property
    def state(self) -> AccountState:
        """The status as the domain's own value."""
        return AccountState(self.status)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What an account must be to be listed; everything that is named must hold. Bounds are (operator, moment)."""

    type: str | None = None
    status: str | None = None
    scheme: str | None = None
    created_at: Bounds = ()
    metadata: Mapping[str, str] | None = None


_WRITTEN = (
    "id",
    "partner_id",
    "type",
    "scheme",
    "asset",
    "address",
    "script",
    "holder_name",
    "bank_name",
    "country",
    "last4",
    "details",
    "fingerprint",
    "status",
    "metadata",
    "created_at",
    "updated_at",
)


async def insert_many(tx: Transaction, rows: Sequence[ExternalAccount]) -> None:
    """Write new accounts, one or thousands."""
    await copy(tx, "external_accounts", _WRITTEN, map(_columns, rows))


def _columns(row: ExternalAccount) -> tuple[object, ...]:
    """The values of a new row, in the order of `_WRITTEN`."""
    return (
        row.id,
        row.partner_id,
        row.type,
        row.scheme,
        row.asset,
        row.address,
        row.script,
        row.holder_name,
        row.bank_name,
        row.country,
        row.last4,
        row.details,
        row.fingerprint,
        row.status,
        json_text(row.account_metadata),
        row.created_at,
        row.created_at,
    )


GET = "SELECT * FROM external_accounts WHERE partner_id = $1 AND id = $2"


async def get(tx: Transaction, partner_id: str, account_id: str) -> ExternalAccount | None:
    """A partner's own account, closed ones too."""
    record = await tx.fetchrow(GET, partner_id, account_id)
    return None if record is None else row_of(ExternalAccount, record)


async def get_many(tx: Transaction, partner_id: str, account_ids: Sequence[str]) -> dict[str, ExternalAccount]:
    """A partner's own accounts by id; an id that is not its own is not in the answer."""
    records = await tx.fetch(
        "SELECT * FROM external_accounts WHERE partner_id = $1 AND id = ANY($2)", partner_id, list(account_ids)
    )
    return {account.id: account for account in rows_of(ExternalAccount, records)}


async def find_by_fingerprints(
    tx: Transaction, partner_id: str, fingerprints: Sequence[bytes]
) -> dict[bytes, ExternalAccount]:
    """For each place that payouts may go, the partner's account that speaks for it; unknown places are left out.

    A verified account comes first, for it may be paid to anyway. Then one that was rejected or locked, even when it
    was closed since: what a person has decided about a place is not undone by naming the place again. Then a pending
    one. Of several like it, the newest.
    """
    records = await tx.fetch(
        """
        SELECT DISTINCT ON (fingerprint) * FROM external_accounts
        WHERE partner_id = $1 AND fingerprint = ANY($2) AND (status <> 'closed' OR reason IS NOT NULL)
        ORDER BY fingerprint, (status = 'verified') DESC, (reason IS NOT NULL) DESC, id DESC
        """,
        partner_id,
        list(fingerprints),
    )
    return {account.fingerprint: account for account in rows_of(ExternalAccount, records)}


async def lock(tx: Transaction, account_id: str) -> ExternalAccount | None:
    """The account, locked until the transaction ends."""
    record = await tx.fetchrow("SELECT * FROM external_accounts WHERE id = $1 FOR NO KEY UPDATE", account_id)
    return None if record is None else row_of(ExternalAccount, record)


async def store(tx: Transaction, account: ExternalAccount) -> ExternalAccount:
    """Write what may change of an account whose row is locked, as its next sequence."""
    record = await tx.fetchrow(
        """
        UPDATE external_accounts SET status = $2, reason = $3, corrections = $4, sequence = sequence + 1,
            updated_at = now()
        WHERE id = $1 RETURNING *
        """,
        account.id,
        account.status,
        account.reason,
        account.corrections,
    )
    assert record is not None  # noqa: S101 - the row is locked
    return row_of(ExternalAccount, record)


async def page(db: Database, partner_id: str, wanted: AccountFilter, page: Page) -> tuple[list[ExternalAccount], bool]:
    """A partner's accounts, newest first, and whether there are more; raises NotFound as `newest_first` does."""
    mine = col(ExternalAccount.partner_id) == partner_id
    query = select(ExternalAccount).where(mine)
    if wanted.type is not None:
        query = query.where(col(ExternalAccount.type) == wanted.type)
    if wanted.status is not None:
        query = query.where(col(ExternalAccount.status) == wanted.status)
    if wanted.scheme is not None:
        query = query.where(col(ExternalAccount.scheme) == wanted.scheme)
    query = within(query, col(ExternalAccount.created_at), wanted.created_at)
    if wanted.metadata:
        query = query.where(col(ExternalAccount.account_metadata).contains(dict(wanted.metadata)))
    return await newest_first(db, query, mine, col(ExternalAccount.id), page)


async def in_state(db: Database, status: str) -> list[ExternalAccount]:
    """Every account with this status, of all partners, oldest first."""
    async with db.session() as session:
        query = select(ExternalAccount).where(col(ExternalAccount.status) == status)
        return list(await session.exec(query.order_by(col(ExternalAccount.id))))


async def fingerprints(tx: Transaction, account_ids: Sequence[str]) -> dict[str, bytes]:
    """Where accounts lead, by id, as one can compare it without opening anything."""
    records = await tx.fetch("SELECT id, fingerprint FROM external_accounts WHERE id = ANY($1)", list(account_ids))
    return {record["id"]: record["fingerprint"] for record in records}


async def keep_status(tx: Transaction, account_ids: Sequence[str]) -> dict[str, str]:
    """The status of accounts, by id, which nobody changes before the transaction ends."""
    records = await tx.fetch(
        "SELECT id, status FROM external_accounts WHERE id = ANY($1) ORDER BY id FOR SHARE", list(account_ids)
    )
    return {record["id"]: record["status"] for record in records}


async def add_corrections(tx: Transaction, account_id: str, codes: Sequence[str]) -> bool:
    """Keep the codes of notifications of change; whether any of them is new."""
    return bool(
        await tx.fetchval(
            """
            UPDATE external_accounts SET updated_at = now(), corrections = corrections || ARRAY(
                SELECT code FROM unnest($2::text[]) AS given (code) WHERE code <> ALL (corrections)
            )
            WHERE id = $1 AND NOT corrections @> $2::text[] RETURNING true
            """,
            account_id,
            list(codes),
        )
    )


async def by_ids(tx: Transaction, account_ids: Sequence[str]) -> dict[str, ExternalAccount]:
    """Accounts of any partner, by id: for what has been decided already."""
    records = await tx.fetch("SELECT * FROM external_accounts WHERE id = ANY($1)", list(account_ids))
    return {account.id: account for account in rows_of(ExternalAccount, records)}
