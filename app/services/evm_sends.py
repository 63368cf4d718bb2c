"""Sends on account chains: the coins of a paid order, and queued payouts together; tried on the node before signing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog

from app.db import account_chains
from app.db import calls as call_rows
from app.db import orders as order_rows
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.calls import Call
from app.db.columns import Document, new_id
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.db.wallet import Send
from app.domain.money import Asset, Money
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.payout import PayoutState, PayoutTrigger
from app.domain.spending import HELD_FOR
from app.ports.account_chain import FeeOffer, SignedCall, Simulation, Transfer
from app.ports.errors import SigningRefused
from app.ports.outcome import Decline
from app.services import evm_calls, orders, payouts, screening, signing, spending
from app.services.evm_calls import AccountSender, ChainNotWell, GasTooDear, Holdings, HotWalletShort, Purpose
from app.services.orders import Fact
from app.services.payouts import PayoutFact
from app.services.preparing import Outgoing, outgoing_of
from app.services.receipts import failure_document
from app.services.spending import SendWaits, SpendingRefused

log = structlog.get_logger(__name__)
P = PayoutTrigger
T = OrderTrigger
REFUSED = "recipient_refused"


def transfer_of(outgoing: Outgoing) -> Transfer:
    """What the adapter is asked to do."""
    return Transfer(outgoing.amount.asset, outgoing.script, outgoing.amount.units, outgoing.intent)


def shown_hash(txid: str) -> str:
    """A transaction's id as these chains write it."""
    return f"0x{txid}"


def refusal_of(reason: str) -> Document:
    """Why a recipient cannot be paid, for the row of what was to be paid."""
    return failure_document(Decline(REFUSED, None, f"The recipient cannot be paid: {reason}."))


async def send_coins(db: Database, sender: AccountSender, order_id: str) -> None:
    """The job of a paid order: prepare its send unless that is done, then broadcast it unless that is done.

    Raises SendWaits, ProviderUnavailable or OutcomeUnknown when it has to be tried again.
    """
    async with sender.slots:
        async with db.transaction() as tx:
            order = await order_rows.lock(tx, order_id)
            if order is None or not await orders.may_go(tx, order):
                return
        if order.order_state is OrderState.PAID:
            try:
                await _prepare_order(db, sender, order)
            except SendWaits as waits:
                await tell_waiting(db, sender.network, waits)
                raise
            except SigningRefused as refused:
                await signing.hold_order(db, order_id, refused)
                return
        elif order.order_state is not OrderState.SENDING:
            return
        await broadcast_order(db, sender, order_id)


async def _prepare_order(db: Database, sender: AccountSender, order: Order) -> None:
    outgoing = outgoing_of(order)
    amount = outgoing.amount
    offer, held, tried = await try_out(db, sender, amount.asset, [outgoing])
    async with db.transaction() as tx:
        locked = await order_rows.lock(tx, order.id)
        if locked is None or locked.hold is not None or locked.order_state is not OrderState.PAID:
            return
        if tried.refused:
            failure = refusal_of(tried.refused[0])
            await orders.move(tx, locked, Fact(T.SEND_ABANDONED, f"{order.id}:refused", failure=failure))
            return
        if not await screening.may_send(tx, locked):
            return
        try:
            await spending.check(tx, sender.network, [outgoing])
        except SpendingRefused as refused:
            await orders.hold(tx, order.id, HELD_FOR, cause=f"{order.id}:{locked.sequence}")
            await raise_alert(tx, HELD_FOR, order.id, f"its coins wait for a person: {refused.reason}")
            return
        _, txid, [send] = await prepare(tx, sender, [outgoing], tried.gas_limit, offer, held)
        moved = Moved(send.id, amount=amount.units)
        await orders.move(tx, locked, Fact(T.SEND_PREPARED, send.id, moved=moved, tx_hash=shown_hash(txid)))


