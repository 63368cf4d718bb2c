"""What must be true of widget sessions: their orders are as they were bound, and one at a time."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "R-170",
        "An order of a session is as the session has bound it, on a quote made there, and one of them is named.",
        """
        SELECT orders.id, 'not as bound' AS problem FROM orders LEFT JOIN sessions ON sessions.id = session_id
        WHERE session_id IS NOT NULL AND (
            (orders.partner_id, orders.direction, orders.source_asset, orders.destination_asset, orders.livemode)
                IS DISTINCT FROM
            (sessions.partner_id, sessions.direction, sessions.source_asset, sessions.destination_asset,
             sessions.livemode)
            OR sessions.address <> orders.address
            OR (sessions.refund_address IS NOT NULL AND sessions.refund_address IS DISTINCT FROM orders.refund_address)
            OR (sessions.external_account_id IS NOT NULL
                AND sessions.external_account_id IS DISTINCT FROM orders.external_account_id)
            OR sessions.payment_method <> orders.payment_method
            OR sessions.amount_units
                <> CASE amount_side WHEN 'source' THEN orders.source_units ELSE orders.destination_units END
        )
        UNION ALL
        SELECT orders.id, 'on a quote from elsewhere' FROM orders JOIN quotes ON quotes.id = quote_id
        WHERE orders.session_id IS DISTINCT FROM quotes.session_id
        UNION ALL
        SELECT id, 'does not name an order of its own' FROM sessions
        WHERE (order_id IS NOT NULL OR EXISTS (SELECT 1 FROM orders WHERE session_id = sessions.id))
          AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = order_id AND session_id = sessions.id)
        """,
    ),
    Invariant(
        "R-171",
        "Of a session's orders, all but one have at some time ended with no money in them.",
        # Late money may wake such an order again: then two are alive, and both are owed.
        """
        SELECT session_id, count(*)::text AS problem FROM orders
        WHERE session_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM transitions WHERE order_id = orders.id AND target IN ('failed', 'canceled', 'expired')
        )
        GROUP BY session_id HAVING count(*) > 1
        """,
    ),
)
