"""Processing: a notification only says what to look at; what the provider answers when asked again is believed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from app.db import notification_tries, notifications, payments, payouts
from app.db.alerts import raise_alert
from app.db.database import Database, Transaction
from app.db.notifications import Notification
from app.db.payments import Operation, OperationState, Payment
from app.domain.errors import Conflict
from app.ports.bank_files import FileUnreadable
from app.ports.errors import NotificationInvalid, OutcomeUnknown, ProviderRejected, ProviderUnavailable
from app.ports.notifications import Subject, SubjectKind
from app.ports.payin import (
    DisputeReceipt,
    PayinDisputes,
    PayinProvider,
    PayinRefunds,
    PayinRisk,
    PaymentReceipt,
)
from app.ports.payout import BankRail
from app.services import (
    bank_files,
    bank_payouts,
    disputes,
    receipts,
    refunds,
    refunds_by_hand,
    risk,
    strays,
    top_ups,
)
from app.services.rails import Rails

log = structlog.get_logger(__name__)

MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the provider answered: how to record it, or why it is none of our business."""

    apply: Callable[[Transaction], Awaitable[None]] | None
    unmatched: str | None = None  # why nothing is applied
    alert: str | None = None  # the kind of alert that this deserves


async def process_notification(db: Database, rails: Rails, stored_id: str) -> None:
    """The job of a stored notification.

    What the machine refuses is parked for a person. A provider that cannot be reached is asked again for as long as
    it takes; any other error lets the worker try again, and parks the notification after eight tries.
    """
    async with db.transaction() as tx:
        notification = await notification_tries.begin(tx, stored_id)
    if notification is None:
        return
    if notification.tries > MOST_TRIES:
        await _park(db, notification, f"gave up after {MOST_TRIES} tries")
        return
    try:
        finding = await _look_up(db, rails, notification)
        await _record(db, notification, finding)
    except (Conflict, NotificationInvalid, FileUnreadable) as refused:
        await _park(db, notification, str(refused))
    except (ProviderUnavailable, OutcomeUnknown):
        async with db.transaction() as tx:
            await notification_tries.forgive(tx, stored_id)
        raise


async def _record(db: Database, notification: Notification, finding: _Finding) -> None:
    async with db.transaction() as tx:
        if finding.apply is not None:
            await finding.apply(tx)
            await notifications.finish(tx, notification.id, "processed")
            return
        await notifications.finish(tx, notification.id, "ignored", finding.unmatched)
        if finding.alert is not None:
            # One alert for all of an unknown kind, one for each piece of money.
            kind = f"{notification.provider}:{notification.kind}"
            subject = kind if finding.alert == _UNKNOWN_KIND else notification.id
            await raise_alert(tx, finding.alert, subject, finding.unmatched or "")


async def _park(db: Database, notification: Notification, why: str) -> None:
    log.error("notification.parked", notification_id=notification.id, kind=notification.kind, reason=why)
    async with db.transaction() as tx:
        await notifications.finish(tx, notification.id, "parked", why)
        await raise_alert(tx, "notification_parked", notification.id, why)


_UNKNOWN_KIND = "unknown_notification"
_UNMATCHED = "unmatched_money"


async def _look_up(db: Database, rails: Rails, notification: Notification) -> _Finding:
    """Ask the provider about what the notification names. No transaction is open meanwhile."""
    files = rails.bank_files.get(notification.provider)
    if files is not None:  # a file is all that the bank says: there is nothing to ask
        await bank_files.read_report(db, files, notification.body, livemode=notification.livemode)
        return _Finding(_nothing_more)
    subject = rails.notifications[notification.provider].translate(notification.body)
    if subject.reference is None:
        return _Finding(None, "nothing to look up", _UNKNOWN_KIND)
    try:
        bank = rails.banks.get(notification.provider)
        if bank is not None:
            return await _bank(db, bank, subject, subject.reference, livemode=notification.livemode)
        return await _payin(db, rails.payin[notification.provider], subject, subject.reference)
    except ProviderRejected as refused:
        return _Finding(None, f"unknown at the provider: {refused}", _UNMATCHED)


async def _nothing_more(_tx: Transaction) -> None:
    """What the notification said has been applied already."""


async def _payin(db: Database, rail: PayinProvider, subject: Subject, reference: str) -> _Finding:
    match subject.kind:
        case SubjectKind.PAYMENT:
            return await _payment(db, rail, reference)
        case SubjectKind.REFUND:
            return await _refund(db, rail, subject)
        case SubjectKind.DISPUTE:
            return await _dispute(db, rail, reference)
        case SubjectKind.WARNING | SubjectKind.REVIEW:
            return await _risk(db, rail, subject.kind, reference)
        case SubjectKind.SURPLUS:
            return _Finding(None, "money that was no payment's goes back")
        case _:
            return _Finding(None, "not acted upon", _UNKNOWN_KIND)


async def _bank(db: Database, bank: BankRail, subject: Subject, reference: str, *, livemode: bool) -> _Finding:
    match subject.kind:
        case SubjectKind.PAYOUT:
            return await _payout(db, bank, reference)
        case SubjectKind.CREDIT:
            receipt = await bank.fetch_credit(reference)
            return _Finding(partial(top_ups.observe, provider=bank.provider, receipt=receipt, livemode=livemode))
        case _:
            return _Finding(None, "not acted upon", _UNKNOWN_KIND)


