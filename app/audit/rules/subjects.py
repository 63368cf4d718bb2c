"""What must be true of entries that are not an order's own: whom they are about, whose accounts they touch, top-ups."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

# Everything that an entry can be about, whose it is, and which kinds of entry it has. A lineage may pay many partners.
_SUBJECTS = """(
    SELECT id, partner_id, ARRAY['payout_reserve', 'payout_free', 'payout_settle', 'payout_return', 'payout_block']
        AS kinds FROM payouts
    UNION ALL SELECT id, partner_id, ARRAY['payout_reserve', 'payout_free'] FROM payout_batches
    UNION ALL SELECT id, partner_id, ARRAY['deposit', 'deposit_release', 'deposit_reverse', 'deposit_restore',
        'deposit_block', 'deposit_unblock'] FROM deposits
    UNION ALL SELECT id, NULL, ARRAY['correction'] FROM reconciliation_breaks
    UNION ALL SELECT id, partner_id, ARRAY['top_up', 'top_up_release', 'top_up_reverse'] FROM top_ups
    UNION ALL SELECT DISTINCT lineage_id, NULL, ARRAY['coins_reserve', 'coins_deliver', 'coins_free', 'coins_adjust',
        'coins_release'] FROM sends WHERE purpose <> 'deliver' AND lineage_id NOT IN (SELECT id FROM calls)
    UNION ALL SELECT id, NULL, ARRAY['stray_in', 'stray_back', 'provider_fee'] FROM strays
    UNION ALL SELECT reference, NULL, ARRAY['provider_fee', 'processor_payout', 'processor_payout_failed',
        'processor_top_up', 'processor_reserve', 'processor_other'] FROM statement_lines
    UNION ALL SELECT id, NULL, ARRAY['coins_reserve', 'coins_deliver', 'coins_release', 'gas_reserve', 'gas_paid',
        'collected'] FROM calls
) AS about"""

_ABOUT = """ARRAY['payout_reserve', 'payout_free', 'payout_settle', 'payout_return', 'payout_block', 'deposit',
    'deposit_release', 'deposit_block', 'deposit_unblock', 'top_up', 'top_up_release', 'top_up_reverse',
    'coins_reserve', 'coins_deliver', 'coins_free', 'coins_adjust', 'coins_release', 'gas_reserve', 'gas_paid',
    'collected', 'stray_in', 'stray_back', 'processor_payout', 'processor_payout_failed', 'processor_top_up',
    'processor_reserve', 'processor_other']"""

RULES: Final = (
    Invariant(
        "R-09",
        "An entry names what it is about, and touches the accounts of that partner, payout or batch alone.",
        f"""
        SELECT entries.id, kind, subject FROM entries LEFT JOIN {_SUBJECTS} ON about.id = subject
        WHERE (subject IS NOT NULL AND kind <> 'float' AND coalesce(kind <> ALL (kinds), true))
           OR (subject IS NULL AND kind = ANY ({_ABOUT}))
        UNION ALL
        SELECT entries.id, entries.kind, account FROM entries JOIN postings ON entry_id = entries.id
            AND account LIKE 'partner:%'
        LEFT JOIN {_SUBJECTS} ON about.id = subject LEFT JOIN orders ON orders.id = order_id
        WHERE split_part(account, ':', 2) IS DISTINCT FROM coalesce(orders.partner_id, about.partner_id)
        UNION ALL
        SELECT entries.id, entries.kind, account FROM entries
        JOIN postings ON entry_id = entries.id AND account LIKE 'payout:%'
        LEFT JOIN payouts ON payouts.id = subject
        WHERE entries.order_id IS NULL AND entries.kind <> 'coins_deliver'
          AND account IS DISTINCT FROM 'payout:' || coalesce(payouts.batch_id, subject)
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-90",
        "A top-up is in the bank's books once while it stands, for its partner or for nobody yet.",
        """
        SELECT top_ups.id, top_ups.status, booked.account, booked.units FROM top_ups JOIN LATERAL (
            SELECT account, asset, sum(postings.units) AS units, count(*) FILTER (WHERE kind = 'top_up') AS times
            FROM entries JOIN postings ON entry_id = entries.id WHERE subject = top_ups.id GROUP BY account, asset
        ) AS booked ON booked.units <> 0 OR times > 1
        WHERE times > 1 OR booked.asset <> top_ups.asset OR booked.units IS DISTINCT FROM CASE
            WHEN top_ups.status <> 'reversed' AND account = 'bank:' || provider THEN top_ups.units
            WHEN top_ups.status = 'credited' AND account = 'partner:' || partner_id || ':available' THEN -top_ups.units
            WHEN top_ups.status = 'held' AND account = 'suspense:unmatched' THEN -top_ups.units
            WHEN top_ups.status = 'reversed' AND account NOT LIKE 'bank:%' THEN booked.units END
        UNION ALL
        SELECT id, status, 'not booked', units FROM top_ups
        WHERE status <> 'reversed' AND NOT EXISTS (SELECT 1 FROM entries WHERE subject = top_ups.id AND kind = 'top_up')
        UNION ALL
        SELECT min(id), min(status), reference, count(*) FROM top_ups GROUP BY provider, reference HAVING count(*) > 1
        UNION ALL
        SELECT id, status, 'reversed', NULL FROM top_ups WHERE (status = 'reversed') <> EXISTS (
            SELECT 1 FROM entries WHERE subject = top_ups.id AND kind = 'top_up_reverse'
        )
        """,
    ),
    Invariant(
        "R-91",
        "A partner's top-up told how it stands, and the newest event of it is that.",
        """
        SELECT top_ups.id, status, events.type FROM top_ups LEFT JOIN events
            ON resource_id = top_ups.id AND resource_sequence = top_ups.sequence
        WHERE top_ups.partner_id IS NOT NULL AND ('top_up.' || status, top_ups.partner_id)
            IS DISTINCT FROM (events.type, events.partner_id)
        UNION ALL
        SELECT resource_id, NULL, type FROM events WHERE resource_type = 'top_up'
          AND NOT EXISTS (SELECT 1 FROM top_ups WHERE top_ups.id = resource_id AND sequence >= resource_sequence)
        """,
    ),
)
