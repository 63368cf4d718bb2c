"""What must be true between orders and their money: nothing is given twice, kept, or given without being paid for."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "I-10",
        "No order was both refunded and delivered, unless the delivery itself came back.",
        """
        SELECT order_id FROM entries WHERE order_id IS NOT NULL GROUP BY order_id
        HAVING bool_or(kind = 'deliver') AND bool_or(kind = 'refund') AND NOT bool_or(kind = 'delivery_return')
        """,
    ),
    Invariant(
        "I-11",
        "An order that has ended holds no money.",
        """
        SELECT orders.id, state, postings.asset, sum(units) AS held
        FROM orders JOIN postings ON account = 'order:' || orders.id
        WHERE state IN ('completed', 'failed', 'canceled', 'expired', 'refunded')
        GROUP BY orders.id, state, postings.asset HAVING sum(units) <> 0
        """,
    ),
    Invariant(
        "I-12",
        "A completed order was paid and delivered, by the ledger.",
        """
        SELECT id FROM orders WHERE state = 'completed' AND 2 > (
            SELECT count(DISTINCT kind) FROM entries WHERE order_id = orders.id AND kind IN ('pay_in', 'deliver')
        )
        """,
    ),
    Invariant(
        "I-32",
        "No more is refunded, or promised to be, than was paid.",
        """
        SELECT order_id, asset, sum(units) AS promised FROM operations
        WHERE kind = 'refund' AND state <> 'declined' GROUP BY order_id, asset
        HAVING sum(units) > coalesce((
            SELECT sum(postings.units) FROM postings JOIN entries ON entries.id = entry_id
            WHERE entries.order_id = operations.order_id AND entries.kind = 'pay_in'
              AND postings.asset = operations.asset AND account LIKE 'psp:%'
        ), 0)
        """,
    ),
    Invariant(
        "I-37",
        "No more leaves an order than came in or was converted for it.",
        """
        SELECT order_id, asset, came, went FROM (
            SELECT entries.order_id, postings.asset,
                   coalesce(-sum(units) FILTER (WHERE kind IN ('pay_in', 'deposit_reverse', 'deposit_restore')
                       OR (kind IN ('convert', 'convert_reversed') AND units < 0)), 0) AS came,
                   coalesce(sum(units) FILTER (WHERE kind IN (
                       'deliver', 'delivery_return', 'refund', 'refund_reversed', 'surplus', 'dispute', 'dispute_won',
                       'dispute_moved'
                   ) OR (kind IN ('convert', 'convert_reversed') AND units > 0)), 0) AS went
            FROM entries JOIN postings ON entry_id = entries.id
            WHERE account = 'order:' || entries.order_id GROUP BY entries.order_id, postings.asset
        ) AS flow WHERE went > came
        """,
    ),
    Invariant(
        "R-03",
        "What an order says it received, refunded and delivered is what the ledger says.",
        # Coins come in at the wallet, and go from it again when a reorganisation takes them back.
        """
        SELECT * FROM (
            SELECT orders.id, received_units, refunded_units, delivered_units,
                coalesce(CASE direction
                    WHEN 'buy' THEN -sum(units) FILTER (WHERE own AND kind = 'pay_in' AND asset = source_asset)
                    ELSE sum(units) FILTER (WHERE (account LIKE 'wallet:hot:%' OR account LIKE 'wallet:deposits:%')
                        AND kind IN ('pay_in', 'deposit_reverse', 'deposit_restore')) END, 0) AS booked_in,
                coalesce(sum(units) FILTER (
                    WHERE own AND kind IN ('refund', 'refund_reversed') AND asset = source_asset), 0) AS booked_back,
                coalesce(sum(units) FILTER (
                    WHERE own AND kind IN ('deliver', 'delivery_return') AND asset = destination_asset), 0)
                    AS booked_out
            FROM orders
            LEFT JOIN (
                SELECT entries.order_id, entries.kind, account = 'order:' || entries.order_id AS own,
                       postings.account, postings.asset, postings.units
                FROM entries JOIN postings ON entry_id = entries.id
            ) AS line ON line.order_id = orders.id
            GROUP BY orders.id, direction, received_units, refunded_units, delivered_units
        ) AS compared
        WHERE (received_units, refunded_units, delivered_units) IS DISTINCT FROM (booked_in, booked_back, booked_out)
        """,
    ),
    Invariant(
        "R-04",
        "Every payment belongs to its order and asks what was agreed; every buy order has exactly one.",
        """
        SELECT orders.id, count(payments.id) AS payments
        FROM orders LEFT JOIN payments ON payments.order_id = orders.id
            AND payments.units = orders.source_units AND payments.asset = orders.source_asset
        WHERE direction = 'buy' GROUP BY orders.id HAVING count(payments.id) <> 1
        """,
    ),
    Invariant(
        "R-05",
        "A payment counts as captured exactly when the ledger has it coming in, once.",
        """
        SELECT payments.id, payments.status, count(entries.id) AS pay_ins
        FROM payments LEFT JOIN entries ON entries.order_id = payments.order_id AND kind = 'pay_in'
        GROUP BY payments.id, payments.status
        HAVING count(entries.id) <> CASE payments.status WHEN 'captured' THEN 1 ELSE 0 END
        """,
    ),
    Invariant(
        "R-06",
        "The provider's fee is booked as it is known, once it is.",
        """
        SELECT payments.id, fee_units, coalesce(booked.units, 0) AS booked
        FROM payments LEFT JOIN (
            SELECT reference, sum(units) AS units FROM entries JOIN postings ON entry_id = entries.id
            WHERE kind = 'provider_fee' AND account = 'expense:provider' GROUP BY reference
        ) AS booked ON booked.reference = payments.id || ':provider_fee'
        WHERE coalesce(fee_units, 0) <> coalesce(booked.units, 0)
        """,
    ),
    Invariant(
        "R-07",
        "A refund is in the ledger exactly while its operation is pending or has succeeded, or as a payout of coins.",
        """
        SELECT operations.id, operations.state, operations.units, coalesce(sum(booked.units), 0) AS booked
        FROM operations LEFT JOIN (
            SELECT entries.reference, entries.order_id, account, asset, units
            FROM entries JOIN postings ON entry_id = entries.id WHERE kind IN ('refund', 'refund_reversed')
        ) AS booked ON booked.account = 'order:' || operations.order_id AND booked.asset = operations.asset
            AND booked.reference IN (
                operations.order_id || ':refund:' || operations.id,
                operations.order_id || ':refund_reversed:' || operations.id
            )
        WHERE operations.kind = 'refund' GROUP BY operations.id, operations.state, operations.units
        HAVING coalesce(sum(booked.units), 0)
            <> CASE WHEN operations.state IN ('pending', 'succeeded') THEN operations.units ELSE 0 END
        UNION ALL
        SELECT reference, kind, NULL, NULL FROM entries
        WHERE kind IN ('refund', 'refund_reversed') AND NOT EXISTS (
            SELECT 1 FROM operations WHERE operations.kind = 'refund'
              AND operations.id = split_part(entries.reference, ':', 3)
        ) AND NOT EXISTS (
            SELECT 1 FROM payouts WHERE payouts.kind = 'refund' AND payouts.order_id = entries.order_id
              AND payouts.id = split_part(entries.reference, ':', 3)
        )
        """,
    ),
    Invariant(
        "R-08",
        "A delivered order was converted at exactly the terms that were agreed, and back at them if it was returned.",
        """
        WITH agreed AS (
            SELECT orders.id, line.account, line.asset, line.units FROM orders, LATERAL (
                SELECT CASE direction WHEN 'buy' THEN source_asset ELSE destination_asset END AS asset
            ) AS fiat, LATERAL (VALUES
                ('order:' || id, source_asset, source_units),
                ('position:' || source_asset, source_asset, CASE direction WHEN 'buy' THEN -venue_units
                    ELSE -source_units END),
                ('revenue:spread', fiat.asset, -spread_units),
                ('revenue:fee', fiat.asset, -processing_units),
                ('revenue:network', fiat.asset, -network_units),
                ('partner:' || partner_id || ':available', fiat.asset, -partner_units),
                ('position:' || destination_asset, destination_asset, CASE direction WHEN 'buy' THEN destination_units
                    ELSE venue_units END),
                ('order:' || id, destination_asset, -destination_units)
            ) AS line (account, asset, units)
            WHERE line.units <> 0
              AND EXISTS (SELECT 1 FROM entries WHERE order_id = orders.id AND kind IN ('deliver', 'convert'))
        ), booked AS (
            SELECT entries.order_id AS id, account, asset, sum(units) AS units
            FROM entries JOIN postings ON entry_id = entries.id
            WHERE entries.kind = 'convert' GROUP BY entries.order_id, account, asset
        )
        SELECT id, account, asset, agreed.units AS agreed, booked.units AS booked
        FROM agreed FULL JOIN booked USING (id, account, asset)
        WHERE agreed.units IS DISTINCT FROM booked.units
        UNION ALL
        SELECT order_id, account, asset, 0, sum(units) FROM entries JOIN postings ON entry_id = entries.id
        WHERE kind IN ('convert', 'convert_reversed') AND order_id IN (
            SELECT order_id FROM entries WHERE kind IN ('delivery_return', 'convert_reversed')
        ) GROUP BY order_id, account, asset HAVING sum(units) <> 0
        """,
    ),
)
