"""Receipts: believing what a provider says of a payment, and letting the order follow, in one transaction."""

from __future__ import annotations

from app.db import ledger
from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db.alerts import raise_alert
from app.db.columns import Document
from app.db.database import Transaction
from app.db.orders import Order
from app.db.payments import Payment
from app.domain.bookkeeping import provider_fee
from app.domain.errors import ConflictState
from app.domain.order import MACHINES, OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.ports.outcome import Decline
from app.ports.payin import NextAction, PaymentReceipt, PaymentStatus
from app.services import orders, risk, surplus
from app.services.orders import Fact

T = OrderTrigger


def failure_document(decline: Decline) -> Document:
    """A decline as the API shows it."""
    return {"code": decline.code, "message": decline.message, "provider": {"code": decline.provider_code}}


def action_document(action: NextAction) -> Document:
    """What the customer has still to do, as the API shows it."""
    told: Document = {"type": action.type}
    if action.url is not None:
        told["url"] = action.url
    if action.remaining is not None:
        told["amount_remaining"] = {"asset": action.remaining.asset.code, "amount": action.remaining.decimal}
    if action.reference is not None:
        told["reference"] = action.reference
    if action.accounts:
        told["accounts"] = [dict(account) for account in action.accounts]
    return told


async def observe(tx: Transaction, payment: Payment, receipt: PaymentReceipt) -> None:
    """Record how a payment stands at its source, and let the order follow.

    An order whose provider wants to look at the payment first is held; too much money is given back.
    Raises IllegalTransition when money was taken that the order has no edge for, and ConflictState for money of
    another asset; nothing is written then.
    """
    order = await order_rows.lock(tx, payment.order_id)
    assert order is not None  # noqa: S101 - a payment always has its order
    if receipt.status is PaymentStatus.UNKNOWN:
        await raise_alert(tx, "unknown_provider_status", payment.id, receipt.provider_status)
        return
    if receipt.amount.asset.id != payment.asset:
        raise ConflictState(f"The payment is in {receipt.amount.asset.code}, not in {payment.asset}.")
    payment = await orders.payment_for(tx, order)  # as it is now that nobody else can change it
    if payment.status in _ENDS and receipt.status.value not in _ENDS:
        return  # this answer was given before the one that we know
    payment.status = receipt.status.value
    payment.reference = receipt.reference
    payment.client_secret = receipt.client_secret
    payment.fee_units = await _fee_of(tx, payment, receipt)
    payment.failure = None if receipt.decline is None else failure_document(receipt.decline)
    payment.next_action = None if receipt.next_action is None else action_document(receipt.next_action)
    if receipt.decline is not None and not receipt.decline.known:
        await raise_alert(tx, "unknown_decline_code", receipt.decline.provider_code or "", payment.id)
    await payment_rows.update(tx, payment)
    order = await _as_of_now(tx, order)
    fact = fact_of(order, payment, receipt)
    if fact is not None:
        await _take(tx, order, fact)
    await _book_fee(tx, order, payment)
    if receipt.in_review:
        await risk.hold_for_review(tx, await order_rows.lock(tx, order.id) or order, payment)
    await surplus.observe(tx, payment, receipt)
    if receipt.status is PaymentStatus.CANCELED:
        await _end_voided_refund(tx, payment, receipt)


def fact_of(order: Order, payment: Payment, receipt: PaymentReceipt) -> Fact | None:
    """What a receipt says that the order may not know yet.

    Money facts have one cause for good, so that they count once. A customer may be asked to authenticate, and may
    be declined, any number of times: those are facts of one attempt.
    """
    at = f"{payment.provider}:{receipt.reference}"
    match receipt.status:
        case PaymentStatus.AWAITING_CUSTOMER | PaymentStatus.AUTHENTICATING:
            return _fact_of_attempt(order, receipt, at)
        case PaymentStatus.PROCESSING:
            return Fact(T.PAYMENT_PENDING, at)
        case PaymentStatus.AUTHORISED:
            return Fact(T.PAYMENT_AUTHORISED, at)
        case PaymentStatus.CAPTURED:
            return Fact(T.PAYMENT_CAPTURED, at, moved=Moved(receipt.reference, amount=receipt.received.units))
        case PaymentStatus.CANCELED:
            return Fact(T.PAYMENT_FAILED, at, failure=payment.failure or _CANCELED)
        case PaymentStatus.UNKNOWN:
            return None


