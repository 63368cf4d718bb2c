"""What must be true of reconciliation: a break is what was done about it, and corrections take two people."""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant

RULES: Final = (
    Invariant(
        "R-150",
        "A line of theirs is matched to an entry that moves its asset, in a run that was done.",
        """
        SELECT line.source, line.reference, line.entry_id FROM reconciliation_lines AS line WHERE NOT EXISTS (
            SELECT 1 FROM postings WHERE postings.entry_id = line.entry_id AND postings.asset = line.asset
        ) OR NOT EXISTS (
            SELECT 1 FROM reconciliation_runs AS run
            WHERE run.id = run_id AND run.source = line.source AND run.state = 'done'
        )
        """,
    ),
    Invariant(
        "R-151",
        "A break stands as the last thing that was done about it says, and all of that is numbered without gaps.",
        """
        SELECT broken.id, broken.state, last.action FROM reconciliation_breaks AS broken LEFT JOIN LATERAL (
            SELECT action, sequence, actor, entry_id, count(*) OVER () AS times FROM reconciliation_actions
            WHERE break_id = broken.id ORDER BY sequence DESC LIMIT 1
        ) AS last ON true
        WHERE last.action IS NULL OR last.sequence <> broken.sequence OR last.times <> broken.sequence
           OR (broken.state = 'open') <> (last.action IN ('opened', 'reopened', 'proposed'))
           OR (broken.state = 'resolved' AND (broken.resolution, broken.resolved_by, broken.correction_id)
               IS DISTINCT FROM (last.action, last.actor, last.entry_id))
        """,
    ),
    Invariant(
        "R-152",
        "Every correction is of one break, of just its amount, and was proposed by another person than approved it.",
        """
        SELECT entries.id, entries.subject, done.actor FROM entries
        LEFT JOIN reconciliation_actions AS done ON done.entry_id = entries.id AND done.action = 'corrected'
        LEFT JOIN reconciliation_breaks AS broken ON broken.id = done.break_id AND broken.id = entries.subject
        LEFT JOIN reconciliation_actions AS asked
            ON asked.break_id = done.break_id AND asked.sequence = done.sequence - 1 AND asked.action = 'proposed'
        WHERE entries.kind = 'correction' AND (
            broken.id IS NULL OR asked.actor IS NULL OR asked.actor = done.actor OR asked.account <> done.account
            OR 2 <> (
                SELECT count(*) FROM postings WHERE entry_id = entries.id AND postings.asset = broken.asset
                  AND (postings.account = broken.account OR postings.account = done.account)
            )
        )
        UNION ALL
        SELECT break_id, entry_id, actor FROM reconciliation_actions AS done WHERE action = 'corrected'
          AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.id = done.entry_id AND kind = 'correction')
        """,
    ),
    Invariant(
        "R-153",
        "In every run, theirs less ours is what is pending, explained and broken, to the unit.",
        """
        SELECT runs.id, source, asset FROM reconciliation_runs AS runs, jsonb_each(balances) AS each (asset, units)
        WHERE (units ->> 'theirs')::numeric - (units ->> 'ours')::numeric
            <> (units ->> 'pending')::numeric + (units ->> 'explained')::numeric + (units ->> 'broken')::numeric
        """,
    ),
)