async def try_out(
    db: Database, sender: AccountSender, asset: Asset, outgoing: Sequence[Outgoing]
) -> tuple[FeeOffer, Holdings, Simulation]:
    """All that is asked of the node before anything is locked; raises SendWaits when nothing can be sent now."""
    async with db.connection() as connection:
        state = await account_chains.chain_state(connection, sender.network)
    if state is None or state.degraded is not None:
        raise ChainNotWell(f"{sender.network}: {state.degraded if state else 'not followed yet'}")
    await evm_calls.make_ready(db, sender, sender.chain.hot)
    offer = await sender.offer()
    held = await evm_calls.holdings(db, sender, sender.chain.hot, asset)
    if held.units[asset.id] < min(one.amount.units for one in outgoing):
        raise HotWalletShort(f"{sender.network}: {Money(held.units[asset.id], asset)} are left")
    tried = await sender.chain.simulate([transfer_of(one) for one in outgoing])
    if tried.halted is not None:
        raise ChainNotWell(f"{sender.network}: {asset.code} cannot be sent: {tried.halted}")
    return offer, held, tried


async def prepare(
    tx: Transaction,
    sender: AccountSender,
    outgoing: Sequence[Outgoing],
    gas_limit: int,
    offer: FeeOffer,
    held: Holdings,
) -> tuple[Call, str, list[Send]]:
    """Sign one call that pays all of them, in one asset, and store it with its sends, in the caller's transaction."""
    asset = outgoing[0].amount.asset

    async def build(nonce: int) -> SignedCall:
        transfers = [transfer_of(one) for one in outgoing]
        return await sender.chain.prepare(transfers, nonce=nonce, gas_limit=gas_limit, fees=offer)

    units = sum(one.amount.units for one in outgoing)
    purpose = Purpose("send", asset, units, most_gas=gas_limit * offer.max_fee)
    call, txid = await evm_calls.sign(tx, sender, sender.chain.hot, purpose, build, held)
    now = datetime.now(UTC)
    made = [
        Send(
            id=new_id("sn"),
            order_id=one.order_id,
            payout_id=one.payout_id,
            purpose=one.purpose,
            network=sender.network,
            asset=asset.id,
            address=one.address,
            script=one.script,
            units=one.amount.units,
            lineage_id=call.id,
            state="prepared",
            confirmations_needed=1,
            created_at=now,
            updated_at=now,
        )
        for one in outgoing
    ]
    await call_rows.insert_sends(tx, made)
    return call, txid, made


async def broadcast_order(db: Database, sender: AccountSender, order_id: str) -> None:
    """Hand the stored bytes of an order's send to the network, and record that it took them. Safe to repeat."""
    async with db.connection() as connection:
        call_id = await connection.fetchval("SELECT lineage_id FROM sends WHERE order_id = $1", order_id)
    if call_id is not None:
        await broadcast(db, sender, call_id)


async def broadcast(db: Database, sender: AccountSender, call_id: str) -> None:
    """Hand a call's bytes to the network, and tell the order or the payouts that it is for. Safe to repeat for ever."""
    txid = await evm_calls.hand_over(db, sender, call_id)
    if txid is None:
        return
    async with db.connection() as connection:
        sends = await call_rows.sends_of(connection, call_id)
    order_id = next((send.order_id for send in sends if send.order_id is not None), None)
    async with db.transaction() as tx:
        order = None if order_id is None else await order_rows.lock(tx, order_id)
        paid = await payout_rows.lock_of_lineage(tx, call_id)
        await call_rows.mark_broadcast(tx, call_id, txid)
        if order is not None and order.order_state is OrderState.SENDING:
            await orders.move(tx, order, Fact(T.SEND_BROADCAST, sends[0].id, tx_hash=shown_hash(txid)))
        sending = [payout for payout in paid if payout.payout_state is PayoutState.SENDING]
        await payouts.move_all(tx, sending, PayoutFact(P.SUBMITTED, call_id, tx_hash=shown_hash(txid)))


async def tell_waiting(db: Database, network: str, waits: SendWaits) -> None:
    """Let a person know why coins do not leave. One who has stopped the chain knows."""
    kinds: Mapping[type[SendWaits], str] = {
        HotWalletShort: "wallet_short",
        GasTooDear: "fee_cap_reached",
        ChainNotWell: "coins_cannot_leave",
    }
    if (kind := kinds.get(type(waits))) is not None:
        async with db.transaction() as tx:
            await raise_alert(tx, kind, network, str(waits))
