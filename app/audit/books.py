"""What the checks against the far side need of our own books, read in the snapshot of the checks inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import asyncpg

from app.audit.report import Row
from app.db.database import Transaction
from app.ports.chain import BlockId

_QUERIES: Mapping[str, str] = {
    "payments": "SELECT id, order_id, provider, reference FROM payments",
    "pay_ins": """
        SELECT entries.order_id, split_part(account, ':', 2) AS provider, asset, units
        FROM entries JOIN postings ON entry_id = entries.id WHERE kind = 'pay_in' AND account LIKE 'psp:%'
    """,
    # Every posting on an account at a provider, with the payment that its order has there.
    "provider_postings": """
        SELECT entries.id AS entry, entries.kind, entries.order_id,
               coalesce(payments.reference, strays.reference) AS payment,
               split_part(account, ':', 2) AS provider, postings.asset, postings.units
        FROM postings JOIN entries ON entry_id = entries.id
        LEFT JOIN payments ON payments.order_id = entries.order_id
        LEFT JOIN strays ON strays.id = entries.subject
        WHERE account LIKE 'psp:%' ORDER BY postings.id
    """,
    "strays": "SELECT id, provider, reference, state FROM strays",
    "asked": """
        SELECT provider, first || way AS key, created_at FROM operations, LATERAL (
            SELECT regexp_replace(operations.key, ':attempt[0-9]+$', '') AS first
        ) AS named, LATERAL (
            SELECT CASE number WHEN 1 THEN '' ELSE ':attempt' || number END AS way
            FROM generate_series(1, attempt) AS number
        ) AS attempts
        UNION ALL
        -- A bank transfer is sent to a customer of its own, which is made first.
        SELECT operations.provider, payment_id || way || ':customer', operations.created_at
        FROM operations JOIN payments ON payments.id = payment_id AND payments.method = 'bank_transfer', LATERAL (
            SELECT CASE number WHEN 1 THEN '' ELSE ':attempt' || number END AS way
            FROM generate_series(1, attempt) AS number
        ) AS attempts WHERE operations.kind = 'start'
        UNION ALL
        SELECT provider, id || way, created_at FROM strays, (VALUES (''), (':cancel')) AS ways (way)
        UNION ALL
        SELECT payouts.provider, payouts.id, moves.at FROM payouts
        JOIN moves ON moves.resource_id = payouts.id AND moves.trigger = 'prepared'
    """,
    "operations": "SELECT id, order_id, payment_id, provider, kind, key, state, created_at FROM operations",
    "sends": "SELECT id, order_id, payout_id, network, script, units, lineage_id, state FROM sends",
    "signed": "SELECT txid, network, lineage_id, height FROM chain_transactions",
    "scripts": "SELECT network, script FROM wallet_addresses",
    # Whose coins have left for good, by the ledger.
    "delivered": """
        SELECT lineage_id FROM sends JOIN entries ON entries.order_id = sends.order_id AND kind = 'deliver'
        UNION SELECT subject FROM entries WHERE kind = 'coins_deliver'
    """,
    "deposits": "SELECT id, network, txid, vout, units, state FROM deposits",
    "deposit_scripts": "SELECT network, script FROM deposit_addresses",
    "bank_payouts": """
        SELECT payouts.id, provider, method, state, payouts.asset, units, last4, settled_at
        FROM payouts LEFT JOIN external_accounts AS account ON account.id = external_account_id
        WHERE method <> 'chain'
    """,
    "top_ups": "SELECT id, provider, reference, asset, units, status FROM top_ups",
    # Every posting on an account at a bank, with the payout or, by the bank's reference, the credit behind it.
    "bank_postings": """
        SELECT split_part(account, ':', 2) AS provider, postings.asset, sum(postings.units) AS units,
               CASE WHEN entries.order_id IS NOT NULL THEN split_part(entries.reference, ':', 3)
                    ELSE coalesce(top_ups.reference, subject) END AS thing
        FROM postings JOIN entries ON entry_id = entries.id LEFT JOIN top_ups ON top_ups.id = subject
        WHERE account LIKE 'bank:%' GROUP BY 1, 2, 4
    """,
    "wallets": """
        SELECT split_part(account, ':', 3) AS network, sum(units) AS units FROM postings
        WHERE account LIKE 'wallet:%' GROUP BY 1
    """,
    # Each attempt at a call of ours on an account chain, with what became of it by the books.
    "calls": """
        SELECT calls.id, calls.network, sender, nonce, purpose, asset, units, state, txid, is_filler, height, ok,
               fee_units, gas_reserved FROM calls JOIN call_attempts ON call_id = calls.id
    """,
    "senders": "SELECT network, script, next_nonce FROM senders",
    "call_wallets": """
        SELECT split_part(account, ':', 3) AS network, asset, sum(units) AS units FROM postings
        WHERE account LIKE 'wallet:%' AND split_part(account, ':', 3) IN (SELECT network FROM account_chains)
        GROUP BY 1, 2
    """,
    # Whose balances there are to compare: the hot wallets', and of deposit addresses those that were ever paid.
    "call_holders": """
        SELECT network, script FROM wallet_addresses
        WHERE purpose <> 'deposit' AND network IN (SELECT network FROM account_chains)
        UNION SELECT network, script FROM arrivals
    """,
    "arrivals": """
        SELECT network, asset, sum(units) AS units FROM arrivals JOIN wallet_addresses USING (network, script)
        WHERE purpose = 'deposit' GROUP BY network, asset
    """,
    "counted": """
        SELECT network, asset, sum(units) AS units FROM deposits WHERE state IN ('credited', 'held', 'blocked')
        GROUP BY network, asset
    """,
    "tips": "SELECT DISTINCT ON (network) network, height, hash FROM blocks ORDER BY network, height DESC",
    "events": "SELECT id, resource_id, resource_sequence FROM events",
    # Who should have got what: by the deliveries written, and by the subscriptions that have not changed since.
    "told": """
        SELECT events.id, endpoints.id AS endpoint_id, events.created_at, deliveries.state
        FROM events JOIN endpoints ON endpoints.partner_id = events.partner_id
        LEFT JOIN deliveries ON event_id = events.id AND endpoint_id = endpoints.id
        WHERE deliveries.state IN ('pending', 'succeeded') OR (
            deliveries.state IS NULL AND type <> 'webhook_endpoint.tested' AND status = 'enabled'
            AND deleted_at IS NULL AND endpoints.updated_at < events.created_at
            AND event_types && ARRAY['*', type, split_part(type, '.', 1) || '.*']
        )
    """,
}


def whole(value: object) -> int:
    """A number as the driver hands it over; raises TypeError for anything else."""
    if not isinstance(value, int | Decimal):
        raise TypeError(f"{value!r} is not a number")
    return int(value)


@dataclass(frozen=True, slots=True)
class OurBooks:
    """Rows by what they are, all of one moment."""

    taken_at: datetime
    rows: Mapping[str, Sequence[Row]]

    def of(self, what: str, **wanted: str) -> list[Row]:
        """The rows of one kind, those with these values."""
        return [row for row in self.rows[what] if all(row[name] == value for name, value in wanted.items())]

    def tip(self, network: str) -> BlockId | None:
        """The newest block that our follower has taken in."""
        for row in self.of("tips", network=network):
            return BlockId(whole(row["height"]), str(row["hash"]))
        return None


async def read_books(connection: Transaction) -> OurBooks:
    """Read everything at once; the caller's transaction is the snapshot."""
    taken_at: datetime = await connection.fetchval("SELECT now()")
    rows = {what: [_plain(row) for row in await connection.fetch(query)] for what, query in _QUERIES.items()}
    return OurBooks(taken_at, rows)


def _plain(record: asyncpg.Record) -> Row:
    """The driver's amounts as whole numbers: a Decimal may write ten thousand as 1E+4."""
    return {name: int(value) if isinstance(value, Decimal) else value for name, value in record.items()}
