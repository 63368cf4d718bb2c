"""Breaks and runs as an operator's key sees them."""

from __future__ import annotations

from datetime import UTC, datetime

from app.db.reconciliation import ReconciliationBreak, ReconciliationRun
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.schemas.base import MoneyOut, decimal_of
from app.schemas.reconciliation import BalanceOut, BreakOut, RunOut


def break_out(broken: ReconciliationBreak) -> BreakOut:
    """Build the public break from its row."""
    end = broken.resolved_at or datetime.now(UTC)
    return BreakOut.model_validate(
        {
            "id": broken.id,
            "sequence": broken.sequence,
            "source": broken.source,
            "kind": broken.kind,
            "status": broken.state,
            "about": broken.thing,
            "amount": MoneyOut.of(Money(broken.units, asset_by_id(broken.asset))),
            "line": broken.line_reference,
            "ledger_entry_id": broken.entry_id,
            "line_at": broken.line_at,
            "reason": broken.detail,
            "opened_at": broken.opened_at,
            "age_seconds": max(0, int((end - broken.opened_at).total_seconds())),
            "resolution": broken.resolution,
            "resolved_by": broken.resolved_by,
            "resolved_at": broken.resolved_at,
            "note": broken.note,
            "correction_entry_id": broken.correction_id,
        }
    )


def run_out(run: ReconciliationRun) -> RunOut:
    """Build the public run from its row."""
    return RunOut.model_validate(
        {
            "id": run.id,
            "source": run.source,
            "status": run.state,
            "night": run.night,
            "at_block": run.at_block,
            "lines": run.lines,
            "matched": run.matched,
            "pending": run.pending,
            "breaks": run.breaks,
            "balances": [_balance_out(asset, units) for asset, units in run.balances.items()],
            "error": run.error,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
        }
    )


def _balance_out(asset_id: str, units: object) -> BalanceOut:
    assert isinstance(units, dict)  # noqa: S101 - as the run wrote it
    asset = asset_by_id(asset_id)
    amounts = {name: decimal_of(int(value), asset) for name, value in units.items()}
    return BalanceOut(asset=asset.code, network=asset.network, **amounts)
