"""What must be true of what was asked, told and heard: operations, notifications, events, deliveries, jobs."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "I-27",
        "Every published event has a delivery for every endpoint that asked for it.",
        # Only endpoints that have not changed since: what one wanted before its last change is not recorded.
        """
        SELECT events.id, endpoints.id AS endpoint_id
        FROM events JOIN endpoints ON endpoints.partner_id = events.partner_id
        WHERE partner_sequence IS NOT NULL AND type <> 'webhook_endpoint.tested'
          AND status = 'enabled' AND deleted_at IS NULL AND endpoints.updated_at < events.created_at
          AND event_types && ARRAY['*', type, split_part(type, '.', 1) || '.*']
          AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id AND endpoint_id = endpoints.id)
        """,
    ),
    Invariant(
        "I-28",
        "No event waits to be published, no delivery to be tried, and no notification to be read, for 15 minutes.",
        """
        SELECT id, due_at AS since FROM deliveries WHERE state = 'pending' AND due_at < now() - interval '15 minutes'
        UNION ALL
        SELECT id, created_at FROM events
        WHERE partner_sequence IS NULL AND created_at < now() - interval '15 minutes'
        UNION ALL
        SELECT id, received_at FROM notifications
        WHERE state = 'received' AND received_at < now() - interval '15 minutes'
        """,
    ),
    Invariant(
        "I-29",
        "A notification is stored once.",
        """
        SELECT provider, notification_id, count(*) AS times FROM notifications
        GROUP BY provider, notification_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I-30",
        "No request to a provider has been without an answer for an hour.",
        """
        SELECT id, kind, state, created_at FROM operations
        WHERE state IN ('intended', 'unknown') AND created_at < now() - interval '1 hour'
        """,
    ),
    Invariant(
        "I-31",
        "A provider's reference is one payment, or one refund; a key is one request; a refused one may be asked anew.",
        """
        SELECT provider, reference AS word, count(*) AS times FROM payments
        WHERE reference IS NOT NULL GROUP BY provider, reference HAVING count(*) > 1
        UNION ALL
        SELECT provider, reference, count(*) FROM operations
        WHERE kind IN ('refund', 'return') AND reference IS NOT NULL GROUP BY provider, reference HAVING count(*) > 1
        UNION ALL
        SELECT provider, key, count(*) FROM operations GROUP BY provider, key HAVING count(*) > 1
        UNION ALL
        SELECT payment_id, kind, count(*) FROM operations
        WHERE kind NOT IN ('refund', 'return') AND state <> 'declined' GROUP BY payment_id, kind HAVING count(*) > 1
        """,
    ),
    Invariant(
        "R-40",
        "Every request belongs to a payment of its own order, and every payment was asked for.",
        """
        SELECT operations.id, operations.payment_id FROM operations
        LEFT JOIN payments ON payments.id = payment_id
        WHERE (operations.order_id, operations.provider, operations.asset)
            IS DISTINCT FROM (payments.order_id, payments.provider, payments.asset)
        UNION ALL
        SELECT order_id, id FROM payments
        WHERE NOT EXISTS (SELECT 1 FROM operations WHERE payment_id = payments.id AND kind = 'start')
        """,
    ),
    Invariant(
        "R-41",
        "A request that has been decided says when, and one that succeeded has what it made.",
        """
        SELECT id, kind, state, reference, decided_at FROM operations
        WHERE (state IN ('succeeded', 'declined')) <> (decided_at IS NOT NULL)
           OR (state = 'succeeded' AND reference IS NULL)
        """,
    ),
    Invariant(
        "R-42",
        "A partner's published events are numbered from one without gaps, in the order of what happened.",
        """
        SELECT partners.id, event_sequence::text AS problem FROM partners LEFT JOIN (
            SELECT partner_id, count(*) AS number, min(partner_sequence) AS first, max(partner_sequence) AS last
            FROM events WHERE partner_sequence IS NOT NULL GROUP BY partner_id
        ) AS told ON told.partner_id = partners.id
        WHERE event_sequence <> coalesce(number, 0) OR event_sequence <> coalesce(last, 0) OR first <> 1
        UNION ALL
        SELECT resource_id, id FROM (
            SELECT id, resource_id, partner_sequence,
                   lag(partner_sequence) OVER (PARTITION BY resource_id ORDER BY resource_sequence) AS before
            FROM events
        ) AS chained WHERE partner_sequence <= before
        """,
    ),
    Invariant(
        "R-43",
        "A delivery counts its attempts, and succeeded only by an attempt that the subscriber accepted.",
        """
        SELECT deliveries.id, deliveries.state, deliveries.attempts, count(attempts.id) AS made
        FROM deliveries LEFT JOIN attempts ON delivery_id = deliveries.id
        GROUP BY deliveries.id, deliveries.state, deliveries.attempts
        HAVING deliveries.attempts <> count(attempts.id) OR count(attempts.id) <> coalesce(max(number), 0)
            OR (deliveries.state = 'succeeded' AND NOT coalesce(bool_or(attempts.status BETWEEN 200 AND 299), false))
        """,
    ),
    Invariant(
        "R-44",
        "An event goes to endpoints of its own partner only, and to each of them once.",
        """
        SELECT deliveries.id FROM deliveries
        LEFT JOIN events ON events.id = event_id LEFT JOIN endpoints ON endpoints.id = endpoint_id
        WHERE events.partner_id IS NULL OR events.partner_id IS DISTINCT FROM endpoints.partner_id
        UNION ALL
        SELECT event_id FROM deliveries GROUP BY event_id, endpoint_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "R-45",
        "No job is left in the hands of a worker that has died, and none was given up.",
        """
        SELECT id, entrypoint, status::text AS status, heartbeat FROM pgqueuer
        WHERE (status = 'picked' AND heartbeat < now() - interval '15 minutes')
           OR status::text NOT IN ('queued', 'picked')
        """,
    ),
)
