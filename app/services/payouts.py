"""Payouts: `move_all`, the only way payouts move, one or hundreds at once, and what callers build on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from app.db import approvals as approval_rows
from app.db import events, holds, ledger, moves, payout_writes
from app.db import orders as order_rows
from app.db import payout_batches as batch_rows
from app.db import payouts as payout_rows
from app.db import screening_cases as case_rows
from app.db.alerts import raise_alert
from app.db.columns import Document
from app.db.database import Transaction
from app.db.events import NewEvent
from app.db.jobs import Job, JobName, enqueue
from app.db.moves import Move
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain.assets import asset_by_id
from app.domain.errors import ConflictState, NotFound
from app.domain.ledger import Entry
from app.domain.money import Money
from app.domain.order import MACHINES, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.payout import ENDED, PAYOUT, PayoutKind, PayoutMethod, PayoutState, PayoutTrigger, event_of
from app.schemas.payouts import PayoutOut
from app.services import orders
from app.services.orders import Fact
from app.services.payout_view import payout_out

log = structlog.get_logger(__name__)
S = PayoutState
T = PayoutTrigger

_FREES = frozenset({T.CANCELED, T.REJECTED, T.FAILED})
_ENDS_UNPAID = _FREES | {T.BLOCKED}
_UNCHANGING = frozenset({"updated_at", "allowed_actions"})


@dataclass(frozen=True, slots=True)
class PayoutFact:
    """Something that happened to payouts. `cause` names it for good: told twice, it moves a payout once."""

    trigger: PayoutTrigger
    cause: str
    hold: Document | None = None
    failure: Document | None = None
    returned: Document | None = None
    provider_reference: str | None = None
    provider_status: str | None = None
    tx_hash: str | None = None
    file_id: str | None = None
    actor: str | None = None
    reason: str | None = None


async def lock(tx: Transaction, payout_id: str) -> Payout | None:
    """The payout, locked after its order, so that everybody takes the two in one order."""
    seen = await payout_rows.peek(tx, payout_id)
    if seen is not None and seen.order_id is not None:
        await order_rows.lock(tx, seen.order_id)
    return await payout_rows.lock(tx, payout_id)


async def begin(tx: Transaction, made: Sequence[Payout], cause: str, *, actor: str | None = None) -> None:
    """Write new payouts with their first move and event. Their money has been reserved by the caller."""
    await payout_writes.insert_many(tx, made)
    await moves.record(tx, [_first_move(payout, cause, actor) for payout in made])
    await events.record_all(tx, [_event(payout, _first_trigger(payout), payout_out(payout), None) for payout in made])
    await enqueue(tx, [Job(JobName.PAY_BANK, payout.id) for payout in made if waits_for_job(payout)])


def _first_trigger(payout: Payout) -> PayoutTrigger:
    return T.APPROVAL_REQUIRED if payout.payout_state is S.PENDING_APPROVAL else T.CREATED


def _first_move(payout: Payout, cause: str, actor: str | None) -> Move:
    return Move(payout.id, 1, S.CREATED.value, _first_trigger(payout).value, payout.state, cause, actor)


def waits_for_job(payout: Payout) -> bool:
    """Whether a job pays it; coins, and banks that take files, are paid by loops that take many at once."""
    by_loop = payout.payout_method in {PayoutMethod.CHAIN, PayoutMethod.SEPA}
    return payout.payout_state is S.QUEUED and not by_loop and payout.hold is None


async def move(tx: Transaction, payout: Payout, fact: PayoutFact) -> Payout | None:
    """Let a fact move one locked payout. None when it has moved it before; raises IllegalTransition."""
    if await moves.has(tx, payout.id, fact.trigger.value, fact.cause):
        return None
    await move_all(tx, [payout], fact)
    return payout


async def move_all(tx: Transaction, payouts: Sequence[Payout], fact: PayoutFact) -> None:
    """Let one fact move locked payouts, and write everything that follows in the caller's transaction.

    States, moves, events, ledger entries of bank payouts and of money that is free again, the orders that payouts
    belong to, and the counts of their batches. What coins book is booked once for their whole transaction, by the
    caller. Raises IllegalTransition when the table has no such edge for one of them; then nothing was written.
    """
    if not payouts:
        return
    sources = [payout.payout_state for payout in payouts]
    targets = [PAYOUT.target(source, fact.trigger) for source in sources]
    approvers = await _approvers(tx, payouts)
    before = [payout_out(payout, approved_by=approvers.get(payout.id)) for payout in payouts]
    for payout, target in zip(payouts, targets, strict=True):
        _apply(payout, fact, target)
    await payout_writes.store_moved(tx, payouts)
    await moves.record(
        tx,
        [
            Move(p.id, p.sequence, source.value, fact.trigger.value, p.state, fact.cause, fact.actor, fact.reason)
            for p, source in zip(payouts, sources, strict=True)
        ],
    )
    if event_of(fact.trigger) is not None:
        after = [payout_out(payout, approved_by=approvers.get(payout.id)) for payout in payouts]
        told = zip(payouts, after, before, strict=True)
        await events.record_all(tx, [_event(p, fact.trigger, later, earlier) for p, later, earlier in told])
    for payout, source in zip(payouts, sources, strict=True):
        for entry in _entries(payout, source, fact.trigger):
            await ledger.post(tx, entry, payout.order_id, subject=payout.id)
        if payout.order_id is not None:
            await _tell_order(tx, payout, source, fact)
    await _count(tx, payouts, sources, fact.trigger)
    await enqueue(tx, [Job(JobName.PAY_BANK, payout.id) for payout in payouts if _goes_on(payout, fact.trigger)])
    log.info("payouts.moved", count=len(payouts), first=payouts[0].id, trigger=fact.trigger)


async def _approvers(tx: Transaction, payouts: Sequence[Payout]) -> dict[str, str]:
    """Which key approved each of those that needed it."""
    bound = [payout.id for payout in payouts if payout.approval_hash is not None]
    given = await approval_rows.approved(tx, bound) if bound else {}
    return {payout_id: approval.key_id for payout_id, approval in given.items()}


def _goes_on(payout: Payout, trigger: PayoutTrigger) -> bool:
    if trigger is T.RELEASED and payout.payout_state is S.SENDING:
        return payout.payout_method not in {PayoutMethod.CHAIN, PayoutMethod.SEPA}
    return trigger in {T.APPROVED, T.RELEASED} and waits_for_job(payout)


def _apply(payout: Payout, fact: PayoutFact, target: PayoutState) -> None:
    if fact.trigger is T.HELD:
        payout.hold = fact.hold
    elif fact.trigger is T.RELEASED or target in ENDED:
        payout.hold = None
    payout.failure = fact.failure or payout.failure
    payout.returned = fact.returned or payout.returned
    payout.provider_reference = fact.provider_reference or payout.provider_reference
    payout.provider_status = fact.provider_status or payout.provider_status
    payout.tx_hash = fact.tx_hash or payout.tx_hash
    payout.file_id = fact.file_id or payout.file_id
    payout.state = target.value
    payout.sequence += 1


def _event(payout: Payout, trigger: PayoutTrigger, after: PayoutOut, before: PayoutOut | None) -> NewEvent:
    previous = "{}"
    if before is not None:
        fields = type(after).model_fields.keys() - _UNCHANGING
        changed = {name for name in fields if getattr(before, name) != getattr(after, name)}
        previous = before.model_dump_json(include=changed)
    kind = event_of(trigger)
    assert kind is not None  # noqa: S101 - asked before
    return NewEvent(
        partner_id=payout.partner_id,
        kind=kind,
        resource_type="payout",
        resource_id=payout.id,
        resource_sequence=payout.sequence,
        data=f'{{"object":{after.model_dump_json()},"previous":{previous}}}',
        request_id=payout.request_id,
    )


def _entries(payout: Payout, source: PayoutState, trigger: PayoutTrigger) -> Iterable[Entry]:
    """What a partner's own payout books; that of an order is booked with the order, coins by their transaction."""
    amount = Money(payout.units, asset_by_id(payout.asset))
    if trigger is T.BLOCKED:
        yield books.payout_blocked(payout.id, payout.subject, amount)
        return
    if payout.payout_kind is not PayoutKind.PAYOUT:
        return
    if trigger in _FREES or (trigger is T.RETURNED and source is not S.SETTLED):
        yield books.freed(f"{payout.id}:free", payout.subject, payout.partner_id, amount)
    elif payout.payout_method is PayoutMethod.CHAIN:
        return
    elif trigger is T.SETTLED:
        yield books.bank_settled(payout.id, payout.subject, payout.provider, amount)
    elif trigger is T.RETURNED:
        yield books.bank_returned(payout.id, payout.partner_id, payout.provider, amount)


