"""What an operator makes of a case: it may go on, or it is who the list means and the money stays blocked."""

from __future__ import annotations

from app.db import chain
from app.db import deposits as deposit_rows
from app.db import orders as order_rows
from app.db import screening_cases as rows
from app.db.alerts import resolve_alert
from app.db.database import Transaction
from app.db.deposits import Deposit
from app.db.screening_cases import ScreeningCase
from app.domain.deposit import DepositState
from app.domain.errors import ConflictState, NotFound
from app.domain.order import MACHINES, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.payout import PAYOUT, PayoutKind, PayoutTrigger
from app.domain.screening import CASE, HOLD, CaseState, CaseTrigger
from app.ports.outcome import Decline
from app.services import deposit_blocks, orders, payouts
from app.services.orders import Fact
from app.services.payouts import PayoutFact
from app.services.receipts import failure_document
from app.services.screening_lists import release_hold, release_order

# What the partner reads: never why.
_FAILURE = Decline(HOLD, None, "This could not be carried out.")


async def release(tx: Transaction, case_id: str, *, actor: str, reason: str) -> ScreeningCase:
    """A person found that it may go on: for this subject, that address counts as clear from now on.

    Raises NotFound, and IllegalTransition for a case that has ended.
    """
    seen = await _seen(tx, case_id, CaseTrigger.RELEASED)
    deposit = await _locked_deposit(tx, seen)
    case = await _end(tx, case_id, CaseTrigger.RELEASED, actor=actor, reason=reason)
    if deposit is None:
        await release_hold(tx, case, actor=actor, reason=reason)
    elif not await rows.of_subject(tx, deposit.id, CaseState.OPEN, CaseState.CONFIRMED):
        if deposit.deposit_state is DepositState.BLOCKED:
            await deposit_blocks.unblock(tx, deposit, actor=actor, reason=reason)
        await _release_order_of(tx, deposit, case, actor=actor, reason=reason)
    return case


async def confirm(tx: Transaction, case_id: str, *, actor: str, reason: str) -> ScreeningCase:
    """A person found that it is who the list means: the money stays with us, in `blocked:sanctions`, for good.

    Raises NotFound, IllegalTransition for a case that has ended, and ConflictState for one that is no match.
    """
    seen = await _seen(tx, case_id, CaseTrigger.CONFIRMED)
    if not seen.is_match:
        raise ConflictState("Nothing was found here: import a fresh list, or release it.")
    deposit = await _locked_deposit(tx, seen)
    if seen.subject.startswith("or_"):
        await _end_order(tx, seen, actor=actor, reason=reason)
    elif seen.subject.startswith("po_"):
        await _end_payout(tx, seen, actor=actor, reason=reason)
    case = await _end(tx, case_id, CaseTrigger.CONFIRMED, actor=actor, reason=reason)
    if deposit is not None:
        await _forget_coins(tx, deposit, case, actor=actor, reason=reason)
    return case


async def _seen(tx: Transaction, case_id: str, trigger: CaseTrigger) -> ScreeningCase:
    seen = await rows.peek_case(tx, case_id)
    if seen is None:
        raise NotFound
    CASE.target(seen.case_state, trigger)
    return seen


async def _end(tx: Transaction, case_id: str, trigger: CaseTrigger, *, actor: str, reason: str) -> ScreeningCase:
    """Record the decision. The case is locked after what it is about, as everywhere."""
    case = await rows.lock_case(tx, case_id)
    assert case is not None  # noqa: S101 - seen before, and never deleted
    await rows.decide(tx, case, CASE.target(case.case_state, trigger), actor=actor, reason=reason)
    await resolve_alert(tx, "screening_match", case.subject)
    return case


async def _locked_deposit(tx: Transaction, case: ScreeningCase) -> Deposit | None:
    """The deposit that a case is about, locked in its network's turn; None for a case about something else."""
    if not case.subject.startswith("dp_"):
        return None
    seen = await deposit_rows.peek(tx, case.subject)
    assert seen is not None  # noqa: S101 - cases are of what there is
    await chain.take_turn(tx, seen.network)
    return await deposit_rows.lock(tx, case.subject)


async def _release_order_of(tx: Transaction, deposit: Deposit, case: ScreeningCase, *, actor: str, reason: str) -> None:
    if deposit.order_id is not None and not await rows.stopping(tx, [deposit.order_id]):
        await release_order(tx, deposit.order_id, cause=case.id, actor=actor, reason=reason)


async def _forget_coins(tx: Transaction, deposit: Deposit, case: ScreeningCase, *, actor: str, reason: str) -> None:
    """Blocked coins are none that their order can count on: it waits for others, until its window closes."""
    await _release_order_of(tx, deposit, case, actor=actor, reason=reason)
    if deposit.order_id is None or await deposit_rows.is_pending(tx, deposit.order_id):
        return
    order = await order_rows.lock(tx, deposit.order_id)
    assert order is not None  # noqa: S101 - a foreign key
    if MACHINES[order.order_direction].allows(order.order_state, OrderTrigger.DEPOSIT_VANISHED):
        await orders.move(tx, order, Fact(OrderTrigger.DEPOSIT_VANISHED, case.id))


async def _end_order(tx: Transaction, case: ScreeningCase, *, actor: str, reason: str) -> None:
    """End an order whose coins were not to leave; what the customer paid for them is blocked."""
    order = await order_rows.lock(tx, case.subject)
    assert order is not None  # noqa: S101 - cases are of what there is
    if not MACHINES[order.order_direction].allows(order.order_state, OrderTrigger.BLOCKED):
        return  # it has ended otherwise: its money was taken back, and there is nothing to block
    moved = Moved(case.id, amount=await orders.money_held(tx, order))
    failure = failure_document(_FAILURE)
    fact = Fact(OrderTrigger.BLOCKED, case.id, moved=moved, failure=failure, actor=actor, reason=reason)
    await orders.move(tx, order, fact)


async def _end_payout(tx: Transaction, case: ScreeningCase, *, actor: str, reason: str) -> None:
    """End a payout that was not to leave. The order whose coins were to go back stays where it is, for a person."""
    payout = await payouts.lock(tx, case.subject)
    assert payout is not None  # noqa: S101 - cases are of what there is
    if not PAYOUT.allows(payout.payout_state, PayoutTrigger.BLOCKED):
        return
    failure = failure_document(_FAILURE)
    fact = PayoutFact(PayoutTrigger.BLOCKED, case.id, failure=failure, actor=actor, reason=reason)
    await payouts.move(tx, payout, fact)
    if payout.payout_kind is not PayoutKind.REFUND:
        return
    order = await order_rows.lock(tx, payout.order_id or "")
    assert order is not None  # noqa: S101 - a foreign key
    if order.hold is None and MACHINES[order.order_direction].allows(order.order_state, OrderTrigger.HELD):
        await orders.hold(tx, order.id, HOLD, cause=case.id, actor=actor)
