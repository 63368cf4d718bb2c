"""What must be true of how orders move, and that none of them stands still."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant
from app.domain.order import MACHINES
from app.domain.order_public import event_of


def _edges() -> str:
    """The published tables as rows of (direction, source, trigger, target, event). Their words need no quoting."""
    rows = [
        f"('{direction}', '{source}', '{trigger}', '{target}', '{event_of(source, trigger, target)}')"
        for direction, machine in MACHINES.items()
        for source, trigger, target in machine.edges()
    ]
    return f"(VALUES {', '.join(rows)}) AS edge (direction, source, trigger, target, event)"


RULES: Final = (
    Invariant(
        "I-23",
        "Every transition is an edge of the table of its order's direction.",
        f"""
        SELECT order_id, transitions.sequence, transitions.source, transitions.trigger, transitions.target
        FROM transitions LEFT JOIN orders ON orders.id = order_id
        WHERE NOT EXISTS (
            SELECT 1 FROM {_edges()} WHERE edge.direction = orders.direction
              AND (edge.source, edge.trigger, edge.target)
                = (transitions.source, transitions.trigger, transitions.target)
        )
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "I-24",
        "Transitions of an order are numbered without gaps, and each begins where the last one ended.",
        """
        SELECT order_id, sequence FROM (
            SELECT order_id, sequence, source, lag(target) OVER told AS before, row_number() OVER told AS place
            FROM transitions WINDOW told AS (PARTITION BY order_id ORDER BY sequence)
        ) AS chained
        WHERE sequence <> place OR source <> coalesce(before, 'created')
        """,
    ),
    Invariant(
        "I-25",
        "An order stands where its last transition left it.",
        """
        SELECT orders.id, state, orders.sequence FROM orders LEFT JOIN LATERAL (
            SELECT target, sequence FROM transitions WHERE order_id = orders.id ORDER BY sequence DESC LIMIT 1
        ) AS last ON true
        WHERE state IS DISTINCT FROM last.target OR orders.sequence IS DISTINCT FROM last.sequence
        """,
    ),
    Invariant(
        "I-26",
        "Every transition told its one event, and no order's event is without a transition.",
        """
        SELECT coalesce(order_id, resource_id) AS order_id, coalesce(sequence, resource_sequence) AS sequence,
               count(events.id) AS events
        FROM transitions
        FULL JOIN (SELECT * FROM events WHERE resource_type = 'order') AS events
            ON resource_id = order_id AND resource_sequence = sequence
        GROUP BY order_id, sequence, resource_id, resource_sequence
        HAVING count(events.id) <> 1 OR order_id IS NULL
        """,
    ),
    Invariant(
        "I-36",
        "No order stands still: what is ours to do is done within 2 hours, what the chain must do within 24.",
        # A hold, or a refund or payout that is on its way, is a reason to stand still; payouts have their own rule.
        """
        SELECT orders.id, state, last.at FROM orders JOIN LATERAL (
            SELECT max(at) AS at FROM transitions WHERE order_id = orders.id
        ) AS last ON true
        WHERE hold IS NULL AND (
            (state IN ('authorised', 'paid', 'sending') AND last.at < now() - interval '2 hours')
            OR (state = 'sent' AND last.at < now() - interval '24 hours')
            OR (state IN ('deposit_confirmed', 'refunding') AND last.at < now() - interval '2 hours' AND NOT EXISTS (
                SELECT 1 FROM operations WHERE order_id = orders.id AND kind = 'refund' AND operations.state = 'pending'
            ) AND NOT EXISTS (
                SELECT 1 FROM payouts WHERE order_id = orders.id
                  AND payouts.state IN ('queued', 'sending', 'submitted')
            ))
            OR (state IN ('awaiting_payment', 'authenticating', 'awaiting_deposit')
                AND expires_at < now() - interval '15 minutes')
        )
        """,
    ),
    Invariant(
        "R-10",
        "The same fact moved an order once.",
        """
        SELECT order_id, trigger, cause, count(*) AS times FROM transitions
        GROUP BY order_id, trigger, cause HAVING count(*) > 1
        """,
    ),
    Invariant(
        "R-11",
        "An order that has ended is not on hold.",
        """
        SELECT id, state FROM orders
        WHERE hold IS NOT NULL AND state IN ('completed', 'failed', 'canceled', 'expired', 'refunded')
        """,
    ),
    Invariant(
        "R-12",
        "Every event is of the type that its transition calls for.",
        f"""
        SELECT events.id, events.type, edge.event AS expected
        FROM events JOIN transitions ON order_id = resource_id AND transitions.sequence = resource_sequence
        JOIN orders ON orders.id = order_id
        JOIN {_edges()} ON edge.direction = orders.direction AND edge.source = transitions.source
            AND edge.trigger = transitions.trigger
        WHERE resource_type = 'order' AND events.type <> edge.event
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-13",
        "Every event of an order shows that order, at that move, to its own partner.",
        """
        SELECT events.id, resource_id FROM events LEFT JOIN orders ON orders.id = resource_id
        WHERE resource_type = 'order' AND (
            events.partner_id IS DISTINCT FROM orders.partner_id
            OR data #>> '{object,id}' IS DISTINCT FROM resource_id
            OR data #>> '{object,sequence}' IS DISTINCT FROM resource_sequence::text
        )
        """,
    ),
)
