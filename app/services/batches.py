"""Batches: `move`, the only way a batch moves, and what it takes from balances and gives back to them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import structlog

from app.db import approvals as approval_rows
from app.db import events, ledger, moves, payout_items
from app.db import payout_batches as batch_rows
from app.db.columns import Document
from app.db.database import Transaction
from app.db.events import NewEvent
from app.db.jobs import Job, JobName, enqueue
from app.db.moves import Move
from app.db.payout_batches import BatchTotal, PayoutBatch
from app.domain import bookkeeping_out as books
from app.domain.assets import asset_by_id
from app.domain.errors import InsufficientBalance
from app.domain.money import Money
from app.domain.payout_batch import BATCH, BatchState, BatchTrigger, event_of
from app.schemas.payout_batches import PayoutBatchOut
from app.services.batch_view import batch_out
from app.services.policy import Policy

log = structlog.get_logger(__name__)
S = BatchState
T = BatchTrigger

_UNCHANGING = frozenset({"updated_at", "allowed_actions"})
_JOBS = {
    T.CREATED: JobName.PAY_BATCH,
    T.VALIDATED: JobName.PAY_BATCH,
    T.APPROVED: JobName.PAY_BATCH,
    T.VALIDATION_STARTED: JobName.READ_BATCH,
}


async def announce(tx: Transaction, batch: PayoutBatch, trigger: BatchTrigger, totals: Sequence[BatchTotal]) -> None:
    """The first move, event and job of a new batch, whose items and totals are written before."""
    await moves.record(
        tx, [Move(batch.id, 1, S.CREATED.value, trigger.value, batch.state, "created", batch.created_by)]
    )
    await events.record_all(tx, [_event(batch, trigger, batch_out(batch, totals), None)])
    await _enqueue(tx, batch, trigger)


async def move(
    tx: Transaction,
    batch: PayoutBatch,
    trigger: BatchTrigger,
    cause: str,
    *,
    failure: Document | None = None,
    actor: str | None = None,
    reason: str | None = None,
) -> PayoutBatch:
    """Move a locked batch: state, recorded move, event and job in the caller's transaction.

    What its totals are is written before. Raises IllegalTransition when the table has no such edge.
    """
    source = batch.batch_state
    target = BATCH.target(source, trigger)
    totals = (await batch_rows.totals_of(tx, [batch.id]))[batch.id]
    earlier = await batch_rows.peek(tx, batch.id)
    assert earlier is not None  # noqa: S101 - it is locked
    batch.state, batch.failure = target.value, failure or batch.failure
    batch.sequence += 1
    moved = await batch_rows.store_moved(tx, batch)
    await moves.record(
        tx, [Move(moved.id, moved.sequence, source.value, trigger.value, moved.state, cause, actor, reason)]
    )
    approved_by = await approver(tx, moved)
    after = batch_out(moved, totals, approved_by=approved_by)
    before = batch_out(earlier, totals if source is not S.VALIDATING else [])
    await events.record_all(tx, [_event(moved, trigger, after, before)])
    await _enqueue(tx, moved, trigger)
    log.info("payout_batch.moved", payout_batch_id=moved.id, trigger=trigger, source=source)
    return moved


async def _enqueue(tx: Transaction, batch: PayoutBatch, trigger: BatchTrigger) -> None:
    if trigger in _JOBS:
        await enqueue(tx, [Job(_JOBS[trigger], batch.id)])


def _event(batch: PayoutBatch, trigger: BatchTrigger, after: PayoutBatchOut, before: PayoutBatchOut | None) -> NewEvent:
    previous = "{}"
    if before is not None:
        fields = type(after).model_fields.keys() - _UNCHANGING
        changed = {name for name in fields if getattr(before, name) != getattr(after, name)}
        previous = before.model_dump_json(include=changed)
    return NewEvent(
        partner_id=batch.partner_id,
        kind=event_of(trigger),
        resource_type="payout_batch",
        resource_id=batch.id,
        resource_sequence=batch.sequence,
        data=f'{{"object":{after.model_dump_json()},"previous":{previous}}}',
        request_id=batch.request_id,
    )


async def approver(tx: Transaction, batch: PayoutBatch) -> str | None:
    """The key that approved a batch, if one has."""
    if batch.approval_hash is None:
        return None
    given = (await approval_rows.approved(tx, [batch.id])).get(batch.id)
    return None if given is None else given.key_id


def totals_from(batch_id: str, sums: Mapping[str, tuple[int, int]]) -> list[BatchTotal]:
    """The totals of a batch, from units and number of items by asset; in the order in which balances are locked."""
    return [
        BatchTotal(batch_id=batch_id, asset=asset, units=units, items=n) for asset, (units, n) in sorted(sums.items())
    ]


async def reserve(tx: Transaction, batch: PayoutBatch, totals: Sequence[BatchTotal]) -> None:
    """Take all that a batch will pay from the balances at once; raises InsufficientBalance, and nothing is taken.

    The batch's row is new, or locked after the balances.
    """
    available = await lock_balances(tx, batch.partner_id, totals)
    short = [total.asset for total in totals if available[total.asset] < total.units]
    if short:
        raise InsufficientBalance(f"The balance does not suffice in {', '.join(short)}.", pointer="/items")
    for total in totals:
        entry = books.reserved(batch.id, batch.partner_id, Money(total.units, asset_by_id(total.asset)))
        await ledger.post(tx, entry, subject=batch.id)


async def lock_balances(tx: Transaction, partner_id: str, totals: Sequence[BatchTotal]) -> dict[str, int]:
    """Lock the balances of a batch's assets, in their order; what is available of each.

    Always before the batch's own row: whoever ends a payout takes the two in this order.
    """
    assets = sorted(total.asset for total in totals)
    return {asset: await ledger.lock_available(tx, partner_id, asset) for asset in assets}


async def free(tx: Transaction, batch: PayoutBatch, left: Mapping[str, int]) -> None:
    """Give back what was taken and no payout was made of, by asset. The balances are locked before the batch."""
    for asset, units in sorted(left.items()):
        if units:
            money = Money(units, asset_by_id(asset))
            entry = books.freed(f"{batch.id}:free:{asset}", batch.id, batch.partner_id, money)
            await ledger.post(tx, entry, subject=batch.id)


def needs_approval(policy: Policy, totals: Sequence[BatchTotal]) -> bool:
    """Whether another key has to look at it first: no item can be above a limit that its total is not above."""
    return any(policy.needs_approval(Money(total.units, asset_by_id(total.asset))) for total in totals)


async def digest_of(tx: Transaction, batch_id: str) -> bytes:
    """What an approval of a batch is of: every payment in order, and where it leads.

    SHA-256, each step over the digest before and the item, so that items are never in memory together.
    """
    digest = hashlib.sha256(batch_id.encode()).digest()
    async for record in payout_items.with_destinations(tx, batch_id):
        place = record["fingerprint"] or b""
        told = (
            f"{record['position']}\n{record['external_account_id']}\n{record['asset']}\n{int(record['units'])}\n"
            f"{record['method']}\n{record['address'] or ''}\n{place.hex()}"
        )
        digest = hashlib.sha256(digest + told.encode()).digest()
    return digest
