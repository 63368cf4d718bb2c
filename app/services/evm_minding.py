"""Minding calls that no block has taken: handing them over again, filling gaps, and offering more for their gas."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from app.db import calls as call_rows
from app.db import ledger
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db import senders as sender_rows
from app.db.alerts import raise_alert
from app.db.calls import Call, CallAttempt
from app.db.database import Database, Transaction
from app.db.senders import CallSender
from app.db.wallet import Send
from app.domain import bookkeeping_gas as books
from app.domain.assets import asset_by_id, native_asset
from app.domain.gas import GasPrice, higher_offer
from app.domain.intent import Intent
from app.domain.order import OrderState, OrderTrigger
from app.domain.payout import PayoutState, PayoutTrigger
from app.ports.account_chain import FeeMarket, FeeOffer, SignedCall, Transfer
from app.ports.chain import Address, Branch
from app.ports.errors import ProviderError
from app.services import evm_calls, evm_lost, evm_sends, intents, orders, payouts, spending
from app.services.evm_calls import AccountSender, Purpose
from app.services.orders import Fact
from app.services.payouts import PayoutFact
from app.services.spending import SendWaits
from app.services.tolerance import NOT_SETTLED, tolerate

log = structlog.get_logger(__name__)

_AT_ONCE = 50
_MOST_GAPS = 20  # more nonces than this are not a gap but a mistake


async def mind(db: Database, sender: AccountSender) -> int:
    """One look at everything of a network that is signed and in no block; how many calls were handed over again."""
    async with db.connection() as connection:
        senders = await sender_rows.senders(connection, sender.network)
        silent = await call_rows.silent(connection, sender.network, _AT_ONCE)
    for call_id in silent:
        try:
            await evm_sends.broadcast(db, sender, call_id)
        except (ProviderError, SendWaits) as error:
            log.warning("call.not_handed_over", call_id=call_id, error=str(error))
    for row in senders:
        if row.stopped is None:
            await _mind_sender(db, sender, row)
        else:
            await tolerate(db, NOT_SETTLED, row.script, evm_lost.give_up(db, sender, row.script))
    return len(silent)


async def _mind_sender(db: Database, sender: AccountSender, row: CallSender) -> None:
    nonces = await sender.chain.nonces(row.script)
    async with db.transaction() as tx:
        locked = await sender_rows.lock_sender(tx, sender.network, row.script)
        if locked is not None and nonces.mined > locked.next_nonce:
            why = f"its next nonce is {nonces.mined} on the chain and {locked.next_nonce} here"
            await evm_calls.stop(tx, sender.network, row.script, why)
            return
        first = await call_rows.lowest_open(tx, sender.network, row.script)
        gaps: list[int] = []
        if first is not None:
            gaps = await sender_rows.missing_nonces(tx, sender.network, row.script, nonces.mined, first.nonce)
    if gaps:
        await _fill(db, sender, row.script, gaps)
    elif first is not None:
        await _offer_more(db, sender, first)


async def _fill(db: Database, sender: AccountSender, script: str, gaps: list[int]) -> None:
    """Use nonces that were lost for nothing, so that those behind them can go on."""
    offer = await sender.offer()
    for nonce in gaps[:_MOST_GAPS]:
        async with db.transaction() as tx:
            await spending.require_started(tx, sender.network)
            row = await sender_rows.lock_sender(tx, sender.network, script)
            address = await _address(tx, sender, script)
            if row is None or not await sender_rows.missing_nonces(tx, sender.network, script, nonce, nonce + 1):
                continue
            signed = await sender.chain.cancel(address, nonce=nonce, fees=offer)
            purpose = Purpose("fill", native_asset(sender.network))
            call = await evm_calls.store(tx, sender, purpose, address, signed, is_filler=True)
            await raise_alert(tx, "nonce_gap", f"{sender.network}:{script}", f"nonce {nonce} was lost and is filled")
        await evm_sends.broadcast(db, sender, call.id)


async def _offer_more(db: Database, sender: AccountSender, first: Call) -> None:
    """Replace the call that all others wait for by one that pays more, once it has waited for long enough."""
    market = await sender.market()
    async with db.transaction() as tx:
        if not await spending_allows(tx, sender):
            return
        sends = await call_rows.sends_of(tx, first.id)
        order_id = next((send.order_id for send in sends if send.order_id is not None), None)
        order = None if order_id is None else await order_rows.lock(tx, order_id)
        paid = await payout_rows.lock_of_lineage(tx, first.id)
        await sender_rows.lock_sender(tx, sender.network, first.sender)
        call = await call_rows.lock(tx, first.id)
        attempts = await call_rows.attempts(tx, first.id)
        waited = await call_rows.has_waited(tx, first.id, sender.rules.bump_after)
        if call is None or call.state != "open" or not waited:
            return
        offer = _better(sender, attempts[0], market)
        if offer is None:
            detail = f"nonce {call.nonce} waits; what would replace it is above the cap of {sender.rules.gas.cap} wei"
            await raise_alert(tx, "fee_cap_reached", f"{sender.network}:{call.id}", detail)
            return
        sealed = [] if order is None else [intents.of_order(order)]
        sealed += [intents.of_payout(payout) for payout in paid]
        by_subject = {intent.subject: intent for intent in sealed if intent is not None}
        transfers = [_transfer(send, by_subject) for send in sends]
        signed = await _sign_again(tx, sender, call, transfers, attempts[0], offer)
        attempt = evm_calls.attempt_of(call, signed, is_filler=attempts[0].is_filler)
        reserved = signed.most_fee if call.gas_reserved else 0
        await call_rows.add_attempt(tx, attempt, gas_reserved=reserved)
        if reserved > call.gas_reserved:
            entry = books.gas_reserved(call.id, signed.txid, call.network, reserved - call.gas_reserved)
            await ledger.post(tx, entry, subject=call.id)
        shown = evm_sends.shown_hash(signed.txid)
        if order is not None and order.order_state in {OrderState.SENDING, OrderState.SENT}:
            await orders.move(tx, order, Fact(OrderTrigger.SEND_REPLACED, signed.txid, tx_hash=shown))
        moving = [one for one in paid if one.payout_state in {PayoutState.SENDING, PayoutState.SUBMITTED}]
        await payouts.move_all(tx, moving, PayoutFact(PayoutTrigger.REPLACED, signed.txid, tx_hash=shown))
    await evm_sends.broadcast(db, sender, first.id)


async def spending_allows(tx: Transaction, sender: AccountSender) -> bool:
    """Whether nobody has stopped the chain."""
    try:
        await spending.require_started(tx, sender.network)
    except SendWaits:
        return False
    return True


def _better(sender: AccountSender, newest: CallAttempt, market: FeeMarket) -> FeeOffer | None:
    before = GasPrice(newest.max_fee, newest.priority_fee)
    price = higher_offer(before, market.base_fee, market.priority_fee, sender.rules.gas)
    return None if price is None else evm_calls.offer_of(price)


async def _sign_again(
    tx: Transaction, sender: AccountSender, call: Call, transfers: list[Transfer], newest: CallAttempt, offer: FeeOffer
) -> SignedCall:
    """The same nonce for the same purpose, at a better offer."""
    asset = asset_by_id(call.asset)
    if newest.is_filler:
        return await sender.chain.cancel(await _address(tx, sender, call.sender), nonce=call.nonce, fees=offer)
    match call.purpose:
        case "send":
            return await sender.chain.prepare(transfers, nonce=call.nonce, gas_limit=call.gas_limit, fees=offer)
        case "approve":
            return await sender.chain.approve(asset, nonce=call.nonce, fees=offer)
        case "collect":
            source = await _address(tx, sender, call.about or "")
            gas_limit = call.gas_limit
            return await sender.chain.collect(
                source, asset, call.units, nonce=call.nonce, gas_limit=gas_limit, fees=offer
            )
        case _:
            raise AssertionError(f"a call for {call.purpose} has only fillers")


def _transfer(send: Send, sealed: Mapping[str, Intent]) -> Transfer:
    return Transfer(asset_by_id(send.asset), send.script, send.units, sealed.get(send.order_id or send.payout_id or ""))


async def _address(tx: Transaction, sender: AccountSender, script: str) -> Address:
    """One of our own addresses, by its script."""
    if script == sender.chain.hot.script:
        return sender.chain.hot
    index = await sender_rows.index_of(tx, sender.network, script)
    return sender.chain.new_address(Branch.RECEIVE, index)
