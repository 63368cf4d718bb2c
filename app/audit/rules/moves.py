"""What must be true of how payouts, batches, deposits and external accounts move, and of what is told of it."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant
from app.domain import deposit, external_account, payout, payout_batch
from app.domain.deposit import DEPOSIT
from app.domain.external_account import EXTERNAL_ACCOUNT
from app.domain.payout import PAYOUT
from app.domain.payout_batch import BATCH


def _edges() -> str:
    """The published tables as rows of (kind, source, trigger, target, event); null where nobody is told."""
    rows = [
        *(("payout", s, t, to, payout.event_of(t)) for s, t, to in PAYOUT.edges()),
        *(("payout_batch", s, t, to, payout_batch.event_of(t)) for s, t, to in BATCH.edges()),
        *(("deposit", s, t, to, deposit.event_of(t)) for s, t, to in DEPOSIT.edges()),
        *(("external_account", s, t, to, external_account.event_of(t)) for s, t, to in EXTERNAL_ACCOUNT.edges()),
    ]
    told = ((*words, "NULL" if event is None else f"'{event}'") for *words, event in rows)
    values = ", ".join(f"('{kind}', '{s}', '{t}', '{to}', {event})" for kind, s, t, to, event in told)
    return f"(VALUES {values}) AS edge (kind, source, trigger, target, event)"


# Everything that moves, with the state from which its first move begins.
_MOVING = """(
    SELECT 'payout' AS kind, id, partner_id, state, sequence, 'created' AS born FROM payouts
    UNION ALL SELECT 'payout_batch', id, partner_id, state, sequence, 'created' FROM payout_batches
    UNION ALL SELECT 'deposit', id, partner_id, state, sequence, 'new' FROM deposits
    UNION ALL SELECT 'external_account', id, partner_id, status, sequence, 'new' FROM external_accounts
) AS moving"""

RULES: Final = (
    Invariant(
        "R-50",
        "Every move of a payout, batch, deposit or external account is an edge of its table.",
        f"""
        SELECT resource_id, moves.sequence, moves.source, moves.trigger, moves.target
        FROM moves LEFT JOIN {_MOVING} ON moving.id = resource_id
        LEFT JOIN {_edges()} ON edge.kind = moving.kind AND (edge.source, edge.trigger, edge.target)
            = (moves.source, moves.trigger, moves.target)
        WHERE edge.kind IS NULL
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-51",
        "Moves are numbered without gaps, each begins where the last one ended, and the row stands at the last.",
        f"""
        SELECT resource_id, sequence, 'does not follow' AS problem FROM (
            SELECT resource_id, moves.sequence, source, born, lag(target) OVER told AS before,
                   row_number() OVER told AS place
            FROM moves JOIN {_MOVING} ON moving.id = resource_id
            WINDOW told AS (PARTITION BY resource_id ORDER BY moves.sequence)
        ) AS chained
        WHERE sequence <> place OR source <> coalesce(before, born)
        UNION ALL
        SELECT moving.id, moving.sequence, 'stands elsewhere' FROM {_MOVING}
        LEFT JOIN (
            SELECT DISTINCT ON (resource_id) resource_id, target, sequence FROM moves
            ORDER BY resource_id, sequence DESC
        ) AS last ON last.resource_id = moving.id
        WHERE moving.state IS DISTINCT FROM last.target OR moving.sequence IS DISTINCT FROM last.sequence
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-52",
        "The same fact moved a payout, batch, deposit or external account once.",
        """
        SELECT resource_id, trigger, cause, count(*) AS times FROM moves
        GROUP BY resource_id, trigger, cause HAVING count(*) > 1
        """,
    ),
    Invariant(
        "R-53",
        "Every move that the public can see told its one event, of its own type, and no other event was told.",
        f"""
        SELECT coalesce(due.resource_id, told.resource_id) AS resource_id,
               coalesce(due.sequence, told.resource_sequence) AS sequence, due.event AS expected, told.type
        FROM (
            SELECT resource_id, moves.sequence, event FROM moves JOIN {_MOVING} ON moving.id = resource_id
            JOIN {_edges()} ON edge.kind = moving.kind AND (edge.source, edge.trigger, edge.target)
                = (moves.source, moves.trigger, moves.target)
            WHERE event IS NOT NULL
        ) AS due
        FULL JOIN (
            SELECT resource_id, resource_sequence, min(type) AS type, count(*) AS times FROM events
            WHERE resource_type IN ('payout', 'payout_batch', 'deposit', 'external_account')
            GROUP BY resource_id, resource_sequence
        ) AS told ON told.resource_id = due.resource_id AND told.resource_sequence = due.sequence
        WHERE due.event IS DISTINCT FROM told.type OR told.times <> 1
        """,  # noqa: S608 - our own words
    ),
    Invariant(
        "R-54",
        "Every event of a payout, batch, deposit or external account shows it, at that move, to its own partner.",
        f"""
        SELECT events.id, resource_id FROM events LEFT JOIN {_MOVING} ON moving.id = resource_id
        WHERE resource_type IN ('payout', 'payout_batch', 'deposit', 'external_account') AND (
            events.partner_id IS DISTINCT FROM moving.partner_id OR resource_type IS DISTINCT FROM moving.kind
            OR data #>> '{{object,id}}' IS DISTINCT FROM resource_id
            OR data #>> '{{object,sequence}}' IS DISTINCT FROM resource_sequence::text
        )
        """,  # noqa: S608 - our own words
    ),
)
