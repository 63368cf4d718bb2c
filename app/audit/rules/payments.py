"""What must be true of payments that can come back, of second payments, and of what a processor does by itself."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "R-110",
        "An order waits, once it is paid, just as long as was decided when it was placed, and nothing is sent before.",
        """
        SELECT orders.id, deliver_after, captured.at, hold_seconds FROM orders
        JOIN payments ON payments.order_id = orders.id
        JOIN transitions AS captured ON captured.order_id = orders.id AND captured.trigger = 'payment_captured'
        WHERE coalesce(deliver_after, captured.at) <> captured.at + make_interval(secs => hold_seconds)
        UNION ALL
        SELECT orders.id, deliver_after, prepared.at, NULL FROM orders
        JOIN transitions AS prepared ON prepared.order_id = orders.id AND prepared.trigger = 'send_prepared'
        WHERE prepared.at < deliver_after
        """,
    ),
    Invariant(
        "R-111",
        "What a provider warned of before anything was sent, or wanted to look at, stopped the order.",
        """
        SELECT flags.reference, flags.kind, payments.order_id FROM payment_flags AS flags
        JOIN payments ON payments.id = flags.payment_id
        JOIN transitions AS prepared ON prepared.order_id = payments.order_id AND prepared.trigger = 'send_prepared'
        WHERE flags.created_at < prepared.at AND (flags.kind = 'warning' OR flags.status <> 'approved') AND NOT EXISTS (
            SELECT 1 FROM transitions AS held WHERE held.order_id = payments.order_id AND held.trigger = 'held'
              AND held.at <= prepared.at
        )
        """,
    ),
    Invariant(
        "R-112",
        "What a second payment took is in the books once, and out of them again once it was given back.",
        """
        SELECT strays.id, state, units, coalesce(came, 0) AS came, coalesce(went, 0) AS went
        FROM strays LEFT JOIN (
            SELECT subject AS id, split_part(account, ':', 2) AS provider, asset,
                   sum(postings.units) FILTER (WHERE kind = 'stray_in') AS came,
                   -sum(postings.units) FILTER (WHERE kind = 'stray_back') AS went
            FROM entries JOIN postings ON entry_id = entries.id WHERE account LIKE 'psp:%' GROUP BY 1, 2, 3
        ) AS booked USING (id, provider, asset)
        WHERE coalesce(came, 0) <> units OR coalesce(went, 0) <> CASE state WHEN 'refunded' THEN units ELSE 0 END
        """,
    ),
    Invariant(
        "R-113",
        "Every line of a processor's statement is booked as it is there, and nothing is booked that is not.",
        """
        SELECT lines.reference, kind, lines.units - fee_units AS moved, coalesce(booked.units, 0) AS booked
        FROM statement_lines AS lines LEFT JOIN (
            SELECT subject, split_part(account, ':', 2) AS provider, asset, sum(units) AS units
            FROM entries JOIN postings ON entry_id = entries.id WHERE account LIKE 'psp:%' GROUP BY 1, 2, 3
        ) AS booked ON (subject, booked.provider, booked.asset) = (lines.reference, lines.provider, lines.asset)
        WHERE lines.units - fee_units <> coalesce(booked.units, 0)
        UNION ALL
        SELECT reference, kind, NULL, NULL FROM entries
        WHERE kind LIKE 'processor_%' AND NOT EXISTS (SELECT 1 FROM statement_lines WHERE reference = subject)
        """,
    ),
    Invariant(
        "R-114",
        "The key of a request's later attempt is the first one's and says which attempt it is.",
        """
        SELECT id, key, attempt FROM operations
        WHERE key !~ CASE attempt WHEN 1 THEN '^(?!.*:attempt[0-9])' ELSE ':attempt' || attempt || '$' END
        """,
    ),
    Invariant(
        "R-115",
        "Only what was sent to us by bank transfer goes back beside a payment, and once for each time.",
        """
        SELECT operations.id, operations.kind, operations.state FROM operations
        JOIN payments ON payments.id = payment_id
        WHERE operations.kind = 'return' AND method <> 'bank_transfer'
        UNION ALL
        SELECT min(id), payment_id, count(*)::text FROM operations
        WHERE kind = 'return' AND state NOT IN ('succeeded', 'declined') GROUP BY payment_id HAVING count(*) > 1
        """,
    ),
)
