"""Sends: coins leaving our wallet. Reserve, sign, store the bytes, commit; only then broadcast those same bytes."""

from __future__ import annotations

import structlog

from app.db import lineages, wallet
from app.db import orders as order_rows
from app.db.alerts import raise_alert
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.domain.spending import HELD_FOR
from app.ports.chain import ChainProvider
from app.ports.errors import ProviderRejected, SigningPostponed, SigningRefused
from app.services import head_age, orders, screening, signing, spending
from app.services.choosing import WalletShort
from app.services.orders import Fact
from app.services.preparing import FeeCapReached, Sender, outgoing_of, prepare
from app.services.spending import SendWaits, SpendingRefused

log = structlog.get_logger(__name__)
T = OrderTrigger


async def send_coins(db: Database, sender: Sender, order_id: str) -> None:
    """The job of a paid order: prepare its send unless that is done, then broadcast it unless that is done.

    Raises SendWaits, ProviderUnavailable or OutcomeUnknown when it has to be tried again.
    """
    async with sender.slots:
        await _send(db, sender, order_id)


async def _send(db: Database, sender: Sender, order_id: str) -> None:
    fee_rate = await sender.fee_rate()
    try:
        async with db.transaction() as tx:
            order = await order_rows.lock(tx, order_id)
            if order is None or not await orders.may_go(tx, order):
                return
            if order.order_state is OrderState.PAID:
                if not await screening.may_send(tx, order):
                    return
                await head_age.require_fresh(tx, sender.rail.network, sender.rules.head_age)
                await _prepare_order(tx, sender, order, fee_rate)
            elif order.order_state is not OrderState.SENDING:
                return
    except SendWaits as waits:
        await tell_waiting(db, sender.rail.network, waits, "paid orders wait for coins")
        raise
    except (SigningRefused, SigningPostponed) as said:
        await signing.hold_order(db, order_id, sender.wishes.heed(said))
        return
    await broadcast(db, sender, order_id)


async def _prepare_order(tx: Transaction, sender: Sender, order: Order, fee_rate: int) -> None:
    """Step E: reserve coins, sign, and store the bytes, in the transaction that moves the order."""
    outgoing = [outgoing_of(order)]
    try:
        await spending.check(tx, sender.rail.network, outgoing)
    except SpendingRefused as refused:
        await orders.hold(tx, order.id, HELD_FOR, cause=f"{order.id}:{order.sequence}")
        await raise_alert(tx, HELD_FOR, order.id, f"its coins wait for a person: {refused.reason}")
        return
    prepared = await prepare(tx, sender, outgoing, fee_rate)
    [send] = prepared.sends
    moved = Moved(send.id, amount=order.destination_units, fee=prepared.fee)
    await orders.move(tx, order, Fact(T.SEND_PREPARED, send.id, moved=moved, tx_hash=prepared.txid))


async def broadcast(db: Database, sender: Sender, order_id: str) -> None:
    """Step F: hand the stored bytes to the network, and record that it took them. Safe to repeat for ever."""
    async with db.connection() as connection:
        send = await wallet.send_of(connection, order_id)
    if send is None:
        return
    txid = await hand_over(db, sender.rail, send.lineage_id)
    if txid is None:
        return
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        await wallet.mark_broadcast(tx, send.lineage_id, txid)
        if order is not None and order.order_state is OrderState.SENDING:
            await orders.move(tx, order, Fact(T.SEND_BROADCAST, send.id, tx_hash=txid))


async def hand_over(db: Database, rail: ChainProvider, lineage_id: str) -> str | None:
    """Give a lineage's newest bytes to the network; the txid that it has, or None when there is nothing left to do.

    An older attempt is offered when the newest is refused: it may be in a block that we have not seen. Raises
    SpendingStopped, ProviderRejected when every attempt is refused, ProviderUnavailable and OutcomeUnknown.
    """
    async with db.connection() as connection:
        await spending.require_started(connection, rail.network)
        attempts = await lineages.attempts(connection, lineage_id)
    if not attempts or any(stored.height is not None for stored in attempts):
        return None
    refusals: list[ProviderRejected] = []
    for stored in attempts:
        try:
            await rail.broadcast(stored.raw)
        except ProviderRejected as refused:
            log.warning("send.refused", lineage_id=lineage_id, txid=stored.txid, error=str(refused))
            refusals.append(refused)
        else:
            return stored.txid
    # The node says no, but these bytes are out of our hands once signed: never build others in their place.
    async with db.transaction() as tx:
        await raise_alert(tx, "broadcast_refused", lineage_id, str(refusals[0]))
    raise refusals[0]


async def confirm(db: Database, order_id: str, lineage_id: str, txid: str) -> None:
    """A send is as deep in the chain as it needs: the order is delivered, whichever attempt it was."""
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        send = await wallet.send_of(tx, order_id)
        stored = await wallet.transaction(tx, txid)
        if order is None or send is None or stored is None or stored.height is None:
            return
        await wallet.mark_confirmed(tx, lineage_id)
        await lineages.decide(tx, stored.network, lineage_id, txid)
        if order.order_state in {OrderState.SENDING, OrderState.SENT}:
            moved = Moved(
                send.id,
                amount=order.destination_units,
                fee=stored.fee_units,
                spare=send.fee_units - stored.fee_units,
            )
            await orders.move(tx, order, Fact(T.SEND_CONFIRMED, send.id, moved=moved, tx_hash=txid))
        await lineages.share_fee(tx, [(send.id, stored.fee_units)])


async def tell_waiting(db: Database, network: str, waits: SendWaits, what: str) -> None:
    """Let a person know why coins do not leave. One who has stopped the chain knows."""
    kinds: dict[type[SendWaits], str] = {WalletShort: "wallet_short", FeeCapReached: "fee_cap_reached"}
    if (kind := kinds.get(type(waits))) is not None:
        async with db.transaction() as tx:
            await raise_alert(tx, kind, network, what)
