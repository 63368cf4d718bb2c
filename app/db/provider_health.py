"""What the books tell of the providers' health: answers waited for too long, and rails that were stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.database import Database


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing wrong with a rail: `kind` is payments, bank or chain, `reason` one of no_answer and stopped."""

    kind: str
    name: str
    reason: str
    since: datetime


async def troubles(db: Database) -> Sequence[Trouble]:
    """Every trouble that there is now.

    An answer is late after half a minute, which is longer than any call is waited for; a bank's transfer that was never
    taken after a minute.
    """
    async with db.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT 'payments' AS kind, provider AS name, 'no_answer' AS reason, min(created_at) AS since
            FROM operations
            WHERE state IN ('intended', 'unknown') AND created_at < now() - interval '30 seconds'
            GROUP BY provider
            UNION ALL
            SELECT 'bank', provider, 'no_answer', min(updated_at)
            FROM payouts
            WHERE method <> 'chain' AND state = 'sending' AND updated_at < now() - interval '1 minute'
            GROUP BY provider
            UNION ALL
            SELECT 'chain', network, 'no_answer', min(created_at)
            FROM chain_transactions
            WHERE broadcast_at IS NULL AND height IS NULL AND created_at < now() - interval '30 seconds'
            GROUP BY network
            UNION ALL
            SELECT 'chain', network, 'no_answer', min(created_at)
            FROM call_attempts
            WHERE broadcast_at IS NULL AND height IS NULL AND created_at < now() - interval '30 seconds'
            GROUP BY network
            UNION ALL
            SELECT 'chain', network, 'no_answer', tip_at FROM account_chains WHERE degraded IS NOT NULL
            UNION ALL
            SELECT 'chain', network, 'stopped', now() FROM senders WHERE stopped IS NOT NULL
            UNION ALL
            SELECT 'chain', network, 'stopped', updated_at
            FROM wallet_switches
            WHERE NOT sending OR NOT crediting
            """
        )
    return [Trouble(row["kind"], row["name"], row["reason"], row["since"]) for row in rows]
