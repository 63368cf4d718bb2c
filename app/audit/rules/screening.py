"""What must be true of screening: what is blocked is in the books as such, and nothing leaves to a listed address."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

# What should stand in `blocked:sanctions`, by what it is of.
_DUE = """(
    SELECT 'deposit' AS kind, id, asset, units FROM deposits WHERE state = 'blocked'
    UNION ALL
    SELECT 'order', orders.id, source_asset, received_units - refunded_units FROM orders
    WHERE EXISTS (SELECT 1 FROM transitions WHERE order_id = orders.id AND trigger = 'blocked')
    UNION ALL
    SELECT 'payout', payouts.id, asset, units FROM payouts
    WHERE EXISTS (SELECT 1 FROM moves WHERE resource_id = payouts.id AND trigger = 'blocked')
) AS due"""

RULES: Final = (
    Invariant(
        "R-140",
        "What is blocked is just the deposits that are, and the orders and payouts that a person ended as blocked.",
        f"""
        SELECT coalesce(due.id, booked.id) AS id, coalesce(due.asset, booked.asset) AS asset, due.units AS due,
               booked.units AS booked
        FROM {_DUE} FULL JOIN (
            SELECT CASE WHEN kind = 'block' THEN order_id ELSE subject END AS id, asset, -sum(units) AS units
            FROM entries JOIN postings ON entry_id = entries.id WHERE account = 'blocked:sanctions' GROUP BY 1, 2
            HAVING sum(units) <> 0
        ) AS booked ON booked.id = due.id AND booked.asset = due.asset
        WHERE due.units IS DISTINCT FROM booked.units
        UNION ALL
        SELECT coalesce(due.network, booked.network), NULL, due.units, booked.units FROM (
            SELECT network, asset, sum(units) AS units FROM deposits WHERE state = 'blocked' GROUP BY network, asset
        ) AS due FULL JOIN (
            SELECT split_part(account, ':', 3) AS network, asset, sum(units) AS units FROM postings
            WHERE account LIKE 'wallet:blocked:%' GROUP BY 1, 2 HAVING sum(units) <> 0
        ) AS booked ON booked.network = due.network AND booked.asset = due.asset
        WHERE due.units IS DISTINCT FROM booked.units
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-141",
        "Whatever was blocked has a case that says why; an order or payout ended so only by a person's decision.",
        f"""
        SELECT due.id, due.kind FROM {_DUE} WHERE NOT EXISTS (
            SELECT 1 FROM screening_cases AS it WHERE it.subject = due.id AND it.kind = 'match'
              AND (it.state = 'confirmed' OR due.kind = 'deposit' AND it.state = 'open')
        )
        UNION ALL
        SELECT it.id, it.state FROM screening_cases AS it WHERE it.state IN ('released', 'confirmed') AND (
            decided_by IS NULL OR decided_by = 'screening' OR coalesce(btrim(reason), '') = ''
        )
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-142",
        "What an open case is about stands still: its order or payout is held or has ended, its deposit not credited.",
        """
        SELECT it.id, subject, orders.state FROM screening_cases AS it JOIN orders ON orders.id = subject
        WHERE it.state = 'open' AND hold IS NULL
          AND orders.state NOT IN ('completed', 'failed', 'canceled', 'expired', 'refunded')
        UNION ALL
        SELECT it.id, subject, payouts.state FROM screening_cases AS it JOIN payouts ON payouts.id = subject
        WHERE it.state = 'open' AND hold IS NULL AND payouts.state IN ('pending_approval', 'queued', 'sending')
        UNION ALL
        SELECT it.id, subject, deposits.state FROM screening_cases AS it JOIN deposits ON deposits.id = subject
        WHERE it.state IN ('open', 'confirmed') AND deposits.state IN ('credited', 'held')
        UNION ALL
        SELECT it.id, subject, 'is nothing' FROM screening_cases AS it
        WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = subject) AND NOT EXISTS (
            SELECT 1 FROM payouts WHERE id = subject
        ) AND NOT EXISTS (SELECT 1 FROM deposits WHERE id = subject)
        """,
    ),
    Invariant(
        "R-143",
        "Nothing was signed to an address that a required list named then, but what a person had released.",
        # An import may commit a moment after the look-up that did not see it yet.
        """
        SELECT sends.id, sends.address, listed.entry FROM sends
        JOIN screening_addresses AS listed ON listed.key IN (sends.address, lower(sends.address))
        JOIN screening_rules AS rule USING (source)
        JOIN screening_lists AS since ON since.id = added_in
        LEFT JOIN screening_lists AS until ON until.id = removed_in
        WHERE since.imported_at + interval '1 minute' < sends.created_at
          AND coalesce(sends.created_at < until.imported_at, true) AND NOT EXISTS (
              SELECT 1 FROM screening_cases AS it WHERE it.listed_id = listed.id AND it.state = 'released'
                AND it.subject = coalesce(sends.order_id, sends.payout_id)
          )
        """,
    ),
    Invariant(
        "R-144",
        "A list names as many addresses as its newest import brought, each once.",
        """
        SELECT newest.id, newest.addresses, count(listed.id) AS listed FROM (
            SELECT DISTINCT ON (source) * FROM screening_lists ORDER BY source, imported_at DESC
        ) AS newest LEFT JOIN screening_addresses AS listed ON listed.source = newest.source AND removed_in IS NULL
        GROUP BY newest.id, newest.addresses HAVING newest.addresses <> count(listed.id)
        UNION ALL
        SELECT source, count(*), NULL FROM screening_addresses WHERE removed_in IS NULL
        GROUP BY source, key, label, entry HAVING count(*) > 1
        """,
    ),
)
