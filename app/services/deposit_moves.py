"""Moving a deposit: the one way its state changes, with the recorded move and the event that follow."""

from __future__ import annotations

import structlog

from app.db import deposits as deposit_rows
from app.db import events, moves, wallet
from app.db.columns import Document
from app.db.database import Transaction
from app.db.deposits import Deposit
from app.db.moves import Move
from app.domain.deposit import DEPOSIT, DepositState, DepositTrigger, event_of
from app.services.deposit_view import deposit_out

log = structlog.get_logger(__name__)


async def begin(tx: Transaction, deposit: Deposit) -> None:
    """Write a deposit that was just seen, with its first move and its event."""
    deposit.state, deposit.sequence = DepositState.DETECTED.value, 1
    await deposit_rows.insert(tx, deposit)
    await _tell(tx, deposit, DepositState.NEW, DepositTrigger.DETECTED, previous="{}", actor=None, reason=None)


async def move(
    tx: Transaction,
    deposit: Deposit,
    trigger: DepositTrigger,
    *,
    hold: Document | None = None,
    actor: str | None = None,
    reason: str | None = None,
    got_order: bool = False,
) -> None:
    """Let a fact move a locked deposit; whatever else the caller has changed of it is written too.

    `got_order` says that the order beside it is new. Raises IllegalTransition when the table has no such edge; then
    nothing was written.
    """
    source = deposit.deposit_state
    target = DEPOSIT.target(source, trigger)
    order_before = None if got_order else deposit.order_id
    was = {"status": source.value, "hold": deposit.hold, "order_id": order_before}
    deposit.state, deposit.sequence, deposit.hold = target.value, deposit.sequence + 1, hold
    await deposit_rows.store(tx, deposit)
    shown = deposit_out(deposit, None)
    before = shown.model_copy(update=was)
    previous = before.model_dump_json(include={name for name in was if was[name] != getattr(shown, name)})
    await _tell(tx, deposit, source, trigger, previous=previous, actor=actor, reason=reason)


async def _tell(
    tx: Transaction,
    deposit: Deposit,
    source: DepositState,
    trigger: DepositTrigger,
    *,
    previous: str,
    actor: str | None,
    reason: str | None,
) -> None:
    # The row is locked and the table was asked, so that a fact told twice does not come as far as here.
    cause = f"{deposit.block_hash or 'unmined'}:{deposit.sequence}"
    done = Move(deposit.id, deposit.sequence, source.value, trigger.value, deposit.state, cause, actor, reason)
    await moves.record(tx, [done])
    shown = deposit_out(deposit, await wallet.tip_height(tx, deposit.network))
    await events.record(
        tx,
        partner_id=deposit.partner_id,
        kind=event_of(trigger),
        resource_type="deposit",
        resource_id=deposit.id,
        resource_sequence=deposit.sequence,
        data=f'{{"object":{shown.model_dump_json()},"previous":{previous}}}',
        request_id=deposit.request_id,
    )
    log.info("deposit.moved", deposit_id=deposit.id, trigger=trigger, source=source, target=deposit.state)
