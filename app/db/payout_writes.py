"""Writing payouts: new ones, and what has changed of those that moved, as many as there are in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.db.columns import Document, json_text
from app.db.database import Transaction
from app.db.payouts import Payout


async def insert_many(tx: Transaction, payouts: Sequence[Payout]) -> None:
    """Write new payouts in one statement, all made at this moment.

    Raises UniqueViolationError for an external_id that the partner has used.
    """
    now: datetime = await tx.fetchval("SELECT now()")
    await tx.execute(
        """
        INSERT INTO payouts (
            id, partner_id, kind, order_id, batch_id, batch_position, external_account_id, external_id, asset, units,
            method, provider, reference, address, script, state, sequence, approval_hash, metadata, created_by,
            request_id, livemode, intent, created_at, updated_at
        )
        SELECT id, partner_id, kind, order_id, batch_id, batch_position, external_account_id, external_id, asset, units,
               method, provider, reference, address, script, state, 1, approval_hash, metadata::jsonb, created_by,
               request_id, livemode, intent, now(), now()
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[],
                    $9::text[], $10::numeric[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                    $16::text[], $17::bytea[], $18::text[], $19::text[], $20::text[], $21::boolean[], $22::bytea[])
            AS made (id, partner_id, kind, order_id, batch_id, batch_position, external_account_id, external_id, asset,
                     units, method, provider, reference, address, script, state, approval_hash, metadata, created_by,
                     request_id, livemode, intent)
        """,
        *zip(*(_columns(payout) for payout in payouts), strict=True),
    )
    for payout in payouts:
        payout.created_at = payout.updated_at = now


def _columns(payout: Payout) -> tuple[object, ...]:
    """The values of a new row, in the statement's order."""
    return (
        payout.id,
        payout.partner_id,
        payout.kind,
        payout.order_id,
        payout.batch_id,
        payout.batch_position,
        payout.external_account_id,
        payout.external_id,
        payout.asset,
        payout.units,
        payout.method,
        payout.provider,
        payout.reference,
        payout.address,
        payout.script,
        payout.state,
        payout.approval_hash,
        json_text(payout.payout_metadata),
        payout.created_by,
        payout.request_id,
        payout.livemode,
        payout.intent,
    )


async def store_moved(tx: Transaction, payouts: Sequence[Payout]) -> None:
    """Write the changed columns of locked payouts in one statement, and read back the times that it sets."""
    records = await tx.fetch(
        """
        UPDATE payouts SET state = moved.state, sequence = moved.sequence, hold = moved.hold::jsonb,
            failure = moved.failure::jsonb, returned = moved.returned::jsonb, tx_hash = moved.tx_hash,
            provider_reference = moved.provider_reference, provider_status = moved.provider_status,
            submitted_at = CASE WHEN moved.state = 'submitted' THEN coalesce(submitted_at, now()) ELSE submitted_at END,
            settled_at = CASE WHEN moved.state = 'settled' THEN coalesce(settled_at, now()) ELSE settled_at END,
            file_id = moved.file_id, polls = CASE WHEN payouts.state = moved.state THEN polls ELSE 0 END,
            poll_at = CASE WHEN payouts.state = moved.state THEN poll_at
                           WHEN moved.state = 'settled' THEN now() + interval '1 day'
                           ELSE now() + interval '10 seconds' END,
            updated_at = now()
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::text[])
            AS moved (id, state, sequence, hold, failure, returned, tx_hash, provider_reference, provider_status,
                      file_id)
        WHERE payouts.id = moved.id
        RETURNING payouts.id, payouts.submitted_at, payouts.settled_at, payouts.updated_at
        """,
        [payout.id for payout in payouts],
        [payout.state for payout in payouts],
        [payout.sequence for payout in payouts],
        [_json(payout.hold) for payout in payouts],
        [_json(payout.failure) for payout in payouts],
        [_json(payout.returned) for payout in payouts],
        [payout.tx_hash for payout in payouts],
        [payout.provider_reference for payout in payouts],
        [payout.provider_status for payout in payouts],
        [payout.file_id for payout in payouts],
    )
    times = {record["id"]: record for record in records}
    for payout in payouts:
        stored = times[payout.id]
        payout.submitted_at, payout.settled_at = stored["submitted_at"], stored["settled_at"]
        payout.updated_at = stored["updated_at"]


def _json(value: Document | None) -> str | None:
    return None if value is None else json_text(value)
