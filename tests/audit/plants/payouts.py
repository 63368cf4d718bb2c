"""Errors in payouts, their money, their ways, and their approvals."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import copy_of, entry, plant

PLANTS: Final = (
    plant(
        "money kept by a payout that has ended",
        "R-60",
        entry(
            "payout_free",
            None,
            ("payout:{bank_settled}", "USD", -5),
            ("suspense:unmatched", "USD", 5),
            reference="{bank_settled}:keep",
            subject="bank_settled",
        ),
        "R-62",
    ),
    plant(
        "a payout for which nothing was set aside",
        "R-60",
        copy_of("payouts", "id = '{bank_pending}'", id="po_x"),
        "I-35",
        "R-51",
    ),
    plant(
        "a payout of coins sent twice",
        "I-13",
        "ALTER TABLE sends DROP CONSTRAINT sends_payout_id_key;"
        + copy_of("sends", "payout_id = '{coins_sent}'", id="sn_x"),
        "I-16",
        "I-20",
        "R-31",
        "R-32",
        "R-35",
        "R-61",
    ),
    plant(
        "a payout of coins that was asked of a bank",
        "R-61",
        "UPDATE payouts SET provider_reference = 'x' WHERE id = '{coins_first}'",
    ),
    plant(
        "a payout by a bank that was sent in coins",
        "R-61",
        "UPDATE sends SET payout_id = '{bank_settled}' WHERE payout_id = '{coins_first}'",
        "I-16",
        "R-36",
        "R-63",
    ),
    plant(
        "a payout that left before it was allowed",
        "R-61",
        "UPDATE payouts SET provider_reference = 'x' WHERE id = '{bank_pending}'",
    ),
    plant(
        "one transfer pays two payouts",
        "R-61",
        "ALTER TABLE payouts DROP CONSTRAINT payouts_provider_provider_reference_key;"
        "UPDATE payouts SET provider_reference = 'x' WHERE id IN ('{bank_settled}', '{bank_approved}')",
    ),
    plant("a file that is not there", "R-61", "DELETE FROM payment_files"),
    plant(
        "a file that was never handed over",
        "R-67",
        "UPDATE payment_files SET handed_over_at = NULL, created_at = now() - interval '3 hours'",
    ),
    plant("a file with a payout more", "R-61", "UPDATE payment_files SET payouts = payouts + 1"),
    plant(
        "a payout settled twice in the books",
        "R-62",
        entry(
            "payout_settle",
            None,
            ("payout:{bank_settled}", "USD", 2500),
            ("bank:increase", "USD", -2500),
            reference="{bank_settled}:settle:2",
            subject="bank_settled",
        ),
        "I-07",
        "I-08",
        "R-60",
    ),
    plant(
        "another amount left",
        "R-62",
        "UPDATE postings SET units = units * 2 WHERE entry_id ="
        " (SELECT id FROM entries WHERE reference = '{bank_settled}:settle')",
        "I-07",
        "I-08",
        "R-60",
    ),
    plant(
        "a failed payout whose money was not freed",
        "R-62",
        "DELETE FROM postings WHERE entry_id IN (SELECT id FROM entries WHERE reference = '{bank_failed}:free');"
        "DELETE FROM entries WHERE reference = '{bank_failed}:free'",
        "I-06",
        "R-60",
    ),
    plant(
        "a returned payout whose money did not come back",
        "R-62",
        "UPDATE entries SET kind = 'payout_settle' WHERE reference = '{bank_returned}:return'",
    ),
    plant(
        "a sale with two live payouts",
        "R-64",
        "DROP INDEX payouts_sale;"
        "UPDATE payouts SET state = 'queued' WHERE id = '{sale_returned_payout}';"
        "UPDATE payouts SET order_id = '{sold}' WHERE id = '{sale_returned_payout}'",
        "R-51",
        "R-61",
    ),
    plant(
        "a sale that pays more than agreed",
        "R-64",
        "UPDATE payouts SET units = units + 1 WHERE id = '{sold_payout}'",
    ),
    plant(
        "a sale whose payout never settled",
        "R-64",
        "DELETE FROM moves WHERE resource_id = '{sold_payout}' AND trigger = 'settled'",
        "R-51",
        "R-53",
    ),
    plant(
        "coins go back that the order did not give",
        "R-65",
        "UPDATE payouts SET units = units + 1 WHERE id = '{sold_coins}'",
        "I-16",
        "R-36",
        "R-63",
    ),
    plant(
        "the coins of one order go back for another",
        "R-65",
        "UPDATE payouts SET order_id = '{sale_open}' WHERE id = '{sold_coins}'",
    ),
    plant(
        "a payout to another's account",
        "R-66",
        "UPDATE external_accounts SET partner_id = 'pt_x' WHERE id = '{bank}'",
        "R-54",
    ),
    plant(
        "a payout to an account that was never verified",
        "R-66",
        "UPDATE moves SET target = 'pending', trigger = 'created' WHERE resource_id = '{bank}'",
        "R-51",
        "R-53",
    ),
    plant(
        "a payout to another address than the account's",
        "R-66",
        "UPDATE external_accounts SET script = 'ab' WHERE id = '{wallet}'",
    ),
    plant(
        "a payout to an account that had been closed",
        "R-66",
        "INSERT INTO moves (resource_id, sequence, source, trigger, target, cause, at)"
        " VALUES ('{bank}', 2, 'verified', 'closed', 'closed', 'x', now() - interval '1 hour')",
        "R-51",
        "R-53",
    ),
    plant(
        "a payout that nobody works on",
        "R-67",
        "UPDATE moves SET at = now() - interval '3 hours' WHERE resource_id = '{bank_approved}';"
        "UPDATE payouts SET state = 'sending' WHERE id = '{bank_approved}'",
        "R-51",
    ),
    plant(
        "a payout that the bank forgot",
        "R-67",
        "UPDATE moves SET at = now() - interval '11 days' WHERE resource_id = '{bank_approved}'",
    ),
    plant("a hold on an ended payout", "R-68", "UPDATE payouts SET hold = '{{}}' WHERE id = '{bank_settled}'"),
    plant(
        "a large payout that nobody approved",
        "I-35",
        "DELETE FROM approvals WHERE resource_id = '{bank_approved}'",
    ),
    plant(
        "a payout approved by its maker",
        "I-35",
        "UPDATE approvals SET key_id = (SELECT created_by FROM payouts WHERE id = '{bank_approved}')"
        " WHERE resource_id = '{bank_approved}'",
    ),
    plant(
        "a payout of more than was approved",
        "I-35",
        "UPDATE payouts SET units = units + 1 WHERE id = '{bank_approved}'",
        "R-60",
    ),
    plant(
        "a payout to elsewhere than was approved",
        "I-35",
        "UPDATE external_accounts SET fingerprint = 'x' WHERE id = '{bank}'",
    ),
    plant(
        "a payout that forgot its approval",
        "I-35",
        "UPDATE payouts SET approval_hash = NULL WHERE id = '{bank_approved}'",
    ),
    plant(
        "a batch of another item than was approved",
        "I-35",
        "UPDATE payout_items SET method = 'ach' WHERE batch_id = '{batch_pending}' AND position = 1",
    ),
    plant(
        "a batch approved for something else",
        "I-35",
        "UPDATE approvals SET hash = 'x' WHERE resource_id = '{batch_approved}'",
    ),
)
