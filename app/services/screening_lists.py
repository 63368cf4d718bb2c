"""Lists of sanctioned addresses: which are required, bringing in a new one, and what that sets free."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import structlog

from app.db import orders as order_rows
from app.db import screening as rows
from app.db import screening_cases as case_rows
from app.db.alerts import resolve_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.screening import ScreeningList, ScreeningRule
from app.db.screening_cases import ScreeningCase
from app.domain.errors import ConflictState
from app.domain.order import OrderTrigger
from app.domain.payout import PayoutTrigger
from app.domain.screening import HOLD, CaseKind, CaseState, Freshness, match_key
from app.ports.screening import ListFormat
from app.services import orders, payouts
from app.services.orders import Fact
from app.services.payouts import PayoutFact

log = structlog.get_logger(__name__)

_BY = "screening"
_WHY = "a fresh list came: it is checked anew"


async def require(db: Database, required: dict[str, Freshness]) -> None:
    """Make these lists required, by source, and no others. Said at every start of a process, from its settings."""
    made = [
        ScreeningRule(
            source=source,
            fetched_within_seconds=int(freshness.fetched_within.total_seconds()),
            issued_within_seconds=int(freshness.issued_within.total_seconds()),
            updated_at=datetime.now(UTC),
        )
        for source, freshness in required.items()
    ]
    async with db.transaction() as tx:
        await rows.require(tx, made)


async def bring_in(db: Database, form: ListFormat, path: Path, *, actor: str) -> ScreeningList:
    """Import a file; from then on its addresses are those of the list. What only waited for it goes on.

    Raises ListUnreadable, OSError, and ConflictState for a list that is older than the one that is there, or of the
    future.
    """
    read = await asyncio.to_thread(form.read, path)
    digest = await asyncio.to_thread(_digest, path)
    now = datetime.now(UTC)
    made = ScreeningList(
        id=new_id("sl"),
        source=form.source,
        issued_at=datetime.combine(read.issued_on, time(), UTC),
        sha256=digest,
        addresses=0,
        added=0,
        removed=0,
        imported_by=actor,
        imported_at=now,
    )
    if made.issued_at > now + timedelta(days=1):
        raise ConflictState(f"The list says that it was issued on {read.issued_on}, which is to come.")
    unique = {(match_key(one.address), one.label, one.entry): one for one in read.addresses}
    addresses = [(key, one.address, label, entry, one.name) for (key, label, entry), one in unique.items()]
    async with db.transaction() as tx:
        before = await rows.newest_list(tx, form.source)
        if before is not None and before.issued_at > made.issued_at:
            raise ConflictState(f"The list that is there was issued later: on {before.issued_at.date()}.")
        made = await rows.replace(tx, made, addresses)
    log.info("screening.imported", source=made.source, addresses=made.addresses, added=made.added, gone=made.removed)
    await _go_on(db)
    return made


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _go_on(db: Database) -> None:
    """End what waited for a list that can be believed, once every required one can be."""
    async with db.transaction() as tx:
        if any(standing.problem for standing in await rows.standings(tx)):
            return
        await resolve_alert(tx, "screening_stale", "lists")
        waiting = await case_rows.open_cases(tx, CaseKind.UNCHECKED)
    for case in waiting:
        async with db.transaction() as tx:
            await _clear(tx, case.id)


async def _clear(tx: Transaction, case_id: str) -> None:
    """Take the hold off; whatever goes on is checked again before its money moves."""
    seen = await case_rows.peek_case(tx, case_id)
    assert seen is not None  # noqa: S101 - cases are never deleted
    await release_hold(tx, seen, actor=_BY, reason=_WHY)
    case = await case_rows.lock_case(tx, case_id)
    if case is not None and case.case_state is CaseState.OPEN:
        await case_rows.decide(tx, case, CaseState.CLEARED, actor=_BY, reason=_WHY)


async def release_hold(tx: Transaction, case: ScreeningCase, *, actor: str, reason: str) -> None:
    """Let an order or a payout go on that this case holds, unless another one does; deposits have no such hold."""
    if await _others(tx, case):
        return
    if case.subject.startswith("or_"):
        await release_order(tx, case.subject, cause=case.id, actor=actor, reason=reason)
    elif case.subject.startswith("po_"):
        payout = await payouts.lock(tx, case.subject)
        if payout is not None and payout.hold is not None and payout.hold["reason"] == HOLD:
            await payouts.move(tx, payout, PayoutFact(PayoutTrigger.RELEASED, case.id, actor=actor, reason=reason))


async def release_order(tx: Transaction, order_id: str, *, cause: str, actor: str, reason: str) -> None:
    """Take the hold of screening off an order, if that is what holds it."""
    order = await order_rows.lock(tx, order_id)
    if order is not None and order.hold is not None and order.hold["reason"] == HOLD:
        await orders.move(tx, order, Fact(OrderTrigger.RELEASED, cause, actor=actor, reason=reason))


async def _others(tx: Transaction, case: ScreeningCase) -> Sequence[ScreeningCase]:
    return [one for one in await case_rows.stopping(tx, [case.subject]) if one.id != case.id]
