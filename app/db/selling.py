"""Placing a sell order: using a quote, and writing the order with its first transition."""

from __future__ import annotations

from app.db.columns import json_text
from app.db.database import Transaction
from app.db.orders import Order
from app.db.quotes import Quote
from app.db.rows import row_of


async def lock_quote(
    tx: Transaction, partner_id: str, quote_id: str, session_id: str | None
) -> tuple[Quote, bool] | None:
    """A partner's own quote of this session or of none, locked, and whether the database's clock still holds it."""
    record = await tx.fetchrow(
        """
        SELECT *, expires_at > clock_timestamp() AS is_held FROM quotes
        WHERE id = $1 AND partner_id = $2 AND session_id IS NOT DISTINCT FROM $3 FOR UPDATE
        """,
        quote_id,
        partner_id,
        session_id,
    )
    return None if record is None else (row_of(Quote, record), bool(record["is_held"]))


async def insert_quote(tx: Transaction, quote: Quote) -> None:
    """Write a quote that nobody asked for: the price at which a standing address sold."""
    await tx.execute(
        """
        INSERT INTO quotes (
            id, partner_id, direction, amount_side, status, source_asset, source_units, destination_asset,
            destination_units, venue_units, spread_units, processing_units, partner_units, network_units,
            payment_method, country, terms, livemode, expires_at, created_at
        )
        VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17, $18, $19)
        """,
        quote.id,
        quote.partner_id,
        quote.direction,
        quote.amount_side,
        quote.source_asset,
        quote.source_units,
        quote.destination_asset,
        quote.destination_units,
        quote.venue_units,
        quote.spread_units,
        quote.processing_units,
        quote.partner_units,
        quote.network_units,
        quote.payment_method,
        quote.country,
        json_text(quote.terms),
        quote.livemode,
        quote.expires_at,
        quote.created_at,
    )


async def insert_order(tx: Transaction, order: Order) -> None:
    """Use the quote, which the caller has locked or written, and write the order with its first transition.

    Raises UniqueViolationError when the partner has an order with this external_id.
    """
    await tx.execute(
        """
        WITH used AS (
            UPDATE quotes SET status = 'used', order_id = $1, used_at = clock_timestamp() WHERE id = $3
        ), placed AS (
            INSERT INTO orders (
                id, partner_id, quote_id, external_id, direction, state, sequence, source_asset, source_units,
                destination_asset, destination_units, venue_units, spread_units, processing_units, partner_units,
                network_units, external_account_id, deposit_address, refund_address, refund_script, payment_method,
                customer, metadata, request_id, livemode, expires_at, created_at, updated_at, session_id
            )
            VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                    $21::jsonb, $22::jsonb, $23, $24, $25, $26, $26, $27)
        )
        INSERT INTO transitions (order_id, sequence, source, trigger, target, cause)
        VALUES ($1, 1, 'created', 'placed', $6, $3)
        """,
        *_columns(order),
    )


def _columns(order: Order) -> tuple[object, ...]:
    """The values of a new row, in the statement's order."""
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
        order.external_account_id,
        order.deposit_address,
        order.refund_address,
        order.refund_script,
        order.payment_method,
        json_text(order.customer),
        json_text(order.order_metadata),
        order.request_id,
        order.livemode,
        order.expires_at,
        order.created_at,
        order.session_id,
    )
