"""What people do about breaks: say what one is, or book a correction, which takes two of them."""

from __future__ import annotations

from typing import Final

from app.db import ledger
from app.db import reconciliation as rows
from app.db.database import Database, Transaction
from app.db.pages import Page
from app.db.partners import Caller
from app.db.reconciliation import BreakFilter, ReconciliationBreak
from app.domain import chart
from app.domain.assets import asset_by_id
from app.domain.bookkeeping_out import correction
from app.domain.errors import ConflictState, NotFound, SelfApprovalForbidden, ValidationFailed
from app.domain.money import Money
from app.schemas.reconciliation import BreakList, ResolutionIn, RunList
from app.services import break_moves, idempotent
from app.services.break_view import break_out, run_out
from app.services.idempotent import Answer, IdempotentRequest

# Where the other side of a correction may stand. Partners, orders and payouts have doors of their own.
ACCOUNTS: Final = (
    chart.EQUITY_OPERATOR,
    chart.EXPENSE_PROVIDER,
    chart.EXPENSE_NETWORK,
    chart.SUSPENSE,
    chart.RECEIVABLE_RECOVERY,
    chart.LOSS_DISPUTE,
    chart.LOSS_REORG,
    chart.REVENUE_FEE,
)


async def explain(tx: Transaction, break_id: str, *, actor: str, reason: str) -> ReconciliationBreak:
    """Say what it is: while its units stay the same it is explained from now on, and nothing is booked.

    Raises NotFound, and ConflictState for one that is not open.
    """
    broken = await _open(tx, break_id)
    await break_moves.resolve(tx, broken, "explained", actor=actor, reason=reason)
    return broken


async def propose(tx: Transaction, break_id: str, account: str, *, actor: str, reason: str) -> ReconciliationBreak:
    """Ask for a correcting entry against one of ACCOUNTS; nothing moves before somebody else approves it.

    Raises NotFound, ValidationFailed for another account, ConflictState for a break that is not open.
    """
    if account not in ACCOUNTS:
        raise ValidationFailed(f"A correction stands against one of {', '.join(ACCOUNTS)}.", pointer="/account")
    broken = await _open(tx, break_id)
    await break_moves.propose(tx, broken, actor=actor, reason=reason, account=account)
    return broken


async def approve(tx: Transaction, break_id: str, *, actor: str, reason: str) -> ReconciliationBreak:
    """Book what another person has proposed last: the source's account then has what they have.

    Raises NotFound, ConflictState where nothing is proposed, SelfApprovalForbidden for the one who did.
    """
    broken = await _open(tx, break_id)
    asked = await rows.last_action(tx, break_id)
    if asked is None or asked.action != "proposed" or asked.account is None:
        raise ConflictState("Nothing is proposed that could be approved.")
    if asked.actor == actor:
        raise SelfApprovalForbidden("Who proposed a correction cannot approve it.")
    amount = Money(broken.units, asset_by_id(broken.asset))
    entry = correction(f"{broken.id}:{broken.sequence}", broken.account, asked.account, amount)
    entry_id = await ledger.post(tx, entry, subject=broken.id)
    await break_moves.resolve(
        tx, broken, "corrected", actor=actor, reason=reason, account=asked.account, entry_id=entry_id
    )
    return broken


async def act(db: Database, caller: Caller, break_id: str, body: ResolutionIn, request: IdempotentRequest) -> Answer:
    """Do what an operator's key asks about a break; it is the key that is recorded.

    Raises ValidationFailed when an account is missing or too much, and what the three acts raise.
    """
    actor, reason = caller.key_id, body.reason
    if (body.account is not None) is not (body.action == "propose_correction"):
        raise ValidationFailed("An account belongs to a proposed correction, and to nothing else.", pointer="/account")

    async def done(tx: Transaction) -> tuple[int, bytes]:
        if body.account is not None:
            broken = await propose(tx, break_id, body.account, actor=actor, reason=reason)
        elif body.action == "explain":
            broken = await explain(tx, break_id, actor=actor, reason=reason)
        else:
            broken = await approve(tx, break_id, actor=actor, reason=reason)
        return 200, break_out(broken).model_dump_json().encode()

    return await idempotent.run(db, request, done)


async def _open(tx: Transaction, break_id: str) -> ReconciliationBreak:
    broken = await rows.lock_break(tx, break_id)
    if broken is None:
        raise NotFound
    if broken.state != "open":
        raise ConflictState("This break is resolved.")
    return broken


async def list_page(db: Database, wanted: BreakFilter, page: Page) -> BreakList:
    """Breaks, newest first; raises NotFound for an unknown cursor."""
    shown, more = await rows.page_of_breaks(db, wanted, page)
    return BreakList(data=[break_out(one) for one in shown], has_more=more)


async def list_runs(db: Database, source: str | None, page: Page) -> RunList:
    """Runs, newest first; raises NotFound for an unknown cursor."""
    shown, more = await rows.page_of_runs(db, source, page)
    return RunList(data=[run_out(one) for one in shown], has_more=more)
