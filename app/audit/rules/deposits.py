"""What must be true of deposits: each is one output, counts once, and is taken back when the chain takes it back."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

# What the wallet's books say of each deposit. Entries of an order name the deposit in their reference.
_BOOKED = """(
    SELECT CASE WHEN order_id IS NULL THEN subject ELSE split_part(reference, ':', 3) END AS id, sum(units) AS units,
           count(DISTINCT entries.id) FILTER (WHERE kind = 'deposit_reverse') AS reversals
    FROM entries JOIN postings ON entry_id = entries.id
        AND (account LIKE 'wallet:hot:%' OR account LIKE 'wallet:deposits:%')
    WHERE kind IN ('deposit', 'deposit_reverse', 'deposit_restore') OR (kind = 'pay_in' AND order_id IS NOT NULL)
    GROUP BY 1
) AS booked"""

RULES: Final = (
    Invariant(
        "I-21",
        "One output of the chain is one deposit, with the coin's own amount, at the address that it was paid to.",
        """
        SELECT txid, vout, 'is ' || count(*) || ' deposits' AS problem FROM deposits
        GROUP BY network, txid, vout HAVING count(*) > 1
        UNION ALL
        SELECT deposits.txid, deposits.vout, deposits.id || ' is another coin' FROM deposits
        LEFT JOIN coins USING (network, txid, vout)
        LEFT JOIN deposit_addresses AS address ON address.id = deposit_address_id
        WHERE deposits.partner_id IS DISTINCT FROM address.partner_id
           OR ((deposits.asset, deposits.network) IS DISTINCT FROM (address.asset, address.network)
               AND deposits.suspect IS DISTINCT FROM 'wrong_asset')
           OR (address.route = 'order' AND deposits.order_id IS DISTINCT FROM address.order_id
               AND deposits.suspect IS NULL)
           OR (address.route = 'balance' AND deposits.order_id IS NOT NULL)
           OR (deposits.height IS NOT NULL AND deposits.network NOT IN (SELECT network FROM account_chains)
               AND (deposits.units, deposits.height, coins.script)
                IS DISTINCT FROM (coins.units, coins.height, address.script))
        UNION ALL
        SELECT deposits.txid, vout, deposits.id || ' is another transfer' FROM deposits
        JOIN deposit_addresses AS address ON address.id = deposit_address_id
        LEFT JOIN arrivals ON arrivals.network = deposits.network AND arrivals.txid = deposits.txid AND place = vout
        WHERE deposits.network IN (SELECT network FROM account_chains) AND deposits.height IS NOT NULL
          AND (deposits.units, deposits.asset, deposits.height, deposits.block_hash, address.script) IS DISTINCT FROM
              (arrivals.units, arrivals.asset, arrivals.height, arrivals.block_hash, arrivals.script)
        """,
    ),
    Invariant(
        "I-22",
        "A deposit is in the books while it is credited or held, and its coin is ours to spend just as long.",
        f"""
        SELECT id, deposits.state, booked.units::text AS problem FROM deposits LEFT JOIN {_BOOKED} USING (id)
        WHERE coalesce(booked.units, 0)
            <> CASE WHEN deposits.state IN ('credited', 'held') THEN deposits.units ELSE 0 END
        UNION ALL
        SELECT booked.id, NULL, 'is no deposit' FROM {_BOOKED}
        WHERE NOT EXISTS (SELECT 1 FROM deposits WHERE deposits.id = booked.id)
        UNION ALL
        SELECT id, deposits.state, credits || ' times credited' FROM deposits JOIN LATERAL (
            SELECT count(*) FILTER (WHERE source = 'confirmed' AND target IN ('credited', 'held')) AS counted,
                   count(*) FILTER (WHERE source IN ('credited', 'held') AND target = 'orphaned') AS undone
            FROM moves WHERE resource_id = deposits.id
        ) AS moved ON true LEFT JOIN {_BOOKED} USING (id)
        WHERE credits <> counted OR coalesce(reversals, 0) <> undone
        UNION ALL
        SELECT coins.txid, deposits.state, 'settled ' || settled FROM coins
        JOIN wallet_addresses USING (network, script) LEFT JOIN deposits USING (network, txid, vout)
        WHERE settled <> (purpose <> 'deposit' OR coalesce(deposits.state IN ('credited', 'held'), false))
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-80",
        "A deposit counts only as deep in the blocks that we know as it needs, and one that is gone is in none.",
        """
        SELECT deposits.id, state, deposits.height, confirmations_needed FROM deposits
        LEFT JOIN blocks ON blocks.network = deposits.network AND blocks.height = deposits.height
        WHERE CASE WHEN state IN ('credited', 'held', 'confirmed', 'blocked') THEN
            (blocks.hash IS DISTINCT FROM block_hash AND deposits.height >= (
                SELECT min(height) FROM blocks WHERE network = deposits.network
            )) OR deposits.height IS NULL OR CASE
                WHEN deposits.network IN (SELECT network FROM account_chains) THEN deposits.height > (
                    SELECT finalized_height FROM account_chains AS chain WHERE chain.network = deposits.network
                ) ELSE deposits.height
                    + confirmations_needed - 1 > (SELECT max(height) FROM blocks WHERE network = deposits.network) END
            WHEN state = 'orphaned' THEN deposits.height IS NOT NULL
            ELSE deposits.height IS NOT NULL AND blocks.hash IS DISTINCT FROM block_hash END
        """,
    ),
    Invariant(
        "R-81",
        "What reorganisations have cost us is what the deposits say that they did.",
        """
        SELECT asset, coalesce(booked.units, 0) AS booked, coalesce(stated.units, 0) AS stated
        FROM (
            SELECT asset, sum(units) AS units FROM postings WHERE account = 'loss:reorg' GROUP BY asset
        ) AS booked
        FULL JOIN (SELECT asset, sum(lost_units) AS units FROM deposits GROUP BY asset) AS stated USING (asset)
        WHERE coalesce(booked.units, 0) <> coalesce(stated.units, 0)
        """,
    ),
    Invariant(
        "R-82",
        "No deposit that is deep enough, with a dozen blocks more, waits for 2 hours to be counted.",
        """
        SELECT id, state, height, updated_at FROM deposits
        WHERE state IN ('detected', 'confirmed') AND updated_at < now() - interval '2 hours'
          AND is_deep(deposits.network, height, confirmations_needed + 12) AND height + confirmations_needed + 11
              <= (SELECT max(height) FROM blocks WHERE blocks.network = deposits.network)
          AND NOT EXISTS (SELECT 1 FROM screening_cases AS it WHERE it.subject = deposits.id AND it.state = 'open')
        """,
    ),
    Invariant(
        "R-83",
        "A deposit is on hold while a person has to look at it, and only then.",
        "SELECT id, state FROM deposits WHERE (state IN ('held', 'blocked')) <> (hold IS NOT NULL)",
    ),
    Invariant(
        "R-84",
        "Every address that we gave out is watched, for deposits alone, and is one partner's.",
        """
        SELECT address.id, address.network, purpose FROM deposit_addresses AS address
        LEFT JOIN wallet_addresses USING (network, script) LEFT JOIN orders ON orders.id = address.order_id
        WHERE purpose IS DISTINCT FROM 'deposit' OR wallet_addresses.address IS DISTINCT FROM address.address
           OR (route = 'order' AND (address.partner_id, address.address, address.asset)
               IS DISTINCT FROM (orders.partner_id, orders.deposit_address, orders.source_asset))
        UNION ALL
        SELECT script, network, count(*)::text FROM deposit_addresses GROUP BY network, script HAVING count(*) > 1
        """,
    ),
)
