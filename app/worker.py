"""The job process: one handler per job name, and the loops that publish events, follow chains and sweep."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver

from app.db import orders
from app.db.alerts import raise_alert
from app.db.database import Database
from app.db.jobs import JobName
from app.domain.assets import asset_by_id
from app.services import (
    bank_files,
    bank_payouts,
    batch_payments,
    batch_reading,
    evm_follower,
    evm_minding,
    evm_payouts,
    evm_sends,
    evm_sweeps,
    files,
    follower,
    order_payouts,
    payments,
    payout_sends,
    reconciliation,
    refunds,
    sends,
    sessions,
    statements,
    strays,
    surplus,
    sweeps,
    top_ups,
)
from app.wiring.assembly import Worker
from app.worker_guard import Guard, Handler
from webhooks.inbound.process import process_notification
from webhooks.outbound.publish import publish_waiting

log = structlog.get_logger(__name__)
T = TypeVar("T")

_BATCH = 20
_CONCURRENT = 64
_HEARTBEAT = timedelta(seconds=10)
_PUBLISH_SECONDS = 0.1
_FOLLOW_SECONDS = 0.5
_MEMPOOL_SECONDS = 2.0
_PAYOUT_SECONDS = 0.5
_CREDIT_SECONDS = 300.0
_SWEEP_SECONDS = 1.0
_WORRYING_FAILURES = 20
_WAKE_SECONDS = 60.0
_PRUNE_SECONDS = 3600.0
_STRAY_SECONDS = 3600.0
_RECONCILE_SECONDS = 300.0


def handlers(worker: Worker) -> dict[JobName, Handler]:
    """Who does which job. Every handler may be run again from the start at any time."""
    db, rails = worker.db, worker.rails

    return {
        JobName.START_PAYMENT: lambda payment_id: payments.start(db, rails, payment_id),
        JobName.CAPTURE_PAYMENT: lambda order_id: payments.capture(db, rails, order_id),
        JobName.CANCEL_PAYMENT: lambda order_id: payments.cancel(db, rails, order_id),
        JobName.REFUND_ORDER: lambda order_id: refunds.refund_order(db, rails, order_id),
        JobName.REFUND_PAYMENT: lambda refund_id: refunds.refund_payment(db, rails, refund_id),
        JobName.RETURN_SURPLUS: lambda operation_id: surplus.give_back(db, rails, operation_id),
        JobName.END_STRAY: lambda stray_id: strays.end(db, rails, stray_id),
        JobName.SEND_COINS: lambda order_id: send_coins(worker, order_id),
        JobName.PROCESS_NOTIFICATION: lambda stored_id: process_notification(db, rails, stored_id),
        JobName.DELIVER: worker.deliverer.deliver,
        JobName.PAY_BANK: lambda payout_id: bank_payouts.pay(db, rails, worker.sealer, payout_id),
        JobName.PAY_OUT_ORDER: lambda order_id: order_payouts.pay_out_order(db, rails, order_id),
        JobName.READ_BATCH: lambda batch_id: batch_reading.read(
            db, rails, worker.sealer, worker.rules.policy, batch_id
        ),
        JobName.PAY_BATCH: lambda batch_id: batch_payments.pay(db, rails, batch_id),
        JobName.FINISH_BATCH: lambda batch_id: batch_payments.finish(db, batch_id),
    }


async def send_coins(worker: Worker, order_id: str) -> None:
    """Send what an order is owed, on the network of its coin."""
    asset = await orders.asset_sent(worker.db, order_id)
    if asset is not None:
        network = asset_by_id(asset).network or ""
        if network in worker.account_senders:
            await evm_sends.send_coins(worker.db, worker.account_senders[network], order_id)
        else:
            await sends.send_coins(worker.db, worker.senders[network], order_id)


def queue_on(worker: Worker, connection: asyncpg.Connection[asyncpg.Record]) -> PgQueuer:
    """The job engine with every handler registered."""
    queue, guard = PgQueuer(AsyncpgDriver(connection)), Guard(worker.db, _HEARTBEAT)
    for name, handler in handlers(worker).items():
        queue.entrypoint(name.value, on_failure="hold")(guard.guarded(handler))
    return queue


async def follow_chains(worker: Worker) -> bool:
    """One round of following every chain. True when one of them has more to read."""
    return any(
        await _each(
            *(evm_follower.follow(worker.db, sender, worker.rules) for sender in worker.account_senders.values()),
            *(follower.follow(worker.db, sender.rail, worker.rules) for sender in worker.senders.values()),
        )
    )


async def look_at_mempools(worker: Worker) -> bool:
    """One look at what waits for a block on every chain. True when there is more to see."""
    return any(await _each(*(mempool.look(worker.db, worker.rules) for mempool in worker.mempools)))


async def send_payouts(worker: Worker) -> bool:
    """One round of paying what waits in coins, many payouts at once. True when there may be more."""
    return any(
        await _each(
            *(evm_payouts.send_waiting(worker.db, sender) for sender in worker.account_senders.values()),
            *(payout_sends.send_waiting(worker.db, sender) for sender in worker.senders.values()),
        )
    )


async def send_files(worker: Worker) -> bool:
    """One round of paying what waits for a bank that takes files. True when there may be more."""
    return await bank_files.send_waiting(worker.db, worker.rails, worker.sealer)


async def mind_calls(worker: Worker) -> int:
    """One look at what is signed on account chains and in no block; how much was handed over again."""
    return sum(await _each(*(evm_minding.mind(worker.db, sender) for sender in worker.account_senders.values())))


async def sweep_deposits(worker: Worker) -> int:
    """One round of gathering counted coins from deposit addresses of account chains; how many were begun."""
    return sum(await _each(*(evm_sweeps.sweep(worker.db, sender) for sender in worker.account_senders.values())))


async def _each(*networks: Awaitable[T]) -> list[T]:
    """Give every network its turn, one after another; a failure keeps none from it, and the first is raised then."""
    done: list[T] = []
    failed: list[Exception] = []
    for work in networks:
        try:
            done.append(await work)
        except Exception as error:
            failed.append(error)
    for first in failed:
        raise first
    return done


def sweeps_of(worker: Worker) -> dict[str, Callable[[], Awaitable[int]]]:
    """Every sweep by name. Each has a loop of its own, so that a provider that hangs delays no other work."""
    db, rails = worker.db, worker.rails
    return {
        "expire": lambda: sweeps.expire_orders(db),
        "expire_sessions": lambda: sessions.expire(db),
        "poll": lambda: sweeps.poll_payments(db, rails),
        "settle": lambda: sweeps.settle_operations(db, rails),
        "poll_payouts": lambda: sweeps.poll_payouts(db, rails),
        "bank_reports": lambda: bank_files.fetch_reports(db, rails),
        "rebroadcast": lambda: sweeps.rebroadcast(db, worker.senders),
        "mind_calls": lambda: mind_calls(worker),
        "sweep_deposits": lambda: sweep_deposits(worker),
        "bump": lambda: sweeps.bump(db, worker.senders),
        "treasury": lambda: sweeps.mind_wallets(db, worker.senders),
    }


async def _forever(db: Database, name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Repeat a piece of work; it says True to go on at once.

    Its failures are logged and never end the loop; a person is told of one that does nothing but fail.
    """
    failures = 0
    while True:
        more: object = False
        try:
            more = await work()
            failures = 0
        except Exception as error:
            failures += 1
            log.warning("loop.failed", loop=name, error=f"{type(error).__name__}: {error}")
            if failures == _WORRYING_FAILURES:
                with contextlib.suppress(Exception):  # the database may be what is failing
                    async with db.transaction() as tx:
                        await raise_alert(tx, "loop_failing", name, f"{type(error).__name__}: {error}")
        if more is not True:
            await asyncio.sleep(seconds)


