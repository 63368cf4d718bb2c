"""Errors in deposits and in the addresses that they come to."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import BTC, copy_of, entry, plant, then

PLANTS: Final = (
    plant(
        "one output, two deposits",
        "I-21",
        then(
            "ALTER TABLE deposits DROP CONSTRAINT deposits_network_txid_vout_key",
            copy_of("deposits", "id = '{deposit_open}'", id="dp_x"),
        ),
        "R-51",
    ),
    plant(
        "a deposit of more than its coin", "I-21", "UPDATE deposits SET units = units + 1 WHERE id = '{deposit_open}'"
    ),
    plant(
        "a deposit for another partner",
        "I-21",
        "UPDATE deposits SET partner_id = 'pt_x' WHERE id = '{deposit_open}'",
        "R-54",
    ),
    plant(
        "a deposit credited twice",
        "I-22",
        then(
            entry(
                "deposit",
                None,
                ("wallet:hot:bitcoin", BTC, 5_000_000),
                ("suspense:unmatched", BTC, -5_000_000),
                subject="deposit_balance",
            ),
        ),
        "R-32",
    ),
    plant(
        "a deposit that is gone, and still in the books",
        "I-22",
        "DELETE FROM postings WHERE entry_id IN"
        " (SELECT id FROM entries WHERE subject = '{deposit_lost}' AND kind = 'deposit_reverse');"
        "DELETE FROM entries WHERE subject = '{deposit_lost}' AND kind = 'deposit_reverse'",
        "I-06",
        "R-32",
    ),
    plant("a deposit credited by decree", "I-22", "UPDATE deposits SET credits = 2 WHERE id = '{deposit_balance}'"),
    plant(
        "a coin spent before it counts",
        "I-22",
        "UPDATE coins SET settled = true WHERE {coin} '{deposit_open}')",
        "R-32",
    ),
    plant(
        "a coin that counts and cannot be spent",
        "I-22",
        "UPDATE coins SET settled = false WHERE {coin} '{deposit_closed}')",
        "R-32",
    ),
    plant(
        "a deposit that counted too early",
        "R-80",
        "UPDATE deposits SET confirmations_needed = 1000 WHERE id = '{deposit_balance}'",
    ),
    plant(
        "a deposit in a block that we do not know",
        "R-80",
        "UPDATE deposits SET block_hash = 'ff' WHERE id = '{deposit_closed}'",
    ),
    plant("a loss that no deposit was", "R-81", "UPDATE deposits SET lost_units = 1 WHERE id = '{deposit_balance}'"),
    plant(
        "a deposit that nobody counts",
        "R-82",
        "UPDATE deposits SET state = 'detected', updated_at = now() - interval '3 hours', confirmations_needed = 1,"
        " height = (SELECT max(height) - 20 FROM blocks) WHERE id = '{deposit_open}'",
        "I-21",
        "R-80",
    ),
    plant("a hold that is none", "R-83", "UPDATE deposits SET hold = NULL WHERE id = '{deposit_closed}'"),
    plant(
        "a deposit address among the change",
        "R-84",
        "UPDATE wallet_addresses SET purpose = 'change' WHERE (network, script) ="
        " (SELECT network, script FROM deposit_addresses WHERE order_id = '{sale_open}')",
    ),
    plant(
        "an address of another order",
        "R-84",
        "UPDATE deposit_addresses SET partner_id = 'pt_x' WHERE order_id = '{sale_open}'",
    ),
)
