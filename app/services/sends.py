"""Sends: coins leaving our wallet. Reserve, sign, store the bytes, commit; only then broadcast those same bytes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import structlog

from app.db import orders as order_rows
from app.db import wallet
from app.db.alerts import raise_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.orders import Order
from app.db.wallet import ChainTransactionRow, Send
from app.domain.assets import BITCOIN_DEPTH, DepthStep, asset_by_id, confirmations_needed
from app.domain.money import Money
from app.domain.order import OrderState, OrderTrigger
from app.domain.order_terms import Moved
from app.ports.chain import Address, Branch, ChainProvider, CoinInput, Recipient
from app.ports.errors import ProviderRejected
from app.services import orders
from app.services.orders import Fact

log = structlog.get_logger(__name__)
T = OrderTrigger

# Change goes to one of a few addresses, so that keys stay derived: deriving one costs as much as signing.
POOL_SIZE = 16
_FEE_RATE_SECONDS = 5.0
_MOST_INPUTS = 100
_AT_ONCE = 16


class WalletShort(RuntimeError):
    """The hot wallet has too few confirmed, unreserved coins for this send now."""


@dataclass(slots=True)
class Sender:
    """One network's way out: its rail, its change addresses, and the fee rate of the last few seconds."""

    rail: ChainProvider
    change: list[Address]
    ladder: Sequence[DepthStep] = BITCOIN_DEPTH
    # Signing takes the processor and broadcasting the node: more sends at once only wait for each other.
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _rate: int = 0
    _rated_at: float = float("-inf")

    async def fee_rate(self) -> int:
        """Units per virtual byte, asked of the node every few seconds."""
        if time.monotonic() - self._rated_at > _FEE_RATE_SECONDS:
            self._rate = await self.rail.fee_rate()
            self._rated_at = time.monotonic()
        return self._rate

    def change_address(self) -> Address:
        """Where the rest of the next transaction comes back to."""
        return secrets.choice(self.change)


async def open_wallet(db: Database, rail: ChainProvider, ladder: Sequence[DepthStep] = BITCOIN_DEPTH) -> Sender:
    """Watch the wallet's own addresses, and be ready to send from it."""
    change = [rail.new_address(Branch.CHANGE, index) for index in range(POOL_SIZE)]
    funding = [rail.new_address(Branch.RECEIVE, index) for index in range(POOL_SIZE)]
    async with db.transaction() as tx:
        await wallet.add_addresses(tx, rail.network, change, "change")
        await wallet.add_addresses(tx, rail.network, funding, "funding")
    return Sender(rail, change, ladder)


async def send_coins(db: Database, sender: Sender, order_id: str) -> None:
    """The job of a paid order: prepare its send unless that is done, then broadcast it unless that is done.

    Raises WalletShort, ProviderUnavailable or OutcomeUnknown when it has to be tried again.
    """
    async with sender.slots:
        await _send(db, sender, order_id)


async def _send(db: Database, sender: Sender, order_id: str) -> None:
    fee_rate = await sender.fee_rate()
    try:
        async with db.transaction() as tx:
            order = await order_rows.lock(tx, order_id)
            if order is None or order.hold is not None:
                return
            if order.order_state is OrderState.PAID:
                await _prepare_order(tx, sender, order, fee_rate)
            elif order.order_state is not OrderState.SENDING:
                return
    except WalletShort:
        async with db.transaction() as tx:
            await raise_alert(tx, "wallet_short", sender.rail.network, "paid orders wait for coins")
        raise
    await broadcast(db, sender, order_id)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one recipient gets, and for what: an order, or a payout."""

    address: str
    script: str
    amount: Money
    order_id: str | None = None
    payout_id: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signed transaction in the database: its lineage, its id, what it pays the network, and the sends that it is."""

    lineage_id: str
    txid: str
    fee: int
    sends: tuple[Send, ...]


