"""Orders: `advance`, the only way an order moves, and what callers build on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from app.db import events, holds, ledger, payments
from app.db import orders as order_rows
from app.db import screening_cases as case_rows
from app.db.columns import Document
from app.db.database import Transaction
from app.db.jobs import Job, JobName, enqueue
from app.db.orders import Order
from app.db.payments import Payment
from app.domain.assets import asset_by_id
from app.domain.bookkeeping import entries_for
from app.domain.chart import order as order_account
from app.domain.errors import ConflictState, NotFound
from app.domain.money import Money
from app.domain.order import MACHINES, TERMINAL, Direction, OrderState, OrderTrigger
from app.domain.order_jobs import OrderJob, job_after
from app.domain.order_public import event_of
from app.domain.order_terms import Moved, OrderTerms
from app.schemas.orders import OrderOut
from app.services.order_view import order_out

log = structlog.get_logger(__name__)
T = OrderTrigger

# Why coins that came too late for their price wait: they are never sold at it.
LATE_FUNDS = "late_funds"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to an order.

    `cause` names it for good: the same fact told twice moves an order once. Amounts are whole units of what moved.
    """

    trigger: OrderTrigger
    cause: str
    moved: Moved = field(default_factory=lambda: Moved(""))
    hold: Document | None = None
    failure: Document | None = None
    dispute: Document | None = None
    tx_hash: str | None = None
    provider: str = ""  # the bank that pays, where that is not the payment's provider
    actor: str | None = None
    reason: str | None = None


def terms_of(order: Order, provider: str) -> OrderTerms:
    """What was agreed, as the bookkeeping wants it."""
    return OrderTerms(
        order_id=order.id,
        partner_id=order.partner_id,
        direction=order.order_direction,
        provider=provider,
        source=Money(order.source_units, asset_by_id(order.source_asset)),
        destination=Money(order.destination_units, asset_by_id(order.destination_asset)),
        venue=order.venue_units,
        spread=order.spread_units,
        processing=order.processing_units,
        partner=order.partner_units,
        network=order.network_units,
    )


async def advance(tx: Transaction, order_id: str, fact: Fact) -> Order | None:
    """Let a fact move an order, and write everything that follows in the caller's transaction.

    Locks the order, asks the table, and writes state, transition, ledger entries, event and next jobs. Returns the
    moved order, or None when this fact has moved it before. Raises NotFound, or IllegalTransition when the table
    has no such edge; then nothing was written.
    """
    order = await order_rows.lock(tx, order_id)
    if order is None:
        raise NotFound
    return await move(tx, order, fact)


async def move(tx: Transaction, order: Order, fact: Fact) -> Order | None:
    """The same as `advance`, for an order that the caller's transaction has locked and not moved since."""
    if await order_rows.has_transition(tx, order.id, fact.trigger, fact.cause):
        return None
    source = order.order_state
    target = MACHINES[order.order_direction].target(source, fact.trigger)
    payment = await payments.of_order(tx, order.id)
    before = order_out(order, payment)
    if fact.trigger is T.SEND_PREPARED:
        await _require_due(tx, order)
    wait = _hold_of(payment) if fact.trigger is T.PAYMENT_CAPTURED else None
    _apply(order, fact, target)
    order.updated_at = await order_rows.store_move(
        tx,
        order,
        source=source.value,
        trigger=fact.trigger.value,
        cause=fact.cause,
        actor=fact.actor,
        reason=fact.reason,
        wait=wait,
    )
    if wait is not None and order.deliver_after is None:
        order.deliver_after = order.updated_at + wait
    provider = payment.provider if payment else fact.provider
    for entry in entries_for(fact.trigger, source, terms_of(order, provider), fact.moved):
        await ledger.post(tx, entry, order.id)
    await tell(tx, order, event_of(source, fact.trigger, target), before, order_out(order, payment))
    await _enqueue_next(tx, order, source, fact.trigger, target)
    log.info("order.advanced", order_id=order.id, trigger=fact.trigger, source=source, target=target)
    return order


def _hold_of(payment: Payment | None) -> timedelta | None:
    """How long the order waits for its payment to be safe, by what was decided when it was placed."""
    return timedelta(seconds=payment.hold_seconds) if payment is not None and payment.hold_seconds else None


async def _require_due(tx: Transaction, order: Order) -> None:
    if order.deliver_after is not None and not await order_rows.is_due(tx, order.id):
        raise ConflictState("The payment can still be returned: this order is not delivered yet.")


async def may_go(tx: Transaction, order: Order) -> bool:
    """Whether nothing stops the order's coins from leaving now: no hold, and no debit that is too young."""
    return order.hold is None and (order.deliver_after is None or await order_rows.is_due(tx, order.id))


_RECEIVED = frozenset(
    {
        T.PAYMENT_CAPTURED,
        T.DEPOSIT_UNDERPAID,
        T.DEPOSIT_CONFIRMED,
        T.DEPOSIT_OVERPAID,
        T.SURPLUS_RECEIVED,
        T.DEPOSIT_RESTORED,
    }
)


