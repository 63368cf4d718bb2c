"""Payments: what we ask of the card provider, each request written down before it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.alerts import raise_alert
from app.db.columns import Document, new_id
from app.db.database import Database, Transaction
from app.db.payments import Operation, OperationKind, OperationState, Payment
from app.domain.asking import Ask, derived_key, how_to_ask, must_look
from app.domain.assets import asset_by_id
from app.domain.errors import IllegalTransition
from app.domain.money import Money
from app.domain.order import OrderState, OrderTrigger
from app.ports.errors import STORED_ERROR, OutcomeUnknown, ProviderError, ProviderRejected
from app.ports.payin import PaymentReceipt, PaymentRequest, PaymentStatus
from app.services import orders, receipts
from app.services.orders import Fact
from app.services.rails import Rails
from app.services.violations import watched

log = structlog.get_logger(__name__)
T = OrderTrigger

_ENDS = frozenset({PaymentStatus.CAPTURED, PaymentStatus.CANCELED})
# Orders that take no payment any more, so that an open one must be let go.
_GIVEN_UP = frozenset({OrderState.CANCELED, OrderState.EXPIRED, OrderState.FAILED, OrderState.REFUNDING})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment with the order and operation that a request to the provider needs."""

    payment: Payment
    operation: Operation
    age: timedelta  # of the operation's key

    @property
    def decided(self) -> bool:
        """Whether there is nothing left to ask."""
        return self.operation.state in {OperationState.SUCCEEDED, OperationState.DECLINED}

    @property
    def stale(self) -> bool:
        """The key may be forgotten at the provider, or an earlier answer was lost: look before asking."""
        return must_look(unknown=self.operation.state == OperationState.UNKNOWN, age=self.age)


async def start(db: Database, rails: Rails, payment_id: str) -> None:
    """Open the payment at its provider, if that has not been done; raises ProviderError while the outcome is open."""
    wanted = await _wanted(db, payment_id, OperationKind.START)
    if wanted is None or wanted.decided:
        return
    payment, receipt = wanted.payment, None
    rail = rails.payin[payment.provider]
    if wanted.stale:
        # Not being allowed to look does not mean that there is no payment.
        async with watched(db, payment.order_id):
            receipt = await rail.find_payment(payment.id, payment.order_id)
        if receipt is None:
            wanted = await again(db, wanted)
    try:
        if receipt is None:
            receipt = await rail.start(request_for(payment, wanted.operation.key))
    except ProviderError as error:
        await not_started(db, payment.id, error)
        if isinstance(error, ProviderRejected):
            return
        raise
    await record_start(db, payment, receipt)


async def record_start(db: Database, payment: Payment, receipt: PaymentReceipt) -> None:
    """The provider has the payment: keep its answer."""
    async with db.transaction() as tx:
        operation = await payment_rows.operation_of(tx, payment.id, OperationKind.START)
        assert operation is not None  # noqa: S101 - written with the payment
        await receipts.observe(tx, payment, receipt)
        await payment_rows.decide(tx, operation.id, OperationState.SUCCEEDED, reference=receipt.reference)


async def not_started(db: Database, payment_id: str, error: ProviderError) -> None:
    """The provider did not open the payment: for good, perhaps, or not that we know of."""
    wanted = await _wanted(db, payment_id, OperationKind.START)
    if wanted is None:
        return
    if isinstance(error, ProviderRejected):
        await _refused(db, wanted, error)
    elif isinstance(error, OutcomeUnknown):
        await unknown(db, wanted.operation, error)


async def again(db: Database, wanted: Wanted) -> Wanted:
    """The source has nothing of ours: how the request is repeated, with another key where that is needed."""
    operation = wanted.operation
    if how_to_ask(stuck=operation.stuck, age=wanted.age) is Ask.AGAIN:
        return wanted
    first = operation.key.partition(":attempt")[0]
    async with db.transaction() as tx:
        await payment_rows.ask_anew(tx, operation, derived_key(first, operation.attempt + 1))
        renewed = await payment_rows.operation(tx, operation.id)
    assert renewed is not None  # noqa: S101 - operations are never deleted
    return Wanted(wanted.payment, renewed, timedelta())


def request_for(payment: Payment, key: str = "") -> PaymentRequest:
    """What the provider is asked to open; under the payment's own id, unless the operation has another key by now."""
    return PaymentRequest(
        payment_id=payment.id,
        order_id=payment.order_id,
        amount=Money(payment.units, asset_by_id(payment.asset)),
        method=payment.method,
        key=key,
    )


async def capture(db: Database, rails: Rails, order_id: str) -> None:
    """Take the authorised money; the order must still want it."""
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        if order is None or order.order_state is not OrderState.AUTHORISED or order.hold is not None:
            return
        payment = await orders.payment_for(tx, order)
        await _intend(tx, payment, OperationKind.CAPTURE)
    await _ask(db, rails, payment.id, OperationKind.CAPTURE)


async def cancel(db: Database, rails: Rails, order_id: str) -> None:
    """Give up a payment whose order was given up, so that nothing can be taken any more."""
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        if order is None or order.order_state not in _GIVEN_UP:
            return
        payment = await orders.payment_for(tx, order)
        if payment.status in {PaymentStatus.CANCELED, PaymentStatus.CAPTURED}:
            return
        await _intend(tx, payment, OperationKind.CANCEL)
    if payment.reference is None:
        # It may have been opened although we do not know it: only the source can tell.
        await start(db, rails, payment.id)
    await _ask(db, rails, payment.id, OperationKind.CANCEL)


