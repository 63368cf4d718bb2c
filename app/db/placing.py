"""Placing an order: the one statement that uses a quote and writes all that an order begins with."""

from __future__ import annotations

from app.db.columns import json_text
from app.db.database import Database, Transaction
from app.db.jobs import enqueued
from app.db.orders import Order
from app.db.payments import Payment
from app.db.quotes import Quote
from app.db.rows import row_of

# The safety net: opening the payment, should the placing request not come to it.
_JOBS = "SELECT 'start_payment', $25::text, interval '10 seconds' FROM placed"
# The key is claimed only for a quote that is locked and usable, so that either all of this is written or nothing.
PLACE = f"""
WITH usable AS (
    SELECT id FROM quotes
    WHERE id = $3 AND partner_id = $2 AND session_id IS NOT DISTINCT FROM $36
      AND status = 'open' AND expires_at > clock_timestamp()
      AND NOT EXISTS (SELECT 1 FROM wallet_addresses WHERE network = $33 AND script = $17)
    FOR UPDATE
), claimed AS (
    INSERT INTO idempotency_keys (partner_id, key, request_hash, resource_id) SELECT $2, $28, $29, $1 FROM usable
    ON CONFLICT DO NOTHING RETURNING 1
), used AS (
    UPDATE quotes SET status = 'used', order_id = $1, used_at = clock_timestamp()
    WHERE id IN (SELECT id FROM usable) AND EXISTS (SELECT 1 FROM claimed)
    RETURNING id
), placed AS (
    INSERT INTO orders (
        id, partner_id, quote_id, external_id, direction, state, sequence, source_asset, source_units,
        destination_asset, destination_units, venue_units, spread_units, processing_units, partner_units,
        network_units, address, script, payment_method, customer, metadata, request_id, livemode, expires_at,
        created_at, updated_at, intent, session_id
    )
    SELECT $1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19::jsonb, $20::jsonb,
           $21, $22, $23, $24, $24, $35, $36
    FROM used RETURNING 1
), paying AS (
    INSERT INTO payments (id, order_id, provider, method, asset, units, status, poll_at, hold_seconds)
    SELECT $25, $1, $26, $18, $7, $8, 'intended', now() + interval '10 seconds', $34 FROM placed
), asking AS (
    INSERT INTO operations (id, order_id, payment_id, provider, kind, key, asset, units, state)
    SELECT $27, $1, $25, $26, 'start', $25, $7, $8, 'intended' FROM placed
), moved AS (
    INSERT INTO transitions (order_id, sequence, source, trigger, target, cause)
    SELECT $1, 1, 'created', 'placed', $6, $3 FROM placed
), {enqueued(_JOBS)}
INSERT INTO events (id, partner_id, type, resource_type, resource_id, resource_sequence, data, request_id)
SELECT $30, $2, $31, 'order', $1, 1, $32::jsonb, $21 FROM placed
RETURNING id
"""  # noqa: S608 - constants of ours


def _columns(order: Order) -> tuple[object, ...]:
    """The first parameters of the statement, in its order."""
    return (
        order.id,
        order.partner_id,
        order.quote_id,
        order.external_id,
        order.direction,
        order.state,
        order.source_asset,
        order.source_units,
        order.destination_asset,
        order.destination_units,
        order.venue_units,
        order.spread_units,
        order.processing_units,
        order.partner_units,
        order.network_units,
        order.address,
        order.script,
        order.payment_method,
        json_text(order.customer),
        json_text(order.order_metadata),
        order.request_id,
        order.livemode,
        order.expires_at,
        order.created_at,
    )


async def insert_placed(
    tx: Transaction,
    order: Order,
    payment: Payment,
    *,
    operation_id: str,
    event_id: str,
    event_type: str,
    event_data: str,
    key: str,
    request_hash: bytes,
    network: str,
) -> bool:
    """Use the quote and write the order with all that belongs to it, in one statement.

    False, with nothing written, when the key or the quote was used before, the quote has expired by the
    database's clock, or the address is one of our own. Raises UniqueViolationError when the partner has an order with
    this external_id.
    """
    written = await tx.fetchval(
        PLACE,
        *_columns(order),
        payment.id,
        payment.provider,
        operation_id,
        key,
        request_hash,
        event_id,
        event_type,
        event_data,
        network,
        payment.hold_seconds,
        order.intent,
        order.session_id,
    )
    return written is not None


QUOTE_FOR = "SELECT * FROM quotes WHERE id = $1 AND partner_id = $2 AND session_id IS NOT DISTINCT FROM $3"


async def quote_for(db: Database, partner_id: str, quote_id: str, session_id: str | None) -> Quote | None:
    """A partner's own quote, to place an order on: one made in this session, or in none."""
    async with db.connection() as connection:
        record = await connection.fetchrow(QUOTE_FOR, quote_id, partner_id, session_id)
    return None if record is None else row_of(Quote, record)


async def is_used(db: Database, quote_id: str) -> bool:
    """Whether an order has used the quote."""
    async with db.connection() as connection:
        return bool(await connection.fetchval("SELECT status = 'used' FROM quotes WHERE id = $1", quote_id))


async def id_of_external(db: Database, partner_id: str, external_id: str) -> str | None:
    """The order that a partner calls by a name of its own."""
    async with db.connection() as connection:
        return await find_external(connection, partner_id, external_id)


async def find_external(tx: Transaction, partner_id: str, external_id: str) -> str | None:
    """The same within a transaction."""
    found: str | None = await tx.fetchval(
        "SELECT id FROM orders WHERE partner_id = $1 AND external_id = $2", partner_id, external_id
    )
    return found


STARTED = """
WITH answered AS (
    UPDATE idempotency_keys SET status = 201, response = $3 WHERE partner_id = $1 AND key = $2
), opened AS (
    UPDATE payments SET status = $5, reference = $6, client_secret = $7, updated_at = now()
    WHERE id = $4 AND reference IS NULL
)
UPDATE operations SET state = 'succeeded', reference = $6, tries = tries + 1, decided_at = now()
WHERE payment_id = $4 AND kind = 'start'
"""


async def record_started(tx: Transaction, payment: Payment, *, partner_id: str, key: str, response: bytes) -> None:
    """Keep the provider's answer and ours, in one statement. What a notification has told since then stays."""
    await tx.execute(
        STARTED, partner_id, key, response, payment.id, payment.status, payment.reference, payment.client_secret
    )
