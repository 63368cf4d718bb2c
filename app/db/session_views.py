"""What a session's page shows besides its order: what arrived, what has changed, and addresses used before."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Arrived:
    """Coins that came for a sale: the newest transaction, and how many blocks confirm it."""

    tx_hash: str
    confirmations: int


async def arrived(tx: Transaction, order_id: str) -> Arrived | None:
    """The coins that came last for a sale; None while there are none."""
    record = await tx.fetchrow(
        """
        SELECT txid, coalesce(greatest(tip.height - deposits.height + 1, 0), 0) AS depth
        FROM deposits
        CROSS JOIN LATERAL (SELECT max(height) AS height FROM blocks WHERE network = deposits.network) AS tip
        WHERE order_id = $1 ORDER BY id DESC LIMIT 1
        """,
        order_id,
    )
    return None if record is None else Arrived(record["txid"], record["depth"])


async def mark(db: Database, session_id: str) -> str | None:
    """A text that differs whenever the page has something new to show; None when there is no such session.

    Blocks count only while coins are on their way.
    """
    async with db.connection() as connection:
        found: str | None = await connection.fetchval(
            """
            SELECT concat_ws('|', sessions.sequence, sessions.expires_at <= now(), orders.id, orders.sequence,
                             orders.updated_at, payments.updated_at, deposit.sequence, quote.id, quote.gone, tip.height)
            FROM sessions
            LEFT JOIN orders ON orders.id = sessions.order_id
            LEFT JOIN payments ON payments.order_id = orders.id
            LEFT JOIN LATERAL (
                SELECT id || sequence AS sequence FROM deposits WHERE order_id = orders.id ORDER BY id DESC LIMIT 1
            ) AS deposit ON true
            LEFT JOIN LATERAL (
                SELECT id, status <> 'open' OR expires_at <= now() AS gone FROM quotes WHERE session_id = sessions.id
                ORDER BY id DESC LIMIT 1
            ) AS quote ON true
            LEFT JOIN LATERAL (
                SELECT max(height) AS height FROM blocks
                WHERE orders.state IN ('sending', 'sent', 'deposit_detected')
                  AND network = split_part(
                      CASE orders.direction WHEN 'buy' THEN orders.destination_asset ELSE orders.source_asset END,
                      '.', 2)
            ) AS tip ON true
            WHERE sessions.id = $1
            """,
            session_id,
        )
    return found


async def addresses_like(tx: Transaction, partner_id: str, reference: str, address: str, ends: int) -> list[str]:
    """Other addresses that a partner's customer has used, and that begin and end with as many same characters.

    Capitals are no difference: in an Ethereum address they are a checksum of the whole.
    """
    records = await tx.fetch(
        """
        SELECT DISTINCT address FROM orders
        WHERE partner_id = $1 AND customer ? 'reference' AND customer ->> 'reference' = $2 AND address <> $3
          AND lower(left(address, $4)) = lower(left($3, $4)) AND lower(right(address, $4)) = lower(right($3, $4))
        LIMIT 5
        """,
        partner_id,
        reference,
        address,
        ends,
    )
    return [record["address"] for record in records]


async def order_on(tx: Transaction, session_id: str, quote_id: str) -> str | None:
    """The id of the order that this session has placed on a quote."""
    found: str | None = await tx.fetchval(
        "SELECT id FROM orders WHERE session_id = $1 AND quote_id = $2", session_id, quote_id
    )
    return found


async def order_called(tx: Transaction, partner_id: str, external_id: str) -> tuple[str, str] | None:
    """The order that a partner calls by a name of its own, with its state."""
    record = await tx.fetchrow(
        "SELECT id, state FROM orders WHERE partner_id = $1 AND external_id = $2", partner_id, external_id
    )
    return None if record is None else (record["id"], record["state"])
