"""Errors in requests, notifications, events, deliveries and jobs."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import plant

PLANTS: Final = (
    plant("a subscriber was forgotten", "I-27", "DELETE FROM deliveries WHERE id = {delivery}"),
    plant(
        "a delivery that nobody tries",
        "I-28",
        "UPDATE deliveries SET state = 'pending', due_at = now() - interval '1 hour' WHERE id = {delivery}",
    ),
    plant(
        "a notification that nobody reads",
        "I-28",
        "UPDATE notifications SET state = 'received', received_at = now() - interval '1 hour'"
        " WHERE id = (SELECT min(id) FROM notifications)",
    ),
    plant(
        "a notification stored twice",
        "I-29",
        "ALTER TABLE notifications DROP CONSTRAINT notifications_provider_notification_id_key;"
        'INSERT INTO notifications SELECT (jsonb_populate_record(n, \'{{"id": "nt_x"}}\')).* FROM notifications AS n'
        " LIMIT 1",
    ),
    plant(
        "a request without an answer",
        "I-30",
        "UPDATE operations SET state = 'unknown', decided_at = NULL, created_at = now() - interval '2 hours'"
        " WHERE order_id = '{completed}' AND kind = 'capture'",
    ),
    plant(
        "one key for two requests",
        "I-31",
        "ALTER TABLE operations DROP CONSTRAINT operations_provider_key_key;"
        "UPDATE operations SET key = 'same' WHERE order_id = '{completed}'",
    ),
    plant(
        "one payment for two orders",
        "I-31",
        "ALTER TABLE payments DROP CONSTRAINT payments_provider_reference_key;"
        "UPDATE payments SET reference = 'pi_x' WHERE order_id IN ('{completed}', '{open}')",
    ),
    plant(
        "captured twice",
        "I-31",
        "DROP INDEX operations_once;"
        'INSERT INTO operations SELECT (jsonb_populate_record(o, \'{{"id": "op_x", "key": "x"}}\')).*'
        " FROM operations AS o WHERE order_id = '{completed}' AND kind = 'capture'",
    ),
    plant(
        "a request on another order's payment",
        "R-40",
        "UPDATE operations SET order_id = '{open}' WHERE order_id = '{completed}' AND kind = 'capture'",
    ),
    plant(
        "a request decided at no time",
        "R-41",
        "UPDATE operations SET decided_at = NULL WHERE order_id = '{completed}' AND kind = 'capture'",
    ),
    plant("an event that was numbered and lost", "R-42", "UPDATE partners SET event_sequence = event_sequence + 1"),
    plant(
        "an order's events in the wrong order",
        "R-42",
        "ALTER TABLE events DROP CONSTRAINT events_partner_id_partner_sequence_key;"
        "UPDATE events SET partner_sequence = (SELECT sum(partner_sequence) FROM events WHERE"
        " resource_id = '{completed}' AND resource_sequence IN (2, 3)) - partner_sequence"
        " WHERE resource_id = '{completed}' AND resource_sequence IN (2, 3)",
    ),
    plant(
        "a delivery without its attempt",
        "R-43",
        "DELETE FROM attempts WHERE delivery_id = {delivery}",
    ),
    plant(
        "a delivery that the subscriber refused",
        "R-43",
        "UPDATE attempts SET status = 500 WHERE delivery_id = {delivery}",
    ),
    plant(
        "an event for somebody else",
        "R-44",
        "UPDATE deliveries SET endpoint_id = 'we_other' WHERE id = {delivery}",
        "I-27",
    ),
    plant(
        "a job that was given up",
        "R-45",
        "INSERT INTO pgqueuer (priority, status, entrypoint) VALUES (0, 'failed', 'send_coins')",
    ),
)
