"""Payouts: the row, its lock, and the statements that move one or many."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, col, select

from app.db.columns import Document, counter, document, moment, raw_bytes, text, whole_units
from app.db.database import Database, Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.payout import PayoutKind, PayoutMethod, PayoutState


class Payout(Table, table=True):
    """Money going out to one bank account or wallet. What it is paid from depends on its kind."""

    __tablename__ = "payouts"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    kind: str = Field(sa_column=text())
    order_id: str | None = Field(default=None, sa_column=text(nullable=True))
    batch_id: str | None = Field(default=None, sa_column=text(nullable=True))
    batch_position: int | None = None
    external_account_id: str | None = Field(default=None, sa_column=text(nullable=True))
    external_id: str | None = Field(default=None, sa_column=text(nullable=True))
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    method: str = Field(sa_column=text())
    provider: str = Field(sa_column=text())
    provider_reference: str | None = Field(default=None, sa_column=text(nullable=True))
    provider_status: str | None = Field(default=None, sa_column=text(nullable=True))
    reference: str | None = Field(default=None, sa_column=text(nullable=True))
    address: str | None = Field(default=None, sa_column=text(nullable=True))
    script: str | None = Field(default=None, sa_column=text(nullable=True))
    intent: bytes | None = Field(default=None, sa_column=raw_bytes(nullable=True))
    state: str = Field(sa_column=text())
    sequence: int = Field(sa_column=counter())
    hold: Document | None = Field(default=None, sa_column=document(nullable=True))
    failure: Document | None = Field(default=None, sa_column=document(nullable=True))
    returned: Document | None = Field(default=None, sa_column=document(nullable=True))
    tx_hash: str | None = Field(default=None, sa_column=text(nullable=True))
    approval_hash: bytes | None = Field(default=None, sa_column=raw_bytes(nullable=True))
    payout_metadata: Document = Field(sa_column=document(name="metadata"))
    created_by: str | None = Field(default=None, sa_column=text(nullable=True))
    polls: int = 0
    poll_at: datetime | None = Field(default=None, sa_column=moment(default_now=True))
    file_id: str | None = Field(default=None, sa_column=text(nullable=True))
    request_id: str | None = Field(default=None, sa_column=text(nullable=True))
    livemode: bool
    submitted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    settled_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))

    @property
    def payout_state(self) -> PayoutState:
        """The state as the domain's own value."""
        return PayoutState(self.state)

    @property
    def payout_kind(self) -> PayoutKind:
        """The kind as the domain's own value."""
        return PayoutKind(self.kind)

    @property
    def payout_method(self) -> PayoutMethod:
        """The method as the domain's own value."""
        return PayoutMethod(self.method)

    @property
    def subject(self) -> str:
        """Whose account in the ledger holds its money: its batch's, or its own."""
        return self.batch_id or self.id


async def lock(tx: Transaction, payout_id: str) -> Payout | None:
    """The payout, locked until the transaction ends. Lock its order first, when it has one."""
    record = await tx.fetchrow("SELECT * FROM payouts WHERE id = $1 FOR UPDATE", payout_id)
    return None if record is None else row_of(Payout, record)


async def peek(tx: Transaction, payout_id: str) -> Payout | None:
    """The payout, not locked."""
    record = await tx.fetchrow("SELECT * FROM payouts WHERE id = $1", payout_id)
    return None if record is None else row_of(Payout, record)


async def lock_waiting(tx: Transaction, provider: str, limit: int) -> list[Payout]:
    """Queued payouts of a provider, oldest first, that nobody else is taking; locked, after their orders.

    Those of sales whose order is not where its fiat is paid out stay where they are, and so do refunds of coins that a
    reorganisation has taken back.
    """
    orders = await tx.fetch(
        """
        SELECT id FROM orders WHERE state = 'deposit_confirmed' AND hold IS NULL AND id IN (
            SELECT order_id FROM payouts WHERE provider = $1 AND state = 'queued' AND hold IS NULL AND kind = 'sale'
        ) ORDER BY id LIMIT $2 FOR UPDATE
        """,
        provider,
        limit,
    )
    return rows_of(
        Payout,
        await tx.fetch(
            """
            SELECT * FROM payouts WHERE provider = $1 AND state = 'queued' AND hold IS NULL
              AND (kind <> 'sale' OR order_id = ANY($3))
              AND (kind <> 'refund' OR NOT EXISTS (
                  SELECT 1 FROM deposits WHERE deposits.order_id = payouts.order_id AND lost_units > 0
              ))
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
            """,
            provider,
            limit,
            [record["id"] for record in orders],
        ),
    )


