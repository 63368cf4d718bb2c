"""Errors in how payouts, batches, deposits and external accounts move, and in what is told of it."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import plant

PLANTS: Final = (
    plant(
        "an edge that no payout has",
        "R-50",
        "UPDATE moves SET trigger = 'released' WHERE resource_id = '{bank_settled}' AND sequence = 2",
    ),
    plant(
        "an edge of another table",
        "R-50",
        "UPDATE moves SET trigger = 'validated' WHERE resource_id = '{deposit_balance}' AND sequence = 2",
        "R-53",
    ),
    plant(
        "a move of nothing",
        "R-50",
        "UPDATE moves SET resource_id = 'xa_none' WHERE resource_id = '{wallet}'",
        "R-51",
        "R-53",
        "R-66",
    ),
    plant(
        "a move is missing",
        "R-51",
        "DELETE FROM moves WHERE resource_id = '{bank_settled}' AND sequence = 2",
    ),
    plant(
        "a batch that stands elsewhere",
        "R-51",
        "UPDATE payout_batches SET state = 'partially_completed' WHERE id = '{batch_done}'",
        "R-74",
    ),
    plant("an account verified by decree", "R-51", "UPDATE external_accounts SET sequence = 2 WHERE id = '{bank}'"),
    plant(
        "one fact moved a deposit twice",
        "R-52",
        "ALTER TABLE moves DROP CONSTRAINT moves_resource_id_trigger_cause_key;"
        "UPDATE moves SET trigger = 'detected', cause = 'same' WHERE resource_id = '{deposit_balance}'",
        "R-50",
        "R-53",
    ),
    plant(
        "a settled payout that nobody was told of",
        "R-53",
        "DELETE FROM events WHERE type = 'payout.settled' AND resource_id = '{bank_settled}'",
        "R-42",
        "R-44",
    ),
    plant(
        "the wrong event of a payout",
        "R-53",
        "UPDATE events SET type = 'payout.failed' WHERE type = 'payout.settled' AND resource_id = '{bank_settled}'",
    ),
    plant(
        "a move of which nobody is told, told",
        "R-53",
        "UPDATE events SET resource_sequence = 2, data = jsonb_set(data, '{{object,sequence}}', '2')"
        " WHERE resource_id = '{bank_settled}' AND resource_sequence = 3",
    ),
    plant(
        "an event that shows another deposit",
        "R-54",
        "UPDATE events SET data = jsonb_set(data, '{{object,id}}', '\"dp_x\"') WHERE resource_id = '{deposit_lost}'",
    ),
    plant(
        "a batch's event for somebody else",
        "R-54",
        "UPDATE events SET partner_id = 'pt_x' WHERE resource_id = '{batch_pending}'",
        "R-42",
        "R-44",
    ),
)