# From the moment a request is fixed the money may be gone, so that is when the order is being paid out.
_SALE_FACTS = {
    T.PREPARED: OrderTrigger.PAYOUT_SUBMITTED,
    T.SETTLED: OrderTrigger.PAYOUT_SETTLED,
    T.FAILED: OrderTrigger.PAYOUT_FAILED,
    T.RETURNED: OrderTrigger.PAYOUT_RETURNED,
}


async def _tell_order(tx: Transaction, payout: Payout, source: PayoutState, fact: PayoutFact) -> None:
    """What a payout's move means for the order that it belongs to, which the caller has locked."""
    trigger = _order_trigger(payout, source, fact.trigger)
    if trigger is None:
        return
    order = await order_rows.lock(tx, payout.order_id or "")
    assert order is not None  # noqa: S101 - a foreign key
    if not MACHINES[order.order_direction].allows(order.order_state, trigger):
        if payout.payout_kind is PayoutKind.SALE:
            detail = f"{payout.id} is {payout.state}, and the order is {order.state}"
            await raise_alert(tx, "payout_out_of_step", order.id, detail)
        return
    moved = Moved(payout.id, amount=payout.units)
    if trigger is OrderTrigger.PAYOUT_RETURNED:
        available = await ledger.lock_available(tx, order.partner_id, order.destination_asset)
        moved = replace(moved, from_partner=min(available, order.partner_units))
    failure = fact.failure or fact.returned
    await orders.move(tx, order, Fact(trigger, payout.id, moved=moved, failure=failure, provider=payout.provider))