def _apply(order: Order, fact: Fact, target: OrderState) -> None:
    """Change the row's columns as the fact says."""
    amount = fact.moved.amount
    if fact.trigger in _RECEIVED:
        order.received_units += amount
    elif fact.trigger in {T.DEPOSIT_REORGED, T.SURPLUS_REORGED}:
        order.received_units -= amount
    elif fact.trigger is T.REFUND_ACCEPTED:
        order.refunded_units += amount
    elif fact.trigger is T.REFUND_FAILED:
        order.refunded_units -= amount
    elif fact.trigger in {T.SEND_CONFIRMED, T.PAYOUT_SETTLED}:
        order.delivered_units = order.destination_units
    elif fact.trigger is T.PAYOUT_RETURNED:
        order.delivered_units = 0
    if fact.trigger is T.HELD:
        order.hold = fact.hold
    elif fact.trigger is T.RELEASED or target in TERMINAL:
        order.hold = None
    order.failure = fact.failure or order.failure
    order.dispute = fact.dispute or order.dispute
    order.tx_hash = fact.tx_hash or order.tx_hash
    order.state = target.value
    order.sequence += 1


async def tell(tx: Transaction, order: Order, kind: str, before: OrderOut, after: OrderOut) -> None:
    """Write the event of a move: the whole order, and what its changed fields were before."""
    fields = type(after).model_fields.keys() - {"updated_at"}
    changed = {name for name in fields if getattr(before, name) != getattr(after, name)}
    await events.record(
        tx,
        partner_id=order.partner_id,
        kind=kind,
        resource_type="order",
        resource_id=order.id,
        resource_sequence=order.sequence,
        data=f'{{"object":{after.model_dump_json()},"previous":{before.model_dump_json(include=changed)}}}',
        request_id=order.request_id,
    )


async def _enqueue_next(
    tx: Transaction, order: Order, source: OrderState, trigger: OrderTrigger, target: OrderState
) -> None:
    following = job_after(order.order_direction, source, trigger, target)
    if following is None or order.hold is not None:
        return
    delay = None
    if following is OrderJob.SEND_COINS and order.deliver_after is not None and order.deliver_after > order.updated_at:
        delay = order.deliver_after - order.updated_at
    await enqueue(tx, [Job(JobName(following.value), order.id, delay)])


async def hold(tx: Transaction, order_id: str, reason: str, *, cause: str, actor: str | None = None) -> Order | None:
    """Stop an order where it stands until a person, or a rule, takes the hold off."""
    document = await holds.document(tx, reason)
    return await advance(tx, order_id, Fact(T.HELD, f"{cause}:{reason}", hold=document, actor=actor, reason=reason))


async def money_held(tx: Transaction, order: Order) -> int:
    """How many units of the customer's money the order's account holds; the order's row must be locked."""
    return -await ledger.balance(tx, order_account(order.id), order.source_asset)


async def payment_for(tx: Transaction, order: Order) -> Payment:
    """The payment of a buy order; raises NotFound when there is none."""
    payment = await payments.of_order(tx, order.id)
    if payment is None:
        raise NotFound
    return payment


async def cancel(tx: Transaction, partner_id: str, order_id: str) -> Order:
    """Call an order off. Raises NotFound, and IllegalTransition or ConflictState once money may have moved."""
    order = await order_rows.lock(tx, order_id)
    if order is None or order.partner_id != partner_id:
        raise NotFound
    if order.order_direction is Direction.SELL and await money_held(tx, order):
        raise ConflictState("A part of the coins has arrived: this order can be refunded, not canceled.")
    moved = await advance(tx, order_id, Fact(T.CANCELED, f"{order_id}:cancel", actor="partner"))
    return moved or order  # the same partner may cancel twice; the second time changes nothing


async def expire(tx: Transaction, order_id: str) -> None:
    """End an order whose payment window has closed, unless something moved it just before."""
    order = await order_rows.lock(tx, order_id)
    if order is None or not MACHINES[order.order_direction].allows(order.order_state, T.EXPIRED):
        return
    if order.order_direction is Direction.SELL and await money_held(tx, order):
        await move(tx, order, Fact(T.UNDERPAYMENT_EXPIRED, f"{order_id}:expiry"))
    else:
        await move(tx, order, Fact(T.EXPIRED, f"{order_id}:expiry"))


async def release(tx: Transaction, order_id: str, *, actor: str, reason: str) -> Order:
    """Take a hold off; the order goes on where it stood. Raises NotFound, or ConflictState when nothing holds it."""
    order = await order_rows.lock(tx, order_id)
    if order is None:
        raise NotFound
    if order.hold is None:
        raise ConflictState("Nothing is holding this order.")
    if await case_rows.stopping(tx, [order_id]):
        raise ConflictState("Screening stopped this order: decide its case.")
    # Whatever the newest hold's reason is.
    if order.order_state is OrderState.PAID and order.received_units != order.source_units:
        raise ConflictState("Another amount arrived than was agreed: this order can only be refunded.")
    came_late = await order_rows.was_held(tx, order.id, LATE_FUNDS)
    if order.order_state is OrderState.DEPOSIT_CONFIRMED and came_late:
        raise ConflictState("The coins came after the price had ended: this order can only be refunded.")
    moved = await advance(tx, order_id, Fact(T.RELEASED, f"{order_id}:{order.sequence}", actor=actor, reason=reason))
    return moved or order
