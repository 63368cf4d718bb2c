"""Blocked deposits: coins whose sender is on a sanctions list are kept apart, and neither counted nor given back."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import holds, ledger
from app.db import orders as order_rows
from app.db import screening_cases as case_rows
from app.db.database import Transaction
from app.db.deposits import Deposit
from app.domain.assets import asset_by_id
from app.domain.bookkeeping_out import deposit_blocked, deposit_unblocked
from app.domain.deposit import DepositTrigger
from app.domain.money import Money
from app.domain.order import MACHINES, OrderTrigger
from app.domain.screening import HOLD, CaseKind, CaseState
from app.services import deposit_moves, orders, screening
from app.services.screening import Screened, Verdict

T = DepositTrigger
_CLEARED_BY = "screening"


async def may_count(tx: Transaction, deposit: Deposit, senders: Sequence[str]) -> bool:
    """Whether a confirmed deposit may be credited, by the addresses that paid it; else it stays, or is blocked.

    While no list is fresh enough to tell it stays confirmed, and is looked at again.
    """
    verdict = await screening.check(tx, [Screened(address, deposit.id) for address in senders])
    if verdict.hits:
        await screening.record(tx, deposit.id, deposit.partner_id, verdict)
        await _block(tx, deposit)
        return False
    for case in await case_rows.of_subject(tx, deposit.id, CaseState.OPEN):
        if verdict.is_clear and case.kind == CaseKind.UNCHECKED:
            await case_rows.decide(tx, case, CaseState.CLEARED, actor=_CLEARED_BY, reason="a fresh list clears it")
    if not verdict.is_clear:
        await _wait(tx, deposit, verdict)
    return verdict.is_clear


async def _wait(tx: Transaction, deposit: Deposit, verdict: Verdict) -> None:
    if not await case_rows.of_subject(tx, deposit.id, CaseState.OPEN):
        await screening.record(tx, deposit.id, deposit.partner_id, verdict)


async def _block(tx: Transaction, deposit: Deposit) -> None:
    """Book the coins as nobody's. The wallet does not spend them: what becomes of them a person decides."""
    entry = deposit_blocked(f"{deposit.id}:block:{deposit.sequence}", deposit.network, _amount(deposit))
    await ledger.post(tx, entry, subject=deposit.id)
    await deposit_moves.move(tx, deposit, T.BLOCKED, hold=await holds.document(tx, HOLD), reason=HOLD)
    if deposit.order_id is None:
        return
    order = await order_rows.lock(tx, deposit.order_id)
    assert order is not None  # noqa: S101 - a foreign key
    if order.hold is None and MACHINES[order.order_direction].allows(order.order_state, OrderTrigger.HELD):
        await orders.hold(tx, order.id, HOLD, cause=f"{deposit.id}:{deposit.sequence}")


async def unblock(tx: Transaction, deposit: Deposit, *, actor: str, reason: str) -> None:
    """Let a locked blocked deposit count as any other: the follower credits it with its next look."""
    await undo(tx, deposit)
    await deposit_moves.move(tx, deposit, T.CLEARED, actor=actor, reason=reason)


async def undo(tx: Transaction, deposit: Deposit) -> None:
    """Take back what a blocked deposit booked; its state is the caller's to change."""
    entry = deposit_unblocked(f"{deposit.id}:unblock:{deposit.sequence}", deposit.network, _amount(deposit))
    await ledger.post(tx, entry, subject=deposit.id)


def _amount(deposit: Deposit) -> Money:
    return Money(deposit.units, asset_by_id(deposit.asset))