async def prepare(tx: Transaction, sender: Sender, outgoing: Sequence[Outgoing], fee_rate: int) -> Prepared:
    """Reserve coins, sign one transaction for all recipients, and store its bytes, in the caller's transaction.

    Raises WalletShort when the coins that are free now do not suffice.
    """
    rail, change = sender.rail, sender.change_address()
    scripts = [one.script for one in outgoing]
    coins = await _select(tx, rail, sum(one.amount.units for one in outgoing), [*scripts, change.script], fee_rate)
    recipients = [Recipient(one.script, one.amount.units) for one in outgoing]
    signed = await rail.prepare(coins, recipients, change, fee_rate=fee_rate)
    lineage_id, now = new_id("ln"), datetime.now(UTC)
    share, over = divmod(signed.fee, len(outgoing))
    made = tuple(
        Send(
            id=new_id("sn"),
            order_id=one.order_id,
            payout_id=one.payout_id,
            purpose="deliver" if one.payout_id is None else "payout",
            network=rail.network,
            asset=one.amount.asset.id,
            address=one.address,
            script=one.script,
            units=one.amount.units,
            fee_units=share + (place < over),
            lineage_id=lineage_id,
            state="prepared",
            confirmations_needed=confirmations_needed(one.amount, sender.ladder),
            created_at=now,
            updated_at=now,
        )
        for place, one in enumerate(outgoing)
    )
    stored = ChainTransactionRow(
        txid=signed.txid,
        network=rail.network,
        lineage_id=lineage_id,
        raw=signed.raw,
        fee_units=signed.fee,
        vsize=signed.vsize,
        created_at=now,
    )
    await wallet.store_sends(tx, made, stored, [(coin.txid, coin.vout) for coin in coins])
    return Prepared(lineage_id, signed.txid, signed.fee, made)


async def _prepare_order(tx: Transaction, sender: Sender, order: Order, fee_rate: int) -> None:
    """Step E: reserve coins, sign, and store the bytes, in the transaction that moves the order."""
    assert order.script is not None  # noqa: S101 - a buy is placed with its destination
    assert order.address is not None  # noqa: S101
    amount = Money(order.destination_units, asset_by_id(order.destination_asset))
    prepared = await prepare(tx, sender, [Outgoing(order.address, order.script, amount, order_id=order.id)], fee_rate)
    [send] = prepared.sends
    moved = Moved(send.id, amount=order.destination_units, fee=prepared.fee)
    await orders.move(tx, order, Fact(T.SEND_PREPARED, send.id, moved=moved, tx_hash=prepared.txid))


async def _select(
    tx: Transaction, rail: ChainProvider, amount: int, scripts: Sequence[str], fee_rate: int
) -> list[CoinInput]:
    """The smallest coin that is enough, else the largest until they are; raises WalletShort."""

    def needed(inputs: int) -> int:
        return amount + rail.estimate_vsize(inputs, scripts) * fee_rate

    single = await wallet.smallest_sufficient(tx, rail.network, needed(1))
    if single is not None:
        return [_input(single)]
    chosen: list[CoinInput] = []
    gathered = 0
    for record in await wallet.largest_first(tx, rail.network, _MOST_INPUTS):
        chosen.append(_input(record))
        gathered += chosen[-1].amount
        if gathered >= amount and gathered >= needed(len(chosen)):
            return chosen
    raise WalletShort(f"{rail.network}: {len(chosen)} coins are not enough for {amount} units")


def _input(record: asyncpg.Record) -> CoinInput:
    return CoinInput(
        txid=record["txid"],
        vout=record["vout"],
        amount=int(record["units"]),
        branch=Branch(record["branch"]),
        index=record["index"],
    )


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
    """Give a lineage's newest bytes to the network; their txid, or None when there is nothing left to do."""
    async with db.connection() as connection:
        stored = await wallet.newest_transaction(connection, lineage_id)
    if stored is None or stored.height is not None:
        return None
    try:
        await rail.broadcast(stored.raw)
    except ProviderRejected as refused:
        # The node says no, but these bytes are out of our hands once signed: never build others in their place.
        log.warning("send.refused", lineage_id=lineage_id, txid=stored.txid, error=str(refused))
        async with db.transaction() as tx:
            await raise_alert(tx, "broadcast_refused", lineage_id, str(refused))
        raise
    return stored.txid


async def confirm(db: Database, order_id: str, lineage_id: str, txid: str) -> None:
    """A send is as deep in the chain as it needs: the order is delivered."""
    async with db.transaction() as tx:
        order = await order_rows.lock(tx, order_id)
        send = await wallet.send_of(tx, order_id)
        stored = await wallet.transaction(tx, txid)
        if order is None or send is None or stored is None or stored.height is None:
            return
        await wallet.mark_confirmed(tx, lineage_id)
        if order.order_state in {OrderState.SENDING, OrderState.SENT}:
            moved = Moved(send.id, amount=order.destination_units, fee=stored.fee_units)
            await orders.move(tx, order, Fact(T.SEND_CONFIRMED, send.id, moved=moved, tx_hash=txid))
