"""Deposits: coins are seen, wait for their depth, count once, and may be taken back by a reorganisation.

Whoever changes deposits of a network has taken the followers' turn before, so that blocks, the mempool and counting
never contradict each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

import structlog

from app.db import chain
from app.db import deposit_addresses as address_rows
from app.db import deposits as deposit_rows
from app.db.alerts import raise_alert
from app.db.chain import Paid
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.deposits import Deposit
from app.domain.assets import COINBASE_DEPTH, asset_by_id, confirmations_needed, dust_of
from app.domain.deposit import DepositState, DepositTrigger
from app.domain.errors import Conflict
from app.domain.money import Money
from app.ports.chain import BlockId, ChainBlock, Waiting
from app.services import crediting, deposit_blocks, deposit_credits, deposit_moves, deposit_orders, screening
from app.services.deposit_rules import DepositRules

log = structlog.get_logger(__name__)
S = DepositState
T = DepositTrigger
_BOOKED = frozenset({S.CREDITED, S.HELD})


async def in_block(tx: Transaction, rules: DepositRules, network: str, block: ChainBlock) -> None:
    """Find the deposits in a block that was just taken in."""
    txids = await chain.paying_deposits(tx, network, block.id.height)
    if not txids:
        return
    paying = [transaction for transaction in block.transactions if transaction.txid in txids]
    # A coinbase spends nothing, and can itself be spent only a hundred blocks later.
    coinbases = {transaction.txid for transaction in paying if not transaction.spends}
    for paid in await chain.paid_deposits(tx, network, paying):
        least_depth = COINBASE_DEPTH if paid.txid in coinbases else 1
        await _see(tx, rules, network, paid, block.id, least_depth)


async def in_mempool(tx: Transaction, rules: DepositRules, network: str, waiting: Waiting) -> None:
    """Find the deposits that wait for a block, and those that wait no longer although no block has taken them."""
    for paid in await chain.paid_deposits(tx, network, waiting.transactions):
        await _see(tx, rules, network, paid, None, 1)
    # With blocks that we have not read yet, a transaction that is missing may be in one of them.
    up_to_date = await chain.tip_hash(tx, network) == waiting.tip
    for deposit in await deposit_rows.lock_unmined(tx, network):
        is_there = deposit.txid in waiting.txids
        if is_there and deposit.deposit_state is S.ORPHANED:
            await _detect_again(tx, deposit)
        elif not is_there and deposit.deposit_state is S.DETECTED and up_to_date:
            await _orphan(tx, deposit)


async def in_account_block(
    tx: Transaction, rules: DepositRules, network: str, paid: Paid, block: BlockId, suspect: str | None
) -> None:
    """A transfer in a block of an account chain; `suspect` says why it waits for a person once it is final."""
    await _see(tx, rules, network, paid, block, 1, suspect)


async def orphan_unmined(tx: Transaction, network: str) -> None:
    """Those that no block has any more, on a chain of which we have read every block and nothing else."""
    for deposit in await deposit_rows.lock_unmined(tx, network):
        if deposit.deposit_state is S.DETECTED:
            await _orphan(tx, deposit)


async def _see(
    tx: Transaction,
    rules: DepositRules,
    network: str,
    paid: Paid,
    block: BlockId | None,
    least_depth: int,
    suspect: str | None = None,
) -> None:
    """One output, told by whoever sees it: in the mempool, in a block, again after a reorganisation or a restart."""
    if paid.units < dust_of(asset_by_id(paid.asset)):
        return
    deposit = await deposit_rows.lock_output(tx, network, paid.txid, paid.vout)
    if deposit is None:
        await _begin(tx, rules, network, paid, block, least_depth, suspect)
        return
    if block is not None:
        deposit.height, deposit.block_hash, deposit.suspect = block.height, block.hash, suspect
    if deposit.deposit_state is S.ORPHANED:
        await _detect_again(tx, deposit)
    elif block is not None:
        await deposit_rows.store(tx, deposit)


async def _begin(
    tx: Transaction,
    rules: DepositRules,
    network: str,
    paid: Paid,
    block: BlockId | None,
    least_depth: int,
    suspect: str | None,
) -> None:
    at = await tx.fetchval("SELECT now()")
    depth = confirmations_needed(Money(paid.units, asset_by_id(paid.asset)), rules.ladder(network))
    deposit = Deposit(
        id=new_id("dp"),
        partner_id=paid.partner_id,
        deposit_address_id=paid.deposit_address_id,
        order_id=paid.order_id,
        network=network,
        asset=paid.asset,
        txid=paid.txid,
        vout=paid.vout,
        units=paid.units,
        confirmations_needed=max(depth, least_depth),
        state=S.NEW.value,
        sequence=0,
        height=None if block is None else block.height,
        block_hash=None if block is None else block.hash,
        suspect=suspect,
        livemode=rules.livemode,
        created_at=at,
        updated_at=at,
    )
    await deposit_moves.begin(tx, deposit)
    if deposit.order_id is not None:
        await deposit_orders.seen(tx, deposit)


async def _detect_again(tx: Transaction, deposit: Deposit) -> None:
    await deposit_moves.move(tx, deposit, T.DETECTED)
    if deposit.order_id is not None:
        await deposit_orders.seen(tx, deposit)


async def _orphan(tx: Transaction, deposit: Deposit) -> None:
    deposit.height = deposit.block_hash = None
    await deposit_moves.move(tx, deposit, T.ORPHANED)
    if deposit.order_id is not None:
        await deposit_orders.vanished(tx, deposit)


async def disconnected(tx: Transaction, network: str, height: int) -> None:
    """Every block above `height` is gone. What had not counted waits for a block again; what had is taken back."""
    for deposit in await deposit_rows.lock_above(tx, network, height):
        if deposit.deposit_state is S.DETECTED:
            deposit.height = deposit.block_hash = None
            await deposit_rows.store(tx, deposit)
            continue
        booked = deposit.deposit_state in _BOOKED
        if deposit.deposit_state is S.BLOCKED:
            await deposit_blocks.undo(tx, deposit)
        if booked:
            await deposit_credits.undo(tx, deposit)
        await _orphan(tx, deposit)
        if booked:
            await deposit_orders.alert_loss(tx, deposit)
            await crediting.stop_after(tx, deposit)


async def count_due(db: Database, rules: DepositRules, network: str) -> None:
    """Count every deposit that has become deep enough, each in a transaction of its own."""
    if not await crediting.is_open(db, network, rules.gate(network)):
        return
    async with db.connection() as connection:
        due = await deposit_rows.due_to_count(connection, network)
    for deposit_id in due:
        await _tolerate(db, deposit_id, _count(db, rules, network, deposit_id))


async def _count(db: Database, rules: DepositRules, network: str, deposit_id: str) -> None:
    await _see_to_price(db, rules, deposit_id)
    senders = await _senders(db, rules, deposit_id)
    if not await _is_witnessed(db, rules, network, deposit_id):
        return
    async with db.transaction() as tx:
        await chain.take_turn(tx, network)
        deposit = await deposit_rows.lock(tx, deposit_id)
        if deposit is None or not await deposit_rows.is_deep(tx, deposit_id):
            return
        if deposit.deposit_state is S.DETECTED and not await _is_deep_together(tx, rules, deposit):
            return
        if deposit.deposit_state is S.DETECTED:
            await deposit_moves.move(tx, deposit, T.CONFIRMED)
        if deposit.deposit_state is S.CONFIRMED and await deposit_blocks.may_count(tx, deposit, senders):
            await deposit_credits.credit(tx, rules, deposit)


async def _is_deep_together(tx: Transaction, rules: DepositRules, deposit: Deposit) -> bool:
    """Whether the coins are deep enough for all that depends on them: many small ones are a large sum.

    That is the whole sale, for those that complete it; else what has lately come to the partner's balance.
    """
    if deposit.order_id is None:
        deepest = rules.ladder(deposit.network)[-1].confirmations
        units, depth = await deposit_rows.lately_standing(tx, deposit, deepest)
    else:
        found = await deposit_rows.completing(tx, deposit)
        if found is None:
            return True
        units, depth = found
    return depth >= confirmations_needed(Money(units, asset_by_id(deposit.asset)), rules.ladder(deposit.network))


async def _see_to_price(db: Database, rules: DepositRules, deposit_id: str) -> None:
    """Ask for prices, with nothing open, when the deposit is one that has to be sold."""
    async with db.connection() as connection:
        address = await address_rows.to_sell(connection, deposit_id)
    if address is not None and address.sell_asset is not None:
        await rules.need_price(asset_by_id(address.asset), asset_by_id(address.sell_asset))


async def _is_witnessed(db: Database, rules: DepositRules, network: str, deposit_id: str) -> bool:
    """Ask the second node about a large deposit, with nothing open."""
    async with db.connection() as connection:
        deposit = await deposit_rows.peek(connection, deposit_id)
    return deposit is not None and await crediting.is_witnessed(db, rules.gate(network), deposit)


async def _senders(db: Database, rules: DepositRules, deposit_id: str) -> Sequence[str]:
    """Ask whose coins these were, with nothing open, when anything is screened and the chain can tell."""
    async with db.connection() as connection:
        deposit = await deposit_rows.peek(connection, deposit_id)
        if deposit is None or deposit.block_hash is None or not await screening.is_required(connection):
            return ()
    return await rules.senders(deposit.network, deposit.txid, deposit.block_hash)


async def _tolerate(db: Database, deposit_id: str, work: Awaitable[None]) -> None:
    """One deposit that cannot be booked stops neither the others nor the blocks."""
    try:
        await work
    except Conflict as refused:
        async with db.transaction() as tx:
            await raise_alert(tx, "illegal_transition", deposit_id, refused.detail)
    except Exception as error:
        log.error("deposit.not_counted", deposit_id=deposit_id, error=f"{type(error).__name__}: {error}", exc_info=True)
