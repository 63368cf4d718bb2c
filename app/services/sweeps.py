"""Sweeps: looking regularly for what no job and no notification has brought to an end."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

import structlog

from app.db import deliveries, notifications, wallet
from app.db import idempotency as idempotency_rows
from app.db import orders as order_rows
from app.db import payments as payment_rows
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.database import Database
from app.db.jobs import Job, JobName, enqueue, without_job
from app.db.payments import OperationKind
from app.domain.errors import Conflict
from app.domain.order import OrderState
from app.ports.errors import ProviderError
from app.services import (
    bank_payouts,
    batch_payments,
    bumps,
    head_age,
    orders,
    payments,
    payout_sends,
    refunds,
    sends,
    strays,
    surplus,
    treasury,
)
from app.services.preparing import Sender
from app.services.rails import Rails
from app.services.spending import SendWaits

log = structlog.get_logger(__name__)

_AT_ONCE = 100
# What is ours to do at once; the rest waits for somebody else, or is asked for anew by another sweep.
_WORK_IN = {
    OrderState.AUTHORISED: JobName.CAPTURE_PAYMENT,
    OrderState.PAID: JobName.SEND_COINS,
    OrderState.DEPOSIT_CONFIRMED: JobName.PAY_OUT_ORDER,
    OrderState.REFUNDING: JobName.REFUND_ORDER,
}
IDEMPOTENCY_DAYS = 30


async def expire_orders(db: Database) -> int:
    """End the orders whose payment window has closed; how many were looked at."""
    async with db.connection() as connection:
        due = await order_rows.due_to_expire(connection, _AT_ONCE)
    for order_id in due:
        await _tolerate(db, order_id, _expire(db, order_id))
    return len(due)


async def _expire(db: Database, order_id: str) -> None:
    async with db.transaction() as tx:
        await orders.expire(tx, order_id)


async def poll_payments(db: Database, rails: Rails) -> int:
    """Look up unfinished payments at their source, so that a notification that never comes costs time, not money."""
    async with db.transaction() as tx:
        due = await payment_rows.claim_due(tx, _AT_ONCE)
    for payment in due:
        await _tolerate(db, payment.id, payments.look_up(db, rails, payment))
    return len(due)


async def poll_payouts(db: Database, rails: Rails) -> int:
    """Look up bank payouts at their source, settled ones too: any of them can still come back."""
    async with db.transaction() as tx:
        due = await payout_rows.claim_due(tx, _AT_ONCE)
    for payout in due:
        await _tolerate(db, payout.id, bank_payouts.look_up(db, rails, payout))
    return len(due)


async def settle_operations(db: Database, rails: Rails) -> int:
    """Ask the source about requests whose outcome has stayed open; how many there were."""
    async with db.connection() as connection:
        open_operations = await payment_rows.undecided(connection, _AT_ONCE)
    for operation in open_operations:
        match OperationKind(operation.kind):
            case OperationKind.START:
                work: Awaitable[object] = payments.start(db, rails, operation.payment_id)
            case OperationKind.CAPTURE:
                work = payments.capture(db, rails, operation.order_id)
            case OperationKind.CANCEL:
                work = payments.cancel(db, rails, operation.order_id)
            case OperationKind.REFUND:
                work = refunds.refund_payment(db, rails, operation.id)
            case OperationKind.RETURN:
                work = surplus.give_back(db, rails, operation.id)
        await _tolerate(db, operation.id, work)
    return len(open_operations)


async def rebroadcast(db: Database, senders: Mapping[str, Sender]) -> int:
    """Hand bytes that no block has taken to the network again; how many transactions there were."""
    count = 0
    for network, sender in senders.items():
        async with db.connection() as connection:
            silent = await wallet.silent_lineages(connection, network, _AT_ONCE)
        for record in silent:
            lineage_id = record["lineage_id"]
            match record["purpose"]:
                case "deliver":
                    work = sends.broadcast(db, sender, record["order_id"])
                case "payout":
                    work = payout_sends.broadcast(db, sender, lineage_id)
                case _:
                    work = treasury.broadcast(db, sender, lineage_id)
            await _tolerate(db, lineage_id, work)
        count += len(silent)
    return count


async def bump(db: Database, senders: Mapping[str, Sender]) -> int:
    """Pay more for what no block takes; how many transactions wait so long."""
    return sum([await bumps.bump_stuck(db, sender) for sender in senders.values()])


async def mind_wallets(db: Database, senders: Mapping[str, Sender]) -> int:
    """Look after the coins of every wallet, and at chains that stand still; how many wallets there are."""
    for network, sender in senders.items():
        await head_age.watch(db, network, sender.rules.head_age)
        await _tolerate(db, network, treasury.mind(db, sender))
    return len(senders)


async def wake_jobs(db: Database) -> None:
    """Put work on the queue again whose job is gone: a killed worker can take a job with it in the worst moment."""
    async with db.transaction() as tx:
        # While a provider is away its jobs wait their turn: more of them would only ask it more often.
        stale = await without_job(tx, JobName.PROCESS_NOTIFICATION, await notifications.overdue(tx, _AT_ONCE))
        await enqueue(tx, [Job(JobName.PROCESS_NOTIFICATION, stored_id) for stored_id in stale])
        for state, name in _WORK_IN.items():
            standing = await without_job(tx, name, await order_rows.standing_in(tx, state, _AT_ONCE))
            await enqueue(tx, [Job(name, order_id) for order_id in standing])
        waiting = await without_job(tx, JobName.PAY_BANK, await payout_rows.standing(tx, _AT_ONCE))
        await enqueue(tx, [Job(JobName.PAY_BANK, payout_id) for payout_id in waiting])
        await batch_payments.wake(tx, _AT_ONCE)
        late = await deliveries.claim_overdue(tx, _AT_ONCE)
        await enqueue(tx, [Job(JobName.DELIVER, delivery_id) for delivery_id in late])
    await strays.wake(db, _AT_ONCE)


async def forget_old_answers(db: Database) -> None:
    """Prune what idempotency keys answered long ago."""
    async with db.transaction() as tx:
        await idempotency_rows.prune(tx, IDEMPOTENCY_DAYS)


async def _tolerate(db: Database, subject: str, work: Awaitable[object]) -> None:
    """A provider's failure waits for the next sweep, what we refuse for a person; none of it stops the others' turn."""
    try:
        await work
    except (ProviderError, SendWaits) as error:
        log.warning("sweep.provider_failed", subject=subject, error=str(error))
    except Conflict as refused:
        async with db.transaction() as tx:
            await raise_alert(tx, "illegal_transition", subject, refused.detail)
    except Exception as error:
        log.error("sweep.failed", subject=subject, error=f"{type(error).__name__}: {error}", exc_info=True)
