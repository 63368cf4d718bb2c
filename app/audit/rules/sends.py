"""What must be true of coins, of what spends them, and of the bytes that we signed."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant


def _reversed(hexadecimal: str, digits: int) -> str:
    """An SQL expression for hex digits with the last byte first, which is how Bitcoin writes ids and numbers."""
    return (
        f"(SELECT string_agg(substr({hexadecimal}, place, 2), '' ORDER BY place DESC)"  # noqa: S608 - our own words
        f" FROM generate_series(1, {digits}, 2) AS place)"
    )


# The bytes by which a transaction names a coin that it spends, and those of an output that pays a send.
_OUTPOINT = (
    f"decode({_reversed('coins.txid', 64)} || " + _reversed("encode(int4send(coins.vout), 'hex')", 8) + ", 'hex')"
)
_OUTPUT = (
    "decode("
    + _reversed("encode(int8send(sends.units::bigint), 'hex')", 16)
    + " || lpad(to_hex(length(sends.script) / 2), 2, '0') || sends.script, 'hex')"
)

# What a mined transaction takes from the wallet before its send is final and booked.
_LEAVING = """
SELECT signed.network, coalesce(sum(sends.units), 0) + coalesce(sum(DISTINCT signed.fee_units), 0) AS units
FROM chain_transactions AS signed JOIN sends ON sends.lineage_id = signed.lineage_id
WHERE signed.height IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM entries WHERE purpose = 'deliver' AND entries.order_id = sends.order_id AND kind = 'deliver'
) AND NOT EXISTS (
    SELECT 1 FROM entries WHERE purpose <> 'deliver' AND subject = sends.lineage_id AND kind = 'coins_deliver'
)
GROUP BY signed.network, signed.lineage_id
"""

RULES: Final = (
    Invariant(
        "I-13",
        "An order, and a payout, sends coins once.",
        """
        SELECT coalesce(order_id, payout_id) AS subject, count(*) AS sends FROM sends
        WHERE purpose IN ('deliver', 'payout') GROUP BY order_id, payout_id HAVING count(*) > 1
        UNION ALL
        SELECT id, 0 FROM sends WHERE (order_id IS NOT NULL) <> (purpose = 'deliver')
            OR (payout_id IS NOT NULL) <> (purpose = 'payout')
        """,
    ),
    Invariant(
        "I-14",
        "At most one transaction of a lineage is mined.",
        """
        SELECT lineage_id, count(*) AS mined FROM chain_transactions WHERE height IS NOT NULL
        GROUP BY lineage_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I-15",
        "Every transaction of a lineage spends every coin reserved up to it, so that only one can be mined.",
        f"""
        SELECT signed.txid, coins.txid AS coin, coins.vout
        FROM chain_transactions AS signed JOIN coins USING (network, lineage_id)
        WHERE coins.attempt <= signed.attempt AND position({_OUTPOINT} IN raw) = 0
        UNION ALL
        SELECT txid, 'no coin is reserved', NULL FROM chain_transactions AS signed WHERE NOT EXISTS (
            SELECT 1 FROM coins
            WHERE coins.network = signed.network AND coins.lineage_id = signed.lineage_id AND coins.attempt = 1
        ) AND NOT EXISTS (
            SELECT 1 FROM sends WHERE sends.lineage_id = signed.lineage_id AND state = 'abandoned'
        )
        """,  # noqa: S608 - our own expressions
    ),
    Invariant(
        "I-16",
        "Every transaction pays every send of its lineage, and a send is what its order or its payout agreed.",
        # Two sends of one amount to one address take two outputs.
        f"""
        SELECT min(wanted.id) AS id, signed.txid, 'does not pay it' AS problem
        FROM chain_transactions AS signed JOIN (
            SELECT sends.id, network, lineage_id, {_OUTPUT} AS output FROM sends WHERE units > 0
        ) AS wanted USING (network, lineage_id)
        GROUP BY signed.txid, wanted.output, signed.raw
        HAVING CASE count(*) WHEN 1 THEN position(wanted.output IN signed.raw) = 0 ELSE count(*) > (
            length(encode(signed.raw, 'hex')) - length(replace(encode(signed.raw, 'hex'), encode(output, 'hex'), ''))
        ) / (2 * length(output)) END
        UNION ALL
        SELECT sends.id, order_id, 'not as agreed' FROM sends LEFT JOIN orders ON orders.id = order_id
        WHERE purpose = 'deliver' AND (sends.units, sends.asset, sends.script, sends.address)
            IS DISTINCT FROM (destination_units, destination_asset, orders.script, orders.address)
        UNION ALL
        SELECT sends.id, payout_id, 'not as agreed' FROM sends LEFT JOIN payouts ON payouts.id = payout_id
        WHERE purpose = 'payout' AND (sends.units, sends.asset, sends.script, sends.address, sends.network)
            IS DISTINCT FROM (payouts.units, payouts.asset, payouts.script, payouts.address, payouts.provider)
        UNION ALL
        SELECT id, lineage_id, 'not as asked for' FROM sends WHERE purpose = 'sweep' AND NOT EXISTS (
            SELECT 1 FROM cold_sweeps AS asked WHERE asked.lineage_id = sends.lineage_id
              AND (asked.network, asked.script, asked.units) = (sends.network, sends.script, sends.units)
        )
        UNION ALL
        SELECT id, lineage_id, 'has no transaction' FROM sends
        WHERE NOT EXISTS (SELECT 1 FROM chain_transactions AS signed WHERE signed.lineage_id = sends.lineage_id)
          AND NOT EXISTS (SELECT 1 FROM call_attempts WHERE call_id = sends.lineage_id)
        """,  # noqa: S608 - our own expressions
    ),
    Invariant(
        "I-19",
        "A send is final exactly when the ledger has its coins leaving, with the fee that its transaction paid.",
        """
        SELECT sends.id, sends.order_id, sends.state FROM sends
        LEFT JOIN chain_transactions AS signed ON signed.lineage_id = sends.lineage_id AND signed.height IS NOT NULL
        LEFT JOIN (
            SELECT order_id, asset, max(account) FILTER (WHERE kind = 'deliver') AS account,
                   sum(CASE kind WHEN 'deliver' THEN -units ELSE units END) AS units
            FROM entries JOIN postings ON entry_id = entries.id
            WHERE (kind = 'deliver' AND account LIKE 'wallet:transit:%')
               OR (kind = 'fee_adjust' AND account = 'expense:network')
            GROUP BY order_id, asset
        ) AS booked ON booked.order_id = sends.order_id AND booked.asset = sends.asset
        WHERE state = 'confirmed' AND purpose = 'deliver' AND sends.network NOT IN (SELECT network FROM account_chains)
          AND (booked.account, booked.units)
              IS DISTINCT FROM ('wallet:transit:' || sends.network, sends.units + signed.fee_units)
        UNION ALL
        SELECT entries.id, entries.order_id, 'booked, not final' FROM entries
        JOIN postings ON entry_id = entries.id AND account LIKE 'wallet:transit:%'
        WHERE kind = 'deliver' AND NOT EXISTS (
            SELECT 1 FROM sends WHERE sends.order_id = entries.order_id AND purpose = 'deliver' AND state = 'confirmed'
        )
        UNION ALL
        SELECT lineage.id, booked.account, 'of payouts: ' || coalesce(booked.units::text, 'nothing booked')
        FROM (
            SELECT sends.lineage_id AS id, 'wallet:transit:' || network AS account,
                   sum(units) FILTER (WHERE state = 'confirmed') AS units, (
                SELECT max(fee_units) FROM chain_transactions AS signed
                WHERE signed.lineage_id = sends.lineage_id AND signed.height IS NOT NULL
            ) - coalesce((
                SELECT sum(postings.units) FROM entries JOIN postings ON entry_id = entries.id
                WHERE kind = 'coins_adjust' AND subject = sends.lineage_id AND account = 'expense:network'
            ), 0) AS fee FROM sends WHERE purpose <> 'deliver' AND network NOT IN (SELECT network FROM account_chains)
            GROUP BY sends.lineage_id, network
        ) AS lineage
        FULL JOIN (
            SELECT subject AS id, account, sum(units) AS units FROM entries JOIN postings ON entry_id = entries.id
            WHERE kind = 'coins_deliver' AND account LIKE 'wallet:%' AND subject NOT IN (SELECT id FROM calls)
            GROUP BY subject, account
        ) AS booked USING (id)
        WHERE (lineage.account, -(lineage.units + lineage.fee)) IS DISTINCT FROM (booked.account, booked.units)
          AND (lineage.units IS NOT NULL OR booked.units IS NOT NULL)
        """,
    ),
    Invariant(
        "I-20",
        "Nothing is sent for an order that was not paid, and no coins for payouts that had not been set aside.",
        """
        SELECT id, order_id FROM sends WHERE purpose = 'deliver' AND state <> 'abandoned'
          AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.order_id = sends.order_id AND kind = 'pay_in')
        UNION ALL
        SELECT sends.lineage_id, min(sends.payout_id) FROM sends WHERE purpose <> 'deliver'
        GROUP BY sends.lineage_id, network HAVING sum(units + fee_units) <> coalesce((
            SELECT sum(postings.units) FROM entries JOIN postings ON entry_id = entries.id
            WHERE subject = sends.lineage_id AND CASE
                WHEN kind = 'coins_adjust' THEN account = 'expense:network'
                ELSE kind IN ('coins_reserve', 'coins_free') AND account = 'wallet:transit:' || network END
        ), 0)
        """,
    ),
    Invariant(
        "R-30",
        "A reserved coin is spent by the transaction of its one lineage, which was not given up, and by nothing else.",
        """
        SELECT network, txid, vout, lineage_id, spent_txid FROM coins
        WHERE (lineage_id IS NOT NULL OR spent_txid IS NOT NULL OR spent_height IS NOT NULL) AND NOT EXISTS (
            SELECT 1 FROM chain_transactions AS signed
            WHERE signed.lineage_id = coins.lineage_id AND signed.txid = coins.spent_txid
              AND signed.lineage_id NOT IN (SELECT lineage_id FROM sends WHERE state = 'abandoned')
        )
        """,
    ),
    Invariant(
        "R-31",
        "Coins in transit are those of sends that are prepared or broadcast, with their fees.",
        """
        SELECT coalesce(held.account, 'wallet:transit:' || underway.network) AS account,
               coalesce(held.units, 0) AS booked, coalesce(underway.units, 0) AS underway
        FROM (
            SELECT account, sum(units) AS units FROM postings WHERE account LIKE 'wallet:transit:%'
              AND split_part(account, ':', 3) NOT IN (SELECT network FROM account_chains) GROUP BY account
        ) AS held
        FULL JOIN (
            SELECT network, sum(units) AS units FROM (
                SELECT network, units FROM sends WHERE state IN ('prepared', 'broadcast')
                  AND network NOT IN (SELECT network FROM account_chains)
                UNION ALL
                SELECT network, max(fee_units) FROM chain_transactions WHERE lineage_id IN (
                    SELECT lineage_id FROM sends WHERE state IN ('prepared', 'broadcast')
                ) GROUP BY network, lineage_id
            ) AS parts GROUP BY network
        ) AS underway ON held.account = 'wallet:transit:' || underway.network
        WHERE coalesce(held.units, 0) <> coalesce(underway.units, 0)
        """,
    ),
    Invariant(
        "R-32",
        "The wallet's books are the coins that its own blocks know, less deposits not counted or blocked.",
        f"""
        SELECT network, coalesce(booked.units, 0) AS booked, coalesce(leaving.units, 0) AS leaving,
               coalesce(coined.units, 0) AS coins
        FROM (
            SELECT network FROM wallet_addresses EXCEPT SELECT network FROM account_chains
        ) AS networks
        LEFT JOIN (
            SELECT split_part(account, ':', 3) AS network, sum(units) AS units FROM postings
            WHERE account LIKE 'wallet:%' AND account NOT LIKE 'wallet:blocked:%' GROUP BY 1
        ) AS booked USING (network)
        LEFT JOIN (
            SELECT network, sum(units) AS units FROM ({_LEAVING}) AS each GROUP BY network
        ) AS leaving USING (network)
        LEFT JOIN (
            SELECT network, sum(units) AS units FROM coins
            WHERE height IS NOT NULL AND spent_height IS NULL AND settled GROUP BY network
        ) AS coined USING (network)
        WHERE coalesce(booked.units, 0) - coalesce(leaving.units, 0) <> coalesce(coined.units, 0)
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-33",
        "The blocks that we follow have no gap, and nothing is mined above them.",
        """
        SELECT network, height, 'gap below' AS problem FROM (
            SELECT network, height, lag(height) OVER (PARTITION BY network ORDER BY height) AS before FROM blocks
        ) AS chained WHERE height <> before + 1
        UNION ALL
        SELECT network, height, txid FROM chain_transactions WHERE height IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM blocks
            WHERE blocks.network = chain_transactions.network AND blocks.height = chain_transactions.height
        )
        """,
    ),
    Invariant(
        "R-34",
        "A send that was broadcast, confirmed or not, has a state that its order, or its payout, knows of.",
        """
        SELECT sends.id, sends.state, orders.state AS order_state FROM sends JOIN orders ON orders.id = order_id
        WHERE purpose = 'deliver' AND CASE sends.state
            WHEN 'prepared' THEN orders.state <> 'sending'
            WHEN 'broadcast' THEN orders.state NOT IN ('sent')
            WHEN 'confirmed' THEN orders.state <> 'completed'
            ELSE orders.state IN ('sending', 'sent', 'completed')
        END
        UNION ALL
        SELECT sends.id, sends.state, payouts.state FROM sends JOIN payouts ON payouts.id = payout_id
        WHERE CASE WHEN sends.state = 'abandoned' THEN payouts.state <> 'failed' AND payouts.hold IS NULL
            ELSE payouts.state IS DISTINCT FROM CASE sends.state WHEN 'prepared' THEN 'sending'
                WHEN 'broadcast' THEN 'submitted' WHEN 'confirmed' THEN 'settled' END END
        """,
    ),
    Invariant(
        "R-35",
        "The sends of a transaction share its fee, to the last unit.",
        """
        SELECT sends.lineage_id, sum(fee_units) AS shared, signed.fee AS paid FROM sends
        JOIN (
            SELECT lineage_id, max(fee_units) FILTER (WHERE replaced_at IS NULL) AS fee FROM chain_transactions
            GROUP BY lineage_id
        ) AS signed USING (lineage_id)
        GROUP BY sends.lineage_id, signed.fee HAVING sum(fee_units) IS DISTINCT FROM signed.fee
        """,
    ),
)
