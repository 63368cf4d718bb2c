"""Lost calls: a nonce that somebody else with our key has used for good, so that nothing of ours can be mined at it."""

from __future__ import annotations

import structlog

from app.db import account_chains, chain, evm
from app.db import calls as call_rows
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.calls import Call
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.db.payouts import Payout
from app.domain.order import MACHINES, OrderTrigger
from app.domain.payout import PAYOUT, PayoutTrigger
from app.ports.account_chain import AccountBlock, CallReceipt
from app.ports.chain import BlockId
from app.ports.records import ChainMovedError
from app.services import evm_calls, evm_settling, orders, payouts
from app.services.evm_calls import AccountSender
from app.services.evm_settling import PAID_ELSEWHERE, Ending

log = structlog.get_logger(__name__)


async def told_of(tx: Transaction, network: str, block: AccountBlock) -> None:
    """Stop the addresses of ours that sent something in a block that we never signed; the block was taken in."""
    for txid, script, nonce in await evm.foreign_calls(tx, network, block):
        await evm_calls.stop(tx, network, script, f"{txid}, which is not ours, has used its nonce {nonce}")
        [receipt] = [one for one in block.transactions if one.txid == txid]
        call = await call_rows.at_nonce(tx, network, script, nonce)
        if call is not None and call.state == "open":
            await _doubt(tx, call, receipt)


async def _doubt(tx: Transaction, call: Call, receipt: CallReceipt) -> None:
    """Hold what a call is for when the transaction in its place pays the same.

    It may be an attempt of ours that we have no record of, as after a backup was restored; who is paid already must
    not get the money back as well.
    """
    sends = await call_rows.sends_of(tx, call.id)
    if not receipt.ok or not sends or not evm_settling.pays(receipt, sends):
        return
    order, paid = await _lock(tx, call.id)
    if order is not None and MACHINES[order.order_direction].allows(order.order_state, OrderTrigger.HELD):
        await orders.hold(tx, order.id, PAID_ELSEWHERE, cause=receipt.txid)
    for payout in paid:
        if PAYOUT.allows(payout.payout_state, PayoutTrigger.HELD):
            await payouts.hold(tx, payout, PAID_ELSEWHERE, cause=f"{receipt.txid}:{payout.id}")
    await raise_alert(tx, PAID_ELSEWHERE, call.id, f"{receipt.txid}, which we do not know, pays what it was to pay")


async def give_up(db: Database, sender: AccountSender, script: str) -> None:
    """End the calls of a stopped address whose nonces a final block has without any attempt of ours.

    The node is asked about a block that we have read ourselves, by its hash: all that it holds is known here.
    """
    async with db.connection() as connection:
        waiting = await call_rows.unmined(connection, sender.network, script)
        final = await account_chains.final_block(connection, sender.network)
    if not waiting or final is None:
        return
    try:
        next_nonce = await sender.chain.nonce_after(script, final)
    except ChainMovedError:
        return
    for call in waiting:
        if call.nonce < next_nonce:
            await _give_up(db, sender, call.id, final)


async def _give_up(db: Database, sender: AccountSender, call_id: str, final: BlockId) -> None:
    async with db.connection() as connection:
        attempts = await call_rows.attempts(connection, call_id)
    for attempt in attempts:
        if await sender.chain.receipt(attempt.txid) is not None:
            log.warning("call.not_lost", call_id=call_id, txid=attempt.txid)
            return
    async with db.transaction() as tx:
        await chain.take_turn(tx, sender.network)  # no block is taken in, or undone, meanwhile
        order, paid = await _lock(tx, call_id)
        call = await call_rows.lock(tx, call_id)
        if call is None or call.id not in {one.id for one in await call_rows.unmined(tx, call.network, call.sender)}:
            return
        if await account_chains.block_hash(tx, sender.network, final.height) != final.hash:
            return
        why = f"nonce {call.nonce} of {call.sender} was used for good by somebody else with its key"
        await evm_settling.book(tx, sender, call, Ending("lost", why), order, paid)


async def _lock(tx: Transaction, call_id: str) -> tuple[Order | None, list[Payout]]:
    """What a call is for: orders first, then payouts, as everybody locks them."""
    sends = await call_rows.sends_of(tx, call_id)
    order_id = next((send.order_id for send in sends if send.order_id is not None), None)
    order = None if order_id is None else await order_rows.lock(tx, order_id)
    return order, await payout_rows.lock_of_lineage(tx, call_id)
