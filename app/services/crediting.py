"""Crediting: when deposits of a chain may count at all, and which of them two nodes have to agree on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.db import spending as spending_rows
from app.db.alerts import raise_alert, resolve_alert
from app.db.database import Database, Transaction
from app.db.deposits import Deposit
from app.ports.chain import BlockId, BlockWitness
from app.ports.errors import ProviderError
from app.services import head_age

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CreditGate:
    """What has to hold before deposits on one network count.

    The newest block is no older than `most_age`; above `witnessed_above` units the witness, a node of somebody
    else's, has the deposit's block too.
    """

    most_age: timedelta | None = None
    witness: BlockWitness | None = None
    witnessed_above: int = 0


async def is_open(db: Database, network: str, gate: CreditGate) -> bool:
    """Whether deposits on the network count now: nobody has stopped them, and the chain moves."""
    async with db.connection() as connection:
        may = await spending_rows.may_credit(connection, network)
        return may and await head_age.is_fresh(connection, network, gate.most_age)


async def is_witnessed(db: Database, gate: CreditGate, deposit: Deposit) -> bool:
    """Whether the second node sees the deposit's block, where it has to be asked; nothing may be open meanwhile.

    A node that lies, is on a fork or is behind credits nothing large by itself. The deposit waits until both agree.
    """
    if gate.witness is None or deposit.units <= gate.witnessed_above:
        return True
    if deposit.height is None or deposit.block_hash is None:
        return False
    try:
        agreed = await gate.witness.has_block(BlockId(deposit.height, deposit.block_hash))
    except ProviderError as error:
        log.warning("deposit.unwitnessed", deposit_id=deposit.id, error=str(error))
        agreed = False
    async with db.transaction() as tx:
        if agreed:
            await resolve_alert(tx, "nodes_disagree", deposit.id)
        else:
            await raise_alert(tx, "nodes_disagree", deposit.id, f"the second node has no block {deposit.block_hash}")
    return agreed


async def stop_after(tx: Transaction, deposit: Deposit) -> None:
    """A reorganisation took credited coins that had been passed on: stop crediting until a person starts it again."""
    if not deposit.lost_units:
        return
    await spending_rows.switch(tx, deposit.network, crediting=False)
    reason = f"{deposit.id} was reorganised away after its money had left"
    await spending_rows.note(tx, deposit.network, "stop_crediting", actor="follower", reason=reason, subject=deposit.id)
    await raise_alert(tx, "crediting_stopped", deposit.network, reason)
