"""Errors in batches, their items and their counts."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import copy_of, plant

PLANTS: Final = (
    plant(
        "an item paid twice",
        "R-70",
        "ALTER TABLE payouts DROP CONSTRAINT payouts_batch_id_batch_position_key;"
        + copy_of("payouts", "{made}", id="po_x"),
        "R-51",
        "R-61",
    ),
    plant("an item paid with another amount", "R-70", "UPDATE payout_items SET units = units + 1 WHERE {item}", "R-73"),
    plant("a payout that no item is", "R-70", "UPDATE payout_items SET payout_id = NULL WHERE {item}", "R-72"),
    plant(
        "a payout of another partner's batch",
        "R-70",
        "UPDATE payouts SET partner_id = 'pt_x' WHERE {made}",
        "R-54",
        "R-66",
    ),
    plant(
        "a batch that counts one more",
        "R-71",
        "UPDATE payout_batches SET items = items + 1 WHERE id = '{batch_done}'",
        "R-74",
    ),
    plant(
        "an invalid item that was not counted",
        "R-71",
        "UPDATE payout_batches SET invalid_items = 0, failed_items = 1 WHERE id = '{batch_partial}'",
    ),
    plant(
        "an item that was passed over",
        "R-72",
        "UPDATE payout_batches SET next_position = 2 WHERE id = '{batch_pending}'",
        "R-74",
    ),
    plant(
        "an item that was paid too early",
        "R-72",
        "UPDATE payout_batches SET next_position = 1 WHERE id = '{batch_done}'",
    ),
    plant(
        "totals that are not the sum of the items",
        "R-73",
        "UPDATE payout_batch_totals SET units = units + 1 WHERE batch_id = '{batch_pending}'",
        "R-60",
    ),
    plant(
        "a batch without its totals",
        "R-73",
        "DELETE FROM payout_batch_totals WHERE batch_id = '{batch_pending}'",
        "R-60",
    ),
    plant(
        "less set aside than in total",
        "R-73",
        "UPDATE postings SET units = units - sign(units) WHERE entry_id ="
        " (SELECT id FROM entries WHERE kind = 'payout_reserve' AND subject = '{batch_done}')",
        "I-06",
        "I-07",
        "I-08",
        "R-60",
    ),
    plant(
        "a batch that ended too early",
        "R-74",
        "UPDATE payout_batches SET settled_items = 2 WHERE id = '{batch_done}'",
        "R-71",
    ),
    plant(
        "all or nothing, with an item that is invalid",
        "R-74",
        "UPDATE payout_batches SET mode = 'all_or_nothing', invalid_items = 1 WHERE id = '{batch_pending}'",
        "R-71",
    ),
    plant(
        "a batch that nobody goes on with",
        "R-75",
        "UPDATE payout_batches SET state = 'processing', updated_at = now() - interval '3 hours'"
        " WHERE id = '{batch_pending}'",
        "R-51",
    ),
    plant(
        "a batch whose file nobody reads",
        "R-75",
        "UPDATE payout_batches SET state = 'validating', updated_at = now() - interval '3 hours'"
        " WHERE id = '{batch_pending}'",
        "R-51",
        "R-60",
    ),
)
