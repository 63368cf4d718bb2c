"""Payments coming in, and the operations asked of providers: each written down before the request leaves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from app.db.columns import Document, counter, document, json_text, moment, text, whole_units
from app.db.database import Database, Transaction
from app.db.rows import row_of, rows_of
from app.db.table import Table


class Payment(Table, table=True):
    """The fiat side of a buy order. `status` is a PaymentStatus, or `unknown` until the source was asked."""

    __tablename__ = "payments"

    id: str = Field(sa_column=text(primary_key=True))
    order_id: str = Field(sa_column=text(unique=True))
    provider: str = Field(sa_column=text())
    method: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    status: str = Field(sa_column=text())
    reference: str | None = Field(default=None, sa_column=text(nullable=True))
    client_secret: str | None = Field(default=None, sa_column=text(nullable=True))
    fee_units: int | None = Field(default=None, sa_column=whole_units(nullable=True))
    failure: Document | None = Field(default=None, sa_column=document(nullable=True))
    hold_seconds: int = Field(default=0, sa_column=counter())
    next_action: Document | None = Field(default=None, sa_column=document(nullable=True))
    polls: int = 0
    poll_at: datetime = Field(sa_column=moment(default_now=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))


class OperationKind(StrEnum):
    """What we may ask of a card or bank provider."""

    START = "start"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"
    RETURN = "return"  # of what a transfer brought and the payment did not take


class OperationState(StrEnum):
    """What we know of a request. UNKNOWN ends only by a definitive answer or a look-up at the source."""

    INTENDED = "intended"
    UNKNOWN = "unknown"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"


class Operation(Table, table=True):
    """One request to a provider. `key` is its idempotency key, fixed before the first try.

    `asked_at` is when that key was written down; `stuck` says that the provider answers it with an error that it keeps.
    """

    __tablename__ = "operations"

    id: str = Field(sa_column=text(primary_key=True))
    order_id: str = Field(sa_column=text())
    payment_id: str = Field(sa_column=text())
    provider: str = Field(sa_column=text())
    kind: str = Field(sa_column=text())
    key: str = Field(sa_column=text())
    asset: str = Field(sa_column=text())
    units: int = Field(sa_column=whole_units())
    state: str = Field(sa_column=text())
    reference: str | None = Field(default=None, sa_column=text(nullable=True))
    failure: Document | None = Field(default=None, sa_column=document(nullable=True))
    tries: int = 0
    attempt: int = 1
    asked_at: datetime = Field(sa_column=moment(default_now=True))
    stuck: bool = False
    actor: str | None = Field(default=None, sa_column=text(nullable=True))
    reason: str | None = Field(default=None, sa_column=text(nullable=True))
    created_at: datetime = Field(sa_column=moment(default_now=True))
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


async def of_order(tx: Transaction, order_id: str) -> Payment | None:
    """The payment of an order."""
    record = await tx.fetchrow("SELECT * FROM payments WHERE order_id = $1", order_id)
    return None if record is None else row_of(Payment, record)


async def get(tx: Transaction, payment_id: str) -> Payment | None:
    """A payment by our own id."""
    record = await tx.fetchrow("SELECT * FROM payments WHERE id = $1", payment_id)
    return None if record is None else row_of(Payment, record)


async def by_reference(tx: Transaction, provider: str, reference: str) -> Payment | None:
    """A payment by the provider's id."""
    record = await tx.fetchrow("SELECT * FROM payments WHERE provider = $1 AND reference = $2", provider, reference)
    return None if record is None else row_of(Payment, record)


async def of_orders(db: Database, order_ids: list[str]) -> dict[str, Payment]:
    """The payments of several orders, by order."""
    async with db.connection() as connection:
        records = await connection.fetch("SELECT * FROM payments WHERE order_id = ANY($1)", order_ids)
    return {payment.order_id: payment for payment in rows_of(Payment, records)}


async def update(tx: Transaction, payment: Payment) -> None:
    """Write what the provider told us of a payment. A fee or a reference once known is never forgotten.

    The end of a payment answers whatever had been asked of it: a capture or a cancellation, its opening too.
    """
    await tx.execute(
        """
        WITH answered AS (
            UPDATE operations SET reference = $3::text, decided_at = now(), state = CASE
                WHEN $3::text IS NULL THEN 'declined'  -- there never was one
                WHEN kind = 'start' OR (kind = 'capture') = ($2 = 'captured') THEN 'succeeded'
                ELSE 'declined' END
            WHERE payment_id = $1 AND kind NOT IN ('refund', 'return') AND state NOT IN ('succeeded', 'declined')
              AND $2 IN ('captured', 'canceled')
        )
        UPDATE payments SET status = $2, reference = coalesce($3, reference),
            client_secret = coalesce($4, client_secret), fee_units = coalesce($5, fee_units),
            failure = $6::jsonb, next_action = $7::jsonb, updated_at = now()
        WHERE id = $1
        """,
        payment.id,
        payment.status,
        payment.reference,
        payment.client_secret,
        payment.fee_units,
        None if payment.failure is None else json_text(payment.failure),
        None if payment.next_action is None else json_text(payment.next_action),
    )


