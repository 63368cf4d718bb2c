"""What must be true of batches: their items, the payouts made of them, their counts and their sums."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "R-70",
        "A payout of a batch is one item's, and pays just what that item says.",
        """
        SELECT batch_id, position, 'made ' || count(*) || ' payouts' AS problem FROM payouts
        JOIN payout_items USING (batch_id) WHERE payouts.batch_position = position
        GROUP BY batch_id, position HAVING count(*) > 1
        UNION ALL
        SELECT item.batch_id, item.position, 'its payout is another''s' FROM payout_items AS item
        LEFT JOIN payouts ON payouts.id = payout_id
        WHERE payout_id IS NOT NULL AND (errors IS NOT NULL OR (
            item.batch_id, item.position, item.asset, item.units, item.method, item.external_account_id,
            item.reference, item.external_id
        ) IS DISTINCT FROM (
            payouts.batch_id, batch_position, payouts.asset, payouts.units, payouts.method,
            payouts.external_account_id, payouts.reference, payouts.external_id
        ))
        UNION ALL
        SELECT payouts.batch_id, batch_position, payouts.id || ' is no item''s' FROM payouts
        LEFT JOIN payout_batches ON payout_batches.id = payouts.batch_id
        WHERE payouts.batch_id IS NOT NULL AND (payouts.partner_id IS DISTINCT FROM payout_batches.partner_id
            OR payouts.state = 'pending_approval' OR NOT EXISTS (
            SELECT 1 FROM payout_items WHERE payout_id = payouts.id
        ))
        """,
    ),
    Invariant(
        "R-71",
        "A batch counts what its items say: how many there are, are invalid, were paid, and came to nothing.",
        # One that was called off while its file was read may have marked items that it had not counted yet.
        """
        SELECT * FROM (
            SELECT id, items, invalid_items, settled_items, failed_items,
                (SELECT count(*) FROM payout_items WHERE batch_id = batches.id) AS are_items,
                CASE state WHEN 'canceled' THEN invalid_items ELSE (
                    SELECT count(*) FROM payout_items WHERE batch_id = batches.id AND errors IS NOT NULL
                ) END AS are_invalid,
                ended.settled AS are_settled, ended.failed AS are_failed
            FROM payout_batches AS batches LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE settled) AS settled, count(*) FILTER (WHERE ended AND NOT settled)
                    AS failed
                FROM payouts JOIN LATERAL (
                    SELECT bool_or(trigger = 'settled') AS settled,
                           bool_or(trigger IN ('failed', 'canceled', 'rejected', 'returned')) AS ended
                    FROM moves WHERE resource_id = payouts.id
                ) AS moved ON true WHERE batch_id = batches.id
            ) AS ended ON true
            WHERE state <> 'validating'
        ) AS counted
        WHERE (items, invalid_items, settled_items, failed_items)
            IS DISTINCT FROM (are_items, are_invalid, are_settled, are_failed)
        """,
    ),
    Invariant(
        "R-72",
        "A batch takes its items in order: one before the next has a payout or an error, one after it has no payout.",
        """
        SELECT batch_id, position, next_position FROM payout_items
        LEFT JOIN payout_batches ON payout_batches.id = batch_id
        WHERE payout_batches.id IS NULL OR CASE WHEN position < next_position
            THEN num_nonnulls(payout_id, errors) <> 1 ELSE payout_id IS NOT NULL END
        """,
    ),
    Invariant(
        "R-73",
        "What a batch has set aside is the sum of the items that could be paid when it was accepted.",
        # Items that fell out since were among them: they have errors by now, and still their amounts.
        """
        SELECT * FROM (
            SELECT coalesce(totals.batch_id, sums.batch_id) AS batch_id, asset, totals.items, totals.units,
                   coalesce(sound, 0) AS sound, coalesce(sound_units, 0) AS sound_units,
                   coalesce(stated, 0) AS stated, coalesce(stated_units, 0) AS stated_units
            FROM payout_batch_totals AS totals FULL JOIN (
                SELECT batch_id, asset, count(*) FILTER (WHERE errors IS NULL) AS sound,
                       sum(units) FILTER (WHERE errors IS NULL) AS sound_units, count(*) AS stated,
                       sum(units) AS stated_units
                FROM payout_items WHERE asset IS NOT NULL GROUP BY batch_id, asset
            ) AS sums USING (batch_id, asset)
        ) AS compared JOIN payout_batches ON payout_batches.id = batch_id
        WHERE state NOT IN ('validating', 'invalid') AND CASE
            WHEN compared.items IS NULL THEN sound > 0 AND state <> 'canceled'
            WHEN next_position = 1 OR compared.items = sound
                THEN (compared.items, compared.units) <> (sound, sound_units)
            ELSE compared.items NOT BETWEEN sound AND stated OR compared.units NOT BETWEEN sound_units AND stated_units
            END
        UNION ALL
        SELECT totals.batch_id, totals.asset, NULL, totals.units, NULL, NULL, NULL, NULL, batches.*
        FROM payout_batch_totals AS totals JOIN payout_batches AS batches ON batches.id = batch_id
        WHERE batches.state NOT IN ('validating', 'invalid') AND totals.units <> coalesce((
            SELECT sum(postings.units) FROM entries JOIN postings ON entry_id = entries.id
            WHERE kind = 'payout_reserve' AND subject = batches.id AND account LIKE 'partner:%'
              AND postings.asset = totals.asset
        ), 0)
        """,
    ),
    Invariant(
        "R-74",
        "A batch is completed when every item was paid, partially when every one has ended, and not before.",
        """
        SELECT id, state, items, settled_items, failed_items, invalid_items FROM payout_batches WHERE CASE state
            WHEN 'completed' THEN settled_items <> items
            WHEN 'partially_completed' THEN
                settled_items + failed_items + invalid_items <> items OR settled_items = items
            WHEN 'processing' THEN false
            ELSE next_position <> 1 OR settled_items + failed_items <> 0 END
        UNION ALL
        SELECT id, mode, items, settled_items, failed_items, invalid_items FROM payout_batches
        WHERE mode = 'all_or_nothing' AND invalid_items > 0 AND next_position = 1
          AND state IN ('pending_approval', 'processing')
        """,
    ),
    Invariant(
        "R-75",
        "No batch stands still: items are read, payouts made, and ends told within 2 hours.",
        """
        SELECT id, state, next_position, updated_at FROM payout_batches
        WHERE updated_at < now() - interval '2 hours' AND (state = 'validating' OR (state = 'processing' AND (
            next_position <= items OR settled_items + failed_items + invalid_items >= items
        )))
        """,
    ),
)
