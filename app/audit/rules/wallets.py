"""What must be true of the wallet's own doings: what was let go, who stopped what, cold storage, attempts."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

# From when to when nothing was to be signed on a chain: a stop is noted after it took hold, a start before.
_STOPPED = """
SELECT network, at AS since, lead(at, 1, 'infinity') OVER (PARTITION BY network ORDER BY id) AS until, command
FROM wallet_commands WHERE command IN ('stop_sending', 'start_sending')
"""

RULES: Final = (
    Invariant(
        "R-36",
        "Whatever was signed for an order or a payout had been let go: the same units to the same address, once.",
        """
        SELECT sends.id, coalesce(order_id, payout_id) AS subject, count(spends.id) AS times
        FROM sends LEFT JOIN spends ON spends.subject = coalesce(order_id, payout_id)
            AND (spends.network, spends.asset, spends.address, spends.units)
                = (sends.network, sends.asset, sends.address, sends.units)
        WHERE purpose IN ('deliver', 'payout') GROUP BY sends.id HAVING count(spends.id) <> 1
        UNION ALL
        SELECT spends.id::text, spends.subject, NULL FROM spends
        LEFT JOIN orders ON orders.id = subject LEFT JOIN payouts ON payouts.id = subject
        WHERE (spends.asset, spends.address, spends.units) IS DISTINCT FROM CASE WHEN orders.id IS NULL
            THEN (payouts.asset, payouts.address, payouts.units)
            ELSE (orders.destination_asset, orders.address, orders.destination_units) END
        """,
    ),
    Invariant(
        "R-37",
        "A chain is stopped, or started, because somebody said so last, and nothing was signed while it was stopped.",
        f"""
        SELECT switch.network, last.kind, last.command, NULL AS txid
        FROM wallet_switches AS switch CROSS JOIN LATERAL (
            SELECT kind, (
                SELECT command FROM wallet_commands AS said
                WHERE said.network = switch.network AND command IN ('stop_' || kind, 'start_' || kind)
                ORDER BY id DESC LIMIT 1
            ) AS command FROM unnest(ARRAY['sending', 'crediting']) AS kind
        ) AS last
        WHERE CASE last.kind WHEN 'sending' THEN sending ELSE crediting END
            = (coalesce(last.command, 'start') LIKE 'stop%')
        UNION ALL
        SELECT signed.network, 'sending', stopped.command, txid
        FROM chain_transactions AS signed JOIN ({_STOPPED}) AS stopped ON stopped.network = signed.network
            AND stopped.command = 'stop_sending' AND signed.created_at > since AND signed.created_at < until
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-38",
        "Coins were moved to cold storage only where two people had agreed a day before, and were asked for.",
        """
        SELECT asked.id, asked.script, cold.added_by, cold.confirmed_by FROM cold_sweeps AS asked
        LEFT JOIN cold_addresses AS cold USING (network, script)
        LEFT JOIN chain_transactions AS signed ON signed.lineage_id = asked.lineage_id AND attempt = 1
        WHERE asked.lineage_id IS NOT NULL AND (
            cold.script IS NULL OR cold.confirmed_by IS NULL OR cold.confirmed_by = cold.added_by
            OR signed.created_at IS NULL OR signed.created_at < cold.added_at + interval '24 hours'
            OR signed.created_at < cold.confirmed_at
            OR NOT EXISTS (
                SELECT 1 FROM sends WHERE sends.lineage_id = asked.lineage_id AND purpose = 'sweep'
                  AND (sends.script, sends.units) = (asked.script, asked.units)
            )
        )
        UNION ALL
        SELECT network, script, added_by, confirmed_by FROM cold_addresses AS cold WHERE NOT EXISTS (
            SELECT 1 FROM wallet_commands AS said WHERE said.network = cold.network AND subject = address
              AND (said.command, said.actor) = ('allow', added_by)
        ) OR (confirmed_by IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM wallet_commands AS said WHERE said.network = cold.network AND subject = address
              AND (said.command, said.actor) = ('confirm', confirmed_by)
        ))
        """,
    ),
    Invariant(
        "R-39",
        "The attempts of a lineage are numbered from 1, each pays more than the one before, and one of them counts.",
        """
        SELECT lineage_id, txid, attempt, fee_units, before FROM (
            SELECT *, lag(fee_units) OVER each AS before, row_number() OVER each AS place FROM chain_transactions
            WINDOW each AS (PARTITION BY lineage_id ORDER BY attempt)
        ) AS numbered WHERE attempt <> place OR fee_units <= before
        UNION ALL
        SELECT lineage_id, min(txid), NULL, NULL, NULL FROM chain_transactions GROUP BY lineage_id
        HAVING count(*) FILTER (WHERE replaced_at IS NULL) <> 1
            AND lineage_id IN (SELECT lineage_id FROM sends WHERE state = 'confirmed')
        UNION ALL
        SELECT lineage_id, txid, attempt, NULL, NULL FROM chain_transactions AS signed
        WHERE replaced_at IS NOT NULL AND (height IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM sends WHERE sends.lineage_id = signed.lineage_id AND state = 'confirmed'
        ))
        """,
    ),
)