def _fact_of_attempt(order: Order, receipt: PaymentReceipt, at: str) -> Fact | None:
    state = order.order_state
    if receipt.status is PaymentStatus.AUTHENTICATING:
        wanted = state is OrderState.AWAITING_PAYMENT
        return Fact(T.AUTHENTICATION_REQUIRED, f"{at}:{order.sequence}") if wanted else None
    if receipt.decline is None:
        return None
    if state is OrderState.AUTHENTICATING and receipt.decline.code == "authentication_failed":
        return Fact(T.AUTHENTICATION_FAILED, f"{at}:{order.sequence}")
    # A debit that a bank has returned ends its order; a card that was declined can be followed by another one.
    failure = failure_document(receipt.decline) if state is OrderState.PAYMENT_PENDING else None
    return Fact(T.PAYMENT_DECLINED, f"{at}:{receipt.charge_reference or order.sequence}", failure=failure)


_ENDS = frozenset({PaymentStatus.CAPTURED.value, PaymentStatus.CANCELED.value})
_CANCELED: Document = {"code": "payment_canceled", "message": "The payment was canceled.", "provider": {"code": None}}
# A receipt says how things stand now; these facts may simply be behind what the order already knows.
_MAY_BE_STALE = frozenset(
    {T.PAYMENT_DECLINED, T.AUTHENTICATION_FAILED, T.PAYMENT_PENDING, T.PAYMENT_AUTHORISED, T.PAYMENT_FAILED}
)


async def _as_of_now(tx: Transaction, order: Order) -> Order:
    """The price holds until the payment window closes, and no longer because the sweep was late or we were down."""
    waits = MACHINES[order.order_direction].allows(order.order_state, T.EXPIRED)
    if not waits or not await order_rows.is_due_to_expire(tx, order.id):
        return order
    await orders.expire(tx, order.id)
    return await order_rows.lock(tx, order.id) or order


async def _take(tx: Transaction, order: Order, fact: Fact) -> None:
    if fact.trigger in _MAY_BE_STALE and not MACHINES[order.order_direction].allows(order.order_state, fact.trigger):
        return
    moved = await orders.advance(tx, order.id, fact)
    if moved is None or fact.trigger is not T.PAYMENT_CAPTURED:
        return
    if fact.moved.amount != order.source_units and moved.order_state is OrderState.PAID:
        await orders.hold(tx, order.id, "amount_mismatch", cause=fact.cause)


async def _fee_of(tx: Transaction, payment: Payment, receipt: PaymentReceipt) -> int | None:
    """The fee in units of the payment's asset; one that was settled in another is for a person to book."""
    if receipt.fee is None or receipt.fee.asset.id == payment.asset:
        return None if receipt.fee is None else receipt.fee.units
    await raise_alert(tx, "fee_in_other_asset", payment.id, f"{receipt.fee.units} units of {receipt.fee.asset.id}")
    return None


async def _book_fee(tx: Transaction, order: Order, payment: Payment) -> None:
    """Book what the provider keeps, once, as soon as it is known."""
    if not payment.fee_units:
        return
    entry = provider_fee(orders.terms_of(order, payment.provider), payment.id, payment.fee_units)
    if not await ledger.has_entry(tx, entry.reference):
        await ledger.post(tx, entry, order.id)


async def _end_voided_refund(tx: Transaction, payment: Payment, receipt: PaymentReceipt) -> None:
    """A refund of an order whose payment was never captured ends when the provider has let it go."""
    order = await order_rows.lock(tx, payment.order_id)
    if order is not None and order.order_state is OrderState.REFUNDING and not await orders.money_held(tx, order):
        await orders.advance(tx, order.id, Fact(T.REFUND_COMPLETED, f"{payment.provider}:{receipt.reference}:void"))
