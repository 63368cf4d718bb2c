"""What must be true of calls on account chains: their nonces, their attempts, and what the books say of them."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "I-17",
        "A nonce of ours has one call, and all its attempts are attempts at that.",
        """
        SELECT min(id) AS id, network, sender, nonce FROM calls
        GROUP BY network, sender, nonce HAVING count(*) > 1
        UNION ALL
        SELECT txid, call_attempts.network, call_id, NULL FROM call_attempts LEFT JOIN calls ON calls.id = call_id
        WHERE calls.network IS DISTINCT FROM call_attempts.network
        UNION ALL
        SELECT id, network, sender, nonce FROM calls
        WHERE NOT EXISTS (SELECT 1 FROM call_attempts WHERE call_id = calls.id)
        """,
    ),
    Invariant(
        "I-18",
        "Nonces have no gap that stands for 2 hours, and none lies at or above its sender's next one.",
        """
        SELECT calls.id, calls.network, calls.sender, nonce FROM calls LEFT JOIN senders
            ON senders.network = calls.network AND senders.script = calls.sender
        WHERE nonce >= coalesce(next_nonce, 0)
        UNION ALL
        SELECT id, network, sender, nonce FROM (
            SELECT *, lag(nonce) OVER (PARTITION BY network, sender ORDER BY nonce) AS before FROM calls
        ) AS ordered WHERE nonce <> before + 1 AND created_at < now() - interval '2 hours'
        """,
    ),
    Invariant(
        "R-160",
        "At most one attempt at a call is mined, in a block that we know; the call has ended as that has, or is lost.",
        """
        SELECT call_id AS id, count(*)::text AS problem FROM call_attempts WHERE height IS NOT NULL
        GROUP BY call_id HAVING count(*) > 1
        UNION ALL
        SELECT txid, 'above all blocks' FROM call_attempts
        WHERE height > (SELECT max(height) FROM blocks WHERE blocks.network = call_attempts.network)
        UNION ALL
        SELECT calls.id, state FROM calls
        LEFT JOIN call_attempts AS mined ON call_id = calls.id AND height IS NOT NULL
        WHERE state <> 'open' AND state IS DISTINCT FROM CASE
            WHEN is_filler THEN 'filled' WHEN ok THEN 'done' WHEN NOT ok THEN 'reverted'
            WHEN txid IS NULL THEN 'lost' END
        """,
    ),
    Invariant(
        "R-161",
        "Every attempt offers an eighth more than the one before, in both of its fees.",
        """
        SELECT txid, call_id, max_fee, priority_fee FROM (
            SELECT *, lag(max_fee) OVER attempts AS most, lag(priority_fee) OVER attempts AS tip FROM call_attempts
            WINDOW attempts AS (PARTITION BY call_id ORDER BY created_at)
        ) AS ordered WHERE 8 * max_fee < 9 * most OR 8 * priority_fee < 9 * tip
        """,
    ),
    Invariant(
        "R-162",
        "What a call moves is the sum of its sends, in one asset, and they stand as it does.",
        """
        SELECT calls.id, calls.units, coalesce(sum(sends.units), 0) AS sends FROM calls
        LEFT JOIN sends ON lineage_id = calls.id
        GROUP BY calls.id HAVING (calls.purpose = 'send') <> (count(sends.id) > 0)
            OR (calls.purpose = 'send' AND calls.units <> sum(sends.units))
            OR bool_or((sends.asset, sends.network) IS DISTINCT FROM (calls.asset, calls.network)
                AND sends.id IS NOT NULL)
            OR bool_or(sends.state <> ALL (CASE calls.state
                WHEN 'open' THEN ARRAY['prepared', 'broadcast']
                WHEN 'done' THEN ARRAY['confirmed'] ELSE ARRAY['abandoned'] END))
        """,
    ),
    Invariant(
        "R-163",
        "The gas of a final call is booked once, as its block says, and nothing is set aside for it any more.",
        """
        SELECT calls.id, calls.state, fee_units, booked.paid, booked.aside FROM calls
        LEFT JOIN call_attempts AS mined ON call_id = calls.id AND height IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(units) FILTER (WHERE kind = 'gas_paid' AND account = 'expense:network'), 0) AS paid,
                   coalesce(sum(units) FILTER (
                       WHERE kind IN ('gas_reserve', 'gas_paid') AND account LIKE 'wallet:transit:%'
                   ), 0) AS aside
            FROM entries JOIN postings ON entry_id = entries.id WHERE subject = calls.id
        ) AS booked
        WHERE (paid, aside) IS DISTINCT FROM CASE WHEN state = 'open'
            THEN (0::numeric, gas_reserved::numeric) ELSE (coalesce(fee_units, 0)::numeric, 0::numeric) END
        """,
    ),
    Invariant(
        "R-164",
        "What is in transit on an account chain is what its open calls send, with the gas that is set aside for them.",
        """
        SELECT network, asset, coalesce(held.units, 0) AS booked, coalesce(underway.units, 0) AS underway
        FROM (
            SELECT split_part(account, ':', 3) AS network, asset, sum(units) AS units FROM postings
            WHERE account LIKE 'wallet:transit:%'
              AND split_part(account, ':', 3) IN (SELECT network FROM account_chains) GROUP BY 1, 2
        ) AS held
        FULL JOIN (
            SELECT network, asset, sum(units) AS units FROM (
                SELECT network, asset, units FROM calls WHERE state = 'open' AND purpose = 'send'
                UNION ALL SELECT network, 'ETH.' || network, gas_reserved FROM calls WHERE state = 'open'
            ) AS parts GROUP BY 1, 2
        ) AS underway USING (network, asset)
        WHERE coalesce(held.units, 0) <> coalesce(underway.units, 0)
        """,
    ),
    Invariant(
        "R-165",
        "What lies on deposit addresses is the deposits that count, less what was swept and the gas of it.",
        """
        SELECT network, asset, coalesce(held.units, 0) AS booked, coalesce(lying.units, 0) AS lying
        FROM (
            SELECT split_part(account, ':', 3) AS network, asset, sum(units) AS units FROM postings
            WHERE account LIKE 'wallet:deposits:%' GROUP BY 1, 2
        ) AS held
        FULL JOIN (
            SELECT network, asset, sum(units) AS units FROM (
                SELECT network, asset, units FROM deposits
                WHERE state IN ('credited', 'held') AND network IN (SELECT network FROM account_chains)
                UNION ALL
                SELECT network, asset, -units FROM calls WHERE purpose = 'collect' AND state = 'done'
                UNION ALL
                SELECT calls.network, 'ETH.' || calls.network, -fee_units FROM calls
                JOIN call_attempts ON call_id = calls.id AND height IS NOT NULL
                JOIN wallet_addresses AS paying ON paying.network = calls.network AND paying.script = sender
                WHERE state <> 'open' AND paying.purpose = 'deposit'
            ) AS parts GROUP BY 1, 2
        ) AS lying USING (network, asset)
        WHERE coalesce(held.units, 0) <> coalesce(lying.units, 0)
        """,
    ),
)
