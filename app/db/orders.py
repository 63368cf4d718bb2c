"""Orders and their transitions: the row, its lock, and the one statement that moves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Field, col, select

from app.db.columns import Document, counter, document, json_text, moment, raw_bytes, text, whole_units
from app.db.database import Database, Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table
from app.domain.order import Direction, OrderState


class Order(Table, table=True):
    """An accepted quote being carried out. Amounts are whole units; what each asset is stands beside it."""

    __tablename__ = "orders"

    id: str = Field(sa_column=text(primary_key=True))
    partner_id: str = Field(sa_column=text())
    quote_id: str = Field(sa_column=text(unique=True))
    external_id: str | None = Field(default=None, sa_column=text(nullable=True))
    direction: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    sequence: int = Field(sa_column=counter())
    source_asset: str = Field(sa_column=text())
    source_units: int = Field(sa_column=whole_units())
    received_units: int = Field(default=0, sa_column=whole_units())
    refunded_units: int = Field(default=0, sa_column=whole_units())
    destination_asset: str = Field(sa_column=text())
    destination_units: int = Field(sa_column=whole_units())
    delivered_units: int = Field(default=0, sa_column=whole_units())
    venue_units: int = Field(sa_column=whole_units())
    spread_units: int = Field(sa_column=whole_units())
    processing_units: int = Field(sa_column=whole_units())
    partner_units: int = Field(sa_column=whole_units())
    network_units: int = Field(sa_column=whole_units())
    address: str | None = Field(default=None, sa_column=text(nullable=True))
    script: str | None = Field(default=None, sa_column=text(nullable=True))
    intent: bytes | None = Field(default=None, sa_column=raw_bytes(nullable=True))
    tx_hash: str | None = Field(default=None, sa_column=text(nullable=True))
    external_account_id: str | None = Field(default=None, sa_column=text(nullable=True))
    deposit_address: str | None = Field(default=None, sa_column=text(nullable=True))
    refund_address: str | None = Field(default=None, sa_column=text(nullable=True))
    refund_script: str | None = Field(default=None, sa_column=text(nullable=True))
    payment_method: str = Field(sa_column=text())
    customer: Document = Field(sa_column=document())
    order_metadata: Document = Field(sa_column=document(name="metadata"))
    hold: Document | None = Field(default=None, sa_column=document(nullable=True))
    dispute: Document | None = Field(default=None, sa_column=document(nullable=True))
    failure: Document | None = Field(default=None, sa_column=document(nullable=True))
    request_id: str | None = Field(default=None, sa_column=text(nullable=True))
    session_id: str | None = Field(default=None, sa_column=text(nullable=True))
    livemode: bool
    expires_at: datetime = Field(sa_column=moment())
    deliver_after: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))

    @property
    def order_state(self) -> OrderState:
        """The state as the domain's own value."""
        return OrderState(self.state)

    @property
    def order_direction(self) -> Direction:
        """The direction as the domain's own value."""
        return Direction(self.direction)


class Transition(Table, table=True):
    """A recorded move. `cause` names the fact behind it, so that the same fact moves an order once."""

    __tablename__ = "transitions"

    order_id: str = Field(sa_column=text(primary_key=True))
    sequence: int = Field(primary_key=True)
    source: str = Field(sa_column=text())
    trigger: str = Field(sa_column=text())
    target: str = Field(sa_column=text())
    cause: str = Field(sa_column=text())
    actor: str | None = Field(default=None, sa_column=text(nullable=True))
    reason: str | None = Field(default=None, sa_column=text(nullable=True))
    at: datetime = Field(sa_column=moment(default_now=True))


async def lock(tx: Transaction, order_id: str) -> Order | None:
    """The order, locked until the transaction ends."""
    record = await tx.fetchrow("SELECT * FROM orders WHERE id = $1 FOR UPDATE", order_id)
    return None if record is None else row_of(Order, record)


async def asset_sent(db: Database, order_id: str) -> str | None:
    """The id of the asset that the customer gets; None when there is no such order. It never changes."""
    async with db.connection() as connection:
        asset: str | None = await connection.fetchval("SELECT destination_asset FROM orders WHERE id = $1", order_id)
    return asset


