"""What must be true of payouts and their money: it leaves once, of what was set aside, to where it was meant to go."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

# What has become of a payout by its own record of moves. One that came back before it was done never left.
_ENDS = """(
    SELECT resource_id AS id, bool_or(trigger = 'prepared') AS prepared, bool_or(trigger = 'settled') AS settled,
           bool_or(trigger = 'returned' AND source = 'settled') AS came_back,
           bool_or(trigger IN ('failed', 'canceled', 'rejected') OR (trigger = 'returned' AND source <> 'settled'))
               AS undone
    FROM moves GROUP BY resource_id
) AS ended"""

# What the accounts of payouts and batches should hold of each asset: all that they have taken and not given on.
_OPEN = "('pending_approval', 'queued', 'sending', 'submitted')"
_HELD = f"""(
    SELECT 'payout:' || id AS account, asset, units FROM payouts
    WHERE kind <> 'sale' AND batch_id IS NULL AND state IN {_OPEN}
    UNION ALL
    SELECT 'payout:' || batch_id, asset, totals.units - coalesce((
        SELECT sum(units) FROM payouts
        WHERE payouts.batch_id = totals.batch_id AND payouts.asset = totals.asset AND payouts.state NOT IN {_OPEN}
    ), 0) FROM payout_batch_totals AS totals JOIN payout_batches ON payout_batches.id = batch_id
    WHERE payout_batches.state IN ('pending_approval', 'processing')
) AS held"""  # noqa: S608 - our own words

RULES: Final = (
    Invariant(
        "R-60",
        "The account of a payout or batch holds exactly what it took and has neither paid nor given back.",
        f"""
        SELECT account, asset, coalesce(held.units, 0) AS due, coalesce(booked.units, 0) AS booked
        FROM {_HELD} FULL JOIN (
            SELECT account, asset, -sum(units) AS units FROM postings WHERE account LIKE 'payout:%'
            GROUP BY account, asset
        ) AS booked USING (account, asset)
        WHERE coalesce(held.units, 0) <> coalesce(booked.units, 0)
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-61",
        "A payout takes the one way that it names, and takes it once.",
        """
        SELECT payouts.id, method, payouts.state, 'not its way' AS problem
        FROM payouts LEFT JOIN (
            SELECT payout_id, count(*) AS times, bool_and(state = 'abandoned') AS abandoned
            FROM sends GROUP BY payout_id
        ) AS sent ON sent.payout_id = payouts.id
        WHERE (coalesce(sent.times, 0) <> CASE
                WHEN method = 'chain' AND payouts.state IN ('sending', 'submitted', 'settled') THEN 1 ELSE 0 END
                AND NOT (payouts.state = 'failed' AND coalesce(sent.abandoned AND sent.times = 1, false)))
           OR (method = 'chain' AND num_nonnulls(provider_reference, file_id) > 0)
           OR (method <> 'chain' AND payouts.state IN ('created', 'pending_approval', 'queued')
                AND num_nonnulls(provider_reference, file_id) > 0)
           OR (method = 'sepa' AND payouts.state IN ('sending', 'submitted', 'settled') AND file_id IS NULL)
           OR (method NOT IN ('chain', 'sepa') AND file_id IS NOT NULL)
           OR (method NOT IN ('chain', 'sepa') AND payouts.state IN ('submitted', 'settled')
                AND provider_reference IS NULL)
        UNION ALL
        SELECT provider_reference, provider, NULL, 'pays ' || count(*) || ' payouts' FROM payouts
        WHERE provider_reference IS NOT NULL GROUP BY provider, provider_reference HAVING count(*) > 1
        UNION ALL
        SELECT file_id, method, payouts.state, 'is not in that file' FROM payouts
        LEFT JOIN payment_files ON payment_files.id = file_id AND payment_files.provider = payouts.provider
        WHERE file_id IS NOT NULL AND payment_files.id IS NULL
        UNION ALL
        SELECT id, provider, NULL, 'holds another number of payouts' FROM payment_files
        WHERE payouts <> (SELECT count(*) FROM payouts WHERE file_id = payment_files.id)
        """,
    ),
    Invariant(
        "R-62",
        "A partner's payout left the books when it settled, came back when it was returned, and else was freed; once.",
        f"""
        SELECT payouts.id, due.kind, due.units AS due, booked.units AS booked
        FROM payouts JOIN (
            SELECT ended.id, kind, CASE kind
                WHEN 'payout_settle' THEN settled WHEN 'payout_return' THEN came_back ELSE undone END AS moved
            FROM {_ENDS}, (VALUES ('payout_settle'), ('payout_return'), ('payout_free')) AS books (kind)
        ) AS ended ON ended.id = payouts.id
        CROSS JOIN LATERAL (
            SELECT ended.kind, CASE WHEN moved AND NOT (method = 'chain' AND ended.kind = 'payout_settle')
                THEN payouts.units END AS units
        ) AS due
        LEFT JOIN (
            SELECT entries.reference, entries.kind, entries.subject, account, asset, units
            FROM entries JOIN postings ON entry_id = entries.id
            WHERE kind IN ('payout_settle', 'payout_return', 'payout_free') AND units > 0
        ) AS booked ON booked.subject = ended.id AND booked.kind = ended.kind AND booked.asset = payouts.asset
            AND booked.reference = ended.id || ':' || split_part(ended.kind, '_', 2)
            AND booked.account = CASE booked.kind WHEN 'payout_return' THEN 'bank:' || provider
                ELSE 'payout:' || coalesce(batch_id, payouts.id) END
        WHERE payouts.kind = 'payout' AND due.units IS DISTINCT FROM booked.units
        UNION ALL
        SELECT entries.id, entries.reference, NULL, NULL FROM entries
        LEFT JOIN payouts ON payouts.id = subject AND payouts.kind = 'payout'
        LEFT JOIN payout_batches ON payout_batches.id = subject
        WHERE entries.kind IN ('payout_settle', 'payout_return', 'payout_free') AND CASE
            WHEN payouts.id IS NOT NULL
                THEN entries.reference <> subject || ':' || split_part(entries.kind, '_', 2)
            ELSE payout_batches.id IS NULL OR entries.kind <> 'payout_free' END
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-63",
        "What a final transaction delivered is the amount of each payout in it, from its account or its batch's.",
        """
        SELECT subject AS lineage, account, due.units AS due, booked.units AS booked
        FROM (
            SELECT lineage_id AS subject, 'payout:' || coalesce(batch_id, payouts.id) AS account, sum(payouts.units)
                AS units
            FROM sends JOIN payouts ON payouts.id = payout_id WHERE payouts.state = 'settled' GROUP BY 1, 2
        ) AS due
        FULL JOIN (
            SELECT subject, account, sum(units) AS units FROM entries JOIN postings ON entry_id = entries.id
            WHERE kind = 'coins_deliver' AND account LIKE 'payout:%' GROUP BY subject, account
        ) AS booked USING (subject, account)
        WHERE due.units IS DISTINCT FROM booked.units
        """,
    ),
    Invariant(
        "R-64",
        "A sale has one live payout at most, of just what was agreed, and is completed exactly when that has settled.",
        f"""
        SELECT order_id, 'has ' || count(*) || ' live payouts' AS problem FROM payouts
        WHERE kind = 'sale' AND state NOT IN ('failed', 'canceled', 'returned') GROUP BY order_id HAVING count(*) > 1
        UNION ALL
        SELECT order_id, 'pays not as agreed: ' || payouts.id FROM payouts LEFT JOIN orders ON orders.id = order_id
        WHERE kind = 'sale' AND (payouts.partner_id, payouts.asset, units, payouts.external_account_id)
            IS DISTINCT FROM (orders.partner_id, destination_asset, destination_units, orders.external_account_id)
        UNION ALL
        SELECT orders.id, 'is ' || orders.state FROM orders
        WHERE direction = 'sell' AND (orders.state = 'completed') <> EXISTS (
            SELECT 1 FROM payouts WHERE order_id = orders.id AND kind = 'sale' AND payouts.state = 'settled'
        )
        UNION ALL
        SELECT orders.id, 'payouts and books differ' FROM orders LEFT JOIN (
            SELECT order_id, count(*) FILTER (WHERE settled) AS left_us, count(*) FILTER (WHERE came_back) AS came_back
            FROM payouts JOIN {_ENDS} ON ended.id = payouts.id WHERE kind = 'sale' GROUP BY order_id
        ) AS paid ON paid.order_id = orders.id LEFT JOIN (
            SELECT entries.order_id, count(*) FILTER (WHERE kind = 'deliver') AS left_us,
                   count(*) FILTER (WHERE kind = 'delivery_return') AS came_back
            FROM entries JOIN postings ON entry_id = entries.id AND account LIKE 'bank:%' GROUP BY entries.order_id
        ) AS booked ON booked.order_id = orders.id
        WHERE direction = 'sell' AND (coalesce(paid.left_us, 0), coalesce(paid.came_back, 0))
            <> (coalesce(booked.left_us, 0), coalesce(booked.came_back, 0))
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-65",
        "Coins that go back to a customer are just what the books of the order gave to that payout.",
        """
        SELECT payouts.id, payouts.order_id, payouts.units, booked.units AS booked
        FROM payouts LEFT JOIN orders ON orders.id = payouts.order_id LEFT JOIN (
            SELECT entries.order_id, account, asset, -sum(units) AS units FROM entries JOIN postings
                ON entry_id = entries.id
            WHERE account LIKE 'payout:%'
              AND (kind IN ('refund', 'surplus', 'refund_reversed') OR (kind = 'payout_renew' AND units < 0))
            GROUP BY entries.order_id, account, asset
        ) AS booked ON booked.order_id = payouts.order_id AND booked.asset = payouts.asset
            AND booked.account = 'payout:' || payouts.id
        WHERE kind = 'refund' AND (payouts.partner_id, payouts.asset, payouts.units)
            IS DISTINCT FROM (orders.partner_id, source_asset, booked.units)
        UNION ALL
        SELECT entries.id, entries.order_id, NULL, units FROM entries JOIN postings ON entry_id = entries.id
        WHERE entries.order_id IS NOT NULL AND account LIKE 'payout:%' AND NOT EXISTS (
            SELECT 1 FROM payouts WHERE payouts.kind = 'refund' AND account = 'payout:' || payouts.id
              AND payouts.order_id = entries.order_id
        )
        """,
    ),
    Invariant(
        "R-66",
        "A payout goes to a verified account of its own partner, to just that place, and none was made after its end.",
        # A closing that met the making of a payout waited for it, and was begun a moment before.
        """
        SELECT payouts.id, external_account_id, account.status FROM payouts
        LEFT JOIN external_accounts AS account ON account.id = external_account_id
        WHERE kind <> 'refund' AND ((payouts.partner_id, payouts.asset) IS DISTINCT FROM
                (account.partner_id, account.asset)
            OR (method = 'chain' AND (payouts.address, payouts.script)
                IS DISTINCT FROM (account.address, account.script))
            OR NOT EXISTS (SELECT 1 FROM moves WHERE resource_id = account.id AND target = 'verified')
            OR EXISTS (
                SELECT 1 FROM moves WHERE resource_id = account.id AND target = 'closed'
                  AND at < payouts.created_at - interval '1 minute'
            ))
        """,
    ),
    Invariant(
        "R-67",
        "No payout stands still: what is ours to do is done within 2 hours, what is a bank's or the chain's in time.",
        # Coins may be short, and a file waits for its bank's working day; an ACH transfer settles within days.
        """
        SELECT payouts.id, payouts.state, last.at FROM payouts JOIN LATERAL (
            SELECT max(at) AS at FROM moves WHERE resource_id = payouts.id
        ) AS last ON true
        WHERE hold IS NULL AND last.at < now() - CASE payouts.state
                WHEN 'sending' THEN interval '2 hours'
                WHEN 'queued' THEN interval '4 days'
                WHEN 'submitted' THEN CASE method WHEN 'chain' THEN interval '24 hours' ELSE interval '10 days' END
            END
          AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = order_id AND orders.hold IS NOT NULL)
        UNION ALL
        SELECT id, 'not handed over', created_at FROM payment_files
        WHERE handed_over_at IS NULL AND created_at < now() - interval '2 hours'
        """,
    ),
    Invariant(
        "R-68",
        "A payout that has ended is not on hold.",
        """
        SELECT id, state FROM payouts
        WHERE hold IS NOT NULL AND state IN ('settled', 'failed', 'canceled', 'returned')
        """,
    ),
)
