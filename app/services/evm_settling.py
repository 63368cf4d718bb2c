"""Settling calls: what becomes of orders, payouts and books when a block of an account chain is final."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.db import account_chains, ledger
from app.db import calls as call_rows
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.calls import Call, CallAttempt
from app.db.columns import Document
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
from app.services import abandoning, evm_sends, orders, payouts
from app.services.evm_calls import AccountSender
from app.services.orders import Fact
from app.services.payouts import PayoutFact

log = structlog.get_logger(__name__)
P = PayoutTrigger
T = OrderTrigger
_UNDER_WAY = frozenset({PayoutState.SENDING, PayoutState.SUBMITTED})
_REVERTED = "send_reverted"
LOST: Final = "nonce_lost"  # what was to be done at this nonce, somebody else's transaction prevents for good
PAID_ELSEWHERE: Final = "paid_elsewhere"  # and that transaction pays just the same: was it ours, after all?


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call has ended for good: its state, why it has not done what it was for, and the fee in wei.

    `txid` is our transaction that did it, if one did.
    """

    state: str
    why: str = ""
    fee: int = 0
    txid: str | None = None

    @property
    def done(self) -> bool:
        """Whether it has done what it was for."""
        return self.state == "done"

    @property
    def tx_hash(self) -> str | None:
        """The transaction as these chains write it."""
        return None if self.txid is None else evm_sends.shown_hash(self.txid)

    @property
    def failure(self) -> Document:
        """Why nothing was sent, for the row of what was to be paid."""
        if self.state == "lost":
            return abandoning.NOT_SENT
        return evm_sends.refusal_of("the transaction was reverted")


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
    if receipt.ok and not mined.is_filler and not pays(receipt, sends):
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
        await book(tx, sender, call, _ending_of(mined), order, paid)


def _ending_of(mined: CallAttempt) -> Ending:
    fee = mined.fee_units or 0
    if mined.is_filler:
        return Ending("filled", f"{mined.txid} was mined, and paid nobody", fee, mined.txid)
    if not mined.ok:
        return Ending("reverted", f"{mined.txid} was mined, and was reverted", fee, mined.txid)
    return Ending("done", "", fee, mined.txid)


def pays(receipt: CallReceipt, sends: Sequence[Send]) -> bool:
    """Whether a receipt shows every send, each as a transfer of its own."""
    shown = Counter(
        (output.asset.id if output.asset else native_asset(sends[0].network).id, output.script, output.amount)
        for output in receipt.outputs
        if sends
    )
    return not Counter((send.asset, send.script, send.units) for send in sends) - shown


async def book(
    tx: Transaction,
    sender: AccountSender,
    call: Call,
    ending: Ending,
    order: Order | None,
    paid: Sequence[Payout],
) -> None:
    """Everything that follows, in one transaction; the order, the payouts and then the call are locked."""
    await call_rows.finish(tx, call.id, ending.state)
    if call.gas_reserved:
        entry = gas_books.gas_paid(call.id, call.network, reserved=call.gas_reserved, fee=ending.fee)
        await ledger.post(tx, entry, subject=call.id)
    elif call.sender != sender.chain.hot.script and ending.fee:
        await ledger.post(tx, gas_books.gas_paid_by_deposit(call.id, call.network, ending.fee), subject=call.id)
    if call.purpose == "collect" and ending.done:
        entry = gas_books.collected(call.id, asset_by_id(call.asset), call.units)
        await ledger.post(tx, entry, subject=call.id)
    if not ending.done and (call.purpose, ending.state) != ("fill", "filled"):
        await raise_alert(tx, LOST if ending.state == "lost" else _REVERTED, call.id, f"{call.purpose}: {ending.why}")
    if call.purpose != "send":
        return
    await call_rows.set_sends_state(tx, call.id, "confirmed" if ending.done else "abandoned")
    if order is not None:
        await _tell_order(tx, call, ending, order)
    if paid:
        await (_settle_payouts if ending.done else _fail_payouts)(tx, call, ending, paid)


async def _tell_order(tx: Transaction, call: Call, ending: Ending, order: Order) -> None:
    if order.order_state not in {OrderState.SENDING, OrderState.SENT}:
        return
    [send] = await call_rows.sends_of(tx, call.id)
    if ending.done:
        moved = Moved(send.id, amount=send.units)
        await orders.move(tx, order, Fact(T.SEND_CONFIRMED, send.id, moved=moved, tx_hash=ending.tx_hash))
    else:  # nothing else can ever use its nonce
        await abandoning.tell_order(tx, order, send, fee=0, failure=ending.failure, tx_hash=ending.tx_hash)


async def _settle_payouts(tx: Transaction, call: Call, ending: Ending, paid: Sequence[Payout]) -> None:
    left: Counter[str] = Counter()
    open_ones = [payout for payout in paid if payout.payout_state in _UNDER_WAY]
    for payout in open_ones:
        left[payout.subject] += payout.units
    if open_ones:
        await ledger.post(tx, books.coins_delivered(call.id, asset_by_id(call.asset), left, 0), subject=call.id)
        fact = PayoutFact(P.SETTLED, call.id, tx_hash=ending.tx_hash)
        await payouts.move_all(tx, open_ones, fact)


async def _fail_payouts(tx: Transaction, call: Call, ending: Ending, paid: Sequence[Payout]) -> None:
    """Coins that did not leave are ours again; a partner's payout fails, coins of a customer wait for a person."""
    open_ones = [payout for payout in paid if payout.payout_state in _UNDER_WAY]
    asset = asset_by_id(call.asset)
    units = sum(payout.units for payout in open_ones)
    await ledger.post(tx, books.coins_released(call.id, asset, units), subject=call.id)
    failing = [payout for payout in open_ones if payout.payout_kind is PayoutKind.PAYOUT and not _is_doubtful(payout)]
    await payouts.move_all(tx, failing, PayoutFact(P.FAILED, call.id, failure=ending.failure, tx_hash=ending.tx_hash))
    for payout in open_ones:
        if payout.payout_kind is not PayoutKind.PAYOUT and not _is_doubtful(payout):
            await payouts.hold(tx, payout, LOST if ending.state == "lost" else _REVERTED, cause=call.id)


def _is_doubtful(payout: Payout) -> bool:
    return payout.hold is not None and payout.hold.get("reason") == PAID_ELSEWHERE
