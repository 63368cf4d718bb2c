"""Breaks as they come and go: opened, opened again and resolved, each time with who did it and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from app.db import reconciliation as rows
from app.db.alerts import raise_alert, resolve_alert
from app.db.columns import new_id
from app.db.database import Transaction
from app.db.reconciliation import ReconciliationAction, ReconciliationBreak, ReconciliationRun
from app.domain.reconciliation import Break, BreakKind

BY: Final = "reconciliation"
_BROKEN: Final = "reconciliation_break"


def is_explained(earlier: ReconciliationBreak | None, now: Break, read_at: datetime) -> bool:
    """Whether a person has explained just this, or has booked a correction after our books were read."""
    if earlier is None or earlier.units != now.units:
        return False
    corrected_since = earlier.resolved_at is not None and earlier.resolved_at > read_at
    return earlier.resolution == "explained" or (earlier.resolution == "corrected" and corrected_since)


async def found(
    tx: Transaction, run: ReconciliationRun, account: str, earlier: ReconciliationBreak | None, now: Break
) -> None:
    """Open a break, or open it again; one that is open stays so, with what it is now.

    One whose amount has changed is opened again as well: what was proposed about it was about another amount.
    """
    if earlier is None:
        made = ReconciliationBreak(
            id=new_id("rb"),
            source=run.source,
            account=account,
            kind=now.kind.value,
            thing=now.thing,
            asset=now.asset,
            units=now.units,
            line_reference=now.line,
            entry_id=now.entry_id,
            line_at=now.at,
            detail=now.reason,
            state="open",
            opened_at=run.started_at,
            seen_in=run.id,
        )
        await rows.insert_break(tx, made)
        await rows.record(tx, _action(made, "opened", BY, now.reason))
        await _tell(tx, made)
        return
    is_the_same = earlier.state == "open" and earlier.units == now.units
    earlier.kind, earlier.units, earlier.detail, earlier.seen_in = now.kind.value, now.units, now.reason, run.id
    if not is_the_same:
        earlier.state, earlier.sequence = "open", earlier.sequence + 1
        earlier.resolution = earlier.resolved_by = earlier.note = earlier.correction_id = None
        await rows.record(tx, _action(earlier, "reopened", BY, now.reason))
        await _tell(tx, earlier)
    await rows.store_break(tx, earlier)


async def _tell(tx: Transaction, broken: ReconciliationBreak) -> None:
    detail = f"{broken.source} {broken.thing}: {broken.kind}, {broken.units} units of {broken.asset}; {broken.detail}"
    await raise_alert(tx, _BROKEN, broken.id, detail)
    if broken.kind == BreakKind.DUPLICATE:
        # Who gives the second one back is the processor's own part: it looks for payments that it does not know.
        await raise_alert(tx, "provider_duplicate", f"{broken.source}:{broken.line_reference}", detail)


def _action(
    broken: ReconciliationBreak,
    action: str,
    actor: str,
    reason: str,
    *,
    account: str | None = None,
    entry_id: str | None = None,
) -> ReconciliationAction:
    return ReconciliationAction(
        break_id=broken.id,
        sequence=broken.sequence,
        action=action,
        actor=actor,
        reason=reason,
        account=account,
        entry_id=entry_id,
        at=datetime.now(UTC),
    )


async def resolve(
    tx: Transaction,
    broken: ReconciliationBreak,
    resolution: str,
    *,
    actor: str,
    reason: str,
    account: str | None = None,
    entry_id: str | None = None,
) -> None:
    """Resolve a locked break, and record who did it and why."""
    broken.state, broken.resolution, broken.resolved_by, broken.note = "resolved", resolution, actor, reason
    broken.correction_id, broken.sequence = entry_id, broken.sequence + 1
    await rows.store_break(tx, broken)
    await rows.record(tx, _action(broken, resolution, actor, reason, account=account, entry_id=entry_id))
    await resolve_alert(tx, _BROKEN, broken.id)


async def propose(tx: Transaction, broken: ReconciliationBreak, *, actor: str, reason: str, account: str) -> None:
    """Record what a person would book about a locked break; somebody else has to agree."""
    broken.sequence += 1
    await rows.store_break(tx, broken)
    await rows.record(tx, _action(broken, "proposed", actor, reason, account=account))
