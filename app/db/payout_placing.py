"""Asking for a payout: the one statement that takes its money from the balance and writes all that it begins with."""

from __future__ import annotations

from app.db.columns import json_text, new_id
from app.db.database import Transaction
from app.db.jobs import enqueued
from app.db.payouts import Payout
from app.domain.chart import partner_available
from app.domain.chart import payout as payout_account

_JOBS = "SELECT 'pay_bank', $1::text, interval '0' FROM made WHERE $30"
# The balance is locked and found enough before anything else; the key is claimed only then, so that either all of this
# is written or nothing.
PLACE_PAYOUT = f"""
WITH payable AS (
    SELECT id FROM external_accounts WHERE id = $3 AND partner_id = $2 AND status = 'verified' FOR SHARE
), covered AS (
    SELECT 1 FROM balances WHERE account = $24 AND asset = $5 AND units >= $6 AND EXISTS (SELECT 1 FROM payable)
    FOR UPDATE
), claimed AS (
    INSERT INTO idempotency_keys (partner_id, key, request_hash, resource_id, status, response)
    SELECT $2, $20, $21, $1, 201, $22 FROM covered
    ON CONFLICT DO NOTHING RETURNING 1
), kept AS (
    UPDATE balances SET units = units - $6
    WHERE account = $24 AND asset = $5 AND EXISTS (SELECT 1 FROM claimed)
), made AS (
    INSERT INTO payouts (
        id, partner_id, kind, external_account_id, external_id, asset, units, method, provider, reference, address,
        script, state, sequence, approval_hash, metadata, created_by, request_id, livemode, created_at, updated_at,
        intent
    )
    SELECT $1, $2, 'payout', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14::jsonb, $15, $16, $17, $18, $18,
           $31
    FROM claimed RETURNING 1
), moved AS (
    INSERT INTO moves (resource_id, sequence, source, trigger, target, cause, actor)
    SELECT $1, 1, 'created', $19, $12, $1, $15 FROM made
), named AS (
    INSERT INTO ledger_accounts (id, asset, kind)
    SELECT account, $5, 'liability' FROM (VALUES ($24), ($25)) AS line (account), made ORDER BY account
    ON CONFLICT DO NOTHING
), head AS (
    INSERT INTO entries (id, reference, kind, subject) SELECT $26, $27, 'payout_reserve', $1 FROM made
), lines AS (
    INSERT INTO postings (entry_id, account, asset, units)
    SELECT $26, account, $5, units FROM (VALUES ($24, $6::numeric), ($25, -$6::numeric)) AS line (account, units), made
), {enqueued(_JOBS)}
INSERT INTO events (id, partner_id, type, resource_type, resource_id, resource_sequence, data, request_id)
SELECT $28, $2, $29, 'payout', $1, 1, $23::jsonb, $16 FROM made
RETURNING id
"""  # noqa: S608 - constants of ours


def _columns(payout: Payout) -> tuple[object, ...]:
    """The first parameters of the statement, in its order."""
    return (
        payout.id,
        payout.partner_id,
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
        payout.created_at,
    )


async def insert_placed(
    tx: Transaction,
    payout: Payout,
    *,
    trigger: str,
    event_type: str,
    key: str,
    request_hash: bytes,
    response: bytes,
    with_job: bool,
) -> bool:
    """Reserve the money and write the payout with all that belongs to it, its answer included.

    False, with nothing written, when the key was used before, the account is not verified, or the balance does not
    suffice. Raises UniqueViolationError when the partner has a payout with this external_id.
    """
    written = await tx.fetchval(
        PLACE_PAYOUT,
        *_columns(payout),
        trigger,
        key,
        request_hash,
        response,
        f'{{"object":{response.decode()},"previous":{{}}}}',
        partner_available(payout.partner_id),
        payout_account(payout.id),
        new_id("le"),
        f"{payout.id}:reserve:{payout.asset}",
        new_id("ev"),
        event_type,
        with_job,
        payout.intent,
    )
    return written is not None