async def _payout(db: Database, bank: BankRail, reference: str) -> _Finding:
    """A payout is known by the bank's id, or by ours when its answer has not reached us yet."""
    receipt = await bank.fetch(reference)
    async with db.connection() as connection:
        known = await payouts.by_reference(connection, bank.provider, reference)
        if known is None and receipt.payout_id is not None:
            known = await payouts.peek(connection, receipt.payout_id)
    if known is None or known.provider != bank.provider:
        return _Finding(None, "no payout of ours", _UNMATCHED)
    return _Finding(partial(bank_payouts.observe, payout_id=known.id, receipt=receipt))


async def _payment(db: Database, rail: PayinProvider, reference: str) -> _Finding:
    receipt = await rail.fetch(reference)
    async with db.connection() as connection:
        payment = await _payment_of(connection, rail.provider, receipt)
        twin = None if payment is not None else await _second_of(connection, rail.provider, receipt)
    if twin is not None:
        return _Finding(partial(strays.observe, payment=twin, receipt=receipt))
    if payment is None:
        moves = receipt.received.units or receipt.refunded.units
        return _Finding(None, "no payment of ours", _UNMATCHED if moves else None)

    return _Finding(partial(receipts.observe, payment=payment, receipt=receipt))


async def _payment_of(tx: Transaction, provider: str, receipt: PaymentReceipt) -> Payment | None:
    """Ours by the provider's id, or by our own id when its answer to our request has not reached us yet."""
    known = await payments.by_reference(tx, provider, receipt.reference)
    if known is not None or receipt.payment_id is None:
        return known
    named = await payments.get(tx, receipt.payment_id)
    if named is None or named.provider != provider or named.reference is not None:
        return None
    return named if named.order_id == receipt.order_id else None


async def _second_of(tx: Transaction, provider: str, receipt: PaymentReceipt) -> Payment | None:
    """The payment of ours for which the provider opened a second one."""
    named = None if receipt.payment_id is None else await payments.get(tx, receipt.payment_id)
    if named is None or named.provider != provider or named.order_id != receipt.order_id:
        return None
    return named if named.reference not in {None, receipt.reference} else None


async def _risk(db: Database, rail: PayinProvider, kind: SubjectKind, reference: str) -> _Finding:
    """A suspicion, or the provider's own review: it stops an order that is not delivered yet."""
    if not isinstance(rail, PayinRisk):
        return _Finding(None, "this rail warns of nothing", _UNKNOWN_KIND)
    if kind is SubjectKind.WARNING:
        warning = await rail.fetch_warning(reference)
        named, apply = warning.payment_reference, partial(risk.observe_warning, warning=warning)
    else:
        review = await rail.fetch_review(reference)
        named, apply = review.payment_reference, partial(risk.observe_review, review=review)
    paid = await rail.fetch(named)
    async with db.connection() as connection:
        payment = await _payment_of(connection, rail.provider, paid)
    if payment is None:
        return _Finding(None, "no payment of ours", _UNMATCHED)
    return _Finding(partial(_observe_risk, payment=payment, paid=paid, apply=apply))


async def _observe_risk(
    tx: Transaction, payment: Payment, paid: PaymentReceipt, apply: Callable[..., Awaitable[None]]
) -> None:
    """The payment first, as with disputes."""
    await receipts.observe(tx, payment, paid)
    await apply(tx, payment=payment)


async def _refund(db: Database, rail: PayinProvider, subject: Subject) -> _Finding:
    """A refund is known by the provider's id, or by ours when its answer has not reached us yet.

    One that carries no id of ours was made by hand, in the provider's own pages, and is adopted.
    """
    async with db.connection() as connection:
        payment = await payments.by_reference(connection, rail.provider, subject.payment_reference or "")
        candidates = [] if payment is None else await payments.refunds_of(connection, payment.order_id)
    for refund in _likely(candidates, subject.reference):
        receipt = await rail.find_refund(subject.payment_reference or "", refund.id)
        if receipt is not None and receipt.reference == subject.reference:
            return _Finding(partial(refunds.observe, refund_id=refund.id, receipt=receipt))
    if payment is None or subject.reference is None or not isinstance(rail, PayinRefunds):
        return _Finding(None, "no refund of ours", _UNMATCHED)
    made = await rail.fetch_refund(subject.reference)
    if made.refund_id is not None:
        return _Finding(None, "no refund of ours", _UNMATCHED)
    paid = await rail.fetch(made.payment_reference)
    return _Finding(partial(refunds_by_hand.observe, payment=payment, paid=paid, receipt=made))


def _likely(refunds_of_order: list[Operation], reference: str | None) -> list[Operation]:
    named = [refund for refund in refunds_of_order if refund.reference == reference]
    unnamed = [r for r in refunds_of_order if r.reference is None and r.state != OperationState.DECLINED]
    return named or unnamed


async def _dispute(db: Database, rail: PayinProvider, reference: str) -> _Finding:
    if not isinstance(rail, PayinDisputes):
        return _Finding(None, "this rail knows no disputes", _UNMATCHED)
    receipt = await rail.fetch_dispute(reference)
    paid = await rail.fetch(receipt.payment_reference)
    async with db.connection() as connection:
        payment = await _payment_of(connection, rail.provider, paid)
    if payment is None:
        return _Finding(None, "no payment of ours", _UNMATCHED)
    return _Finding(partial(_observe_dispute, payment=payment, paid=paid, receipt=receipt))


async def _observe_dispute(tx: Transaction, payment: Payment, paid: PaymentReceipt, receipt: DisputeReceipt) -> None:
    """The payment first: we may hear of the dispute before we hear that the money was taken."""
    await receipts.observe(tx, payment, paid)
    await disputes.observe(tx, payment, receipt)