def _order_trigger(payout: Payout, source: PayoutState, trigger: PayoutTrigger) -> OrderTrigger | None:
    if payout.payout_kind is PayoutKind.REFUND:
        return OrderTrigger.REFUND_CONFIRMED if trigger is T.SETTLED else None
    if trigger is T.RETURNED and source is not S.SETTLED:
        return OrderTrigger.PAYOUT_FAILED  # it was never done, so that there is nothing to undo
    return _SALE_FACTS.get(trigger)


async def _count(
    tx: Transaction, payouts: Sequence[Payout], sources: Sequence[PayoutState], trigger: PayoutTrigger
) -> None:
    """Tell the batches how many of their items have ended, and how."""
    ended: Counter[tuple[str, bool]] = Counter()
    for payout, source in zip(payouts, sources, strict=True):
        never_paid = trigger in _ENDS_UNPAID or (trigger is T.RETURNED and source is not S.SETTLED)
        first_end = trigger is T.SETTLED or never_paid
        if payout.batch_id is not None and first_end:
            ended[payout.batch_id, trigger is T.SETTLED] += 1
    for batch_id in sorted({batch_id for batch_id, _ in ended}):
        ready = await batch_rows.count_ended(tx, batch_id, settled=ended[batch_id, True], failed=ended[batch_id, False])
        if ready:
            await enqueue(tx, [Job(JobName.FINISH_BATCH, batch_id)])


async def hold(tx: Transaction, payout: Payout, reason: str, *, cause: str, actor: str | None = None) -> None:
    """Stop a locked payout where it stands until a person takes the hold off."""
    document = await holds.document(tx, reason)
    await move(tx, payout, PayoutFact(T.HELD, f"{cause}:{reason}", hold=document, actor=actor, reason=reason))


async def release(tx: Transaction, payout_id: str, *, actor: str, reason: str) -> Payout:
    """Take a hold off; the payout goes on where it stood. Raises NotFound, or ConflictState when nothing holds it."""
    payout = await lock(tx, payout_id)
    if payout is None:
        raise NotFound
    if payout.hold is None:
        raise ConflictState("Nothing is holding this payout.")
    if await case_rows.stopping(tx, [payout_id]):
        raise ConflictState("Screening stopped this payout: decide its case.")
    await move(tx, payout, PayoutFact(T.RELEASED, f"{payout_id}:{payout.sequence}", actor=actor, reason=reason))
    return payout