async def waiting(tx: Transaction, provider: str, limit: int) -> list[Payout]:
    """Queued payouts of coins on a network, oldest first, not locked: what may be tried before anything is signed."""
    return rows_of(
        Payout,
        await tx.fetch(
            """
            SELECT * FROM payouts WHERE provider = $1 AND state = 'queued' AND hold IS NULL AND kind <> 'sale'
              AND (kind <> 'refund' OR NOT EXISTS (
                  SELECT 1 FROM deposits WHERE deposits.order_id = payouts.order_id AND lost_units > 0
              ))
            ORDER BY id LIMIT $2
            """,
            provider,
            limit,
        ),
    )


async def is_given_up(tx: Transaction, payout_id: str) -> bool:
    """Whether coins were to pay it in a transaction that was given up for good."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM sends WHERE payout_id = $1 AND state = 'abandoned')", payout_id
    )
    return found


async def lock_of_lineage(tx: Transaction, lineage_id: str) -> list[Payout]:
    """The payouts that one lineage of transactions pays, locked, after their orders."""
    return await _lock_after_orders(
        tx, "SELECT payout_id FROM sends WHERE lineage_id = $1 AND payout_id IS NOT NULL", lineage_id
    )


async def lock_of_file(tx: Transaction, file_id: str) -> list[Payout]:
    """The payouts that went into one payment file, locked, after their orders."""
    return await _lock_after_orders(tx, "SELECT id FROM payouts WHERE file_id = $1", file_id)


async def ids_of_file(tx: Transaction, file_id: str) -> list[str]:
    """The payouts that went into one payment file, by id."""
    records = await tx.fetch("SELECT id FROM payouts WHERE file_id = $1 ORDER BY id", file_id)
    return [record["id"] for record in records]


async def _lock_after_orders(tx: Transaction, wanted: str, argument: str) -> list[Payout]:
    await tx.execute(
        f"""
        SELECT 1 FROM orders WHERE id IN (SELECT order_id FROM payouts WHERE id IN ({wanted}))
        ORDER BY id FOR UPDATE
        """,  # noqa: S608 - constants of ours
        argument,
    )
    found = await tx.fetch(
        f"SELECT * FROM payouts WHERE id IN ({wanted}) ORDER BY id FOR UPDATE",  # noqa: S608 - constants of ours
        argument,
    )
    return rows_of(Payout, found)


async def by_reference(tx: Transaction, provider: str, reference: str) -> Payout | None:
    """A payout by the bank's id, not locked."""
    record = await tx.fetchrow(
        "SELECT * FROM payouts WHERE provider = $1 AND provider_reference = $2", provider, reference
    )
    return None if record is None else row_of(Payout, record)


async def of_order(tx: Transaction, order_id: str, kind: PayoutKind) -> list[Payout]:
    """An order's payouts of one kind, oldest first, locked. Lock the order first."""
    return rows_of(
        Payout,
        await tx.fetch(
            "SELECT * FROM payouts WHERE order_id = $1 AND kind = $2 ORDER BY id FOR UPDATE", order_id, kind.value
        ),
    )


async def claim_due(tx: Transaction, limit: int) -> list[Payout]:
    """Bank payouts that it is time to look up at their source, and the next time for each of them.

    A settled one is looked at daily for as long as it can come back (ACH: 60 days for an unauthorised entry,
    Nacha Operating Rules); the others often at first, and hourly later.
    """
    records = await tx.fetch(
        """
        UPDATE payouts SET polls = polls + 1, poll_at = CASE
            WHEN state <> 'settled' THEN now() + least(interval '5 seconds' * power(2, least(polls, 10)), '1 hour')
            WHEN settled_at < now() - interval '60 days' THEN 'infinity'
            ELSE now() + interval '1 day' END
        WHERE id IN (
            SELECT id FROM payouts
            WHERE method NOT IN ('chain', 'sepa') AND state IN ('sending', 'submitted', 'settled') AND poll_at <= now()
            ORDER BY poll_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        RETURNING *
        """,
        limit,
    )
    return rows_of(Payout, records)


async def standing(tx: Transaction, limit: int) -> list[str]:
    """Bank payouts that have stood in the queue, or half asked for, for a while although nothing holds them."""
    records = await tx.fetch(
        """
        SELECT id FROM payouts
        WHERE method NOT IN ('chain', 'sepa') AND state IN ('queued', 'sending') AND hold IS NULL
          AND updated_at < now() - interval '2 minutes'
        ORDER BY updated_at LIMIT $1
        """,
        limit,
    )
    return [record["id"] for record in records]


async def get(db: Database, partner_id: str, payout_id: str) -> Payout | None:
    """A partner's own payout; those of its orders are among them."""
    async with db.session() as session:
        found = await session.exec(
            select(Payout).where(col(Payout.id) == payout_id, col(Payout.partner_id) == partner_id)
        )
        return found.first()


async def held(db: Database) -> list[Payout]:
    """Every payout that a hold is stopping, oldest first."""
    async with db.connection() as connection:
        return rows_of(Payout, await connection.fetch("SELECT * FROM payouts WHERE hold IS NOT NULL ORDER BY id"))
