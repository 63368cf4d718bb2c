"""Settling calls: what becomes of orders, payouts and books when a block of an account chain is final."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import structlog

from app.db import account_chains, ledger
from app.db import calls as call_rows
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.calls import Call, CallAttempt
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.db.payouts import Payout
from app.db.wallet import Send
from app.domain import bookkeeping_gas as gas_books
from app.domain import bookkeeping_out as books
from app.domain.assets import asset_by_id, native_asset
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.payout import PayoutKind, PayoutState, PayoutTrigger
from app.ports.account_chain import CallReceipt
from app.services import evm_sends, orders, payouts
from app.services.evm_calls import AccountSender
from app.services.orders import Fact
from app.services.payouts import PayoutFact

log = structlog.get_logger(__name__)
P = PayoutTrigger
T = OrderTrigger
_UNDER_WAY = frozenset({PayoutState.SENDING, PayoutState.SUBMITTED})
_REVERTED = "send_reverted"


async def settle(db: Database, sender: AccountSender, call_id: str) -> None:
    """A call's block is final, by the network's word: ask for its receipt once more, then book what it has done.

    Nothing happens when the receipt is of another block than we know, or does not show what was to be paid: then a
    person has to look.
    """
    async with db.connection() as connection:
        attempts = await call_rows.attempts(connection, call_id)
        sends = await call_rows.sends_of(connection, call_id)
    mined = next((attempt for attempt in attempts if attempt.height is not None), None)
    if mined is None:
        return
    found = await sender.chain.receipt(mined.txid)
    if found is None:
        return
    block, receipt = found
    if receipt.ok and not mined.is_filler and not _pays(receipt, sends):
        async with db.transaction() as tx:
            await raise_alert(tx, "delivery_unclear", call_id, f"{mined.txid} shows no transfer of what it was to pay")
        return
    order_id = next((send.order_id for send in sends if send.order_id is not None), None)
    async with db.transaction() as tx:
        order = None if order_id is None else await order_rows.lock(tx, order_id)
        paid = await payout_rows.lock_of_lineage(tx, call_id)
        call = await call_rows.lock(tx, call_id)
        known = await account_chains.block_hash(tx, sender.network, block.height)
        if call is None or call.state != "open" or known != block.hash:
            return
        if not await account_chains.is_final(tx, sender.network, block.height):
            return
        await _book(tx, sender, call, mined, order, paid, sends)


def _pays(receipt: CallReceipt, sends: Sequence[Send]) -> bool:
    """Whether a receipt shows every send, each as a transfer of its own."""
    shown = Counter(
        (output.asset.id if output.asset else native_asset(sends[0].network).id, output.script, output.amount)
        for output in receipt.outputs
        if sends
    )
    return not Counter((send.asset, send.script, send.units) for send in sends) - shown


async def _book(
    tx: Transaction,
    sender: AccountSender,
    call: Call,
    mined: CallAttempt,
    order: Order | None,
    paid: Sequence[Payout],
    sends: Sequence[Send],
) -> None:
    """Everything that follows, in one transaction."""
    done = bool(mined.ok) and not mined.is_filler
    await call_rows.finish(tx, call.id, "done" if done else "filled" if mined.is_filler else "reverted")
    fee = mined.fee_units or 0
    if call.gas_reserved:
        entry = gas_books.gas_paid(call.id, call.network, reserved=call.gas_reserved, fee=fee)
        await ledger.post(tx, entry, subject=call.id)
    elif call.sender != sender.chain.hot.script and fee:
        await ledger.post(tx, gas_books.gas_paid_by_deposit(call.id, call.network, fee), subject=call.id)
    if call.purpose == "collect" and done:
        entry = gas_books.collected(call.id, asset_by_id(call.asset), call.units)
        await ledger.post(tx, entry, subject=call.id)
    if call.purpose != "send":
        if not done and call.purpose != "fill":
            await raise_alert(tx, _REVERTED, call.id, f"{mined.txid}: {call.purpose} was reverted")
        return
    await call_rows.set_sends_state(tx, call.id, "confirmed" if done else "abandoned")
    if order is not None:
        await _tell_order(tx, call, mined, order, sends[0], done=done)
    if paid:
        await (_settle_payouts if done else _fail_payouts)(tx, call, mined, paid)
    if not done:
        await raise_alert(tx, _REVERTED, call.id, f"{mined.txid} was mined, and paid nobody")


async def _tell_order(tx: Transaction, call: Call, mined: CallAttempt, order: Order, send: Send, *, done: bool) -> None:
    if order.order_state not in {OrderState.SENDING, OrderState.SENT}:
        return
    moved, tx_hash = Moved(send.id, amount=send.units), evm_sends.shown_hash(mined.txid)
    if done:
        await orders.move(tx, order, Fact(T.SEND_CONFIRMED, send.id, moved=moved, tx_hash=tx_hash))
        return
    # It is in a block for good and has done nothing: nothing else can ever use its nonce.
    failure = evm_sends.refusal_of("the transaction was reverted")
    fact = Fact(T.SEND_ABANDONED, send.id, moved=moved, failure=failure, tx_hash=tx_hash)
    await orders.move(tx, order, fact)


async def _settle_payouts(tx: Transaction, call: Call, mined: CallAttempt, paid: Sequence[Payout]) -> None:
    left: Counter[str] = Counter()
    open_ones = [payout for payout in paid if payout.payout_state in _UNDER_WAY]
    for payout in open_ones:
        left[payout.subject] += payout.units
    if open_ones:
        await ledger.post(tx, books.coins_delivered(call.id, asset_by_id(call.asset), left, 0), subject=call.id)
        fact = PayoutFact(P.SETTLED, call.id, tx_hash=evm_sends.shown_hash(mined.txid))
        await payouts.move_all(tx, open_ones, fact)


async def _fail_payouts(tx: Transaction, call: Call, mined: CallAttempt, paid: Sequence[Payout]) -> None:
    """Coins that did not leave are ours again; a partner's payout fails, coins of a customer wait for a person."""
    open_ones = [payout for payout in paid if payout.payout_state in _UNDER_WAY]
    asset = asset_by_id(call.asset)
    units = sum(payout.units for payout in open_ones)
    await ledger.post(tx, gas_books.coins_released(call.id, asset, units), subject=call.id)
    own = [payout for payout in open_ones if payout.payout_kind is PayoutKind.PAYOUT]
    failure = evm_sends.refusal_of("the transaction was reverted")
    fact = PayoutFact(P.FAILED, call.id, failure=failure, tx_hash=evm_sends.shown_hash(mined.txid))
    await payouts.move_all(tx, own, fact)
    for payout in open_ones:
        if payout.payout_kind is not PayoutKind.PAYOUT:
            await payouts.hold(tx, payout, _REVERTED, cause=call.id)