async def claim_due(tx: Transaction, limit: int) -> list[Payment]:
    """Payments that are not finished, or whose fee is not known, and are due to be looked up; each next turn is later.

    The pause doubles from five seconds up to an hour.
    """
    records = await tx.fetch(
        """
        UPDATE payments SET polls = polls + 1,
            poll_at = now() + least(interval '5 seconds' * power(2, least(polls, 12)), interval '1 hour')
        WHERE id IN (
            SELECT id FROM payments
            WHERE poll_at <= now() AND status <> 'canceled' AND (status <> 'captured' OR fee_units IS NULL)
            ORDER BY poll_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        RETURNING *
        """,
        limit,
    )
    return rows_of(Payment, records)


async def intend(tx: Transaction, operation: Operation) -> bool:
    """Write down a request that will be made; False when the same one stands there already."""
    done = await tx.execute(
        """
        INSERT INTO operations (id, order_id, payment_id, provider, kind, key, asset, units, state, actor, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'intended', $9, $10)
        ON CONFLICT DO NOTHING
        """,
        operation.id,
        operation.order_id,
        operation.payment_id,
        operation.provider,
        operation.kind,
        operation.key,
        operation.asset,
        operation.units,
        operation.actor,
        operation.reason,
    )
    return bool(done.endswith("1"))


async def operation(tx: Transaction, operation_id: str) -> Operation | None:
    """One operation."""
    record = await tx.fetchrow("SELECT * FROM operations WHERE id = $1", operation_id)
    return None if record is None else row_of(Operation, record)


async def operation_of(tx: Transaction, payment_id: str, kind: OperationKind) -> Operation | None:
    """The newest start, capture or cancel of a payment."""
    record = await tx.fetchrow(
        "SELECT * FROM operations WHERE payment_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 1", payment_id, kind.value
    )
    return None if record is None else row_of(Operation, record)


async def count_operations(tx: Transaction, payment_id: str, kind: OperationKind) -> int:
    """How many requests of a kind have been written down for a payment."""
    return int(
        await tx.fetchval("SELECT count(*) FROM operations WHERE payment_id = $1 AND kind = $2", payment_id, kind.value)
    )


async def refunds_of(tx: Transaction, order_id: str) -> list[Operation]:
    """Every refund of an order, oldest first."""
    records = await tx.fetch("SELECT * FROM operations WHERE order_id = $1 AND kind = 'refund' ORDER BY id", order_id)
    return rows_of(Operation, records)


async def decide(
    tx: Transaction,
    operation_id: str,
    state: OperationState,
    *,
    reference: str | None = None,
    failure: Document | None = None,
) -> None:
    """Record what is known of a request now; a lost answer does not undo what another way has told us already."""
    await tx.execute(
        """
        UPDATE operations SET state = $2, reference = coalesce($3, reference), failure = $4::jsonb, tries = tries + 1,
            decided_at = CASE WHEN $2 IN ('succeeded', 'declined') THEN now() END
        WHERE id = $1 AND ($2 <> 'unknown' OR state IN ('intended', 'unknown'))
        """,
        operation_id,
        state.value,
        reference,
        None if failure is None else json_text(failure),
    )


async def stuck(tx: Transaction, operation_id: str) -> None:
    """The provider keeps an error of its own under the operation's key."""
    await tx.execute("UPDATE operations SET stuck = true WHERE id = $1", operation_id)


async def ask_anew(tx: Transaction, operation: Operation, key: str) -> None:
    """Give the operation its next key, unless somebody else has just done so."""
    await tx.execute(
        """
        UPDATE operations SET key = $3, attempt = attempt + 1, asked_at = now(), stuck = false
        WHERE id = $1 AND attempt = $2
        """,
        operation.id,
        operation.attempt,
        key,
    )


async def operation_by_reference(tx: Transaction, provider: str, reference: str) -> Operation | None:
    """The refund or return that the provider calls so."""
    record = await tx.fetchrow(
        "SELECT * FROM operations WHERE provider = $1 AND reference = $2 AND kind IN ('refund', 'return')",
        provider,
        reference,
    )
    return None if record is None else row_of(Operation, record)


async def open_return(tx: Transaction, payment_id: str) -> bool:
    """Whether money of a payment is on its way back that the payment never took."""
    sql = """
        SELECT EXISTS (SELECT 1 FROM operations WHERE payment_id = $1 AND kind = 'return'
                       AND state NOT IN ('succeeded', 'declined'))
    """
    return bool(await tx.fetchval(sql, payment_id))


async def undecided(tx: Transaction, limit: int) -> list[Operation]:
    """Requests whose outcome is still open a while after they were intended, oldest first."""
    records = await tx.fetch(
        """
        SELECT * FROM operations
        WHERE state IN ('intended', 'unknown', 'pending') AND created_at < now() - interval '30 seconds'
        ORDER BY created_at LIMIT $1
        """,
        limit,
    )
    return rows_of(Operation, records)