async def run(worker: Worker, connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Work until SIGTERM or SIGINT, then finish what is in hand. Raises when the database connection is lost."""
    queue = queue_on(worker, connection)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, queue.shutdown.set)
    forever = partial(_forever, worker.db)
    loops = [
        asyncio.create_task(forever("follow", _FOLLOW_SECONDS, lambda: follow_chains(worker))),
        asyncio.create_task(forever("mempool", _MEMPOOL_SECONDS, lambda: look_at_mempools(worker))),
        asyncio.create_task(forever("payouts", _PAYOUT_SECONDS, lambda: send_payouts(worker))),
        asyncio.create_task(forever("files", _PAYOUT_SECONDS, lambda: send_files(worker))),
        asyncio.create_task(forever("credits", _CREDIT_SECONDS, lambda: top_ups.catch_up(worker.db, worker.rails))),
        asyncio.create_task(forever("publish", _PUBLISH_SECONDS, lambda: publish_waiting(worker.db))),
        *(asyncio.create_task(forever(name, _SWEEP_SECONDS, work)) for name, work in sweeps_of(worker).items()),
        asyncio.create_task(forever("wake", _WAKE_SECONDS, lambda: sweeps.wake_jobs(worker.db))),
        asyncio.create_task(
            forever("statements", _CREDIT_SECONDS, lambda: statements.read_all(worker.db, worker.rails))
        ),
        asyncio.create_task(forever("strays", _STRAY_SECONDS, lambda: strays.look(worker.db, worker.rails))),
        asyncio.create_task(
            forever("reconcile", _RECONCILE_SECONDS, lambda: reconciliation.nightly(worker.db, worker.reconciler))
        ),
        asyncio.create_task(forever("prune", _PRUNE_SECONDS, lambda: sweeps.forget_old_answers(worker.db))),
        asyncio.create_task(forever("uploads", _PRUNE_SECONDS, lambda: files.prune(worker.db))),
    ]
    try:
        await queue.run(
            dequeue_timeout=timedelta(seconds=5),
            batch_size=_BATCH,
            max_concurrent_tasks=_CONCURRENT,
            heartbeat_timeout=_HEARTBEAT,
        )
    finally:
        for task in loops:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*loops)
