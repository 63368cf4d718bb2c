"""Errors in what reconciliation has kept."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import entry, plant, then

_ACTION = (
    "INSERT INTO reconciliation_actions (break_id, sequence, action, actor, reason, account, entry_id)"
    " SELECT id, sequence + 1, {}, 'ada', 'planted', 'expense:provider', {} FROM reconciliation_breaks;"
    "UPDATE reconciliation_breaks SET sequence = sequence + 1"
)

PLANTS: Final = (
    plant(
        "a line that is an entry of another asset",
        "R-150",
        "UPDATE reconciliation_lines SET asset = 'JPY' WHERE reference ="
        " (SELECT min(reference) FROM reconciliation_lines WHERE source = 'increase')",
    ),
    plant(
        "a line that no run has matched",
        "R-150",
        "UPDATE reconciliation_lines SET run_id = 'rr_none' WHERE reference ="
        " (SELECT min(reference) FROM reconciliation_lines WHERE source = 'bitcoin')",
    ),
    plant("a break that nobody opened", "R-151", "DELETE FROM reconciliation_actions"),
    plant(
        "a break that is resolved by decree",
        "R-151",
        "UPDATE reconciliation_breaks SET state = 'resolved', resolution = 'explained', resolved_by = 'ada',"
        " note = 'x', resolved_at = now()",
    ),
    plant(
        "a correction of nothing",
        "R-152",
        entry("correction", None, ("equity:operator", "USD", 5), ("suspense:unmatched", "USD", -5)),
    ),
    plant(
        "a correction that one person made alone",
        "R-152",
        then(
            _ACTION.format("'proposed'", "NULL"),
            entry(
                "correction", None, ("bank:increase", "USD", -100), ("expense:provider", "USD", 100), reference="alone"
            ),
            "UPDATE entries SET subject = (SELECT id FROM reconciliation_breaks) WHERE id = 'le_alone'",
            _ACTION.format("'corrected'", "'le_alone'"),
            "UPDATE reconciliation_breaks SET state = 'resolved', resolution = 'corrected', resolved_by = 'ada',"
            " note = 'x', resolved_at = now(), correction_id = 'le_alone'",
        ),
    ),
    plant(
        "a run that lost a unit",
        "R-153",
        "UPDATE reconciliation_runs SET balances = jsonb_set(balances, '{{USD,pending}}', '\"1\"')"
        " WHERE source = 'increase'",
    ),
)