async def has_transition(tx: Transaction, order_id: str, trigger: str, cause: str) -> bool:
    """Whether this fact has moved the order before."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM transitions WHERE order_id = $1 AND trigger = $2 AND cause = $3)",
            order_id,
            trigger,
            cause,
        )
    )


async def store_move(
    tx: Transaction,
    order: Order,
    *,
    source: str,
    trigger: str,
    cause: str,
    actor: str | None,
    reason: str | None,
    wait: timedelta | None = None,
) -> datetime:
    """Write the order's changed columns and the transition at once; the moment, from which it `wait`s, is returned."""
    at: datetime = await tx.fetchval(
        """
        WITH moved AS (
            UPDATE orders SET state = $2, sequence = $3, received_units = $4, refunded_units = $5,
                delivered_units = $6, hold = $7::jsonb, dispute = $8::jsonb, failure = $9::jsonb, tx_hash = $10,
                deliver_after = coalesce(deliver_after, now() + $16::interval), updated_at = now()
            WHERE id = $1
        )
        INSERT INTO transitions (order_id, sequence, source, trigger, target, cause, actor, reason, at)
        VALUES ($1, $3, $11, $12, $2, $13, $14, $15, now())
        RETURNING at
        """,
        order.id,
        order.state,
        order.sequence,
        order.received_units,
        order.refunded_units,
        order.delivered_units,
        None if order.hold is None else json_text(order.hold),
        None if order.dispute is None else json_text(order.dispute),
        None if order.failure is None else json_text(order.failure),
        order.tx_hash,
        source,
        trigger,
        cause,
        actor,
        reason,
        wait,
    )
    return at


async def get(db: Database, partner_id: str, order_id: str) -> Order | None:
    """A partner's own order."""
    async with db.session() as session:
        found = await session.exec(select(Order).where(col(Order.id) == order_id, col(Order.partner_id) == partner_id))
        return found.first()


async def transitions_of(db: Database, order_id: str) -> list[Transition]:
    """Every move of an order, in order."""
    async with db.session() as session:
        found = await session.exec(
            select(Transition).where(col(Transition.order_id) == order_id).order_by(col(Transition.sequence))
        )
        return list(found)


async def was_held(tx: Transaction, order_id: str, reason: str) -> bool:
    """Whether a hold with this reason has ever stopped the order."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM transitions WHERE order_id = $1 AND trigger = 'held' AND reason = $2)",
            order_id,
            reason,
        )
    )


async def is_overdue(tx: Transaction, order_id: str, grace: timedelta) -> bool:
    """Whether the order's window closed longer ago than `grace`, by the database's clock."""
    return bool(await tx.fetchval("SELECT now() > expires_at + $2 FROM orders WHERE id = $1", order_id, grace))


async def set_refund_address(tx: Transaction, order: Order, address: str, script: str) -> None:
    """Where the coins of a locked sell order go back to."""
    order.refund_address, order.refund_script = address, script
    await tx.execute(
        "UPDATE orders SET refund_address = $2, refund_script = $3 WHERE id = $1", order.id, address, script
    )


async def is_due(tx: Transaction, order_id: str) -> bool:
    """Whether the order may be delivered by now, by the database's clock."""
    sql = "SELECT deliver_after IS NULL OR deliver_after <= now() FROM orders WHERE id = $1"
    return bool(await tx.fetchval(sql, order_id))


_DUE_TO_EXPIRE = """
SELECT id FROM orders
WHERE state IN ('awaiting_payment', 'authenticating', 'awaiting_deposit') AND expires_at <= now() AND hold IS NULL
"""


async def due_to_expire(tx: Transaction, limit: int) -> list[str]:
    """Orders whose payment window has closed, by the database's clock."""
    records = await tx.fetch(_DUE_TO_EXPIRE + "ORDER BY expires_at LIMIT $1", limit)
    return [record["id"] for record in records]


async def is_due_to_expire(tx: Transaction, order_id: str) -> bool:
    """Whether the order's payment window has closed while it waited, although no sweep has come by yet."""
    return await tx.fetchval(_DUE_TO_EXPIRE + "AND id = $1", order_id) is not None


async def standing_in(tx: Transaction, state: OrderState, limit: int) -> list[str]:
    """Orders that have not moved from a state for a while although no hold stops them, longest first."""
    records = await tx.fetch(
        """
        SELECT id FROM orders
        WHERE state = $1 AND hold IS NULL AND updated_at < now() - interval '2 minutes'
          AND (deliver_after IS NULL OR deliver_after < now() OR state <> 'paid')
          AND NOT EXISTS (
              SELECT 1 FROM payouts WHERE order_id = orders.id AND payouts.state IN ('queued', 'sending', 'submitted')
                AND (kind = 'sale' OR orders.state = 'refunding')
          )
        ORDER BY updated_at LIMIT $2
        """,
        state.value,
        limit,
    )
    return [record["id"] for record in records]


async def held(db: Database) -> list[Order]:
    """Every order that a hold is stopping, oldest first."""
    async with db.connection() as connection:
        return rows_of(Order, await connection.fetch("SELECT * FROM orders WHERE hold IS NOT NULL ORDER BY id"))
