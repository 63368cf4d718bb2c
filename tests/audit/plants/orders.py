"""Errors in how orders move and what is told of it."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import plant

PLANTS: Final = (
    plant(
        "an edge that no table has",
        "I-23",
        "UPDATE transitions SET trigger = 'payout_settled' WHERE order_id = '{completed}' AND sequence = 3",
    ),
    plant(
        "a transition is missing",
        "I-24",
        "DELETE FROM transitions WHERE order_id = '{completed}' AND sequence = 2",
        "I-26",
    ),
    plant(
        "a transition begins elsewhere",
        "I-24",
        "UPDATE transitions SET source = 'paid' WHERE order_id = '{canceled}' AND sequence = 2",
        "I-23",
    ),
    plant("a state without a transition", "I-25", "UPDATE orders SET state = 'paid' WHERE id = '{open}'"),
    plant("a sequence without a transition", "I-25", "UPDATE orders SET sequence = sequence + 1 WHERE id = '{open}'"),
    plant(
        "a transition that nobody was told of",
        "I-26",
        "DELETE FROM events WHERE resource_id = '{completed}' AND resource_sequence = 2",
        "R-42",
        "R-44",
    ),
    plant(
        "a transition told twice",
        "I-26",
        "ALTER TABLE events DROP CONSTRAINT events_resource_id_resource_sequence_key;"
        "INSERT INTO events (id, partner_id, type, resource_type, resource_id, resource_sequence, data)"
        " SELECT 'ev_x', partner_id, type, resource_type, resource_id, resource_sequence, data FROM events"
        " WHERE resource_id = '{completed}' AND resource_sequence = 2",
    ),
    plant(
        "an order that nobody works on",
        "I-36",
        "UPDATE orders SET hold = NULL WHERE id = '{bounced}';"
        "UPDATE transitions SET at = now() - interval '3 hours' WHERE order_id = '{bounced}'",
    ),
    plant(
        "an order that never expires",
        "I-36",
        "UPDATE orders SET expires_at = now() - interval '1 hour' WHERE id = '{open}'",
    ),
    plant(
        "one fact moved an order twice",
        "R-10",
        "ALTER TABLE transitions DROP CONSTRAINT transitions_order_id_trigger_cause_key;"
        "UPDATE transitions SET cause = 'same' WHERE order_id = '{refunded}' AND trigger = 'refund_accepted'",
    ),
    plant("a hold on an ended order", "R-11", "UPDATE orders SET hold = '{{}}' WHERE id = '{completed}'"),
    plant(
        "the wrong event",
        "R-12",
        "UPDATE events SET type = 'order.failed' WHERE resource_id = '{completed}' AND resource_sequence = 2",
    ),
    plant(
        "an event that shows another moment",
        "R-13",
        "UPDATE events SET data = jsonb_set(data, '{{object,sequence}}', '99') WHERE resource_id = '{completed}'"
        " AND resource_sequence = 2",
    ),
)
