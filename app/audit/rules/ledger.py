"""What must be true of entries, postings and accounts, whatever they are about."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "I-01",
        "Every entry sums to zero in every asset.",
        """
        SELECT entry_id, asset, sum(units) AS difference FROM postings
        GROUP BY entry_id, asset HAVING sum(units) <> 0
        """,
    ),
    Invariant(
        "I-02",
        "Every asset sums to zero over all accounts.",
        "SELECT asset, sum(units) AS difference FROM postings GROUP BY asset HAVING sum(units) <> 0",
    ),
    Invariant(
        "I-03",
        "Every posting is a whole number other than zero.",
        """
        SELECT id, entry_id, units FROM postings
        WHERE units IS NULL OR units IN ('NaN', 'Infinity', '-Infinity', 0) OR units <> trunc(units)
        """,
    ),
    Invariant(
        "I-04",
        "Every posting stands on an account of its own asset, and every account is of the kind that its name says.",
        """
        SELECT postings.id::text AS subject, postings.account, postings.asset, 'no such account' AS problem
        FROM postings LEFT JOIN ledger_accounts AS held ON held.id = account AND held.asset = postings.asset
        WHERE held.id IS NULL
        UNION ALL
        SELECT id, id, asset, 'is of kind ' || kind FROM ledger_accounts
        WHERE kind <> CASE split_part(id, ':', 1)
            WHEN 'wallet' THEN 'asset' WHEN 'bank' THEN 'asset'
            WHEN 'order' THEN 'liability' WHEN 'payout' THEN 'liability' WHEN 'partner' THEN 'liability'
            WHEN 'blocked' THEN 'liability'
            ELSE 'free' END
        """,
    ),
    Invariant(
        "I-05",
        "Every entry has at least two postings, and every posting an entry.",
        """
        SELECT entries.id FROM entries LEFT JOIN postings ON postings.entry_id = entries.id
        GROUP BY entries.id HAVING count(postings.id) < 2
        UNION ALL
        SELECT DISTINCT entry_id FROM postings
        WHERE NOT EXISTS (SELECT 1 FROM entries WHERE entries.id = entry_id)
        """,
    ),
    Invariant(
        "I-06",
        "The balances that payouts are paid from are the sums of their postings, and none is below zero.",
        """
        SELECT account, asset, kept.units AS kept, summed.units AS summed
        FROM balances AS kept FULL JOIN (
            SELECT account, asset, -sum(units) AS units FROM postings
            WHERE account LIKE 'partner:%:available' GROUP BY account, asset
        ) AS summed USING (account, asset)
        WHERE coalesce(kept.units, 0) <> coalesce(summed.units, 0) OR kept.units < 0
        """,
    ),
    Invariant(
        "I-07",
        "No asset account is below zero, and no liability above.",
        """
        SELECT account, postings.asset, kind, sum(units) AS balance
        FROM postings JOIN ledger_accounts AS held ON held.id = account AND held.asset = postings.asset
        GROUP BY account, postings.asset, kind
        HAVING (kind = 'asset' AND sum(units) < 0) OR (kind = 'liability' AND sum(units) > 0)
        """,
    ),
    Invariant(
        "I-08",
        "No entry ever took an account across zero to the forbidden side.",
        # A reorganisation may take back coins that had arrived, and the wallet with them: the chain did that. So may
        # a bank with money that it had credited.
        """
        WITH moved AS (
            SELECT account, asset, entry_id, min(id) AS first, sum(units) AS units
            FROM postings GROUP BY account, asset, entry_id
        ), run AS (
            SELECT moved.account, moved.asset, entry_id, moved.units, held.kind,
                   sum(moved.units) OVER (
                       PARTITION BY account, moved.asset ORDER BY first ROWS UNBOUNDED PRECEDING
                   ) AS balance
            FROM moved JOIN ledger_accounts AS held ON held.id = account AND held.asset = moved.asset
        )
        SELECT account, asset, entry_id, balance
        FROM run LEFT JOIN entries ON entries.id = entry_id
        WHERE coalesce(entries.kind, '') NOT IN ('arrived', 'deposit_reverse', 'top_up_reverse')
          AND ((run.kind = 'asset' AND balance < 0 AND balance - units >= 0)
            OR (run.kind = 'liability' AND balance > 0 AND balance - units <= 0))
        """,
    ),
    Invariant(
        "I-09",
        "No two entries are about the same business fact.",
        "SELECT reference, count(*) AS times FROM entries GROUP BY reference HAVING count(*) > 1",
    ),
    Invariant(
        "R-01",
        "An order's account is touched only by entries of that order.",
        """
        SELECT entries.id, entries.order_id, account
        FROM postings JOIN entries ON entries.id = entry_id
        WHERE account LIKE 'order:%' AND account IS DISTINCT FROM 'order:' || entries.order_id
        """,
    ),
    Invariant(
        "R-02",
        "Every entry of an order belongs to an order that exists.",
        """
        SELECT id, order_id FROM entries
        WHERE order_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = entries.order_id)
        """,
    ),
)
