"""What must be true of maker and checker: what waited for another key was let go by one, for just what it shows."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant


def _word(column: str) -> str:
    """An SQL expression for a value as JSON writes it."""
    return f"coalesce(to_json({column})::text, 'null')"


# What an approval of a payout is of, in the spelling that was hashed: names sorted, and no spaces.
_PAYOUT = f"""sha256(convert_to(
    '{{"account":"' || coalesce(encode(account.fingerprint, 'hex'), '') || '","address":' || {_word("payouts.address")}
    || ',"asset":' || {_word("payouts.asset")} || ',"id":' || {_word("payouts.id")}
    || ',"method":' || {_word("payouts.method")} || ',"provider":' || {_word("payouts.provider")}
    || ',"script":' || {_word("payouts.script")} || ',"units":"' || payouts.units || '"}}', 'UTF8'))"""

# The same of a batch: each step is over the digest before and one item that was sound when the batch was made.
_BATCHES = """WITH RECURSIVE bound AS (
    SELECT batches.id, approval_hash FROM payout_batches AS batches
    WHERE approval_hash IS NOT NULL AND batches.state NOT IN ('validating', 'invalid') AND (
        SELECT count(*) FROM payout_items WHERE batch_id = batches.id AND errors IS NULL
    ) = (SELECT coalesce(sum(items), 0) FROM payout_batch_totals WHERE batch_id = batches.id)
), step AS (
    SELECT batch_id, row_number() OVER (PARTITION BY batch_id ORDER BY position) AS place, convert_to(concat_ws(
        chr(10), position, coalesce(external_account_id, 'None'), item.asset, item.units, method,
        coalesce(account.address, ''), coalesce(encode(account.fingerprint, 'hex'), '')), 'UTF8') AS told
    FROM bound JOIN payout_items AS item ON batch_id = bound.id AND errors IS NULL
    LEFT JOIN external_accounts AS account ON account.id = external_account_id
), walk (batch_id, place, digest) AS (
    SELECT id, 0::bigint, sha256(convert_to(id, 'UTF8')) FROM bound
    UNION ALL
    SELECT walk.batch_id, step.place, sha256(walk.digest || step.told)
    FROM walk JOIN step ON step.batch_id = walk.batch_id AND step.place = walk.place + 1
)"""

RULES: Final = (
    Invariant(
        "I-35",
        "What needs an approval left, if at all, with that of a key other than its maker's, on the hash of what it is.",
        # A batch of which items fell out since cannot be hashed anew: then its hash is only held against the approval.
        f"""
        {_BATCHES}
        SELECT id, 'is not what its hash says' AS problem FROM (
            SELECT payouts.id, approval_hash, {_PAYOUT} AS digest FROM payouts
            LEFT JOIN external_accounts AS account ON account.id = external_account_id
            WHERE approval_hash IS NOT NULL AND payouts.hold IS NULL
        ) AS hashed WHERE approval_hash <> digest
        UNION ALL
        SELECT id, 'is not what its hash says' FROM bound JOIN LATERAL (
            SELECT digest FROM walk WHERE batch_id = bound.id ORDER BY place DESC LIMIT 1
        ) AS last ON true WHERE approval_hash <> digest
        UNION ALL
        SELECT id, 'was not approved' FROM (
            SELECT id, approval_hash, created_by FROM payouts
            UNION ALL SELECT id, approval_hash, created_by FROM payout_batches
        ) AS needing
        WHERE approval_hash IS NOT NULL AND EXISTS (
            SELECT 1 FROM moves WHERE resource_id = needing.id AND trigger IN (
                'approved', 'prepared', 'completed', 'partially_completed')
        ) AND NOT EXISTS (
            SELECT 1 FROM approvals WHERE resource_id = needing.id AND verdict = 'approved'
              AND hash = approval_hash AND key_id IS DISTINCT FROM created_by
        )
        UNION ALL
        SELECT resource_id, 'needed none, or has lost its hash' FROM moves JOIN (
            SELECT id, approval_hash FROM payouts UNION ALL SELECT id, approval_hash FROM payout_batches
        ) AS needing ON needing.id = resource_id
        WHERE trigger = 'approval_required' AND approval_hash IS NULL
        UNION ALL
        SELECT id, 'went on without' FROM (
            SELECT id, approval_hash FROM payouts UNION ALL SELECT id, approval_hash FROM payout_batches
        ) AS needing
        WHERE approval_hash IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM moves WHERE resource_id = needing.id AND trigger = 'approval_required'
        )
        """,  # noqa: S608 - our own expressions
    ),
)
