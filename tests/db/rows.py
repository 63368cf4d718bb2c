"""One order as `placing` leaves it, without prices, provider or chain."""

from __future__ import annotations

from app.db.columns import new_id
from app.db.database import Database

PARTNER = "pt_1"

_ORDER = """
WITH partner AS (
    INSERT INTO partners (id, name) VALUES ('pt_1', 'Partner') ON CONFLICT DO NOTHING
), quote AS (
    INSERT INTO quotes (id, partner_id, direction, amount_side, status, source_asset, source_units, destination_asset,
        destination_units, venue_units, spread_units, processing_units, partner_units, network_units, payment_method,
        terms, livemode, order_id, used_at, expires_at)
    VALUES ('qt_' || $1, 'pt_1', 'buy', 'source', 'used', 'EUR', 10000, 'BTC.bitcoin', 150000, 9800, 100, 100, 0, 0,
        'card', '{}', false, $1, now(), now() + interval '1 minute')
), placed AS (
    INSERT INTO orders (id, partner_id, quote_id, direction, state, sequence, source_asset, source_units,
        destination_asset, destination_units, venue_units, spread_units, processing_units, partner_units,
        network_units, payment_method, customer, metadata, livemode, expires_at)
    VALUES ($1, 'pt_1', 'qt_' || $1, 'buy', 'awaiting_payment', 1, 'EUR', 10000, 'BTC.bitcoin', 150000, 9800, 100, 100,
        0, 0, 'card', '{}', '{}', false, now() + interval '15 minutes')
), paying AS (
    INSERT INTO payments (id, order_id, provider, method, asset, units, status)
    VALUES ('pay_' || $1, $1, 'stripe', 'card', 'EUR', 10000, 'authorised')
)
INSERT INTO transitions (order_id, sequence, source, trigger, target, cause)
VALUES ($1, 1, 'created', 'placed', 'awaiting_payment', 'qt_' || $1)
"""


async def make_order(db: Database) -> str:
    """Insert an order that awaits its payment; its id."""
    order_id = new_id("or")
    async with db.transaction() as tx:
        await tx.execute(_ORDER, order_id)
    return order_id


async def count(db: Database, table: str) -> int:
    """How many rows a table has."""
    async with db.connection() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - the tests' own words