async def _intend(tx: Transaction, payment: Payment, kind: OperationKind) -> None:
    """Write the request down, unless one like it is under way; one that was declined is followed by a new one."""
    earlier = await payment_rows.count_operations(tx, payment.id, kind)
    await payment_rows.intend(
        tx,
        Operation(
            id=new_id("op"),
            order_id=payment.order_id,
            payment_id=payment.id,
            provider=payment.provider,
            kind=kind.value,
            key=f"{payment.id}:{kind.value}:{earlier + 1}",
            asset=payment.asset,
            units=payment.units,
            state=OperationState.INTENDED,
            created_at=payment.created_at,
            asked_at=payment.created_at,
        ),
    )


async def _ask(db: Database, rails: Rails, payment_id: str, kind: OperationKind) -> None:
    """Capture or cancel: look first when an earlier answer was lost, then ask with the same key as before."""
    wanted = await _wanted(db, payment_id, kind)
    if wanted is None or wanted.decided:
        return
    payment, reference = wanted.payment, wanted.payment.reference
    if reference is None:
        return
    rail = rails.payin[payment.provider]
    done = PaymentStatus.CAPTURED if kind is OperationKind.CAPTURE else PaymentStatus.CANCELED
    receipt = None
    if wanted.stale:
        async with watched(db, payment.order_id):
            receipt = await rail.fetch(reference)
    try:
        if receipt is None or receipt.status not in _ENDS:
            wanted = wanted if receipt is None else await again(db, wanted)
            if kind is OperationKind.CAPTURE:
                amount = Money(payment.units, asset_by_id(payment.asset))
                receipt = await rail.capture(reference, amount, key=wanted.operation.key)
            else:
                receipt = await rail.cancel(reference, key=wanted.operation.key)
    except ProviderRejected as refused:
        # The provider will not: what is true now decides, not what we wanted.
        receipt = await rail.fetch(reference)
        log.warning("payment.refused", payment_id=payment_id, kind=kind, error=str(refused))
    except OutcomeUnknown as lost:
        await unknown(db, wanted.operation, lost)
        raise
    state = OperationState.SUCCEEDED if receipt.status is done else OperationState.DECLINED
    async with db.transaction() as tx:
        await receipts.observe(tx, payment, receipt)
        await payment_rows.decide(tx, wanted.operation.id, state, reference=receipt.reference)
        if kind is OperationKind.CAPTURE and receipt.status is PaymentStatus.AUTHORISED:
            await _hold_uncaptured(tx, wanted, receipt)


async def _hold_uncaptured(tx: Transaction, wanted: Wanted, receipt: PaymentReceipt) -> None:
    """The money is still there for the taking: a person decides whether to try again or to let it go."""
    order = await order_rows.lock(tx, wanted.payment.order_id)
    if order is not None and order.order_state is OrderState.AUTHORISED:
        await raise_alert(tx, "capture_refused", wanted.payment.id, receipt.provider_status)
        await orders.hold(tx, order.id, "capture_refused", cause=wanted.operation.id)


async def look_up(db: Database, rails: Rails, payment: Payment) -> None:
    """Ask the provider how a payment stands, and record it."""
    if payment.reference is None:
        await start(db, rails, payment.id)
        return
    async with watched(db, payment.order_id):
        receipt = await rails.payin[payment.provider].fetch(payment.reference)
    async with db.transaction() as tx:
        await receipts.observe(tx, payment, receipt)


async def _wanted(db: Database, payment_id: str, kind: OperationKind) -> Wanted | None:
    async with db.transaction() as tx:
        payment = await payment_rows.get(tx, payment_id)
        operation = await payment_rows.operation_of(tx, payment_id, kind)
        now = await tx.fetchval("SELECT now()")
    if payment is None or operation is None:
        return None
    return Wanted(payment, operation, now - operation.asked_at)


async def unknown(db: Database, operation: Operation, error: OutcomeUnknown) -> None:
    """The answer was lost, or is an error that the provider keeps under the key."""
    async with db.transaction() as tx:
        await payment_rows.decide(tx, operation.id, OperationState.UNKNOWN)
        if error.code == STORED_ERROR:
            await payment_rows.stuck(tx, operation.id)


async def _refused(db: Database, wanted: Wanted, refused: ProviderRejected) -> None:
    """The provider will never open this payment: the order fails, and somebody should know why."""
    failure: Document = {
        "code": "provider_rejected",
        "message": "The payment could not be opened.",
        "provider": {"name": refused.provider, "code": refused.code},
    }
    async with db.transaction() as tx:
        await order_rows.lock(tx, wanted.payment.order_id)  # first, as everybody does
        await payment_rows.decide(tx, wanted.operation.id, OperationState.DECLINED, failure=failure)
        wanted.payment.status = PaymentStatus.CANCELED.value
        wanted.payment.failure = failure
        await payment_rows.update(tx, wanted.payment)
        await raise_alert(tx, "payment_refused", wanted.payment.id, str(refused))
        try:
            await orders.advance(
                tx, wanted.payment.order_id, Fact(T.PAYMENT_FAILED, wanted.operation.id, failure=failure)
            )
        except IllegalTransition:
            log.info("payment.refused_after_end", payment_id=wanted.payment.id)
