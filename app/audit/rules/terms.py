"""What must be true of the agreements themselves: quotes, their use, their sums, and the keys that guard them."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

_TERMS = """partner_id, direction, source_asset, source_units, destination_asset, destination_units, venue_units,
    spread_units, processing_units, partner_units, network_units, payment_method, livemode"""
_OF_ORDER = ", ".join(f"orders.{name.strip()}" for name in _TERMS.split(","))
_OF_QUOTE = ", ".join(f"quotes.{name.strip()}" for name in _TERMS.split(","))

RULES: Final = (
    Invariant(
        "I-33",
        "A quote makes one order, of its own partner, in time, on its own terms.",
        f"""
        SELECT quote_id, 'used by ' || count(*) || ' orders' AS problem FROM orders GROUP BY quote_id
        HAVING count(*) > 1
        UNION ALL
        SELECT quote_id, 'not as quoted: ' || orders.id FROM orders LEFT JOIN quotes ON quotes.id = quote_id
        WHERE ({_OF_ORDER}) IS DISTINCT FROM ({_OF_QUOTE})
           OR quotes.status IS DISTINCT FROM 'used' OR quotes.order_id IS DISTINCT FROM orders.id
           OR used_at IS NULL OR used_at > quotes.expires_at
        UNION ALL
        SELECT id, 'used by no order' FROM quotes
        WHERE status <> 'open' AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.quote_id = quotes.id)
        """,  # noqa: S608 - our own column names
    ),
    Invariant(
        "I-34",
        "Every idempotency key was used once, and was answered unless what it made stands.",
        # A request that died after its order was committed leaves a key without an answer until it is repeated.
        """
        SELECT partner_id, key, count(*)::text AS problem FROM idempotency_keys GROUP BY partner_id, key
        HAVING count(*) > 1
        UNION ALL
        SELECT partner_id, key, 'no answer' FROM idempotency_keys
        WHERE status IS NULL AND locked_at < now() - interval '5 minutes' AND NOT EXISTS (
            SELECT 1 FROM orders WHERE orders.id = resource_id AND orders.partner_id = idempotency_keys.partner_id
        )
        """,
    ),
    Invariant(
        "R-20",
        "The lines of a price make up its sum, in quotes and orders alike, and none is below zero.",
        """
        SELECT * FROM (
            SELECT id, direction, source_units, destination_units, venue_units, spread_units, processing_units,
                   partner_units, network_units FROM orders
            UNION ALL
            SELECT id, direction, source_units, destination_units, venue_units, spread_units, processing_units,
                   partner_units, network_units FROM quotes
        ) AS agreed
        WHERE least(venue_units, spread_units, processing_units, partner_units, network_units) < 0
           OR least(source_units, destination_units) <= 0
           OR CASE direction
                WHEN 'buy' THEN source_units
                    <> venue_units + spread_units + processing_units + partner_units + network_units
                ELSE destination_units
                    <> venue_units - spread_units - processing_units - partner_units - network_units
              END
        """,
    ),
    Invariant(
        "R-21",
        "An instance is of one mode: no row of test money stands beside one of real money.",
        """
        SELECT DISTINCT subject, livemode FROM (
            SELECT 'quotes' AS subject, livemode FROM quotes
            UNION ALL SELECT 'orders', livemode FROM orders
            UNION ALL SELECT 'payouts', livemode FROM payouts
            UNION ALL SELECT 'payout_batches', livemode FROM payout_batches
            UNION ALL SELECT 'deposits', livemode FROM deposits
            UNION ALL SELECT 'top_ups', livemode FROM top_ups
            UNION ALL SELECT 'notifications', livemode FROM notifications WHERE state <> 'quarantined'
        ) AS modes
        WHERE 1 < (SELECT count(DISTINCT livemode) FROM (
            SELECT livemode FROM quotes UNION SELECT livemode FROM orders UNION SELECT livemode FROM payouts
            UNION SELECT livemode FROM payout_batches UNION SELECT livemode FROM deposits
            UNION SELECT livemode FROM top_ups
            UNION SELECT livemode FROM notifications WHERE state <> 'quarantined'
        ) AS every)
        """,
    ),
    Invariant(
        "R-22",
        "A key answered with a refusal made nothing.",
        """
        SELECT partner_id, key, status, resource_id FROM idempotency_keys
        WHERE status >= 400 AND (
            EXISTS (SELECT 1 FROM orders WHERE orders.id = resource_id)
            OR EXISTS (SELECT 1 FROM quotes WHERE quotes.id = resource_id)
            OR EXISTS (SELECT 1 FROM payouts WHERE payouts.id = resource_id)
            OR EXISTS (SELECT 1 FROM payout_batches WHERE payout_batches.id = resource_id)
        )
        """,
    ),
)
